"""How text and numbers are made alike before they are indexed or looked for: one way for both databases.

Marks of tokens: none before a word, `#` before a whole number, `~` before three characters of one, by which a
number is found from its middle.
"""

from __future__ import annotations

import re
import unicodedata

NUMBER_MARK, PIECE_MARK = "#", "~"
PIECE = 3
LONGEST_WORD = 64
"""In characters. A database's index takes no endless ones."""

_ALIKE = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_UMLAUT = re.compile(r"([aou])e")
_WORD = re.compile(r"[^\W_]+")


def folded(word: str) -> str:
    """A plain word without what is left of its umlauts: `Größe` and `Groesse` become `grosse`.

    What a word begins with becomes what its folded form begins with, so that half a word finds the whole one.
    """
    return _UMLAUT.sub(r"\1", word)


def plain_words(text: str) -> list[str]:
    """The words of `text` in order, without case and accents."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(_plain(text))]


def words(text: str) -> list[str]:
    """The folded words of `text` in order."""
    return list(map(folded, plain_words(text)))


def number_key(text: str) -> str:
    """A part number without dashes, dots, slashes, blanks, case and accents."""
    return "".join(_WORD.findall(_plain(text)))[:LONGEST_WORD]


def has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def pieces(key: str) -> list[str]:
    """Every three characters of a number's key that stand together; empty for a shorter key."""
    return [PIECE_MARK + key[at : at + PIECE] for at in range(len(key) - PIECE + 1)]


def tokens(text: str, number_keys: list[str]) -> str:
    """What is indexed of a part with these words and numbers."""
    found = dict.fromkeys(words(text))
    for key in number_keys:
        found |= dict.fromkeys([NUMBER_MARK + key, *pieces(key)])
    return " ".join(found)


def _plain(text: str) -> str:
    parted = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(map(_digit, filter(_is_base, parted))).translate(_ALIKE)


def _is_base(character: str) -> bool:
    return not unicodedata.combining(character)


def _digit(character: str) -> str:
    """A digit of any script as 0 to 9; everything else as it is."""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
