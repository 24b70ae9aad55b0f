"""Links by which a person chooses a password: an invitation, or for somebody who forgot theirs.

A link is shown once, holds for LASTS and works once; a newer one, a new password or disabling the account
ends it. Only its hash is stored.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from acr3d.accounts import passwords, users
from acr3d.db.extensions import db
from acr3d.db.models import User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.errors import Missing

LASTS = timedelta(hours=72)
log = logging.getLogger("acr3d.security")


def issue(user: User) -> str:
    """A new link's token; an earlier link of this account ends."""
    token = secrets.token_urlsafe(32)
    with transaction():
        user.link_sha256, user.link_expires_at = _fingerprint(token), utc_now() + LASTS
    log.info("security.link_issued user=%s", user.email)
    return token


def holder(token: str, *, locked: bool = False) -> User:
    """The account that the link is for. Raises Missing for a link that was used, has expired or never was."""
    query = select(User).where(
        User.link_sha256 == _fingerprint(token), User.link_expires_at > utc_now(), User.disabled_at.is_(None)
    )
    user: User | None = db.session.scalar(query.with_for_update() if locked else query)
    if user is None:
        raise Missing(
            _("This link was used already, or is too old. Ask the admin who sent it for a new one.")
        )
    return user


def use(token: str, password: str) -> User:
    """Choose the account's password, and end its sessions and the link.

    Raises Missing as `holder` does, and InvalidInput for an unacceptable password.
    """
    passwords.check_rules(password, holder(token).email)
    kept = passwords.hashed(password)
    with transaction():
        user = holder(token, locked=True)
        users.put_password(user, kept, one_time=False)
    log.info("security.link_used user=%s", user.email)
    return user


def _fingerprint(token: str) -> str:
    """A plain hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
