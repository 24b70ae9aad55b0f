"""What a picture looks like, in bits that survive another size, format or quality.

A difference hash (Neal Krawetz, “Kind of Like That”, 2013) of each colour channel, along rows and columns: on
a plain backdrop brightness alone is too little to tell parts apart. Steps of a few levels are noise. How the
numbers were chosen: docs/decisions/0040-part-facts.md.
"""

from __future__ import annotations

from itertools import pairwise

from PIL import Image

_SIDE = 16
_NOISE = 6
BITS = 3 * 2 * _SIDE * _SIDE


def look_of(image: Image.Image) -> str:
    """The picture's look, in hexadecimal digits."""
    bits = ""
    for channel in image.convert("RGB").split():
        wide = channel.resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
        high = channel.resize((_SIDE, _SIDE + 1), Image.Resampling.BOX).transpose(Image.Transpose.TRANSPOSE)
        bits += _steps(wide) + _steps(high)
    return f"{int(bits, 2):0{BITS // 4}x}"


def _steps(image: Image.Image) -> str:
    values, width = image.tobytes(), image.width
    rows = [values[start : start + width] for start in range(0, len(values), width)]
    return "".join(str(int(right - left > _NOISE)) for row in rows for left, right in pairwise(row))
