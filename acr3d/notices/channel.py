"""What the ways of sending have in common."""

from __future__ import annotations


class SendingFailed(Exception):
    """It did not arrive, and may be tried again. `str()` says why, for admins; it holds no secret."""
