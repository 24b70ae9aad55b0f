"""Drawings for parts without a picture: by category or name, in the manner of a workshop drawing."""

from __future__ import annotations

import re

# Beginnings of words in the languages of the shops, for each symbol of static/placeholders.svg.
_WORDS = {
    "disc": ("brake disc", "brake rotor", "disc", "rotor", "bremsscheibe", "scheibe", "disco"),
    "pad": ("brake pad", "pad", "lining", "bremsbel", "belag", "pastilla"),
    "filter": ("filter", "ölfilter", "luftfilter", "kraftstofffilter", "filtro"),
    "gear": ("gear", "sprocket", "pinion", "zahnrad", "ritzel", "kettenrad", "engranaje", "piñón"),
    "bearing": ("bearing", "hub", "bushing", "lager", "radlager", "nabe", "buchse", "rodamiento", "cojinete"),
    "bolt": (
        "bolt",
        "screw",
        "stud",
        "nut",
        "fastener",
        "schraube",
        "mutter",
        "bolzen",
        "tornillo",
        "tuerca",
    ),
    "spring": ("spring", "shock", "damper", "strut", "feder", "stoßdämpfer", "muelle", "amortiguador"),
    "hose": ("hose", "belt", "pipe", "tube", "schlauch", "riemen", "rohr", "leitung", "manguera", "correa"),
    "plug": ("plug", "sensor", "cable", "lamp", "stecker", "kabel", "leuchte", "sonde", "bujía", "cable"),
}
_ANY = "bracket"
_SYMBOL_OF = sorted(
    ((word, symbol) for symbol, words in _WORDS.items() for word in words), key=lambda pair: -len(pair[0])
)


def drawing(*texts: str | None) -> str:
    """The symbol that fits the first of `texts` (category, name) that says what the part is."""
    for text in texts:
        for word, symbol in _SYMBOL_OF:
            if text and re.search(rf"\b{word}", text, re.IGNORECASE):
                return symbol
    return _ANY
