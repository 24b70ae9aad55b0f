"""The picture that chats and social networks show of a link: a stored picture beside words.

Its source is a file of our own (a clean photo or a poster), so no child process is needed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)
"""What Open Graph's readers show whole."""
_MARGIN = 60
_PICTURE_SIDE = SIZE[1] - 2 * _MARGIN
_WORDS_WIDTH = SIZE[0] - _PICTURE_SIDE - 3 * _MARGIN
_PAPER, _INK, _QUIET = "white", "#1a1d21", "#5b6470"
_HEADING_SIZE, _TEXT_SIZE, _MOST_LINES = 54, 34, 4
_QUALITY = 85


def share_card(picture: Path | None, heading: str, lines: Sequence[str]) -> bytes:
    """A JPEG of SIZE with `picture` (a drawn box if there is none), `heading`, and smaller `lines` below."""
    card = Image.new("RGB", SIZE, _PAPER)
    shown = _fitted(picture) if picture else None
    pen = ImageDraw.Draw(card)
    words = [line for line in (heading, *lines) if _can_be_drawn(line)]
    left = _MARGIN if words else (SIZE[0] - _PICTURE_SIDE) // 2
    if shown is not None:
        corner = (left + (_PICTURE_SIDE - shown.width) // 2, (SIZE[1] - shown.height) // 2)
        card.paste(shown, corner, shown if shown.mode == "RGBA" else None)
    else:
        _draw_box(pen, left)
    _write(pen, words)
    out = io.BytesIO()
    card.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def _fitted(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        opened.draft(None, (_PICTURE_SIDE, _PICTURE_SIDE))
        image = opened.convert("RGBA" if opened.mode == "RGBA" else "RGB")
    image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE), Image.Resampling.LANCZOS)
    return image


def _can_be_drawn(text: str) -> bool:
    """Whether Pillow's own font, which has Western letters only, has all of them."""
    return bool(text) and text.encode("cp1252", "ignore").decode("cp1252") == text


def _write(pen: ImageDraw.ImageDraw, words: Sequence[str]) -> None:
    left, top = 2 * _MARGIN + _PICTURE_SIDE, _MARGIN + 40
    for number, text in enumerate(words):
        size = _TEXT_SIZE if number else _HEADING_SIZE
        font = ImageFont.load_default(size)
        for line in _wrapped(pen, text, font):
            pen.text((left, top), line, fill=_QUIET if number else _INK, font=font)
            top += round(size * 1.3)
        top += 16


def _wrapped(
    pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if pen.textlength(longer, font=font) <= _WORDS_WIDTH or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1] + " …"]
    return lines


def _draw_box(pen: ImageDraw.ImageDraw, left: int) -> None:
    """A cube in isometric lines."""
    side = _PICTURE_SIDE // 4
    x, y = left + _PICTURE_SIDE // 2, SIZE[1] // 2
    across, down = round(side * 0.866), side // 2
    back, front, left_down = (x, y - side), (x, y + side), (x - across, y + down)
    right_up, right_down, left_up = (x + across, y - down), (x + across, y + down), (x - across, y - down)
    rim = [back, right_up, right_down, front, left_down, left_up, back, right_up]
    pen.line(rim, fill=_QUIET, width=8, joint="curve")
    for end in (left_up, right_up, front):
        pen.line([(x, y), end], fill=_QUIET, width=8)
