"""What a person asked for cannot be done. Every message says what happened and what to do next."""

from __future__ import annotations


class InvalidInput(Exception):
    """A request that changes nothing. `str()` is a sentence for a person; `status` its HTTP status.

    `field` names what was typed wrong, where that is known.
    """

    status = 400
    field: str | None = None


class Missing(InvalidInput):
    """There is no such thing, or not for this person."""

    status = 404


class Conflict(InvalidInput):
    """It clashes with what is there now; look again and decide anew."""

    status = 409
