"""What can go wrong when we ask an engine (Meshy, or the built-in one) for something.

Each error answers three questions, so that nobody else has to read status codes:

    permanent    the same request will be refused again, whoever puts what right; the job is to fail
    repeatable   the same call may be made again freely: nothing was created and nothing was charged
    unknown      a create was sent and no usable answer came: a paid task may exist. Never repeat it blindly;
                 look through the newest tasks first

    EngineError                                                  permanent  repeatable  unknown
    ├── Unreachable      nothing was sent: no DNS, refused, TLS               yes
    ├── Unanswered       a read had no usable answer: cut, 5xx                yes
    ├── OutcomeUnknown   the same for a create                                            yes
    └── Refused          a clear no: 4xx; nothing was created
        ├── InvalidRequest    400, 413, 422, other 4xx           yes
        ├── TaskNotFound      404: unknown, deleted or expired   yes
        ├── WrongState        409: deleting a running task       yes
        ├── SetupRefused      the account or the address, not the job: everything waits for a person
        │   ├── KeyRefused        401                                         yes
        │   ├── NoCredits         402                                         yes
        │   ├── PlanRefused       403                                         yes
        │   └── WrongAddress      404 NoMatchingRoute, 3xx                    yes
        └── TooMany           429; wait, and use up no attempt
            ├── RateLimited       too many requests a second                  yes
            └── QueueFull         no free place for a task                    yes

`message` is for people. No message holds a key, a signed URL or image data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from acr3d.messages.message import Message, MessageError

_MESSAGE_LIMIT = 300


class EngineError(MessageError):
    """A call to an engine did not give what it was made for.

    `status` is the HTTP status when there was one; `retry_after` the seconds the engine asked us to wait.
    """

    permanent = False
    repeatable = False
    unknown = False

    def __init__(
        self, message: Message | str, *, status: int | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Unreachable(EngineError):
    """Nothing was sent: no address, connection refused, no TLS, or a timeout while connecting."""

    repeatable = True


class Unanswered(EngineError):
    """A read, or a delete, had no usable answer: timeout, cut connection, 5xx, unreadable body."""

    repeatable = True


class OutcomeUnknown(EngineError):
    """A create had no usable answer: the task may exist and be paid for."""

    unknown = True


class RequestRefused(EngineError):
    """The engine said no. Nothing was created, nothing was charged."""


class InvalidRequest(RequestRefused):
    """A parameter or picture is not accepted (400, 413, 422)."""

    permanent = True


class TaskNotFound(RequestRefused):
    """The engine does not know the task: never made, deleted, or expired (404)."""

    permanent = True


class WrongState(RequestRefused):
    """The task's state does not allow this (409), such as deleting one that runs."""

    permanent = True


class SetupRefused(RequestRefused):
    """The account or the address is at fault, not the job: all jobs wait until a person has acted."""

    repeatable = True


class KeyRefused(SetupRefused):
    """The API key is missing or not valid (401)."""


class NoCredits(SetupRefused):
    """The account has not enough credits (402)."""


class PlanRefused(SetupRefused):
    """The account's plan does not include this (403)."""


class WrongAddress(SetupRefused):
    """What answers at the base address does not know the route, or sends us elsewhere."""


class TooMany(RequestRefused):
    """Not now (429): waiting helps, and is not a failed attempt."""

    repeatable = True


class RateLimited(TooMany):
    """Too many requests a second."""


class QueueFull(TooMany):
    """The account has no free place for another task until one ends."""


_DATA_URI = re.compile(r"data:[\w/+.-]*(?:;[\w=-]+)*,\S*", re.IGNORECASE)
_URL_QUERY = re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*", re.IGNORECASE)
_KEY = re.compile(r"\bmsy[_-]\w+|(?<=bearer )\S+", re.IGNORECASE)
_ENCODED = re.compile(r"[A-Za-z0-9+/_=-]{64,}")


def cleaned(text: str, secrets: Iterable[str] = ()) -> str:
    """Foreign text made fit to be shown and logged: one short line without keys, signatures or data."""
    for secret in secrets:
        text = text.replace(secret, "[key]")
    text = _DATA_URI.sub("[image]", text)
    text = _URL_QUERY.sub(r"\1", text)
    text = _ENCODED.sub("[data]", _KEY.sub("[key]", text))
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _MESSAGE_LIMIT else line[: _MESSAGE_LIMIT - 1] + "…"
