"""The second factor: a code of an authenticator app at each login, or one of ten recovery codes, each once.

A code is taken once only, so that one that was overheard is worth nothing.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from time import time as now

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from acr3d.accounts import totp
from acr3d.accounts.rights import Right, of_role
from acr3d.db.models import User
from acr3d.db.session import transaction
from acr3d.errors import InvalidInput
from acr3d.shop import options

RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look alike
_BLANKS = re.compile(r"[\s-]")
log = logging.getLogger("acr3d.security")


def is_missing(user: User) -> bool:
    """Whether the user has to set one up first: admins may be asked to."""
    if user.totp_secret is not None or Right.MANAGE not in of_role(user.role):
        return False
    return options.current().admins_need_code


def enable(user: User, secret: str, code: str) -> list[str]:
    """Ask for a code from the next login on. Returns the recovery codes, which are shown once.

    Raises InvalidInput for a code that is not of this secret: the app has not taken it.
    """
    step = totp.matching_step(secret, _plain(code), now(), 0)
    if step is None:
        raise InvalidInput(
            _("This is not the app's present code. Check the phone's clock, and try the next code.")
        )
    codes = _made_codes()
    with transaction():
        user.totp_secret, user.totp_step = secret, step
        user.recovery_codes = [_fingerprint(one) for one in codes]
    log.info("security.second_factor_on user=%s", user.email)
    return codes


def is_right(user: User, code: str) -> bool:
    """Whether this is a code that was not used before; it is used up. Checked under a lock."""
    with transaction() as session:
        locked = _locked(session, user)
        if locked.totp_secret is None:
            return False
        step = totp.matching_step(locked.totp_secret, _plain(code), now(), locked.totp_step)
        if step is not None:
            locked.totp_step = step
            return True
        kept = [one for one in locked.recovery_codes if one != _fingerprint(code)]
        is_recovery = len(kept) < len(locked.recovery_codes)
        locked.recovery_codes = kept
    if is_recovery:
        log.warning("security.recovery_code_used user=%s left=%d", user.email, len(kept))
    return is_recovery


def new_recovery_codes(user: User) -> list[str]:
    """New ones; the old ones end."""
    codes = _made_codes()
    with transaction():
        user.recovery_codes = [_fingerprint(one) for one in codes]
    return codes


def remove(user: User) -> None:
    """Stop asking for a code."""
    with transaction():
        clear(user)
    log.info("security.second_factor_off user=%s", user.email)


def clear(user: User) -> None:
    """The same in the caller's transaction."""
    if user.totp_secret is not None:  # read first: the log knows loaded values only
        user.totp_secret, user.totp_step, user.recovery_codes = None, 0, []


def _locked(session: Session, user: User) -> User:
    session.refresh(user, with_for_update=True)
    return user


def _made_codes() -> list[str]:
    """Each has 50 bits: enough, as guesses are slowed down and a code works once."""
    return ["-".join(_word() for _half in range(2)) for _code in range(RECOVERY_CODES)]


def _word() -> str:
    return "".join(secrets.choice(_ALPHABET) for _place in range(5))


def _plain(code: str) -> str:
    """Without the blanks and dashes that apps show and people type; ASCII, for comparing."""
    return _BLANKS.sub("", code[:40]).lower().encode("ascii", "replace").decode()


def _fingerprint(code: str) -> str:
    return hashlib.sha256(_plain(code).encode()).hexdigest()
