"""The capture sheet as a vector drawing: SVG and PDF in true size.

The PDF is written here: black rectangles, three lines and a row of words take forty lines, and a library for
it would stay in the idle server's memory (docs/decisions/0061-spin-capture.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from acr3d.capture_sheet.layout import Point, Sheet

Rectangle = tuple[float, float, float, float]

_LINE = 0.3  # mm wide
_TICK = 1.2  # mm up and down at the bar's ends
_TEXT = 3.0  # mm high
_TEXT_ABOVE_BAR = 2.2
_POINTS = 72 / 25.4  # of a PDF, in a millimetre


def svg(sheet: Sheet, words: str) -> str:
    """The sheet with `words` above the line of 100 mm."""
    left, top = -sheet.width / 2, sheet.height / 2
    cells = "".join(
        f"M{x - left:.4f} {top - y:.4f}h{width:.4f}v{height:.4f}h{-width:.4f}z"
        for x, y, width, height in black(sheet)
    )
    lines = "".join(
        f"M{a - left:.3f} {top - b:.3f}L{c - left:.3f} {top - d:.3f}" for (a, b), (c, d) in bar_lines(sheet)
    )
    (bar_x, bar_y), _ = sheet.bar
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width:g}mm" height="{sheet.height:g}mm" '
        f'viewBox="0 0 {sheet.width:g} {sheet.height:g}">'
        f'<rect width="{sheet.width:g}" height="{sheet.height:g}" fill="#fff"/>'
        f'<path d="{cells}"/>'
        f'<path d="{lines}" fill="none" stroke="#000" stroke-width="{_LINE}"/>'
        f'<text x="{bar_x - left:g}" y="{top - bar_y - _TEXT_ABOVE_BAR:g}" '
        f'font-family="Helvetica,Arial,sans-serif" font-size="{_TEXT:g}">{escape(words)}</text></svg>'
    )


def pdf(sheet: Sheet, words: str) -> bytes:
    """The sheet as a PDF 1.7 of one page, which asks the print dialog for true size (ISO 32000-1, 12.2)."""
    (bar_x, bar_y), _ = sheet.bar
    text = re.sub(rb"[\\()]", rb"\\\g<0>", words.encode("cp1252", "replace"))
    width, height = sheet.width * _POINTS, sheet.height * _POINTS
    drawing = "\n".join(
        [
            f"{_POINTS:.6f} 0 0 {_POINTS:.6f} {width / 2:.4f} {height / 2:.4f} cm",
            *(f"{x:.4f} {top - tall:.4f} {wide:.4f} {tall:.4f} re" for x, top, wide, tall in black(sheet)),
            f"f {_LINE} w",
            *(f"{a:.3f} {b:.3f} m {c:.3f} {d:.3f} l S" for (a, b), (c, d) in bar_lines(sheet)),
            f"BT /F1 {_TEXT:g} Tf {bar_x:.2f} {bar_y + _TEXT_ABOVE_BAR:.2f} Td (",
        ]
    )
    page = drawing.encode() + text + b") Tj ET"
    return _file(
        [
            b"<</Type/Catalog/Pages 2 0 R/ViewerPreferences<</PrintScaling/None>>>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width:.3f} {height:.3f}]/Contents 4 0 R"
            "/Resources<</Font<</F1 5 0 R>>>>>>".encode(),
            b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        ]
    )


def black(sheet: Sheet) -> Iterator[Rectangle]:
    """The black cells, joined along each row: x and y of the top left corner, width and height.

    Filled as one path, so that no hairline shows between the rows.
    """
    patterns = sheet.patterns()
    for number, ((left, top), *_rest) in sheet.corners().items():
        for row, cells in enumerate(patterns[number]):
            for begin, end in _runs(cells):
                yield (
                    left + begin * sheet.cell,
                    top - row * sheet.cell,
                    (end - begin) * sheet.cell,
                    sheet.cell,
                )


def bar_lines(sheet: Sheet) -> tuple[tuple[Point, Point], ...]:
    """The line of 100 mm and the ticks that end it."""
    ends = sheet.bar
    return (ends, *(((x, y - _TICK), (x, y + _TICK)) for x, y in ends))


def _runs(cells: tuple[bool, ...]) -> Iterator[tuple[int, int]]:
    """Where black begins and ends along a row of cells."""
    begin = 0
    for place, is_white in enumerate((*cells, True)):
        if is_white:
            if begin < place:
                yield begin, place
            begin = place + 1


def _file(objects: list[bytes]) -> bytes:
    """A PDF of these objects, the first of which is the catalog."""
    written, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(written))
    return written + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + end
