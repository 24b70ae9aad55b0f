"""The options of an engine: the keys of a job's `config` that it takes, their bounds and defaults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from acr3d.messages.message import Message, MessageError


class InvalidOption(MessageError, ValueError):
    """An order that the engine would refuse: an option out of bounds, or too many photos."""


@dataclass(frozen=True, kw_only=True)
class Option(ABC):
    """One option. `label` starts the sentence about a bad value; `on_form`: the Generate form offers it."""

    label: Message
    default: Any
    on_form: bool = True

    @abstractmethod
    def check(self, value: Any) -> None:
        """Raises InvalidOption."""

    def _invalid(self, code: str, **params: int) -> InvalidOption:
        return InvalidOption(Message(code, label=self.label, **params))


@dataclass(frozen=True, kw_only=True)
class WholeNumber(Option):
    """An integer from `low` to `high`."""

    low: int
    high: int

    def check(self, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._invalid("option.not_whole")
        if not self.low <= value <= self.high:
            raise self._invalid("option.out_of_range", low=self.low, high=self.high)


@dataclass(frozen=True, kw_only=True)
class Switch(Option):
    """True or false."""

    def check(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise self._invalid("option.not_a_switch")


@dataclass(frozen=True, kw_only=True)
class OneLine(Option):
    """One line of plain text, at most `max_length` characters."""

    max_length: int

    def check(self, value: Any) -> None:
        if not isinstance(value, str) or not value.isprintable():
            raise self._invalid("option.not_one_line")
        if len(value) > self.max_length:
            raise self._invalid("option.too_long", n=self.max_length)
