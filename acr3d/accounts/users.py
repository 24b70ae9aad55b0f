"""Users and their sessions. What each role may do is in `rights`.

A session is a signed cookie with the user's id and current `session_epoch`, and an id of its own; a new
epoch ends all of the user's sessions at once, and `sessions.end` ends one.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from acr3d.accounts import passwords, sessions
from acr3d.db.extensions import db
from acr3d.db.models import ROLES, User
from acr3d.db.outage import best_effort
from acr3d.db.session import transaction
from acr3d.db.types import is_id, new_id, utc_now
from acr3d.errors import Conflict, InvalidInput, Missing

EMAIL_LENGTH = 254
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


ONE_TIME_LASTS = timedelta(hours=72)
log = logging.getLogger("acr3d.security")


class WrongPassword(InvalidInput):
    """The current password is wrong."""


class PasswordExpired(InvalidInput):
    """The password is right, but was a one-time one and has expired."""


def user_of_session(identity: str, login_id: str) -> User | None:
    """The active user of a session (`identity`: see User.get_id); None if it has ended."""
    user_id, _separator, epoch = identity.partition(":")
    if not is_id(user_id) or not is_id(login_id):
        return None
    user = db.session.scalar(select(User).where(User.id == user_id, ~sessions.has_ended(login_id)))
    return user if user and user.is_active and user.session_epoch == epoch else None


def normalised_email(text: str) -> str:
    """The stored form of an email address. Raises InvalidInput for an invalid one."""
    text = text.strip()
    # The length first: normalizing takes time in the square of a run of combining marks.
    email = unicodedata.normalize("NFKC", text).lower() if len(text) <= EMAIL_LENGTH else ""
    if len(email) > EMAIL_LENGTH or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise InvalidInput(_("“%(text)s” is not a valid email address.", text=text[:EMAIL_LENGTH]))
    return email


def throttle_key(text: str) -> str:
    """The account that wrong passwords for this address are counted for, however it is spelled."""
    try:
        return normalised_email(text)
    except InvalidInput:
        return ""  # no account has it, so all such addresses may share their tries


def create_user(email: str, password: str, role: str, *, one_time: bool = False) -> User:
    """Create an account. A `one_time` password must be changed at the first login.

    Raises InvalidInput for an invalid address, password or role, Conflict for an address in use.
    """
    email = normalised_email(email)
    if role not in ROLES:
        raise InvalidInput(_("The role must be one of: %(roles)s.", roles=", ".join(ROLES)))
    passwords.check_rules(password, email)
    user = User(
        email=email,
        password_hash=passwords.hashed(password),
        role=role,
        must_change_password=one_time,
        password_expires_at=_expiry(one_time),
    )
    try:
        with transaction() as session:
            session.add(user)
    except IntegrityError as error:
        raise Conflict(_("There is already an account for %(email)s.", email=email)) from error
    log.info("security.user_created user=%s role=%s", email, role)
    return user


def first_admin(email: str, password: str) -> str | None:
    """Create an admin if there are no users at all.

    Without a `password`, one is generated and returned; it must be changed at the first login. Raises
    InvalidInput.
    """
    if has_users():
        return None
    made = "" if password else passwords.made()
    create_user(email, password or made, "admin", one_time=bool(made))
    return made or None


def has_users() -> bool:
    return bool(db.session.scalar(select(func.count()).select_from(User)))


def user_by_email(email: str) -> User:
    """Raises Missing, or InvalidInput for an invalid address."""
    user = _found(normalised_email(email))
    if user is None:
        raise Missing(_("There is no account for %(email)s.", email=email.strip()))
    return user


def authenticate(email: str, password: str) -> User | None:
    """The active user with this address and password. Takes as long for addresses without an account.

    Raises PasswordExpired.
    """
    try:
        user = _found(normalised_email(email))
    except InvalidInput:
        user = None
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not right or not user.is_active:
        return None
    _check_expiry(user)
    fresh_hash = passwords.hashed(password) if passwords.is_outdated(user.password_hash) else None
    if fresh_hash:
        with best_effort("stronger hash"), transaction():  # people can log in though the disk is full
            user.password_hash = fresh_hash
    return user


def note_login(user: User) -> None:
    """Remember when the user logged in."""
    with best_effort("last login"), transaction():
        user.last_login_at = utc_now()


def change_password(user: User, current: str, new: str) -> None:
    """Change the user's own password and end all of the user's sessions.

    Raises WrongPassword, PasswordExpired, or InvalidInput for an unacceptable new one.
    """
    if not passwords.matches(user.password_hash, current):
        raise WrongPassword(_("Your current password is wrong. Nothing was changed."))
    _check_expiry(user)
    if current == new:
        raise InvalidInput(_("The new password must be different from your current one."))
    _keep_password(user, new, one_time=False)
    log.info("security.password_changed user=%s", user.email)


def reset_password(email: str, password: str, *, one_time: bool) -> User:
    """Set a new password and end all of the user's sessions. Raises Missing or InvalidInput."""
    user = user_by_email(email)
    _keep_password(user, password, one_time=one_time)
    log.info("security.password_reset user=%s one_time=%s", user.email, one_time)
    return user


def choose_language(user: User, language: str | None) -> None:
    """The language of staff pages for this person; None leaves it to the browser."""
    with transaction():
        user.language = language


def log_out_everywhere(user: User) -> None:
    """End all of the user's sessions."""
    with transaction():
        user.session_epoch = new_id()
    log.info("security.sessions_ended user=%s", user.email)


def disable_user(email: str) -> User:
    """Disable the user's logins, sessions and API tokens. Raises Missing or InvalidInput."""
    user = user_by_email(email)
    with transaction():
        end_access(user)
    log.info("security.user_disabled user=%s", user.email)
    return user


def end_access(user: User) -> None:
    """End the user's logins, sessions and API tokens, in the caller's transaction."""
    user.disabled_at = user.disabled_at or utc_now()
    user.link_sha256 = user.link_expires_at = None
    user.session_epoch = new_id()


def enable_user(email: str) -> User:
    """Undo `disable_user`; ended sessions stay ended. Raises Missing or InvalidInput."""
    user = user_by_email(email)
    with transaction():
        if user.disabled_at is not None:  # read first: the log knows loaded values only
            user.disabled_at = None
    log.info("security.user_enabled user=%s", user.email)
    return user


def _keep_password(user: User, password: str, *, one_time: bool) -> None:
    passwords.check_rules(password, user.email)
    kept = passwords.hashed(password)
    with transaction():
        put_password(user, kept, one_time=one_time)


def put_password(user: User, kept: str, *, one_time: bool) -> None:
    """The hash of a new password; it ends all sessions and a link, in the caller's transaction."""
    user.password_hash = kept
    user.must_change_password = one_time
    user.password_expires_at = _expiry(one_time)
    user.link_sha256 = user.link_expires_at = None
    user.session_epoch = new_id()


def _expiry(one_time: bool) -> datetime | None:
    return utc_now() + ONE_TIME_LASTS if one_time else None


def _check_expiry(user: User) -> None:
    if user.password_expires_at is not None and user.password_expires_at <= utc_now():
        raise PasswordExpired(
            _(
                "Your one-time password has expired. Ask an admin for a new one (“flask users password” on "
                "the server)."
            )
        )


def _found(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email == email))
