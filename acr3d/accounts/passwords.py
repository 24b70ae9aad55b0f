"""Passwords: what is accepted, how they are kept, and making one for a person.

Argon2id with the first choice of the OWASP cheat sheet's parameters (46 MiB, one pass, one lane). Blocks
above glibc's 32 MiB mmap limit go back to the host when freed; the sheet's smaller blocks (19 MiB, two
passes) take the same time and stay with every thread that ever hashed. One hash at a time, so that many
logins at once wait rather than take the host's memory.
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
_MEMORY_KIB, _PASSES, _LANES = 47_104, 1, 1
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that are taken for one another

_hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
_one_hash = threading.Lock()
# As costly to check as a real one, and known to match nothing: for addresses without an account.
_NOBODYS = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"


def check_rules(password: str, email: str) -> None:
    """Raises Refused with the rule that `password` breaks."""
    if len(_plain(password)) < SHORTEST:
        raise InvalidInput(_("The password is too short. Take at least %(n)s characters.", n=SHORTEST))
    if len(password) > LONGEST:
        raise InvalidInput(_("The password is too long. Take at most %(n)s characters.", n=LONGEST))
    if password.strip().casefold() == email.casefold():
        raise InvalidInput(_("The password must not be the email address. Choose another one."))


def hashed(password: str) -> str:
    """What is kept instead of the password."""
    with _one_hash:
        return _hasher.hash(_plain(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether `kept` was made from `password`. Takes the same time when there is no account (None)."""
    candidate = _plain(password) if len(password) <= LONGEST else ""
    try:
        with _one_hash:
            return _hasher.verify(kept or _NOBODYS, candidate)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether `kept` was made with other parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def made() -> str:
    """A random password that a person can type: four groups of five characters, 99 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _place in range(5)) for _group in range(4))


def _plain(password: str) -> str:
    """The same characters however the keyboard composed them; what is no text at all is dropped."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "ignore").decode()
