"""Passwords: rules, hashing and generation.

Argon2id with the OWASP cheat sheet's first choice of parameters (46 MiB, one pass, one lane). Blocks above
glibc's 32 MiB mmap limit are returned to the host when freed; the sheet's smaller blocks (19 MiB, two
passes) take the same time but stay allocated in every thread that ever hashed. Only one hash runs at a
time, so that many logins at once wait instead of using up the host's memory.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from acr3d.errors import InvalidInput

SHORTEST, LONGEST = 10, 200
_LEAST_SCORE = 2  # of zxcvbn, 0 to 4
_LOOKED_AT = 72  # characters; zxcvbn takes no more
_MEMORY_KIB, _PASSES, _LANES = 47_104, 1, 1
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look alike

_hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
_one_hash = threading.Lock()
# Takes as long to check as a real hash and matches nothing: for addresses without an account.
_NO_ACCOUNT = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"


def check_rules(password: str, email: str) -> None:
    """Raises InvalidInput with the rule that `password` breaks."""
    if len(password) > LONGEST:
        raise InvalidInput(_("The password is too long. Use at most %(n)s characters.", n=LONGEST))
    if len(_plain(password)) < SHORTEST:
        raise InvalidInput(_("The password is too short. Use at least %(n)s characters.", n=SHORTEST))
    if password.strip().casefold() == email.casefold():
        raise InvalidInput(_("The password cannot be your email address. Choose a different one."))
    if _is_easily_guessed(password, email):
        raise InvalidInput(
            _("This password is easy to guess. Choose another one; a few random words are easy to remember.")
        )


def _is_easily_guessed(password: str, email: str) -> bool:
    """Whether fewer than about 10^8 guesses find it, by zxcvbn's lists of common passwords and words."""
    from zxcvbn import zxcvbn  # 14 MB, and only wanted when somebody chooses a password

    looked_at = password[:_LOOKED_AT]
    return bool(zxcvbn(looked_at, [email, *email.split("@")])["score"] < _LEAST_SCORE)


def hashed(password: str) -> str:
    """The hash that is stored instead of the password."""
    with _one_hash:
        return _hasher.hash(_plain(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether the hash `kept` belongs to `password`. Takes the same time without an account (None)."""
    candidate = _plain(password) if len(password) <= LONGEST else ""
    try:
        with _one_hash:
            return _hasher.verify(kept or _NO_ACCOUNT, candidate)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash `kept` was made with other than the current parameters."""
    return _hasher.check_needs_rehash(kept)


def made() -> str:
    """A random password that a person can type: four groups of five characters, 99 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _place in range(5)) for _group in range(4))


def _plain(password: str) -> str:
    """Normalize to NFKC, so that the keyboard does not matter; drop what cannot be encoded.

    Takes at most LONGEST characters: normalizing takes time in the square of a run of combining marks.
    """
    return unicodedata.normalize("NFKC", password).encode("utf-8", "ignore").decode()
