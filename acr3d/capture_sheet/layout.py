"""Where everything is on the capture sheet, in millimetres: A4 and A3.

One ring of upright ArUco markers round a blank middle, where the part lies. Origin at the sheet's centre,
x right, y up the page. No marker is on both sheets, so one tells which sheet it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from acr3d.capture_sheet.patterns import CELLS, PATTERNS, Pattern

Point = tuple[float, float]

MARGIN = 6.5
"""What stays white at the paper's edge; most printers reach that far."""
SCALE_BAR = 100.0


@dataclass(frozen=True)
class Sheet:
    """One paper size. `columns`, `rows`: markers along its short and its long edge. `first`: the first id.

    `blank_radius`: of the largest circle round the centre without print.
    """

    name: str
    width: float
    height: float
    marker: float
    columns: int
    rows: int
    first: int
    blank_radius: float
    bar_above_edge: float

    @property
    def ids(self) -> range:
        """The ids of its markers, clockwise from the top left."""
        return range(self.first, self.first + 2 * (self.columns + self.rows) - 4)

    @property
    def cell(self) -> float:
        """The side of one cell of a marker; a marker is six cells wide, with its black border."""
        return self.marker / CELLS

    @property
    def bar(self) -> tuple[Point, Point]:
        """The ends of the line that is 100 mm long."""
        y = -self.height / 2 + self.bar_above_edge
        return (-SCALE_BAR / 2, y), (SCALE_BAR / 2, y)

    def corners(self) -> dict[int, tuple[Point, Point, Point, Point]]:
        """By id: top left, top right, bottom right, bottom left; OpenCV's order."""
        side = self.marker
        return {
            number: ((x, y), (x + side, y), (x + side, y - side), (x, y - side))
            for number, (x, y) in zip(self.ids, self._ring(), strict=True)
        }

    def patterns(self) -> dict[int, Pattern]:
        """By id: the cells of each marker."""
        return {number: PATTERNS[number] for number in self.ids}

    def _ring(self) -> Iterator[Point]:
        """The top left corners of the markers, clockwise."""
        last_column, last_row = self.columns - 1, self.rows - 1
        places = [
            *((column, 0) for column in range(self.columns)),
            *((last_column, row) for row in range(1, self.rows)),
            *((column, last_row) for column in range(last_column - 1, -1, -1)),
            *((0, row) for row in range(last_row - 1, 0, -1)),
        ]
        step_x = (self.width - 2 * MARGIN - self.marker) / last_column
        step_y = (self.height - 2 * MARGIN - self.marker) / last_row
        left, top = -self.width / 2 + MARGIN, self.height / 2 - MARGIN
        yield from ((left + column * step_x, top - row * step_y) for column, row in places)


A4 = Sheet("A4", 210, 297, 24, columns=7, rows=10, first=0, blank_radius=70.5, bar_above_edge=36)
A3 = Sheet("A3", 297, 420, 30, columns=8, rows=11, first=40, blank_radius=107, bar_above_edge=43)
SHEETS = {sheet.name: sheet for sheet in (A4, A3)}
