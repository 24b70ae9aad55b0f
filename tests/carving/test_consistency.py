"""Photos that only an extreme lens or tilt could reconcile are doubted; photos of one part are not."""

import numpy as np

from tests.support.carvings import box, carved, photograph, refusal
from tests.support.factories import picture

SIDES = ("front", "right", "top", "back")


def gear(points):
    """A thin toothed wheel that faces the front."""
    angle = np.arctan2(points[..., 1], points[..., 0])
    rim = np.where(np.sin(16 * angle) > 0, 0.85, 0.68)
    return (np.hypot(points[..., 0], points[..., 1]) < rim) & (np.abs(points[..., 2]) < 0.2)


def disc(points):
    return (np.hypot(points[..., 0], points[..., 1]) < 0.85) & (np.abs(points[..., 2]) < 0.2)


def funnel(points):
    """Wide towards the front, narrow towards the back, with ears at both ends that hide one another."""
    wide = np.abs(points[..., 2] - 0.5) < 0.1
    ears = (np.abs(points[..., 0]) < 0.8) & (np.abs(points[..., 1]) < 0.3) & wide
    bars = (np.abs(points[..., 0]) < 0.3) & (np.abs(points[..., 1]) < 0.75) & (points[..., 2] < -0.3)
    core = np.hypot(points[..., 0], points[..., 1]) < 0.4
    return (ears | bars | core) & (np.abs(points[..., 2]) < 0.6)


def stepped_plate(points):
    """A plate towards the back, a step on it, and on that a boss that hides the plate's rim from close by."""
    x, y, z = (points[..., axis] for axis in range(3))
    plate = (np.abs(x) < 0.75) & (np.abs(y) < 0.35) & (z > -0.45) & (z < -0.2)
    step = (np.abs(x) < 0.5) & (np.abs(y) < 0.25) & (z > -0.3) & (z < 0.1)
    boss = (np.hypot(x - 0.1, y - 0.1) < 0.32) & (z > 0) & (z < 0.5)
    return plate | step | boss


def photos_of(shapes, folder, **options):
    return [
        photograph(shape, side, folder / f"{side}.png", pixels=400, **options)
        for side, shape in shapes.items()
    ]


def test_the_gear_with_its_own_back_is_carved(tmp_path):
    report, _ = carved(
        tmp_path, photos_of(dict.fromkeys(SIDES, gear), tmp_path, distance=12), should_texture=False
    )

    assert report["sureness"] > 0.8


def test_a_part_with_unlike_ends_from_close_by_is_carved_when_the_other_photos_show_the_lens_too(tmp_path):
    tilts = {"front": 2.0, "right": 0.0, "top": -2.0, "back": 0.0}
    photos = [
        photograph(stepped_plate, side, tmp_path / f"{side}.png", pixels=360, distance=2.94, tilt=tilt)
        for side, tilt in tilts.items()
    ]

    report, _ = carved(tmp_path, photos, should_texture=False)

    assert max(photo["nearness"] for photo in report["photos"]) > 0.53
    assert 0 < report["sureness"] < 0.95


def test_two_opposite_photos_from_close_by_may_differ_by_their_perspective(tmp_path):
    photos = photos_of({"front": funnel, "back": funnel}, tmp_path, distance=4)

    report, _ = carved(tmp_path, photos, should_texture=False)

    assert 0 < report["sureness"] <= 0.5


def test_two_opposite_photos_of_different_parts_are_refused(tmp_path):
    cross = box((0.15, 0.8, 0.2))
    shapes = {"front": lambda points: cross(points) | box((0.8, 0.15, 0.2))(points), "back": disc}

    refused = refusal(tmp_path, photos_of(shapes, tmp_path))

    assert refused.code == "contradiction"
    assert "front and back photos" in str(refused)


def test_a_drawn_block_whose_outlines_tell_nothing_of_the_lens_is_carved(tmp_path):
    sizes = {"front": (500, 300), "right": (300, 300), "top": (500, 300), "back": (500, 300)}
    photos = []
    for side, size in sizes.items():
        path = tmp_path / f"{side}.jpg"
        path.write_bytes(picture(size=size))
        photos.append({"path": str(path), "angle": side})

    report, _ = carved(tmp_path, photos, should_texture=False)

    assert report["sureness"] > 0.8
