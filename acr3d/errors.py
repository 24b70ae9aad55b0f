"""Requests that cannot be carried out. Every message says what happened and what to do next."""

from __future__ import annotations


class InvalidInput(Exception):
    """A request that changes nothing. `str()` is a sentence for a person; `status` its HTTP status.

    `field` is the name of the field with the wrong value, where that is known.
    """

    status = 400
    field: str | None = None


class Missing(InvalidInput):
    """It does not exist, or this person may not see it."""

    status = 404


class Gone(InvalidInput):
    """It was there, and is not any more."""

    status = 410


class Conflict(InvalidInput):
    """It conflicts with the current state: reload and decide again."""

    status = 409


class Unavailable(InvalidInput):
    """The server cannot do it right now: try again soon."""

    status = 503
