"""The kinds of fields that hold several facts: numbers, vehicles, attributes; a line each in the form."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from acr3d.db.models.facts import NUMBER_KINDS
from acr3d.errors import InvalidInput
from acr3d.parts import gtin
from acr3d.parts.search_text import number_key

MOST = 200
"""Entries in one list."""
_LENGTH = 100
_YEARS = re.compile(r"(\d{4})?(?:\s*([-–])\s*(\d{4})?)?", re.ASCII)
_EARLIEST, _LATEST = 1880, 2100
_SPELT_KINDS = {"ean": "gtin", "upc": "gtin", "oem": "oe", "superseded": "old"}


class _Lines(ABC):
    """What these kinds share. A subclass reads and writes one entry."""

    widget = "lines"
    json_types: tuple[type, ...] = (list,)
    hint: object

    def parse(self, value: object, label: str) -> list[dict[str, Any]]:
        entries = value.splitlines() if isinstance(value, str) else value
        if entries is None:
            return []
        if not isinstance(entries, list):
            raise InvalidInput(gettext("“%(field)s” must be a list.", field=label))
        entries = [one for one in entries if not isinstance(one, str) or one.strip()]
        if len(entries) > MOST:
            raise InvalidInput(gettext("“%(field)s” has more than %(n)s entries.", field=label, n=MOST))
        read: list[dict[str, Any]] = []
        for place, entry in enumerate(entries, 1):
            try:
                one = self._read(self._split(entry) if isinstance(entry, str) else entry)
            except InvalidInput as problem:
                raise InvalidInput(
                    gettext("“%(field)s”, entry %(n)s: %(problem)s", field=label, n=place, problem=problem)
                ) from problem
            if one not in read:
                read.append(one)
        return read

    def from_form(self, form: Mapping[str, str], name: str) -> str:
        return form.get(name, "").replace("\r\n", "\n").strip()

    def to_form(self, value: object) -> str:
        return "\n".join(map(self._written, value)) if isinstance(value, list) else str(value or "")

    def in_words(self, text: str) -> str:
        return text or str(gettext("empty"))

    @abstractmethod
    def _split(self, line: str) -> dict[str, Any]: ...

    @abstractmethod
    def _read(self, entry: Any) -> dict[str, Any]: ...

    @abstractmethod
    def _written(self, entry: dict[str, Any]) -> str: ...


class Numbers(_Lines):
    """Other numbers, each with its kind."""

    hint = _("One a line, its kind first if you like: OE, MPN, GTIN, old. For example OE: 1J0 615 301")

    def _split(self, line: str) -> dict[str, Any]:
        kind, colon, value = line.partition(":")
        name = kind.strip().casefold()
        name = _SPELT_KINDS.get(name, name)
        if colon and name in NUMBER_KINDS:
            return {"kind": name, "value": value}
        return {"kind": "other", "value": line}

    def _read(self, entry: Any) -> dict[str, Any]:
        _only_keys(entry, ("kind", "value"))
        kind, value = entry.get("kind", "other"), _text(entry.get("value"))
        if kind not in NUMBER_KINDS:
            words = ", ".join(NUMBER_KINDS)
            raise InvalidInput(gettext("“%(name)s” must be one of: %(words)s.", name="kind", words=words))
        if not value or not number_key(value):
            raise InvalidInput(gettext("The number is missing."))
        return {"kind": kind, "value": gtin.checked(value) if kind == "gtin" else value}

    def _written(self, entry: dict[str, Any]) -> str:
        return entry["value"] if entry["kind"] == "other" else f"{entry['kind'].upper()}: {entry['value']}"


class Fitment(_Lines):
    """Vehicles: make; model; years; engine; note."""

    hint = _("One a line: make; model; years; engine; note. For example VW; Golf IV; 1997-2003; 1.9 TDI")

    def _split(self, line: str) -> dict[str, Any]:
        cells = [cell.strip() for cell in line.split(";")]
        if len(cells) > 5:
            raise InvalidInput(gettext("A line has make; model; years; engine; note."))
        make, model, years, engine, note = [*cells, "", "", "", ""][:5]
        found = _YEARS.fullmatch(years)
        if found is None:
            raise InvalidInput(gettext("Write years as 2010-2015, 2010- or 2012."))
        first, until, last = found.groups()
        return {
            "make": make,
            "model": model,
            "year_from": int(first) if first else None,
            "year_to": int(last) if last else None if until or not first else int(first),
            "engine": engine,
            "note": note,
        }

    def _read(self, entry: Any) -> dict[str, Any]:
        _only_keys(entry, ("make", "model", "year_from", "year_to", "engine", "note"))
        texts = {name: _text(entry.get(name)) for name in ("make", "model", "engine", "note")}
        first, last = _year(entry.get("year_from")), _year(entry.get("year_to"))
        if not texts["make"]:
            raise InvalidInput(gettext("The vehicle's make is missing."))
        if first and last and first > last:
            raise InvalidInput(gettext("The first year is after the last one."))
        return texts | {"year_from": first, "year_to": last}

    def _written(self, entry: dict[str, Any]) -> str:
        first, last = entry["year_from"], entry["year_to"]
        years = "" if first is last is None else f"{first or ''}-{last or ''}"
        years = str(first) if first and first == last else years
        cells = [entry["make"], entry["model"], years, entry["engine"], entry["note"]]
        return "; ".join(cell or "" for cell in cells).rstrip("; ")


class Attributes(_Lines):
    """Names and values of the part's own kind: `Thread: M14×1.25`. In JSON an object."""

    hint = _("One a line: name: value. For example Thread: M14×1.25")
    json_types = (dict,)

    def parse(self, value: object, label: str) -> Any:
        read = super().parse(_entries(value), label)
        return {one["name"]: one["value"] for one in read}

    def to_form(self, value: object) -> str:
        return super().to_form(_entries(value))

    def _split(self, line: str) -> dict[str, Any]:
        name, _colon, value = line.partition(":")
        return {"name": name, "value": value}

    def _read(self, entry: Any) -> dict[str, Any]:
        _only_keys(entry, ("name", "value"))
        value = entry.get("value")
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:.12g}"
        name, text = _text(entry.get("name")), _text(value)
        if not name or not text or ":" in name:
            raise InvalidInput(gettext("An attribute has a name and a value, as in “Teeth: 30”."))
        return {"name": name, "value": text}

    def _written(self, entry: dict[str, Any]) -> str:
        return f"{entry['name']}: {entry['value']}"


NUMBERS, FITMENT, ATTRIBUTES = Numbers(), Fitment(), Attributes()


def _entries(value: object) -> object:
    return [{"name": name, "value": one} for name, one in value.items()] if isinstance(value, dict) else value


def _only_keys(entry: Any, known: tuple[str, ...]) -> None:
    if not isinstance(entry, dict):
        raise InvalidInput(gettext("The entry must be an object."))
    unknown = sorted(set(entry) - set(known))
    if unknown:
        raise InvalidInput(gettext("Unknown field: %(name)s.", name=unknown[0][:100]))


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInput(gettext("A value must be text."))
    text = " ".join(value.split())
    if len(text) > _LENGTH or not text.isprintable():
        raise InvalidInput(gettext("A value has at most %(n)s printable characters.", n=_LENGTH))
    return text or None


def _year(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not _EARLIEST <= value <= _LATEST:
        raise InvalidInput(gettext("A year is a number such as 2012."))
    return value
