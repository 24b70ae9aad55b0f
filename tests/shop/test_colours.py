"""The shop's colour can be read on light and dark pages."""

from __future__ import annotations

import random

import pytest

from acr3d.shop import colours

KNOWN = [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48)]
"""The grey is the usual example of one that just fails."""


@pytest.mark.parametrize(("one", "other", "ratio"), KNOWN)
def test_contrast_is_wcags(one: str, other: str, ratio: float) -> None:
    first, second = colours.parsed(one), colours.parsed(other)
    assert first is not None
    assert second is not None

    assert colours.contrast(first, second) == pytest.approx(ratio, abs=0.01)


def test_every_colour_has_a_readable_shade_and_readable_dark_shades() -> None:
    dice = random.Random(14)

    for _time in range(300):
        any_colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        shade = colours.readable(any_colour)
        light, dark = colours.light(shade), colours.dark(shade)
        pairs = [
            *((light.accent, ground) for ground in ("#ffffff", "#eceeef", light.tint, light.on_accent)),
            *((dark.accent, ground) for ground in ("#1b2022", dark.tint, dark.on_accent)),
            *((light.accent_strong, "#ffffff"), (dark.accent_strong, "#1b2022")),
        ]
        for one, other in pairs:
            ratio = colours.contrast(colours.parsed(one) or (0, 0, 0), colours.parsed(other) or (0, 0, 0))
            assert ratio >= 4.4, (any_colour, one, other)  # rounded to whole numbers
        if colours.least_contrast(any_colour) >= colours.LEAST_CONTRAST:
            assert shade == any_colour


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "0e5f6b", "#0e5f6b;"])
def test_other_texts_are_no_colours(text: str) -> None:
    assert colours.parsed(text) is None
