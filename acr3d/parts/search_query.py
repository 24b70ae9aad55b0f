"""What somebody typed into the search box, as conditions and an order for `part_search`.

A part is found when every typed word is the beginning of one of its words or numbers, or stands within one
of its numbers; or when all that was typed is one number. No query is wrong: what is no letter or digit
separates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import ColumnElement, and_, case, literal, or_

from acr3d.db import full_text
from acr3d.db.models import PartSearch
from acr3d.parts import search_text
from acr3d.parts.search_text import NUMBER_MARK, PIECE

LONGEST = 200
"""Characters of a query that count."""
_MOST_WORDS = 12

Near = Callable[[str], list[str]]
"""Gives the indexed words that a plain one may have been meant for."""


@dataclass(frozen=True)
class Typed:
    """What stood between two blanks: a word, a few words, a number or part of one."""

    plain: tuple[str, ...]
    key: str

    @classmethod
    def of(cls, text: str) -> Typed:
        return cls(tuple(search_text.plain_words(text)), search_text.number_key(text))

    @property
    def words(self) -> list[str]:
        return list(map(search_text.folded, self.plain))

    @property
    def is_number(self) -> bool:
        return search_text.has_digit(self.key)


class Query:
    """One search. It is empty when nothing was typed that could be found."""

    def __init__(self, text: str) -> None:
        self._typed = [one for one in map(Typed.of, text[:LONGEST].split()) if one.key][:_MOST_WORDS]

    def __bool__(self) -> bool:
        return bool(self._typed)

    @property
    def plain_words(self) -> list[str]:
        return [word for one in self._typed for word in one.plain]

    @cached_property
    def _key(self) -> str:
        """All that was typed as one number: the blanks in it mean no more than dashes."""
        return "".join(one.key for one in self._typed)[: search_text.LONGEST_WORD]

    def condition(self, dialect: str, near: Near | None = None) -> ColumnElement[bool]:
        """Which rows are found; with `near`, also by the words that it gives for a misspelt one."""
        every = full_text.all_of([_one(one, dialect, near) for one in self._typed], dialect)
        found = full_text.matches(full_text.any_of([every, *_number(self._key, dialect)], dialect), dialect)
        if not any(len(one.key) > PIECE and one.is_number for one in [*self._typed, Typed((), self._key)]):
            return found
        # The pieces of a number may lie about in another one in another order.
        words = and_(*(_holds(one, near) for one in self._typed))
        return and_(found, or_(words, PartSearch.numbers.contains(self._key)))

    def rank(self) -> ColumnElement[int]:
        """Lowest first: the number, its beginning, names that begin so, then those with these words."""
        keys = dict.fromkeys([self._key, *(one.key for one in self._typed if one.is_number)])
        starts = [key for key in keys if search_text.has_digit(key)] or [self._key]
        name = literal(" ") + PartSearch.name_key + literal(" ")
        words = [word for one in self._typed for word in one.words]
        return case(
            (or_(*(PartSearch.numbers.contains(f" {key} ") for key in keys)), 0),
            (or_(*(PartSearch.numbers.contains(f" {key}") for key in starts)), 1),
            (PartSearch.name_key.startswith(" ".join(words)), 2),
            (and_(*(name.contains(f" {word} ") for word in words)), 3),
            (and_(*(name.contains(f" {word}") for word in words)), 4),
            else_=5,
        )


def _one(typed: Typed, dialect: str, near: Near | None) -> str:
    words = full_text.all_of([_word(word, dialect, near) for word in typed.plain], dialect)
    return full_text.any_of([words, *_number(typed.key, dialect)], dialect)


def _word(plain: str, dialect: str, near: Near | None) -> str:
    meant = [full_text.token(one, dialect, is_prefix=False) for one in (near(plain) if near else [])]
    typed = full_text.token(search_text.folded(plain), dialect, is_prefix=True)
    return full_text.any_of([typed, *meant], dialect)


def _number(key: str, dialect: str) -> list[str]:
    """Expressions for numbers that begin with `key`, or hold it."""
    found = [full_text.token(NUMBER_MARK + key, dialect, is_prefix=True)]
    if search_text.has_digit(key) and len(key) >= PIECE:
        pieces = [full_text.token(piece, dialect, is_prefix=False) for piece in search_text.pieces(key)]
        found.append(full_text.all_of(pieces, dialect))
    return found


def _holds(typed: Typed, near: Near | None) -> ColumnElement[bool]:
    text = literal(" ") + PartSearch.tokens + literal(" ")
    words = (
        or_(text.contains(f" {word}"), *(text.contains(f" {one} ") for one in (near(plain) if near else [])))
        for plain, word in zip(typed.plain, typed.words, strict=True)
    )
    number = typed.key if typed.is_number else f" {typed.key}"
    return or_(PartSearch.numbers.contains(number), and_(*words))
