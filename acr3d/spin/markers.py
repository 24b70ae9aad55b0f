"""The sheet's markers in a picture, and which sheet a capture lies on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.capture_sheet.layout import SHEETS, Sheet
from acr3d.spin.edges import refine
from acr3d.spin.errors import SpinError

Floats = NDArray[np.float64]

FEWEST_MARKERS = 4
_ON_ONE_PLANE = 0.01  # of the longest side: so far may a lens bend a marker away from a flat sheet's
_FEW = 0.15  # of a sheet's sightings: what the other sheet may have by mistake
_OF_OTHERS = 3  # markers of no sheet in a picture, from which on they are no mistake


@dataclass(frozen=True)
class Sighting:
    """Markers in a picture: `ids` (n,), their `corners` (n, 4, 2) in px, and the picture's size.

    `edge_width`: over how many pixels the markers' edges turn from black to white, in the direction in which
    that takes longest; it grows with blur.
    """

    ids: NDArray[np.int64]
    corners: Floats
    edge_width: float
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.width, self.height

    @property
    def sharpness(self) -> float:
        """From 0 to 1: the share of the light's change that one pixel holds."""
        return min(1.0, 1 / self.edge_width)

    def on(self, sheet: Sheet) -> Sighting:
        """Only the sheet's own markers."""
        is_own = np.isin(self.ids, sheet.ids)
        return self.only(is_own)

    def flat(self, sheet: Sheet) -> Sighting:
        """Without markers that lie elsewhere than the others say: misread ones, and copies."""
        if len(self.ids) < FEWEST_MARKERS:
            return self
        places = sheet_points(sheet, self.ids)[:, :, :2].reshape(-1, 2)
        reach = _ON_ONE_PLANE * max(self.width, self.height)
        _, fits = cv2.findHomography(places, self.corners.reshape(-1, 2), cv2.RANSAC, reach)
        if fits is None:
            return self.only(np.zeros(len(self.ids), bool))
        return self.only(fits.reshape(-1, 4).all(1))

    def only(self, chosen: NDArray[np.bool_]) -> Sighting:
        """Only the chosen markers (n,)."""
        return Sighting(self.ids[chosen], self.corners[chosen], self.edge_width, self.width, self.height)


def find(pixels: NDArray[np.uint8]) -> Sighting:
    """Every marker of the dictionary in the picture (height, width, 3), those of other sheets too."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    quads, ids, _ = _detector().detectMarkers(grey)
    found = np.array([quad.reshape(4, 2) for quad in quads], np.float64).reshape(-1, 4, 2)
    numbers = np.array([] if ids is None else ids.ravel(), np.int64)
    corners = refine(grey, found)
    is_clear = np.isfinite(corners.points).all((1, 2)) & np.isfinite(corners.widths).all(1)
    widest = corners.widths[is_clear].max(1)
    edge_width = float(np.median(widest)) if len(widest) else float("inf")
    height, width = grey.shape
    return Sighting(numbers[is_clear], corners.points[is_clear], edge_width, width, height)


def which_sheet(sightings: Iterable[Sighting]) -> Sheet:
    """The sheet that these show. Raises SpinError when they show none, or more than one."""
    seen = list(sightings)
    counts = Counter({sheet.name: sum(len(one.on(sheet).ids) for one in seen) for sheet in SHEETS.values()})
    (best, most), (_, other) = counts.most_common(2)
    if other > _FEW * most and other > FEWEST_MARKERS:
        raise SpinError("spin.two_sheets")
    strangers = [len(one.ids) - sum(len(one.on(sheet).ids) for sheet in SHEETS.values()) for one in seen]
    if most < sum(strangers) and max(strangers, default=0) >= _OF_OTHERS:
        raise SpinError("spin.wrong_sheet")
    if most < FEWEST_MARKERS:
        raise SpinError("spin.no_sheet")
    return SHEETS[best]


def sheet_points(sheet: Sheet, ids: Sequence[int] | NDArray[np.int64]) -> Floats:
    """(n, 4, 3): the markers' corners on the sheet, mm."""
    corners = sheet.corners()
    flat = np.array([corners[int(number)] for number in ids], np.float64).reshape(-1, 4, 2)
    return np.concatenate([flat, np.zeros((*flat.shape[:2], 1))], 2)


def _detector() -> cv2.aruco.ArucoDetector:
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_100)
    settings = cv2.aruco.DetectorParameters()
    settings.minMarkerPerimeterRate = 0.02
    return cv2.aruco.ArucoDetector(dictionary, settings)
