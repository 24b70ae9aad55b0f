"""Values from outside, such as an engine's answers, made fit to be stored, shown and reckoned with.

Outside is everything that another program wrote, rows of earlier versions included: a value may be missing,
of another type, endless, or not a number. Here it becomes a value within bounds, or counts as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 4_102_444_800_000  # the year 2100: later moments break time zones and calendars
_LARGEST = 2**31 - 1  # of an integer column
_FARTHEST = 2**53  # beyond, a float no longer counts
_DEEPEST, _MOST_VALUES = 8, 5_000
_LONGEST_NAME, _LONGEST_TEXT = 64, 1_000


def storable(text: str) -> str:
    """`text` without what no database column takes: NUL (PostgreSQL) and half a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def one_line(text: str, most: int) -> str:
    """`text` as one printable line of at most `most` characters; what is one already stays as it is."""
    line = "".join(char if char.isprintable() else " " for char in text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def number(value: object) -> float | None:
    """A number that a float holds exactly enough: neither endless nor "not a number"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= _FARTHEST else None


def whole(value: object, most: int = _LARGEST) -> int | None:
    """A count: whole, from 0 to `most`, also when written as a float."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= most else None


def moment(value: object) -> datetime | None:
    """Milliseconds since 1970, until the year 2100, as a datetime; 0 means "not yet"."""
    milliseconds = whole(value, _LATEST_MS)
    return _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds else None


def json_object(value: object) -> dict[str, Any]:
    """A JSON object as any JSON column takes it; empty for anything else, or when too large or deep."""
    try:
        kept = _cleaned(value, _DEEPEST, iter(range(_MOST_VALUES)))
    except _TooMuch:
        return {}
    return kept if isinstance(kept, dict) else {}


class _TooMuch(Exception):
    """More values, or deeper, than any honest object has."""


def _cleaned(value: object, depth: int, places: Iterator[int]) -> Any:
    if not depth or next(places, None) is None:
        raise _TooMuch
    if isinstance(value, Mapping):
        return {
            one_line(str(name), _LONGEST_NAME): _cleaned(each, depth - 1, places)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_cleaned(each, depth - 1, places) for each in value]
    if isinstance(value, str):
        return one_line(value, _LONGEST_TEXT)
    return value if isinstance(value, bool) else number(value)


class Facts:
    """Reads a JSON object of unsure shape: what is missing, odd or of another type counts as missing."""

    def __init__(self, value: object) -> None:
        self._values: Mapping[Any, Any] = value if isinstance(value, Mapping) else {}

    def text(self, name: str) -> str:
        value = self._values.get(name)
        return one_line(value, _LONGEST_TEXT) if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        return number(self._values.get(name))

    def whole(self, name: str, most: int = _LARGEST) -> int | None:
        return whole(self._values.get(name), most)

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name)
        return value if isinstance(value, bool) else default

    def part(self, name: str) -> Facts:
        """The object there; an empty one if it is none."""
        return Facts(self._values.get(name))

    def parts(self, name: str) -> list[Facts]:
        """The objects in the list there."""
        return [Facts(each) for each in self._list(name) if isinstance(each, Mapping)]

    def objects(self, name: str) -> list[Mapping[str, Any]]:
        """The same as they are, for a reader that checks them itself."""
        return [each for each in self._list(name) if isinstance(each, Mapping)]

    def texts(self, name: str) -> list[str]:
        return [one_line(each, _LONGEST_TEXT) for each in self._list(name) if isinstance(each, str)]

    def numbers(self, name: str) -> list[float]:
        return [found for each in self._list(name) if (found := number(each)) is not None]

    def _list(self, name: str) -> list[Any]:
        value = self._values.get(name)
        return value[:_MOST_VALUES] if isinstance(value, list) else []
