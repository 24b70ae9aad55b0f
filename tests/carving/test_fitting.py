"""Photos that contradict each other are reconciled as well as can be, and what was doubtful is told."""

from __future__ import annotations

import numpy as np
import pytest

from acr3d.carving.errors import CarvingError
from acr3d.carving.fitting import fit_photos
from acr3d.carving.free_calibration import contradiction_cost
from acr3d.carving.photo_input import read_photo
from acr3d.carving.reconciliation import as_labelled
from acr3d.carving.silhouette import Silhouette, extract_silhouette
from tests.support.carvings import box, photograph

ROUND = ("front", "right", "back", "left")


def truck(points):
    """A bed, a wider cab towards the front, and a mast towards the left and the back."""
    x, y, z = (points[..., axis] for axis in range(3))
    bed = (np.abs(x) < 0.4) & (np.abs(y + 0.3) < 0.15) & (np.abs(z) < 0.75)
    cab = (np.abs(x) < 0.6) & (np.abs(y) < 0.35) & (np.abs(z - 0.45) < 0.25)
    mast = (np.abs(x + 0.25) < 0.08) & (y > -0.3) & (y < 0.8) & (np.abs(z + 0.2) < 0.08)
    return bed | cab | mast


def frame(points):
    """A square ring, which has little in common with a cross."""
    return box((0.9, 0.9, 0.2))(points) & ~box((0.7, 0.7, 1.0))(points)


@pytest.fixture
def silhouettes(tmp_path):
    """A function that photographs shapes by side and returns their silhouettes."""

    def taken(shapes, lean=(0.0, 0.0)):
        found = []
        for side, shape in shapes.items():
            path = tmp_path / f"{side}.png"
            photograph(shape, side, path, pixels=160, distance=6, lean=lean)
            found.append(extract_silhouette(read_photo(path, side)))
        return found

    return taken


def quarter_turned(silhouette, quarters):
    mask, pixels = (np.rot90(one, quarters) for one in (silhouette.mask, silhouette.pixels))
    return Silhouette(silhouette.angle, mask.copy(), pixels.copy())


def told(fit):
    return [doubt.code for doubt in fit.doubts]


def test_photos_from_above_a_table_become_a_model_that_looks_like_them(silhouettes):
    fit = fit_photos(silhouettes(dict.fromkeys(ROUND[:3], truck), lean=(-22, 0)))

    assert fit.doubts
    assert min(fit.likeness) > 0.9


def test_a_photo_from_below_with_the_front_to_its_side_is_turned(silhouettes):
    *others, bottom = silhouettes(dict.fromkeys(("front", "right", "bottom"), truck))

    fit = fit_photos([*others, quarter_turned(bottom, 1)])

    assert told(fit) == ["carving.doubt_turned"]
    assert fit.doubts[0].params["degrees"] == 270
    assert min(fit.likeness) > 0.9
    assert (fit.silhouettes[-1].mask == bottom.mask).all()


def test_a_photo_of_something_else_is_left_out(silhouettes):
    shapes = dict.fromkeys(ROUND, truck) | {"left": box((0.2, 0.7, 0.2))}

    fit = fit_photos(silhouettes(shapes))

    assert told(fit) == ["carving.doubt_left_out"]
    assert [photo.angle for photo in fit.silhouettes] == ["front", "right", "back"]
    assert min(fit.likeness) > 0.9


def test_exchanged_left_and_right_are_told_and_not_turned(silhouettes):
    front, back, right, top = silhouettes(dict.fromkeys(("front", "back", "right", "top"), truck))
    labelled = [front, back, Silhouette("left", right.mask, right.pixels), top]

    used, doubts = as_labelled(labelled, contradiction_cost(labelled))

    assert [doubt.code for doubt in doubts] == ["carving.doubt_exchanged"]
    assert used == labelled
    assert as_labelled([front, back, right, top], 1.0) == ([front, back, right, top], [])


def test_photos_that_no_solid_looks_like_are_refused(silhouettes):
    cross = box((0.08, 0.9, 0.2))
    rods = {"front": lambda points: cross(points) | box((0.9, 0.08, 0.2))(points), "back": frame}

    with pytest.raises(CarvingError) as refused:
        fit_photos(silhouettes(rods))

    assert refused.value.code == "contradiction"
    assert "front and back photos" in str(refused.value)
