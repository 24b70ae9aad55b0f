"""The shop's colour on pages: whether it can be read, and its shades for light and dark pages.

Contrast by WCAG 2.2, "contrast ratio" and "relative luminance".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of any size."""
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
# The darkest background on which links stand on light pages and the lightest on dark ones: app.css.
_LIGHT_GROUND, _DARK_GROUND, _DARK_PAPER = (236, 238, 239), (27, 32, 34), (18, 22, 23)
_TINT = 0.12  # how much of the colour is in a tinted background
_STEPS = 50

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Shades:
    """The values of app.css's tokens for one theme, as #rrggbb."""

    accent: str
    accent_strong: str
    on_accent: str
    tint: str


def parsed(text: str) -> Colour | None:
    """The colour of `#rrggbb`; None for another text."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(colour: Colour) -> float:
    """The contrast of the colour where it is hardest to read on light pages."""
    return min(contrast(colour, ground) for ground in (_WHITE, _LIGHT_GROUND, _mixed(colour, _WHITE, _TINT)))


def readable(colour: Colour) -> Colour:
    """The colour itself if it can be read on light pages, else the next darker shade that can."""
    for step in range(_STEPS + 1):
        shade = _mixed(_BLACK, colour, step / _STEPS)
        if least_contrast(shade) >= LEAST_CONTRAST:
            return shade
    return _BLACK


def light(colour: Colour) -> Shades:
    """The shades for light pages, of a colour that can be read there."""
    return Shades(
        in_hex(colour), in_hex(_mixed(_BLACK, colour, 0.25)), "#ffffff", in_hex(_mixed(colour, _WHITE, _TINT))
    )


def dark(colour: Colour) -> Shades:
    """The shades for dark pages: the colour, as light as it has to be there."""
    tint = _mixed(colour, _DARK_PAPER, 0.25)
    for step in range(_STEPS + 1):
        shade = _mixed(_WHITE, colour, step / _STEPS)
        if min(contrast(shade, ground) for ground in (_DARK_GROUND, tint)) >= LEAST_CONTRAST:
            break
    return Shades(in_hex(shade), in_hex(_mixed(_WHITE, shade, 0.25)), in_hex(_DARK_PAPER), in_hex(tint))


def in_hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    """So much of `one` in `other`."""
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(value / 255) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
