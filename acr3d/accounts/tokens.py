"""API tokens: shown once, stored as a hash. A token may do what its scopes say and its user may do."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import or_, select, update

from acr3d.accounts import rights
from acr3d.accounts.rights import Right
from acr3d.accounts.users import user_by_email
from acr3d.db.extensions import db
from acr3d.db.models import ApiToken, User
from acr3d.db.outage import best_effort
from acr3d.db.session import transaction
from acr3d.db.types import is_id, utc_now
from acr3d.errors import InvalidInput, Missing

PREFIX = "acr3d_"
LONGEST_NAME = 60
log = logging.getLogger("acr3d.security")
_USE_RECORDED_EVERY = timedelta(minutes=1)


def issue_token(email: str, scopes: Iterable[str] | None = None, name: str = "") -> tuple[ApiToken, str]:
    """Create a token with these scopes, or all that the user's role allows. Returns its record and the token.

    `name` says what it is for. Raises Missing or InvalidInput.
    """
    user = user_by_email(email)
    chosen = rights.scopes_of_role(user.role) if scopes is None else scopes
    joined = rights.joined_scopes(chosen, user.role)
    if not user.is_active:
        raise InvalidInput(_("The account of %(email)s is disabled. Enable it first.", email=user.email))
    name = name.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(_("The name may have up to %(n)s characters, in one line.", n=LONGEST_NAME))
    token = PREFIX + secrets.token_urlsafe(32)
    record = ApiToken(user_id=user.id, token_sha256=_fingerprint(token), scopes=joined, name=name)
    with transaction() as session:
        session.add(record)
    log.info(
        "security.token_issued user=%s token=%s scopes=%s", user.email, record.id, joined.replace(" ", ",")
    )
    return record, token


def find_token(token: str) -> ApiToken | None:
    """The record of a valid token, else None. Records its use, at most once a minute."""
    if not token.startswith(PREFIX):
        return None
    record = db.session.scalar(select(ApiToken).where(ApiToken.token_sha256 == _fingerprint(token)))
    if record is None or record.revoked_at is not None or not record.user.is_active:
        return None
    _record_use(record)
    return record


def rights_of(record: ApiToken) -> frozenset[Right]:
    """What the token may do now: its scopes, within its user's role."""
    return rights.of_token(record.scopes, record.user.role)


def tokens_of(user: User) -> list[ApiToken]:
    """All tokens ever created for the user, oldest first."""
    query = select(ApiToken).where(ApiToken.user_id == user.id)
    return list(db.session.scalars(query.order_by(ApiToken.created_at, ApiToken.id)))


def revoke_tokens(email: str, token_id: str | None = None) -> int:
    """Revoke one token of the user, or all. Returns how many were revoked. Raises Missing or InvalidInput."""
    user = user_by_email(email)
    wanted = [ApiToken.user_id == user.id]
    if token_id is not None:
        if not is_id(token_id) or token_id not in {token.id for token in tokens_of(user)}:
            raise Missing(_("%(email)s has no token with the ID %(id)s.", email=user.email, id=token_id))
        wanted.append(ApiToken.id == token_id)
    with transaction() as session:
        live = session.scalars(select(ApiToken).where(*wanted, ApiToken.revoked_at.is_(None))).all()
        for token in live:
            token.revoked_at = utc_now()
    for token in live:
        log.info("security.token_revoked user=%s token=%s", user.email, token.id)
    return len(live)


def _record_use(record: ApiToken) -> None:
    now = utc_now()
    long_ago = now - _USE_RECORDED_EVERY
    if record.last_used_at is not None and record.last_used_at > long_ago:
        return
    stale = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= long_ago)
    with best_effort("use of a token"), transaction() as session:
        session.execute(update(ApiToken).where(ApiToken.id == record.id, stale).values(last_used_at=now))


def _fingerprint(token: str) -> str:
    """A plain hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
