"""The capture sheet as it is printed: every black cell where the layout says, in true size."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from acr3d.capture_sheet import drawing
from acr3d.capture_sheet.layout import SHEETS, Sheet
from acr3d.capture_sheet.patterns import PATTERNS

Box = tuple[float, float, float, float]

POINT = 25.4 / 72  # mm
both_sheets = pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)


def boxes_of_svg(sheet: Sheet) -> list[Box]:
    """Left, top, right and bottom of what is drawn black, mm on the sheet."""
    cells = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h", drawing.svg(sheet, "words"))
    return [
        (x - sheet.width / 2, sheet.height / 2 - y, x - sheet.width / 2 + w, sheet.height / 2 - y - h)
        for x, y, w, h in (map(float, cell) for cell in cells)
    ]


def boxes_of_pdf(sheet: Sheet) -> list[Box]:
    """The same of the PDF, through its transform."""
    page = drawing.pdf(sheet, "words").decode("cp1252")
    scale, _, _, _, left, bottom = map(float, re.search(r"stream\n(.*) cm", page)[1].split())
    assert np.allclose([left, bottom], np.array([sheet.width, sheet.height]) / 2 / POINT)
    cells = re.findall(r"^(\S+) (\S+) (\S+) (\S+) re$", page, re.M)
    unit = scale * POINT
    return [
        (x * unit, (y + h) * unit, (x + w) * unit, y * unit)
        for x, y, w, h in (map(float, cell) for cell in cells)
    ]


@both_sheets
@pytest.mark.parametrize("boxes_of", [boxes_of_svg, boxes_of_pdf])
def test_the_black_reaches_exactly_to_the_corners_of_each_marker(sheet: Sheet, boxes_of) -> None:
    boxes = np.array(boxes_of(sheet))
    inside = 0
    for corners in sheet.corners().values():
        (left, top), (right, bottom) = corners[0], corners[2]
        mine = boxes[
            (boxes[:, 0] > left - 1)
            & (boxes[:, 2] < right + 1)
            & (boxes[:, 1] < top + 1)
            & (boxes[:, 3] > bottom - 1)
        ]
        extent = [mine[:, 0].min(), mine[:, 1].max(), mine[:, 2].max(), mine[:, 3].min()]
        assert extent == pytest.approx([left, top, right, bottom], abs=1e-3)
        inside += len(mine)
    assert inside == len(boxes), "something else is black"


@both_sheets
def test_the_middle_is_blank_and_white_is_left_at_the_paper_s_edge(sheet: Sheet) -> None:
    boxes = np.array(boxes_of_svg(sheet))
    nearest = np.maximum(np.maximum(boxes[:, 0], -boxes[:, 2]), np.maximum(boxes[:, 3], -boxes[:, 1]))
    assert nearest.min() == pytest.approx(sheet.blank_radius + sheet.cell, abs=0.5)
    assert sheet.width / 2 - boxes[:, 2].max() == pytest.approx(6.5)
    assert sheet.height / 2 + boxes[:, 3].min() == pytest.approx(6.5)


@both_sheets
def test_a_line_is_100_mm_long_and_clear_of_the_markers(sheet: Sheet) -> None:
    (left, y), (right, _) = sheet.bar
    assert right - left == 100
    boxes = np.array(boxes_of_svg(sheet))
    assert boxes[boxes[:, 1] < y][:, 1].max() < y - 1.2 - sheet.cell / 2
    page = drawing.pdf(sheet, "words").decode("cp1252")
    assert f"{left:.3f} {y:.3f} m {right:.3f} {y:.3f} l S" in page


@both_sheets
def test_the_pdf_is_a_page_of_true_size_whose_parts_are_where_it_says(sheet: Sheet) -> None:
    file = drawing.pdf(sheet, "Druck (100 %) \\ für Ämter 紙")
    width, height = map(float, re.search(rb"MediaBox\[0 0 (\S+) (\S+)\]", file).groups())
    assert (width * POINT, height * POINT) == pytest.approx((sheet.width, sheet.height), abs=1e-3)
    assert b"/PrintScaling/None" in file
    assert "(Druck \\(100 %\\) \\\\ für Ämter ?) Tj".encode("cp1252") in file
    table = int(re.search(rb"startxref\n(\d+)\n%%EOF", file)[1])
    assert file[table:].startswith(b"xref\n0 6\n")
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n $", file, re.M), 1):
        assert file[int(place) :].startswith(b"%d 0 obj\n" % number)
    length, page = re.search(rb"<</Length (\d+)>>stream\n(.*)\nendstream", file, re.S).groups()
    assert len(page) == int(length)


def test_no_marker_is_on_both_sheets_or_looks_like_another_turned() -> None:
    ids = [set(sheet.ids) for sheet in SHEETS.values()]
    assert not ids[0] & ids[1]
    assert ids[0] | ids[1] == PATTERNS.keys()
    cells = {number: np.array(pattern) for number, pattern in PATTERNS.items()}
    for one, other in itertools.combinations(cells.values(), 2):
        assert min(np.count_nonzero(one != np.rot90(other, turn)) for turn in range(4)) >= 3


@pytest.mark.needs("spin")
@both_sheets
def test_opencv_finds_every_marker_of_the_print_and_no_other(sheet: Sheet, tmp_path: Path) -> None:
    import cv2

    scale = 4  # pixels a mm
    picture = np.full((round(sheet.height * scale), round(sheet.width * scale)), 255, np.uint8)
    for left, top, right, bottom in boxes_of_pdf(sheet):
        edges = [(left + sheet.width / 2), (sheet.height / 2 - top)]
        edges += [(right + sheet.width / 2), (sheet.height / 2 - bottom)]
        x, y, x_end, y_end = (round(edge * scale) for edge in edges)
        picture[y:y_end, x:x_end] = 0
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_100)
    found, ids, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(picture)

    corners = sheet.corners()
    assert sorted(ids.ravel()) == list(sheet.ids)
    for number, quad in zip(ids.ravel(), found, strict=True):
        on_sheet = quad.reshape(4, 2) / scale * [1, -1] + [-sheet.width / 2, sheet.height / 2]
        assert np.allclose(on_sheet, corners[number], atol=0.6)
    for number in sheet.ids:
        cells = cv2.aruco.generateImageMarker(dictionary, number, 6) > 0
        assert np.array_equal(cells, PATTERNS[number])
