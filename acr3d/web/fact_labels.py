"""The words that people read for a part's facts: availability, kinds of numbers, weights, years."""

from __future__ import annotations

from flask_babel import format_decimal
from flask_babel import gettext as _

from acr3d.parts.fact_kinds import AVAILABILITY, CONDITION


def word(field: str, word: str) -> str:
    """What a word of a part's availability or condition means, for readers."""
    return {"availability": AVAILABILITY, "condition": CONDITION}[field].in_words(word)


def number_kind(kind: str) -> str:
    """What a number of this kind is called."""
    names: dict[str, str] = {
        "oe": _("OE number"),
        "mpn": _("Manufacturer's number"),
        "gtin": _("GTIN"),
        "old": _("Former number"),
        "other": _("Other number"),
    }
    return names[kind]


def weight(grams: float) -> str:
    """In grams, or in kilograms from one on."""
    number, unit = (grams / 1000, "kg") if grams >= 1000 else (grams, "g")
    return f"{format_decimal(round(number, 3))} {unit}"


def years(first: int | None, last: int | None) -> str:
    """The years of a vehicle: 1997–2003, from 1997, until 2003."""
    if first == last:
        return str(first) if first else ""
    if last is None:
        return str(_("from %(year)s", year=first))
    return f"{first}–{last}" if first else str(_("until %(year)s", year=last))
