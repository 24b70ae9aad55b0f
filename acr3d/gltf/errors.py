"""The one error of this package: the file itself is at fault, so trying again will not help."""

from __future__ import annotations

from acr3d.messages.message import Message, MessageError


class BadModel(MessageError):
    """A model file that we refuse. The message is for people, `code` a word for programs.

    Codes: not_glb, damaged, external, unsupported, too_large, empty.
    """

    def __init__(self, message: Message | str, code: str) -> None:
        super().__init__(message)
        self.code = code


def damaged(place: str, what: str) -> BadModel:
    """The file breaks the glTF rules at `place` (such as `accessors[3].count`)."""
    return BadModel(Message("model_file.damaged", what=f"{place} {what}"), "damaged")


def too_large(place: str, what: str) -> BadModel:
    """The file needs more memory or time than a small host has."""
    return BadModel(Message("model_file.too_large", what=f"{place} {what}"), "too_large")


def unsupported(place: str, what: str) -> BadModel:
    """The file may be valid, but browsers could not display it."""
    return BadModel(Message("model_file.unsupported", what=f"{place} {what}"), "unsupported")
