"""The cells of the sheet's markers: of OpenCV's predefined dictionary DICT_4X4_100 (Apache-2.0).

Written down, so that a server without OpenCV can print the sheet. Each number holds sixteen cells, row by row
from the top left, the first in the highest bit; 1 is white.
"""

from __future__ import annotations

Pattern = tuple[tuple[bool, ...], ...]

CELLS = 6  # four, and the black border on both sides

_ON_A4 = """
    b532 0f9a 332d 9946 549e 79cd 9e2e c4f2 feda cf56 f991 11a7 0eb7 2a0f 24b1
    263e 4665 6600 6c5e 76af 868b b02b ccd5 dd82 fe47 9471 ace4 a554 2123 346f
"""
_ON_A3 = """
    1718 2a28 328c 38b2 24e8 2eeb 2d3f 4b64 502e 5013 5194 5568 5d41 5f97 6801 6867 6124
    61e9 6b12 6fe5 67df 7e1b 80a0 8344 8ba2 937a 846c 852a 859c 9c89 9fa1 bb7c bc04 b65b
"""


def _pattern(number: int) -> Pattern:
    """Six rows of six cells; true is white."""
    inner = [[bool(number >> (15 - 4 * row - column) & 1) for column in range(4)] for row in range(4)]
    black = (False,) * CELLS
    return (black, *((False, *row, False) for row in inner), black)


PATTERNS: dict[int, Pattern] = {
    first + offset: _pattern(int(word, 16))
    for first, words in ((0, _ON_A4), (40, _ON_A3))
    for offset, word in enumerate(words.split())
}
"""By id: 0 to 29 are on the A4 sheet, 40 to 73 on the A3 sheet."""
