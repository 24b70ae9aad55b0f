"""Global trade item numbers (EAN, UPC): 8, 12, 13 or 14 digits, the last of which checks the others.

Source: GS1 General Specifications, 7.9 (check digit calculations).
"""

from __future__ import annotations

from flask_babel import gettext

from acr3d.errors import InvalidInput
from acr3d.parts.search_text import number_key

LENGTHS = (8, 12, 13, 14)


def checked(text: str) -> str:
    """The digits of a GTIN, however they are grouped. Raises InvalidInput."""
    digits = number_key(text)
    if len(digits) not in LENGTHS or not digits.isdigit():
        raise InvalidInput(
            gettext("A GTIN (EAN, UPC) has 8, 12, 13 or 14 digits; “%(text)s” does not.", text=text[:40])
        )
    if check_digit(digits[:-1]) != digits[-1]:
        raise InvalidInput(
            gettext(
                "The GTIN %(text)s contains a typing error: its last digit does not fit the others.",
                text=digits,
            )
        )
    return digits


def check_digit(digits: str) -> str:
    """What the last digit must be behind these."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)
