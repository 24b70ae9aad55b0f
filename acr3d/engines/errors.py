"""What can go wrong when an engine is asked for something, and what the caller may do about it.

    EngineError                                             permanent  repeatable  unknown  of_account
    ├── Unreachable         nothing was sent: DNS, refused, TLS           yes
    ├── Unanswered          a read was cut off, or a 5xx               yes
    ├── OutcomeUnknown      the same for a create                                  yes
    └── RequestRefused      a clear no: nothing was created
        ├── InvalidRequest      any other 4xx               yes
        │   └── InputRefused        400, 413, 422           yes
        ├── TaskNotFound        404: unknown or expired     yes
        ├── WrongState          409: deleting a running taskyes
        ├── SetupRefused        a person must act                      yes                  yes
        │   ├── KeyRefused          401                                yes                  yes
        │   ├── NoCredits           402                                yes                  yes
        │   ├── PlanRefused         403                                yes                  yes
        │   ├── ModelRetired        400 that says so                   yes                  yes
        │   └── WrongAddress        3xx, 404 NoMatchingRoute           yes                  yes
        └── AccountBusy         429: waiting is enough                 yes                  yes
            ├── RateLimited         too many requests                  yes                  yes
            └── QueueFull           too many tasks                     yes                  yes

The HTTP statuses are those of Meshy and of engines like it; another engine maps its own answers to these
classes. `message` is for people: no key, no signed URL, no image data.
"""

from __future__ import annotations

from acr3d.messages.message import Message, MessageError


class EngineError(MessageError):
    """A call to an engine failed. `status` is the HTTP status, if there was one.

    Class attributes say how the caller may react:

    permanent     the same request will be refused again: the job fails
    repeatable    the same call is safe to repeat: nothing was created and nothing charged
    unknown       a create was sent without a usable answer: a paid task may exist, so never repeat it blindly
    of_account    the account or the address is the cause, not the job: every job of the account has to wait
    retry_seconds how long to wait when the engine does not say (`retry_after`)
    """

    permanent = False
    repeatable = False
    unknown = False
    of_account = False
    retry_seconds = 60

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
    """A read or a delete got no usable answer: timeout, cut connection, 5xx, unreadable body."""

    repeatable = True


class OutcomeUnknown(EngineError):
    """A create got no usable answer: the task may exist and be paid for."""

    unknown = True


class RequestRefused(EngineError):
    """The engine said no. Nothing was created, nothing was charged."""


class InvalidRequest(RequestRefused):
    """The engine does not accept the request."""

    permanent = True


class InputRefused(InvalidRequest):
    """The engine does not accept the photos or the options; other ones may pass."""


class TaskNotFound(RequestRefused):
    """The engine does not know the task: it never existed, was deleted, or has expired."""

    permanent = True


class WrongState(RequestRefused):
    """The task's state does not allow the call, such as deleting a running task."""

    permanent = True


class SetupRefused(RequestRefused):
    """The key, the account or the address is wrong. All its jobs wait until a person has acted."""

    repeatable = True
    of_account = True


class KeyRefused(SetupRefused):
    """The API key is missing or not valid."""


class NoCredits(SetupRefused):
    """The account has too few credits."""


class PlanRefused(SetupRefused):
    """The account's plan does not include this."""


class ModelRetired(SetupRefused):
    """The engine no longer offers the model that is set."""


class WrongAddress(SetupRefused):
    """The server at the base address does not know the route, or redirects."""


class AccountBusy(RequestRefused):
    """The account is at a limit. Waiting helps, and does not count as a failed try."""

    repeatable = True
    of_account = True
    retry_seconds = 15


class RateLimited(AccountBusy):
    """Too many requests in a short time."""


class QueueFull(AccountBusy):
    """The account has no free slot for another task until one ends."""
