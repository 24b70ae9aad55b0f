"""The carving's only error: the photos cannot become a model, and the message says which photo and why."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from acr3d.messages.message import Message, MessageError


class CarvingError(MessageError):
    """The message is for the user; `code` is a word for programs."""

    def __init__(self, message: Message | str, code: str) -> None:
        super().__init__(message)
        self.code = code


def side(angle: str) -> Message:
    """The name of a side inside a sentence; empty for a photo without a label, which a photo check has."""
    return Message(f"angle.{angle}") if angle else Message.plain("")


def together(errors: Sequence[CarvingError]) -> CarvingError:
    """One error that says all of them, with the code of the first."""
    told = reduce(
        lambda first, second: Message("sentences", first=first, second=second),
        (error.message for error in errors),
    )
    return CarvingError(told, errors[0].code)
