"""A message for people that is stored and worded later, in the language of whoever reads it.

Pure: any package may raise or store a message. `str()` is its English; `acr3d.messages.wording` translates
it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from acr3d.foreign import json_object, storable
from acr3d.messages.catalog import TEXTS


class Message:
    """A code of the catalog and the values that its text names; a value may be a message itself."""

    __slots__ = ("code", "params")

    def __init__(self, code: str, /, **params: str | int | float | Message) -> None:
        self.code = code
        self.params = {
            name: storable(value) if isinstance(value, str) else value for name, value in params.items()
        }

    @classmethod
    def plain(cls, text: str) -> Self:
        """Text from outside, which cannot be translated: an engine's own words, say."""
        return cls("text", text=text)

    @classmethod
    def stored(cls, code: str | None, params: Mapping[str, Any] | None, english: str) -> Message:
        """The message that was stored as these; its English text where this version cannot word it."""
        try:
            message = _read({"code": code, "params": params or {}})
            str(message)
        except (AttributeError, KeyError, TypeError, ValueError):
            return Message.plain(english)
        return message

    @classmethod
    def from_json(cls, value: object, english: str) -> Message:
        """The message in what another program wrote with `as_json`; plain `english` where that is none."""
        said = json_object(value)
        params = said.get("params")
        return cls.stored(said.get("code"), params if isinstance(params, Mapping) else {}, english)

    def as_json(self) -> dict[str, Any]:
        """The message for another process of acr3d."""
        return {"code": self.code, "params": self.stored_params()}

    def stored_params(self) -> dict[str, Any]:
        """The parameters as JSON."""
        return {name: _written(value) for name, value in self.params.items()}

    def filled(self, translate: Callable[[str], str], number: Callable[[float], str]) -> str:
        """The text with its parameters. Raises KeyError, TypeError or ValueError when they do not fit."""
        values = {
            name: value.filled(translate, number)
            if isinstance(value, Message)
            else number(value)
            if isinstance(value, float)
            else value
            for name, value in self.params.items()
        }
        return translate(TEXTS[self.code]) % values

    def __str__(self) -> str:
        return self.filled(str, "{:g}".format)

    def __repr__(self) -> str:
        return f"Message({self.code!r}, {self.params!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.code, self.params) == (other.code, other.params)


class MessageError(Exception):
    """An error that people are told about: `message` can be stored and translated, `str()` is English."""

    def __init__(self, message: Message | str) -> None:
        self.message = message if isinstance(message, Message) else Message.plain(message)
        super().__init__(str(self.message))


def _written(value: str | int | float | Message) -> object:
    return value.as_json() if isinstance(value, Message) else value


def _read(stored: Mapping[str, Any]) -> Message:
    params = {
        name: _read(value) if isinstance(value, Mapping) else value
        for name, value in stored["params"].items()
    }
    return Message(stored["code"], **params)
