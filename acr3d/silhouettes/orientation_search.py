"""Which of the 24 ways to lay a model on its sides is the one that the photos show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from acr3d.gltf.orientation import orientations
from acr3d.render.cameras import SIDES, Camera
from acr3d.render.draw import draw, mask
from acr3d.render.scene import Scene
from acr3d.silhouettes.camera_fit import first_camera, fit
from acr3d.silhouettes.photo_silhouette import Mask, Sight, outline_box
from acr3d.silhouettes.score import agreement

Matrix = NDArray[np.float64]
Outlines = dict[str, Mask]

_COARSE = 96  # pixels of a side for the first look
_WORTH = 0.12  # how far behind the best, at the first look, a turn is still looked at again
_MOST_TURNS = 8
_ROUNDS = 2
_CLOSE = 0.02  # how far behind the best a turn may be the right one all the same: no model is perfect
_EQUAL = 0.005  # figures that differ by no more are one
_ALIKE = 0.98  # area in common, from each side: turns between which there is no difference to see
_LIKE, _LOOKS_APART = 0.2, 0.04  # how like the photos a turn must look, and how much more so than the others
_LEAST = 0.6  # below it, this is not the part that the photos show, whichever way it lies
_LOOK = 96  # pixels
_WHOLE = 250  # an alpha that no background shines through


@dataclass(frozen=True)
class Front:
    """The optimizer's turn that brings the model's front forward ("" is none), and whether it is sure."""

    turn: str
    is_sure: bool


def find_front(scene: Scene, light: Scene, sights: list[Sight]) -> Front:
    """By outlines, and by colours where outlines hardly tell. As it came, where nothing speaks against it."""
    outlines = outlines_of(light)
    fitted = {turn: _fitted(light, orientations()[turn], sights) for turn in _worth_a_look(outlines, sights)}
    figures = {
        turn: float(np.mean([agreement(light, *pair) for pair in zip(cameras, sights, strict=True)]))
        for turn, cameras in fitted.items()
    }
    first = max(figures, key=lambda turn: figures[turn])
    if figures[first] < _LEAST:
        return Front("", is_sure=False)
    close = [turn for turn in figures if figures[turn] > figures[first] - _CLOSE]
    if len(close) == 1:
        return Front(first, is_sure=True)
    told = _told_by_colours({turn: _likeness(scene, fitted[turn], sights) for turn in close})
    if told is not None:
        return Front(told, is_sure=True)
    same = [turn for turn in close if are_alike(outlines, orientations()[turn], orientations()[first])]
    stays = "" in same and figures[""] > figures[first] - _EQUAL
    return Front("" if stays else first, is_sure=same == close)


def _told_by_colours(looks: dict[str, float]) -> str | None:
    """The turn that looks clearly more like the photos than any other; None where none does."""
    first, second = sorted(looks, key=lambda turn: -looks[turn])[:2]
    return first if looks[first] > _LIKE and looks[first] - looks[second] > _LOOKS_APART else None


def are_alike(outlines: Outlines, one: Matrix, other: Matrix) -> bool:
    """Whether the model has the same outlines from all sides after either turn, as a bottle has."""
    shares = [_common(_turned(outlines, side, one), _turned(outlines, side, other)) for side in SIDES]
    return min(shares) > _ALIKE


def outlines_of(scene: Scene) -> Outlines:
    """What is seen before each side, without perspective."""
    return {side: _framed(_seen(scene, rows)) for side, rows in SIDES.items()}


def _worth_a_look(outlines: Outlines, sights: list[Sight]) -> list[str]:
    """The turns whose outlines are about right without any fitting; the model as it came among the first."""
    photos = {sight.side: _framed(sight.mask) for sight in sights}
    shares = {
        turn: float(np.mean([_common(photos[side], _turned(outlines, side, matrix)) for side in photos]))
        for turn, matrix in orientations().items()
    }
    ranked = sorted(shares, key=lambda turn: -shares[turn])
    return [turn for turn in ranked if shares[turn] > shares[ranked[0]] - _WORTH][:_MOST_TURNS]


def _seen(scene: Scene, rows: Matrix) -> Mask:
    low, high = scene.box
    largest = float((np.abs(rows[:2]) @ (high - low)).max()) or 1.0
    return mask(scene, Camera(rows, (low + high) / 2, 0.9 * _COARSE / largest), _COARSE, _COARSE)


def _turned(outlines: Outlines, side: str, turn: Matrix) -> Mask:
    """What is seen before a side of the turned model: one of the six outlines, lying on one of its edges."""
    rows = SIDES[side] @ turn
    own = next(name for name, each in SIDES.items() if np.allclose(each[2], rows[2]))
    along, up = SIDES[own][:2] @ rows[0]
    quarters = {(1, 0): 0, (0, 1): 3, (-1, 0): 2, (0, -1): 1}[round(along), round(up)]
    return np.rot90(outlines[own], quarters)


def _framed(area: Mask) -> Mask:
    """The outline in the middle of a square, scaled to a usual size, its shape kept."""
    if not area.any():
        return np.zeros((_COARSE, _COARSE), np.bool_)
    left, top, right, bottom = outline_box(area)
    half = 0.55 * max(right - left, bottom - top)
    across, down = (left + right) / 2, (top + bottom) / 2
    window = (across - half, down - half, across + half, down + half)
    picture = Image.fromarray(np.where(area, 255, 0).astype(np.uint8))
    framed: Mask = np.asarray(picture.transform((_COARSE, _COARSE), Image.Transform.EXTENT, window)) > 127
    return framed


def _common(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _fitted(scene: Scene, turn: Matrix, sights: list[Sight]) -> list[Camera]:
    return [fit(scene, first_camera(scene, turn, sight), sight, _ROUNDS) for sight in sights]


def _likeness(scene: Scene, cameras: list[Camera], sights: list[Sight]) -> float:
    """How alike model and photos are inside their outlines, −1 to 1, whatever light and tint the photos have.

    Correlated over all sides at once, so that what one side's colour is beside another's counts too.
    """
    drawn: list[NDArray[np.float64]] = []
    seen: list[NDArray[np.float64]] = []
    for camera, sight in zip(cameras, sights, strict=True):
        picture = np.asarray(draw(scene, camera.enlarged(_LOOK / len(sight.mask)), _LOOK, _LOOK), np.float64)
        photo = Image.fromarray(sight.picture).resize((_LOOK, _LOOK), Image.Resampling.BOX)
        area = np.asarray(Image.fromarray(sight.mask).resize((_LOOK, _LOOK))) & (picture[..., 3] > _WHOLE)
        for found, colours in ((drawn, picture[..., :3]), (seen, np.asarray(photo, np.float64))):
            found.append(ndimage.gaussian_filter(colours, (1, 1, 0))[area])
    return _correlation(np.concatenate(drawn), np.concatenate(seen))


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if not len(one):
        return 0.0
    one, other = one - one.mean(0), other - other.mean(0)
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size > 0 else 0.0
