"""The words that people read for a part's facts: availability, kinds of numbers, weights, years."""

from __future__ import annotations

from flask_babel import format_decimal
from flask_babel import gettext as _

from acr3d.db.models import Part
from acr3d.parts.fact_kinds import AVAILABILITY, CONDITION
from acr3d.shop import options

_MM_PER_INCH = 25.4
_WEIGHTS = {"mm": ("g", "kg", 1, 1000), "in": ("oz", "lb", 28.349523125, 453.59237)}
"""The units of weights, and their grams: the small one, and the one that is used from it on."""


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
    """In grams, or in kilograms from one on; in ounces or pounds where the shop says so."""
    small, large, per_small, per_large = _WEIGHTS[options.current().shop.units]
    number, unit = (grams / per_large, large) if grams >= per_large else (grams / per_small, small)
    return f"{format_decimal(round(number, 3))} {unit}"


def sizes(part: Part) -> str:
    """Width × height × depth, as far as they are known, in the shop's unit."""
    unit = options.current().shop.units
    known = [mm for mm in (part.width_mm, part.height_mm, part.depth_mm) if mm is not None]
    shown = [format_decimal(round(mm / _MM_PER_INCH, 2) if unit == "in" else mm) for mm in known]
    return f"{' × '.join(shown)} {unit}"


def years(first: int | None, last: int | None) -> str:
    """The years of a vehicle: 1997–2003, from 1997, until 2003."""
    if first == last:
        return str(first) if first else ""
    if last is None:
        return str(_("from %(year)s", year=first))
    return f"{first}–{last}" if first else str(_("until %(year)s", year=last))
