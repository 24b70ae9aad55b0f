"""Numbers and quantities as people type them: read if there is one reading, asked back if there are two."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flask import Flask

from acr3d.errors import InvalidInput
from acr3d.parts.numerals import Ambiguous, NotANumber, as_typed, read_number
from acr3d.parts.quantities import LENGTH, WEIGHT, read_quantity

READ = {
    "12": 12, "12,5": 12.5, "12.5": 12.5, ".5": 0.5, "5.": 5, "0,500": 0.5, "1234.567": 1234.567,
    "1.2000": 1.2, "1 200": 1200, "1\u202f200,5": 1200.5, "1'200.50": 1200.5, "1\u2019200": 1200,
    "1.200,5": 1200.5, "1,200.5": 1200.5, "1.200.300": 1200300, "1,200,300.5": 1200300.5,
    "2 1/2": 2.5, "2-1/2": 2.5, "1/4": 0.25, "2½": 2.5, "½": 0.5, "-5": -5, "\uff11\uff12": 12,
}  # fmt: skip
LENGTHS = {
    "63.5mm": 63.5, "63,5 MM": 63.5, "6,5 cm": 65, "0.5 m": 500, "2.5 in": 63.5, "2.5 in.": 63.5,
    '2 1/2"': 63.5, "2½ Zoll": 63.5, "2 1/2″": 63.5, "2 1/2''": 63.5, "2 1/2 ”": 63.5, "1,2000 in": 30.48,
    "1/2 cm": 5, "1 200": 1200,
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_a_number_is_read_as_it_is_typed(text: str) -> None:
    assert float(read_number(text)) == READ[text]


@pytest.mark.parametrize("text", ["1,200", "1.200", "12,345", "999.999", "\uff11,200", "-1,200"])
def test_a_number_that_is_another_one_elsewhere_has_both_readings(text: str) -> None:
    with pytest.raises(Ambiguous) as both:
        read_number(text)

    small, large = both.value.readings
    assert small * 1000 == large


@pytest.mark.parametrize(
    "text",
    ["", "x", "12 5", "1,2,3", "1,234,5", "1.200.30", "nan", "inf", "1e3", "1/0", "--1", "1_000", "9" * 41],
)
def test_what_is_no_number_is_not_read(text: str) -> None:
    with pytest.raises(NotANumber):
        read_number(text)


@pytest.mark.parametrize("number", [1.234, 12.345, 999.999, 1234.567, 0.123, 63.5, 1200.0, 100000.0, -1.234])
@pytest.mark.parametrize("sign", [".", ","])
def test_a_number_that_is_shown_is_read_the_same_again(number: float, sign: str) -> None:
    assert float(read_number(as_typed(number, sign))) == number


def test_a_quantity_may_have_a_unit(in_app: Flask) -> None:
    assert {text: float(read_quantity(text, LENGTH, "Width")) for text in LENGTHS} == LENGTHS
    assert read_quantity("1 lb", WEIGHT, "Weight") == Fraction("453.59237")
    assert read_quantity("1,5 kg", WEIGHT, "Weight") == 1500


def test_what_is_unclear_is_asked_back_in_the_readers_language(app: Flask) -> None:
    asked = {
        (
            "en",
            "1,200",
        ): "“Width”: “1,200” can mean 1.2 mm or 1200 mm. Type one of these two.",
        ("en", "1.234 in"): ("“Width”: “1.234 in” can mean 1.2340 in or 1234 in. Type one of these two."),
        ("de", "1,200"): ("„Width“: „1,200“ kann 1,2 mm oder 1200 mm bedeuten. Tippen Sie eines von beiden."),
        ("de", "2 1/2"): (
            "„Width“: „2 1/2“ kann 2 1/2 mm oder 2 1/2 in bedeuten. Tippen Sie eines von beiden."
        ),
        ("es", "1,200"): "«Width»: «1,200» puede significar 1,2 mm o 1200 mm. Escriba una de las dos formas.",
    }
    for typed in ("5 ft", "5'", "wide", "1,2,3 cm"):
        asked["en", typed] = (
            f"“Width”: “{typed}” cannot be read. Type a number, if you like with one of these units: "
            "mm, cm, m, in."
        )
    for (language, text), sentence in asked.items():
        with app.test_request_context(headers={"Accept-Language": language}):
            with pytest.raises(InvalidInput) as refusal:
                read_quantity(text, LENGTH, "Width")
            assert str(refusal.value) == sentence
