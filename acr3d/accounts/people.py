"""What admins do with other people's accounts on the page “People”. One active admin always stays."""

from __future__ import annotations

import logging
from collections import defaultdict

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.accounts import links, passwords, second_factor, users
from acr3d.db.extensions import db
from acr3d.db.models import ROLES, ApiToken, User
from acr3d.db.session import transaction
from acr3d.db.types import is_id
from acr3d.errors import Conflict, InvalidInput, Missing

log = logging.getLogger("acr3d.security")


def everyone() -> list[User]:
    """All accounts, the active ones first, each by address."""
    return list(db.session.scalars(select(User).order_by(User.disabled_at.is_not(None), User.email)))


def live_tokens() -> dict[str, list[ApiToken]]:
    """The tokens that have not been revoked, by their user's id, oldest first."""
    found: dict[str, list[ApiToken]] = defaultdict(list)
    query = select(ApiToken).where(ApiToken.revoked_at.is_(None))
    for token in db.session.scalars(query.order_by(ApiToken.created_at, ApiToken.id)):
        found[token.user_id].append(token)
    return found


def person(user_id: str) -> User:
    """Raises Missing."""
    user = db.session.get(User, user_id) if is_id(user_id) else None
    if user is None:
        raise Missing(_("There is no such account."))
    return user


def invite(email: str, role: str) -> tuple[User, str]:
    """A new account, and the token of the link by which its person chooses a password.

    Raises InvalidInput, or Conflict for an address in use.
    """
    user = users.create_user(email, passwords.made(), role)
    return user, links.issue(user)


def new_link(user_id: str) -> tuple[User, str]:
    """The account and a new link's token, for somebody who forgot their password or let the link expire.

    The present password holds until the link is used. Raises Missing, or Conflict for a disabled account.
    """
    user = person(user_id)
    if not user.is_active:
        raise Conflict(_("The account of %(email)s is disabled. Enable it first.", email=user.email))
    return user, links.issue(user)


def change_role(user_id: str, role: str, actor: User) -> User:
    """Raises Missing, InvalidInput for an unknown role, and Conflict for one's own account."""
    if role not in ROLES:
        raise InvalidInput(_("The role must be one of: %(roles)s.", roles=", ".join(ROLES)))
    with transaction() as session:
        user = _changeable(session, user_id, actor)
        user.role = role
    log.info("security.role_changed user=%s role=%s by=%s", user.email, role, actor.email)
    return user


def disable(user_id: str, actor: User) -> User:
    """End the account's logins, sessions and tokens; `enable` undoes it. Raises as `change_role` does."""
    with transaction() as session:
        user = _changeable(session, user_id, actor)
        users.end_access(user)
    log.info("security.user_disabled user=%s by=%s", user.email, actor.email)
    return user


def remove_second_factor(user_id: str, actor: User) -> User:
    """Ask somebody who lost phone and recovery codes for no code. Raises as `change_role` does."""
    with transaction() as session:
        user = _changeable(session, user_id, actor)
        second_factor.clear(user)
    log.info("security.second_factor_off user=%s by=%s", user.email, actor.email)
    return user


def _changeable(session: Session, user_id: str, actor: User) -> User:
    """The account. All active admins are locked, so of two who disable each other one stays."""
    active = select(User).where(User.role == "admin", User.disabled_at.is_(None)).order_by(User.id)
    locked = active.with_for_update().execution_options(populate_existing=True)
    admins = {user.id for user in session.scalars(locked)}
    user = person(user_id)
    if user.id == actor.id:
        raise Conflict(_("Another admin must do this to your own account."))
    if actor.id not in admins:
        raise Conflict(_("You are no longer an admin, so nothing was changed."))
    return user
