"""Reading fields of untrusted JSON. Every function returns the type it promises or raises BadModel."""

from __future__ import annotations

import math
from typing import Any

from acr3d.gltf.errors import damaged

Json = dict[str, Any]


def objects(parent: Json, key: str, place: str = "") -> list[Json]:
    """The list of objects at `key`; an absent one is empty."""
    value = parent.get(key, [])
    where = f"{place}.{key}" if place else key
    if not isinstance(value, list):
        raise damaged(where, "is not a list")
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise damaged(f"{where}[{number}]", "is not an object")
    return value


def child(parent: Json, key: str, place: str) -> Json:
    """The object at `key`; an absent one is empty."""
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise damaged(f"{place}.{key}", "is not an object")
    return value


def extension(parent: Json, name: str, place: str) -> Json | None:
    """The object's extension `name`, or None."""
    extensions = child(parent, "extensions", place)
    return child(extensions, name, f"{place}.extensions") if name in extensions else None


def integer(
    parent: Json, key: str, place: str, *, low: int = 0, high: int = 2**53, default: int | None = None
) -> int:
    """An integer from low to high. Without a default the field is required."""
    value = parent.get(key, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise damaged(f"{place}.{key}", "is missing" if value is None else "is not an integer")
    if not low <= value <= high:
        raise damaged(f"{place}.{key}", f"is {_short(value)}, outside {low} to {high}")
    return value


def reference(parent: Json, key: str, count: int, place: str) -> int | None:
    """An index into a list of `count` entries, or None when the field is absent."""
    return index(parent[key], count, f"{place}.{key}") if key in parent else None


def index(value: object, count: int, place: str) -> int:
    """`value` as an index into a list of `count` entries."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise damaged(place, "is not an index")
    if not 0 <= value < count:
        raise damaged(place, f"is {_short(value)}, but there are only {count}")
    return value


def indices(parent: Json, key: str, count: int, place: str) -> list[int]:
    """A list of indices into `count` entries; an absent one is empty."""
    values = parent.get(key, [])
    if not isinstance(values, list):
        raise damaged(f"{place}.{key}", "is not a list")
    return [index(value, count, f"{place}.{key}[{at}]") for at, value in enumerate(values)]


def text(parent: Json, key: str, place: str) -> str | None:
    """A string, or None when the field is absent."""
    value = parent.get(key)
    if value is not None and not isinstance(value, str):
        raise damaged(f"{place}.{key}", "is not a string")
    return value


def names(parent: Json, key: str) -> list[str]:
    """A list of strings; an absent one is empty."""
    values = parent.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise damaged(key, "is not a list of strings")
    return values


def numbers(parent: Json, key: str, count: int, place: str) -> list[float] | None:
    """`count` finite numbers, or None when the field is absent."""
    values = parent.get(key)
    if values is None:
        return None
    if not isinstance(values, list) or len(values) != count or not all(map(_is_finite, values)):
        raise damaged(f"{place}.{key}", f"is not a list of {count} finite numbers")
    return [float(value) for value in values]


def _short(value: int) -> str:
    """A number that fits into a sentence."""
    return str(value) if abs(value) < 10**20 else f"about {value:.0e}" if abs(value) < 10**300 else "huge"


def _is_finite(value: object) -> bool:
    # An integer beyond the range of floats would overflow, so its size is checked first.
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
        and math.isfinite(value)
    )
