"""Numbers as people type them: `1,5`, `1.5`, `1 200`, `1'200.50`, `2 1/2`, `2½`.

What can be read in two ways is never guessed: `1,200` is 1.2 in one country and 1200 in another.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

_WHOLE = r"\d+|\d{1,3}(?: \d{3})+"
_BLANKS = r"[ \t\xa0\u2007-\u200a\u202f\u205f\u3000]+"
_MIXED = re.compile(rf"(?:(?P<whole>{_WHOLE})(?: |-))?(?P<over>\d+) ?/ ?(?P<under>\d+)", re.ASCII)
_DECIMAL = re.compile(r"(?P<whole>\d*)(?:[.,](?P<part>\d*))?", re.ASCII)
_GROUPED = re.compile(
    r"(?P<whole>\d{1,3}(?:(?P<sign>[ .,'])\d{3})(?:(?P=sign)\d{3})*)(?:(?!(?P=sign))[.,](?P<part>\d*))?",
    re.ASCII,
)
_ONE_GROUP = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_LONGEST = 40
_DECIMALS = 10


class NotANumber(ValueError):
    """The text is not a number."""


class Ambiguous(ValueError):
    """The text is one number to some people and another to others: `readings`, the smaller one first."""

    def __init__(self, *readings: Fraction) -> None:
        super().__init__()
        self.readings = readings


def plain(text: str) -> str:
    """`text` with one kind of blank, digit, slash, apostrophe and minus, and `½` as ` 1/2`."""
    spelt = "".join(f" {one}" if "<fraction>" in unicodedata.decomposition(one) else one for one in text)
    spelt = unicodedata.normalize("NFKC", spelt).replace("\u2044", "/").replace("\u2212", "-")
    return re.sub(_BLANKS, " ", spelt.replace("\u2019", "'")).strip()


def read_number(text: str) -> Fraction:
    """The number that `text` says, exactly. Raises Ambiguous or NotANumber."""
    typed = plain(text)
    if len(typed) > _LONGEST:
        raise NotANumber
    if typed.startswith("-"):
        return -_unsigned(typed[1:].lstrip())
    return _unsigned(typed.removeprefix("+").lstrip())


def is_fraction(text: str) -> bool:
    """Whether a number is typed with a fraction bar."""
    return "/" in plain(text)


def _unsigned(typed: str) -> Fraction:
    if _ONE_GROUP.fullmatch(typed):
        raise Ambiguous(Fraction(typed.replace(",", ".")), Fraction(re.sub("[.,]", "", typed)))
    if mixed := _MIXED.fullmatch(typed):
        return _mixed(mixed)
    written = _DECIMAL.fullmatch(typed) or _GROUPED.fullmatch(typed)
    if written is None or not re.search(r"\d", typed):
        raise NotANumber
    whole, part = re.sub(r"\D", "", written["whole"]), written["part"] or ""
    return Fraction(f"{whole or 0}.{part or 0}")


def _mixed(typed: re.Match[str]) -> Fraction:
    under = int(typed["under"])
    if under == 0:
        raise NotANumber
    return int((typed["whole"] or "0").replace(" ", "")) + Fraction(int(typed["over"]), under)


def as_typed(number: float, decimal_sign: str) -> str:
    """How to type `number` so that it is read as that number: without grouping, and 1.234 as `1.2340`, since
    `1.234` could mean 1234."""
    whole, _point, part = f"{number:.{_DECIMALS}f}".partition(".")
    part = part.rstrip("0")
    if _ONE_GROUP.fullmatch(f"{whole.removeprefix('-')}.{part}"):
        part += "0"
    return f"{whole}{decimal_sign}{part}" if part else whole
