"""What the sheet and the table look like without the part, and how far a frame differs from that.

The sheet is flat and its plane known: seen straight from above, all frames show the same picture, except
where the part stands in front. The median over the frames is the picture without the part. Shadows that lie
still on the sheet are in it, so they are no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import reconstruction

from acr3d.capture_sheet.layout import MARGIN, Sheet
from acr3d.spin.light import BRIGHTEST, DARKEST, even_out
from acr3d.spin.views import Mask, Pixels, View

Floats = NDArray[np.float32]

_MARGIN = 0.8  # of table around the sheet, relative to its long side
_CELLS = 400  # of the ground's picture along the sheet's long side
_MEDIAN_FRAMES = 32  # more hardly change a median, and cost memory
_ROWS = 64  # of the picture per batch
_FEWEST = 3  # frames that must show a place
_PLACES = 20_000  # per batch, to limit memory
_AGREEING = 0.25  # of the views that show a place of the sheet
_AGREEMENT = 9  # of 255, between the brightest and the darkest of them
_SHARP = 7  # half the range of brightness around a pixel; a soft shadow's edge has less
_GAP = 9  # pixels between two hidden places that are one
_RISE = 6  # of 255, by which paper may get brighter again towards the part
_MAX_UNREST = 16  # of 255, between a place's quartiles; more, and it is the part or what stands on the table


@dataclass(frozen=True)
class Ground:
    """`pixels` (rows, columns, 3): the ground from above. `to_sheet` (3, 3): from its pixels to mm.

    `sheet`: the paper; `blank`: inside its ring of markers. `known`: where enough frames show the ground;
    elsewhere `pixels` holds the paper around, or nothing. `spread`: how much neighbouring pixels differ.
    """

    pixels: Pixels
    known: Mask
    sheet: Mask
    blank: Mask
    spread: Floats
    to_sheet: NDArray[np.float64]

    def without(self, hidden: Mask) -> Ground:
        """The ground, unknown where `hidden` (rows, columns) is set: the part stands there."""
        known = self.known & ~hidden
        return replace(self, pixels=_filled(self.pixels, known, self.blank), known=known)

    def cells_of(self, points: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of points (n, 2 or 3) on the sheet, in mm; always inside the picture."""
        places = np.column_stack([points[:, :2], np.ones(len(points))]) @ np.linalg.inv(self.to_sheet).T
        column, row = places[:, :2].round().astype(np.int64).T
        return row.clip(0, self.known.shape[0] - 1), column.clip(0, self.known.shape[1] - 1)

    def hidden_in(self, view: View) -> Mask:
        """The view's pixels of which the sheet's blank middle would be seen, but what it shows is unknown."""
        across = view.ground @ self.to_sheet
        size = view.pixels.shape[1], view.pixels.shape[0]
        place = (self.blank & ~self.known).astype(np.uint8)
        seen = np.asarray(cv2.warpPerspective(place, across, size, flags=cv2.INTER_NEAREST), bool)
        return seen & ~_behind(view, size)

    def seen_by(self, view: View) -> Seen:
        """The ground as this view would show it without a part."""
        across = view.ground @ self.to_sheet
        size = view.pixels.shape[1], view.pixels.shape[0]
        before = ~_behind(view, size)
        known, sheet = (
            np.asarray(
                cv2.warpPerspective(place.astype(np.uint8), across, size, flags=cv2.INTER_NEAREST), bool
            )
            for place in (self.known, self.sheet)
        )
        colours = cv2.warpPerspective(self.pixels, across, size, flags=cv2.INTER_LINEAR)
        spread = cv2.warpPerspective(self.spread, across, size, flags=cv2.INTER_LINEAR)
        return Seen(
            np.asarray(colours, np.uint8), known & before, sheet & before, np.asarray(spread, np.float32)
        )


@dataclass(frozen=True)
class Seen:
    """The ground as a view would show it: see `Ground`, of which `colours` are the pixels."""

    colours: Pixels
    known: Mask
    sheet: Mask
    spread: Floats


def _behind(view: View, size: tuple[int, int]) -> Mask:
    """Pixels above the horizon, whose rays never meet the sheet's plane."""
    lens, rotation = view.camera.lens, view.camera.rotation
    column = (np.arange(size[0]) - lens.centre[0]) / lens.focal
    row = (np.arange(size[1]) - lens.centre[1]) / lens.focal
    up = rotation[0, 2] * column[None] + rotation[1, 2] * row[:, None] + rotation[2, 2]
    behind: Mask = up >= 0
    return behind


def find_ground(views: Sequence[View], sheet: Sheet) -> Ground:
    """The ground from above, from at most _MEDIAN_FRAMES views spread over the capture."""
    chosen = _spread(len(views))
    sheet_mm = sheet.width, sheet.height
    margin = _MARGIN * max(sheet_mm)
    step = max(sheet_mm) / _CELLS
    columns, rows = (int((side + 2 * margin) / step) for side in sheet_mm)
    low = -sheet_mm[0] / 2 - margin
    high = sheet_mm[1] / 2 + margin
    to_sheet = np.array([[step, 0, low], [0, -step, high], [0, 0, 1.0]])
    stack = np.empty((len(chosen), rows, columns, 3), np.uint8)
    shown = np.empty((len(chosen), rows, columns), bool)
    for number, view in enumerate(views[place] for place in chosen):
        flat = view.ground @ to_sheet
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        stack[number] = cv2.warpPerspective(view.pixels, flat, (columns, rows), flags=flags)
        whole = np.full(view.pixels.shape[:2], 255, np.uint8)
        shown[number] = cv2.warpPerspective(whole, flat, (columns, rows), flags=flags) == 255
    pixels, unrest = _median(stack, shown)
    for frame, seen in zip(stack, shown, strict=True):
        _match_exposure(frame, pixels, seen & (unrest < _MAX_UNREST))
    pixels, unrest = _median(stack, shown)
    known = (shown.sum(0) >= _FEWEST) & (unrest < _MAX_UNREST)
    on_sheet = _inside(sheet, 0, to_sheet, known.shape)
    for frame, seen in zip(stack, shown, strict=True):
        frame[:] = even_out(frame, pixels, seen & known, on_sheet).clip(0, 255)
    blank = _inside(sheet, MARGIN + sheet.marker + sheet.cell, to_sheet, known.shape)
    paper, agreed = _brightest_agreeing(stack[:, blank], shown[:, blank])
    pixels[blank] = paper
    known[blank] = agreed
    reached = _reached_from_rim(pixels, known, blank)
    known &= ~blank | reached
    return Ground(_filled(pixels, known, blank), known, on_sheet, blank, _local_spread(pixels), to_sheet)


def _inside(sheet: Sheet, ring: float, to_sheet: NDArray[np.float64], shape: tuple[int, ...]) -> Mask:
    """The sheet's pixels more than `ring` mm inside its edge."""
    x = to_sheet[0, 0] * np.arange(shape[1]) + to_sheet[0, 2]
    y = to_sheet[1, 1] * np.arange(shape[0]) + to_sheet[1, 2]
    inside: Mask = (np.abs(x) < sheet.width / 2 - ring)[None] & (np.abs(y) < sheet.height / 2 - ring)[:, None]
    return inside


def _reached_from_rim(pixels: Pixels, known: Mask, blank: Mask) -> Mask:
    """The blank paper that shadow only darkens on the way from its rim: all but the place under the part.

    A shadow deepens softly towards the part. What is brighter again beyond it, or lies behind a sharp edge,
    is the part itself, on whose colours the views agree because it is uniform.
    """
    spread = _local_spread(pixels)
    sharp = cv2.dilate((spread >= _SHARP).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    grey = np.where(known & blank & ~sharp, pixels.max(2), 0).astype(np.float32)
    rim = blank & ~cv2.erode(blank.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    reached = reconstruction(  # type: ignore[no-untyped-call]
        np.where(rim, grey, 0), grey, method="dilation"
    )
    hidden = cv2.morphologyEx(
        (blank & ((grey == 0) | (grey - reached > _RISE))).astype(np.uint8),
        cv2.MORPH_CLOSE,
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_GAP, _GAP)),
    )
    return ~ndimage.binary_fill_holes(hidden)


def _filled(pixels: Pixels, known: Mask, blank: Mask) -> Pixels:
    """The picture with the sheet's unknown middle filled from the paper around."""
    weight = (known & blank).astype(np.float32)
    colour = pixels * weight[..., None]
    for size in (15, 61, 241):
        blurred, total = (cv2.blur(image, (size, size)) for image in (colour, weight))
        mean = blurred / np.maximum(total, 1e-6)[..., None]
        hole = (weight == 0) & (total > 1e-3) & blank
        colour[hole], weight[hole] = mean[hole], 1
    filled = pixels.copy()
    place = blank & ~known & (weight > 0)
    filled[place] = colour[place].round().astype(np.uint8)
    return filled


def _spread(count: int) -> list[int]:
    return sorted(set(np.linspace(0, count - 1, min(count, _MEDIAN_FRAMES)).round().astype(int).tolist()))


def _median(stack: Pixels, shown: Mask) -> tuple[Pixels, Floats]:
    """Per pixel and channel the median of the views that show it; per pixel the range between quartiles."""
    pixels = np.empty(stack.shape[1:], np.uint8)
    unrest = np.empty(stack.shape[1:3], np.float32)
    last = np.maximum(shown.sum(0) - 1, 0)
    for start in range(0, len(pixels), _ROWS):
        part = slice(start, start + _ROWS)
        values = np.where(shown[:, part, :, None], stack[:, part].astype(np.int16), 999)
        ordered = np.sort(np.moveaxis(values, 0, -1).copy(), axis=-1)
        lower, middle, upper = (
            np.take_along_axis(ordered, (last[part, :, None, None] * share) // 4, -1)[..., 0]
            for share in (1, 2, 3)
        )
        pixels[part] = np.minimum(middle, 255)
        unrest[part] = (upper - lower).max(-1)
    return pixels, unrest


def _match_exposure(frame: Pixels, pixels: Pixels, usable: Mask) -> None:
    """Bring a frame to the median's exposure and white balance, in place."""
    bright = usable & (frame.min(2) > DARKEST) & (frame.max(2) < BRIGHTEST)
    if not bright.any():
        return
    gain = np.median(pixels[bright].astype(np.float32) / frame[bright], axis=0)
    for channel in range(3):
        table = np.clip(np.arange(256) * gain[channel], 0, 255).round().astype(np.uint8)
        frame[..., channel] = table[frame[..., channel]]


def _brightest_agreeing(samples: Pixels, shown: Mask) -> tuple[Pixels, Mask]:
    """Per place (columns of (views, places, 3) samples), the brightest colour on which many views agree.

    Right beside the part half of the views or more see the part instead of the paper; those differ among
    each other, and the paper is brighter than nearly every part. Returns colours, and where views agree.
    """
    colours = np.zeros(samples.shape[1:], np.uint8)
    agreed = np.zeros(samples.shape[1], bool)
    for start in range(0, samples.shape[1], _PLACES):
        part = slice(start, start + _PLACES)
        grey = np.where(shown[:, part], samples[:, part].mean(2), np.nan)
        order = np.argsort(-grey, axis=0)  # the brightest first, what is not shown last
        grey = np.take_along_axis(grey, order, 0)
        count = shown[:, part].sum(0)
        window = np.maximum(np.ceil(_AGREEING * count), _FEWEST).astype(np.int64)
        ends = np.minimum(np.arange(len(grey))[:, None] + window - 1, len(grey) - 1)
        with np.errstate(invalid="ignore"):
            close = grey - np.take_along_axis(grey, ends, 0) < _AGREEMENT
        close &= np.arange(len(grey))[:, None] + window <= count
        agreed[part] = close.any(0)
        middle = np.minimum(close.argmax(0) + window // 2, len(grey) - 1)
        chosen = np.take_along_axis(order, middle[None], 0)[0]
        colours[part] = samples[:, part][chosen, np.arange(len(chosen))]
    return colours, agreed


def _local_spread(pixels: Pixels) -> Floats:
    """Half the range of brightness among a pixel's neighbours: what a small error of the pose can change."""
    grey = pixels.mean(2).astype(np.float32)
    near = np.ones((3, 3), np.uint8)
    spread: Floats = (cv2.dilate(grey, near) - cv2.erode(grey, near)) / 2
    return spread
