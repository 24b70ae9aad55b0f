"""Words that differ from a misspelt one by one letter: missing, added, changed, or swapped with the next."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from acr3d.db.extensions import db
from acr3d.db.models import SearchWord
from acr3d.parts.search_text import folded

SHORTEST = 4
"""Letters. With one letter changed, a shorter word is another word."""
_MOST = 16
_LAST = "\U0010ffff"


def is_correctable(word: str) -> bool:
    """Whether a typo in it is forgiven: numbers mean what they say."""
    return len(word) >= SHORTEST - 1 and word.isalpha()


def words_near(plain: str) -> list[str]:
    """Indexed words that a plain one may have been meant for, itself left out; at most 16.

    Both as it is and folded: in `brkae` the last two letters are a typo and no umlaut.
    """
    spelt = {plain, folded(plain)}
    return sorted({near for word in spelt for near in _near(word)} - spelt)[:_MOST]


def _near(word: str) -> list[str]:
    if len(word) < SHORTEST or not is_correctable(word):
        return []
    # One letter is wrong, so that one half is right: the first or the last.
    half = len(word) // 2
    found = {
        *db.session.scalars(_beginning(SearchWord.word, word[:half], word)),
        *db.session.scalars(_beginning(SearchWord.backwards, word[half + 1 :][::-1], word)),
    }
    return [near for near in found if differ_by_one(word, near)]


def differ_by_one(one: str, other: str) -> bool:
    """Whether one letter missing, added, changed or swapped with the next makes one word of the other."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    swapped = one[start : start + 2] == other[start : start + 2][::-1]
    return one[start + 1 :] == other[start + 1 :] or (swapped and one[start + 2 :] == other[start + 2 :])


def _beginning(column: InstrumentedAttribute[str], start: str, word: str) -> Select[str]:
    length = func.length(SearchWord.word)
    near: ColumnElement[bool] = length.between(len(word) - 1, len(word) + 1)
    return select(SearchWord.word).where(column >= start, column < start + _LAST, near)
