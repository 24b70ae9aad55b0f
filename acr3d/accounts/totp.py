"""Codes of authenticator apps: RFC 6238 with SHA-1, six digits and 30 seconds, as all such apps do."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

DIGITS, SECONDS = 6, 30
_DRIFT = 1  # steps that a phone's clock may be off, either way
_SECRET_BYTES = 20  # RFC 4226, section 4: 160 bits are recommended


def made_secret() -> str:
    """A new secret, in base32 without padding."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of one time step (RFC 4226, section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: str, code: str, seconds: float, used: int) -> int | None:
    """The step around `seconds` (since 1970) whose code this is, if it is later than `used`; else None."""
    now = int(seconds) // SECONDS
    steps = range(max(now - _DRIFT, used + 1), now + _DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step), code)), None)


def address(secret: str, account: str, issuer: str) -> str:
    """What an app reads from the QR code (Google Authenticator's "Key Uri Format")."""
    words = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}?{words}"
