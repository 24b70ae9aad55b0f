"""Quantities as people type them: a number and, if they like, a unit. `63.5mm`, `6,5 cm`, `2 1/2"`.

The factors are those of the international yard and pound agreement of 1959.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from flask_babel import get_locale, gettext

from acr3d.errors import InvalidInput
from acr3d.parts import numerals

_NUMBER_AND_UNIT = re.compile(r"([-+\d.,'\s/]*)(.*)", re.ASCII | re.DOTALL)
_SHOWN = 40


@dataclass(frozen=True)
class Measure:
    """What is measured: its own unit, in which it is stored, and the others that may be typed.

    `spellings` are further ways to write a unit. A fraction without a unit could be meant in `fraction_unit`
    as well as in the own one, so it is asked back.
    """

    unit: str
    factors: Mapping[str, Fraction]
    spellings: Mapping[str, str]
    fraction_unit: str | None = None

    def unit_named(self, text: str) -> str | None:
        """The unit that `text` names; the own one for no text, None for an unknown one."""
        name = text.strip().casefold().removesuffix(".")
        if not name:
            return self.unit
        name = self.spellings.get(name, name)
        return name if name in self.factors else None


LENGTH = Measure(
    unit="mm",
    factors={"mm": Fraction(1), "cm": Fraction(10), "m": Fraction(1000), "in": Fraction("25.4")},
    spellings={
        **dict.fromkeys(('"', "\u201d", "\u201c", "\u201e"), "in"),
        **dict.fromkeys(("inch", "inches", "zoll", "pulgada", "pulgadas", "pulg"), "in"),
        **dict.fromkeys(("millimeter", "millimetre", "millimeters", "millimetres"), "mm"),
        **dict.fromkeys(("milímetro", "milímetros"), "mm"),
        **dict.fromkeys(("zentimeter", "centimetre", "centimeter", "centímetro", "centímetros"), "cm"),
    },
    fraction_unit="in",
)
WEIGHT = Measure(
    unit="g",
    factors={
        "g": Fraction(1),
        "kg": Fraction(1000),
        "lb": Fraction("453.59237"),
        "oz": Fraction("28.349523125"),
    },
    spellings={
        **dict.fromkeys(("lbs", "pound", "pounds", "libra", "libras"), "lb"),
        **dict.fromkeys(("ounce", "ounces"), "oz"),
        **dict.fromkeys(("gram", "grams", "gramm", "gramo", "gramos"), "g"),
        **dict.fromkeys(("kilo", "kilos", "kilogram", "kilograms", "kilogramm", "kilogramo"), "kg"),
    },
)


def read_quantity(text: str, measure: Measure, label: str) -> Fraction:
    """What `text` says, in the measure's own unit, exactly.

    Raises InvalidInput, which says what is wrong with the field `label`, with both readings if there are two.
    """
    typed = numerals.plain(text.replace("\u2033", '"')).replace("''", '"')
    number, named = _NUMBER_AND_UNIT.fullmatch(typed).groups()  # type: ignore[union-attr]  # matches any text
    unit = measure.unit_named(named)
    try:
        read = numerals.read_number(number)
    except numerals.Ambiguous as both:
        first, second = (f"{spelt(float(one))} {unit or named}" for one in both.readings)
        raise unclear(text, label, first, second) from both
    except numerals.NotANumber:
        read = None
    if read is None or unit is None:
        units = ", ".join(measure.factors)
        raise InvalidInput(
            gettext(
                "“%(field)s”: “%(typed)s” cannot be read. Type a number, if you like with one of "
                "these units: %(units)s.",
                field=label,
                typed=text.strip()[:_SHOWN],
                units=units,
            )
        )
    if not named and measure.fraction_unit and numerals.is_fraction(number):
        plain = number.strip()
        raise unclear(text, label, f"{plain} {measure.unit}", f"{plain} {measure.fraction_unit}")
    return read * measure.factors[unit]


def spelt(number: float) -> str:
    """The number as this reader types it, so that it is read the same again."""
    locale = get_locale()
    return numerals.as_typed(number, locale.number_symbols["latn"]["decimal"] if locale else ".")


def unclear(text: str, label: str, first: str, second: str) -> InvalidInput:
    """The refusal of `text` for the field `label`, which can be read in two ways."""
    return InvalidInput(
        gettext(
            "“%(field)s”: “%(typed)s” can mean %(first)s or %(second)s. Type one of these two.",
            field=label,
            typed=text.strip()[:_SHOWN],
            first=first,
            second=second,
        )
    )
