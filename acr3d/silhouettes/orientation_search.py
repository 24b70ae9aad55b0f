"""Finding which of a model's 24 orientations the photos show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from acr3d.gltf.orientation import orientations
from acr3d.render.cameras import SIDES, RenderCamera
from acr3d.render.draw import draw, mask
from acr3d.render.scene import Scene
from acr3d.silhouettes.camera_fit import fit_camera, initial_camera
from acr3d.silhouettes.photo_silhouette import Mask, PhotoSilhouette, bounding_box
from acr3d.silhouettes.score import silhouette_score

Matrix = NDArray[np.float64]
SideMasks = dict[str, Mask]

_COARSE_PIXELS = 96  # side of the masks in the first comparison
_COARSE_MARGIN = 0.12  # turns at most this far behind the best in the first comparison are fitted
_MOST_TURNS = 8
_ROUNDS = 2
_CLOSE = 0.02  # turns at most this far behind the best may still be right: no model is perfect
_EQUAL = 0.005  # scores that differ by no more count as equal
_ALIKE = 0.98  # IoU from each side above which two turns look the same
_LIKE, _LIKE_MARGIN = 0.2, 0.04  # least likeness in colour, and least lead over the other turns
_LEAST = 0.6  # below this score the photos show another part
_LIKENESS_PIXELS = 96
_OPAQUE = 250  # least alpha of pixels without background


@dataclass(frozen=True)
class FrontResult:
    """The turn that brings the model's front forward ("" for none), and whether it is certain."""

    turn: str
    is_sure: bool


def find_front(scene: Scene, decimated: Scene, silhouettes: list[PhotoSilhouette]) -> FrontResult:
    """Find the turn by silhouettes, or by colours if silhouettes are ambiguous.

    A turn is used only if it scores better than the model as it is.
    """
    masks = side_masks(decimated)
    fitted = {
        turn: _fitted(decimated, orientations()[turn], silhouettes)
        for turn in _candidates(masks, silhouettes)
    }
    scores = {
        turn: float(
            np.mean([silhouette_score(decimated, *pair) for pair in zip(cameras, silhouettes, strict=True)])
        )
        for turn, cameras in fitted.items()
    }
    first = max(scores, key=lambda turn: scores[turn])
    if scores[first] < _LEAST:
        return FrontResult("", is_sure=False)
    close = [turn for turn in scores if scores[turn] > scores[first] - _CLOSE]
    if len(close) == 1:
        return FrontResult(first, is_sure=True)
    by_colour = _best_by_colour({turn: _likeness(scene, fitted[turn], silhouettes) for turn in close})
    if by_colour is not None:
        return FrontResult(by_colour, is_sure=True)
    same = [turn for turn in close if look_alike(masks, orientations()[turn], orientations()[first])]
    stays = "" in same and scores[""] > scores[first] - _EQUAL
    return FrontResult("" if stays else first, is_sure=same == close)


def _best_by_colour(likenesses: dict[str, float]) -> str | None:
    """The turn whose colours are clearly closest to the photos; None if there is none."""
    first, second = sorted(likenesses, key=lambda turn: -likenesses[turn])[:2]
    return (
        first if likenesses[first] > _LIKE and likenesses[first] - likenesses[second] > _LIKE_MARGIN else None
    )


def look_alike(masks: SideMasks, one: Matrix, other: Matrix) -> bool:
    """Whether the model has the same silhouettes from all sides after both turns, as a bottle may."""
    shares = [_iou(_turned(masks, side, one), _turned(masks, side, other)) for side in SIDES]
    return min(shares) > _ALIKE


def side_masks(scene: Scene) -> SideMasks:
    """The silhouette from each side, without perspective."""
    return {side: _framed(_seen(scene, rows)) for side, rows in SIDES.items()}


def _candidates(masks: SideMasks, silhouettes: list[PhotoSilhouette]) -> list[str]:
    """The turns whose silhouettes roughly match without fitting a camera, best first."""
    photos = {silhouette.side: _framed(silhouette.mask) for silhouette in silhouettes}
    shares = {
        turn: float(np.mean([_iou(photos[side], _turned(masks, side, matrix)) for side in photos]))
        for turn, matrix in orientations().items()
    }
    ranked = sorted(shares, key=lambda turn: -shares[turn])
    return [turn for turn in ranked if shares[turn] > shares[ranked[0]] - _COARSE_MARGIN][:_MOST_TURNS]


def _seen(scene: Scene, rows: Matrix) -> Mask:
    low, high = scene.box
    largest = float((np.abs(rows[:2]) @ (high - low)).max()) or 1.0
    return mask(
        scene,
        RenderCamera(rows, (low + high) / 2, 0.9 * _COARSE_PIXELS / largest),
        _COARSE_PIXELS,
        _COARSE_PIXELS,
    )


def _turned(masks: SideMasks, side: str, turn: Matrix) -> Mask:
    """The silhouette from a side of the turned model: one of the six masks, rotated by right angles."""
    rows = SIDES[side] @ turn
    own = next(name for name, each in SIDES.items() if np.allclose(each[2], rows[2]))
    along, up = SIDES[own][:2] @ rows[0]
    quarters = {(1, 0): 0, (0, 1): 3, (-1, 0): 2, (0, -1): 1}[round(along), round(up)]
    return np.rot90(masks[own], quarters)


def _framed(area: Mask) -> Mask:
    """The mask centred in a square and scaled to a common size, with its aspect ratio."""
    if not area.any():
        return np.zeros((_COARSE_PIXELS, _COARSE_PIXELS), np.bool_)
    left, top, right, bottom = bounding_box(area)
    half = 0.55 * max(right - left, bottom - top)
    across, down = (left + right) / 2, (top + bottom) / 2
    window = (across - half, down - half, across + half, down + half)
    picture = Image.fromarray(np.where(area, 255, 0).astype(np.uint8))
    framed: Mask = (
        np.asarray(picture.transform((_COARSE_PIXELS, _COARSE_PIXELS), Image.Transform.EXTENT, window)) > 127
    )
    return framed


def _iou(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _fitted(scene: Scene, turn: Matrix, silhouettes: list[PhotoSilhouette]) -> list[RenderCamera]:
    return [
        fit_camera(scene, initial_camera(scene, turn, silhouette), silhouette, _ROUNDS)
        for silhouette in silhouettes
    ]


def _likeness(scene: Scene, cameras: list[RenderCamera], silhouettes: list[PhotoSilhouette]) -> float:
    """Colour correlation of model and photos inside their silhouettes, −1 to 1; ignores exposure and tint.

    It is computed over all sides at once, so that colour differences between the sides count too.
    """
    drawn: list[NDArray[np.float64]] = []
    seen: list[NDArray[np.float64]] = []
    for camera, silhouette in zip(cameras, silhouettes, strict=True):
        picture = np.asarray(
            draw(
                scene,
                camera.enlarged(_LIKENESS_PIXELS / len(silhouette.mask)),
                _LIKENESS_PIXELS,
                _LIKENESS_PIXELS,
            ),
            np.float64,
        )
        photo = Image.fromarray(silhouette.picture).resize(
            (_LIKENESS_PIXELS, _LIKENESS_PIXELS), Image.Resampling.BOX
        )
        area = np.asarray(Image.fromarray(silhouette.mask).resize((_LIKENESS_PIXELS, _LIKENESS_PIXELS))) & (
            picture[..., 3] > _OPAQUE
        )
        for found, colours in ((drawn, picture[..., :3]), (seen, np.asarray(photo, np.float64))):
            found.append(ndimage.gaussian_filter(colours, (1, 1, 0))[area])
    return _correlation(np.concatenate(drawn), np.concatenate(seen))


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if not len(one):
        return 0.0
    one, other = one - one.mean(0), other - other.mean(0)
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size > 0 else 0.0
