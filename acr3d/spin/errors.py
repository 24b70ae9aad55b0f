"""Why a capture cannot become a model: a sentence that says what to do."""

from __future__ import annotations

from acr3d.messages.message import Message, MessageError


class SpinError(MessageError):
    """`code` is that of the message, `spin.…`."""

    def __init__(self, code: str, **params: str | int | float | Message) -> None:
        super().__init__(Message(code, **params))
        self.code = code
