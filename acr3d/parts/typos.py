"""Words that differ from a misspelt one by one letter: missing, added, changed, or swapped with the next."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, func, or_, select

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


def words_near(plain_words: Iterable[str]) -> dict[str, list[str]]:
    """For each plain word the indexed ones that it may have been meant for, without itself; at most 16.

    Both as it is and folded: in `brkae` the last two letters are a typo and no umlaut.
    """
    spellings = {plain: {plain, folded(plain)} for plain in plain_words}
    ranges = [one for words in spellings.values() for word in words for one in _sharing_a_half(word)]
    known = db.session.scalars(select(SearchWord.word).where(or_(*ranges))).all() if ranges else []
    return {
        plain: [one for one in known if one not in words and _is_near(one, words)][:_MOST]
        for plain, words in spellings.items()
    }


def _is_near(known: str, words: Iterable[str]) -> bool:
    return any(len(word) >= SHORTEST and differ_by_one(word, known) for word in words)


def _sharing_a_half(word: str) -> list[ColumnElement[bool]]:
    """One letter is wrong, so that one half is right: the first or the last."""
    if len(word) < SHORTEST or not is_correctable(word):
        return []
    half = len(word) // 2
    ends = (SearchWord.word, word[:half]), (SearchWord.backwards, word[half + 1 :][::-1])
    length = func.length(SearchWord.word).between(len(word) - 1, len(word) + 1)
    return [and_(column >= start, column < start + _LAST, length) for column, start in ends]


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
