"""Round and mirror-symmetric parts are recognized and reported, and no silhouette shrinks by that."""

import numpy as np
import pytest

from acr3d.carving.shape_priors import compatible_priors
from acr3d.db.models import ModelVersion
from acr3d.web import labels
from tests.support.carvings import GRID, VIEWS, box, carved, contains, photograph, solid

SIDES = ("front", "back", "left", "right")


def bottle(points):
    """A round body with a shoulder and a neck, upright."""
    radius = np.clip(0.55 - 0.8 * np.maximum(points[..., 1] - 0.3, 0), 0.2, 0.55)
    return (np.hypot(points[..., 0], points[..., 2]) < radius) & (np.abs(points[..., 1]) < 0.9)


def drum_with_boss(points):
    """A disc that faces the front, with a square boss on its face that is wider than high."""
    disc = (np.hypot(points[..., 0], points[..., 1]) < 0.8) & (np.abs(points[..., 2] + 0.1) < 0.2)
    boss = (np.abs(points - np.array([0, 0, 0.3])) < np.array([0.5, 0.2, 0.25])).all(-1)
    return disc | boss


def photos_of(shape, folder, sides):
    return [photograph(shape, side, folder / f"{side}.png") for side in sides]


def slice_across(mesh, height, axis=1):
    """How far the model reaches from its axis at that height, in 16 directions."""
    angles = np.arange(16) * np.pi / 8
    reach = np.linspace(0, 0.6, 241)
    points = np.zeros((16, 241, 3))
    points[..., (axis + 1) % 3] = np.cos(angles)[:, None] * reach
    points[..., (axis + 2) % 3] = np.sin(angles)[:, None] * reach
    points[..., axis] = height
    return (contains(mesh, points) * reach).max(1)


@pytest.fixture(scope="module")
def bottles(tmp_path_factory):
    """{use_priors: (report, model)} of the bottle seen from all sides but not from above."""
    folder = tmp_path_factory.mktemp("bottle")
    photos = photos_of(bottle, folder, SIDES)
    models = {}
    for use_priors in (True, False):
        report, out = carved(folder, photos, guesses=use_priors, should_texture=False)
        models[use_priors] = report, solid(out)
    return models


def test_a_bottle_seen_from_around_comes_out_round(bottles):
    report, mesh = bottles[True]

    reach = slice_across(mesh, -0.2)
    assert reach.max() / reach.min() < 1.05
    assert {"kind": "round", "axis": "height", "whole": True} in report["guesses"]
    assert mesh.is_watertight


def test_without_priors_the_bottle_stays_as_square_as_its_silhouettes(bottles):
    report, mesh = bottles[False]

    reach = slice_across(mesh, -0.2)
    assert reach.max() / reach.min() > 1.3
    assert report["guesses"] == []


def test_a_round_part_photographed_from_close_by_keeps_its_width(tmp_path):
    def can(points):
        across = np.hypot(points[..., 0], points[..., 2])
        return (across < np.where(points[..., 1] < -0.6, 0.55, 0.5)) & (np.abs(points[..., 1]) < 0.7)

    sides = ("front", "right", "top", "back")
    photos = [photograph(can, side, tmp_path / f"{side}.png", distance=3.5, pixels=480) for side in sides]

    report, _ = carved(tmp_path, photos, should_texture=False)

    assert {"kind": "round", "axis": "height", "whole": True} in report["guesses"]
    assert report["size"] == pytest.approx([1.1 / 1.4, 1, 1.1 / 1.4], rel=0.04)


def test_a_prior_leaves_the_silhouettes_as_photographed(bottles):
    for side in SIDES:
        guessed, bare = (shadow(bottles[use_priors][1], side) for use_priors in (True, False))
        assert (guessed & bare).sum() > 0.985 * (guessed | bare).sum(), side


def shadow(mesh, side, cells=80):
    """The model's outline from that side, cells across its largest side."""
    right, towards = (np.array(way, float) for way in VIEWS[side])
    up = np.cross(towards, right)
    steps = (np.arange(cells) + 0.5) / cells - 0.5
    across, high = np.meshgrid(steps, steps)
    plane = (across[..., None] * right + high[..., None] * up).reshape(-1, 3)
    hits = mesh.ray.intersects_any(plane + 2 * towards, np.broadcast_to(-towards, plane.shape))
    return hits.reshape(cells, cells)


def test_a_square_bar_stays_square_though_its_sides_are_alike(tmp_path):
    report, out = carved(tmp_path, photos_of(box((0.4, 0.8, 0.4)), tmp_path, SIDES), should_texture=False)

    reach = slice_across(solid(out), 0.0)
    assert reach.max() / reach.min() > 1.3
    assert not any(guess["kind"] == "round" for guess in report["guesses"])


def test_features_that_are_not_round_stay_on_a_round_part(tmp_path):
    photos = photos_of(drum_with_boss, tmp_path, ("front", "right", "top"))

    report, out = carved(tmp_path, photos, should_texture=False)

    high, wide = (solid(out).extents[axis] for axis in (1, 0))
    assert wide == pytest.approx(high, abs=2 / GRID)
    boss = slice_across(solid(out), 0.25, axis=2)
    assert boss.max() / boss.min() > 1.8
    assert {"kind": "round", "axis": "depth", "whole": False} in report["guesses"]


def test_a_symmetric_part_seen_from_one_end_is_mirrored(tmp_path):
    report, _ = carved(
        tmp_path, photos_of(box((0.5, 0.8, 0.3)), tmp_path, ("front", "right", "top")), should_texture=False
    )

    assert {"kind": "mirrored", "axis": "width"} in report["guesses"]


class Cut:
    """A prior that removes everything in front of or behind a plane across the depth."""

    def __init__(self, sign, place):
        self.sign, self.place = sign, place

    @property
    def facts(self):
        return {}

    def depth(self, points):
        return (self.sign * (self.place - points[:, 2])).astype(np.float32)


def test_priors_that_shrink_a_silhouette_only_together_are_not_all_kept():
    points = np.zeros((1, 21, 3))
    points[..., 2] = np.linspace(-1, 1, 21)
    inside = 0.5 - np.abs(points[..., 2])
    # The ray nearly meets what each prior leaves alone, but not what both leave together.
    weak, strong = Cut(-1, 0.505), Cut(1, 0.3)

    kept = compatible_priors([weak, strong], [(points, inside)])

    assert kept == [strong]
    assert len(compatible_priors([Cut(1, 0.3), Cut(-1, -0.3)], [(points, inside)])) == 2


@pytest.mark.parametrize(
    ("guess", "sentence"),
    [
        ({"kind": "round", "axis": "height", "whole": True}, "Assumed: round about its height axis."),
        ({"kind": "round", "axis": "depth", "whole": False}, "Assumed: partly round about its depth axis."),
        (
            {"kind": "mirrored", "axis": "width"},
            "Assumed: symmetric across its width.",
        ),
    ],
)
def test_the_model_page_lists_the_priors(app, guess, sentence):
    version = ModelVersion(report={"optimizer": {}, "engine": {"guesses": [guess]}})

    with app.test_request_context():
        assert labels.guesses(version) == [sentence]
