"""Which SKUs are equal, however they are typed, and which only look it.

Look-alike letters are those of Unicode's `confusables.txt` (UTS #39) for the scripts on a keyboard in the
trade: capital Cyrillic, Greek and Armenian letters that look like a Latin capital or a digit.
"""

from __future__ import annotations

import unicodedata

_LIKE = str.maketrans(
    "АВЕЅНІЈКМОРСТУҮХЗԌѴԜӀӠꙄ" "ΑΒΕϜΖΗΙͿΚΜϺΝΟΡΤΥΧ" "ՕՏՍ",
    "ABESHIJKMOPCTYYX3GVWI32" "ABEFZHIJKMMNOPTYX" "OSU",
)  # fmt: skip
_DASHES = str.maketrans(
    {code: "-" for code in range(0x10000) if unicodedata.category(chr(code)) == "Pd"}
    | {0x2212: "-", 0x2043: "-"}
)


def canonical(sku: str) -> str:
    """What equal SKUs have in common: no case, blanks trimmed and collapsed, one kind of dash, NFKC."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sku).casefold())
    return " ".join(folded.translate(_DASHES).split())


def look(sku: str) -> str:
    """What SKUs that look equal have in common; equal SKUs do, too."""
    return canonical(sku).upper().translate(_LIKE)
