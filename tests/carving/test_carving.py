"""Labelled photos of rendered shapes become textured models of those shapes."""

import numpy as np
import pytest
import trimesh
from PIL import Image

from tests.support.carvings import (
    COLOURS,
    VIEWS,
    box,
    carved,
    document,
    likeness,
    photograph,
    random_shape,
    refusal,
    solid,
)


def test_a_random_shape_is_as_accurate_as_its_silhouettes_allow(tmp_path):
    shape = random_shape(1)
    sides = ("front", "right", "top", "back")
    photos = [photograph(shape, side, tmp_path / f"{side}.jpg", distance=12) for side in sides]

    _, out = carved(tmp_path, photos)

    reached, ceiling = likeness(solid(out), shape)
    assert reached / ceiling > 0.85


def test_snapshots_on_a_grey_backdrop_work_too(tmp_path):
    shape = random_shape(3)
    tilts = {"front": 1.5, "right": -1.0, "top": 0.5, "back": -1.5}
    photos = [
        photograph(shape, side, tmp_path / f"{side}.jpg", distance=5, tilt=tilt, backdrop=205.0, noise=2.0)
        for side, tilt in tilts.items()
    ]

    _, out = carved(tmp_path, photos)

    reached, ceiling = likeness(solid(out), shape)
    assert reached / ceiling > 0.8


def test_cameras_that_lean_by_three_degrees_cost_little(tmp_path):
    shape = random_shape(3)
    leans = {"front": (3, -2), "right": (-2, 3), "top": (3, 1), "back": (-3, -2)}
    photos = [
        photograph(shape, side, tmp_path / f"{side}.png", distance=5, lean=lean)
        for side, lean in leans.items()
    ]

    _, out = carved(tmp_path, photos)

    reached, ceiling = likeness(solid(out), shape)
    assert reached / ceiling > 0.9


def test_of_six_photos_every_side_is_seen(tmp_path):
    shape = random_shape(3)
    photos = [photograph(shape, side, tmp_path / f"{side}.png", distance=5) for side in VIEWS]

    report, out = carved(tmp_path, photos)

    mesh = solid_with_texture(out)
    for side, (_, towards) in VIEWS.items():
        assert np.abs(colour_seen_from(mesh, towards) - COLOURS[side]).max() < 35, side
    assert report["axes_seen"] == ["width", "height", "depth"]
    assert not any("side" in guess for guess in report["guessed"])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """(report, path) of a random shape seen from three sides."""
    folder = tmp_path_factory.mktemp("model")
    shape = random_shape(2)
    return carved(
        folder, [photograph(shape, side, folder / f"{side}.png") for side in ("front", "left", "bottom")]
    )


def test_the_model_is_closed_oriented_and_within_its_polycount(model):
    report, out = model

    mesh = solid(out)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert report["triangles"] == len(mesh.faces) <= 4000
    assert max(mesh.extents) == pytest.approx(1, abs=1e-3)


def test_proportions_are_the_parts_whatever_the_photos_scale(tmp_path):
    photos = [
        photograph(box((0.9, 0.3, 0.6)), "front", tmp_path / "front.png", pixels=300),
        photograph(box((0.9, 0.3, 0.6)), "right", tmp_path / "right.png", pixels=400),
    ]

    report, _ = carved(tmp_path, photos)

    assert report["size"] == pytest.approx([1, 1 / 3, 2 / 3], abs=0.02)
    assert not any("depth" in guess for guess in report["guessed"])


def test_a_depth_that_no_photo_shows_is_assumed_and_reported(tmp_path):
    photos = [photograph(box((0.9, 0.3, 0.6)), side, tmp_path / f"{side}.png") for side in ("front", "back")]

    report, out = carved(tmp_path, photos)

    assert any("depth" in guess for guess in report["guessed"])
    assert solid(out).extents == pytest.approx([1, 1 / 3, 1 / 3], abs=0.02)


def test_each_side_shows_its_photo(tmp_path):
    sides = ("front", "right", "top", "left")
    photos = [photograph(box((0.8, 0.5, 0.6)), side, tmp_path / f"{side}.png") for side in sides]

    _, out = carved(tmp_path, photos)

    mesh = solid_with_texture(out)
    for side in sides:
        colour = colour_seen_from(mesh, VIEWS[side][1])
        assert np.abs(colour - COLOURS[side]).max() < 35, side


def solid_with_texture(path):
    return trimesh.load(path, force="mesh", process=False)


def colour_seen_from(mesh, towards):
    """The median texture colour of the faces that look that way."""
    faces = mesh.face_normals @ np.array(towards, float) > 0.95
    uv = mesh.visual.uv[mesh.faces[faces]].mean(1)
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"), float)
    column = (uv[:, 0] * texture.shape[1]).astype(int)
    row = ((1 - uv[:, 1]) * texture.shape[0]).astype(int)
    return np.median(texture[row, column], axis=0)


def test_no_two_triangles_share_a_place_in_the_texture(model):
    _, out = model

    mesh = solid_with_texture(out)
    corners = mesh.visual.uv[mesh.faces] * 1024
    taken = np.zeros((1024, 1024), int)
    for a, b, c in corners:
        low, high = np.floor(np.min([a, b, c], 0)).astype(int), np.ceil(np.max([a, b, c], 0)).astype(int)
        x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(area) < 1e-9:
            continue
        first = ((b[0] - x) * (c[1] - y) - (c[0] - x) * (b[1] - y)) / area
        second = ((c[0] - x) * (a[1] - y) - (a[0] - x) * (c[1] - y)) / area
        inside = (first > 0.01) & (second > 0.01) & (1 - first - second > 0.01)
        taken[low[1] : high[1], low[0] : high[0]] += inside
    assert taken.max() == 1


def test_without_texture_the_file_holds_none(tmp_path):
    photos = [photograph(box((0.5, 0.5, 0.5)), side, tmp_path / f"{side}.png") for side in ("front", "right")]

    _, out = carved(tmp_path, photos, should_texture=False)

    assert "images" not in document(out)


def test_a_photo_that_lies_on_its_side_is_turned_upright(tmp_path):
    shape = box((0.9, 0.3, 0.5))
    photos = [photograph(shape, side, tmp_path / f"{side}.jpg") for side in ("front", "right")]
    lying = Image.open(tmp_path / "front.jpg").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "front.jpg", exif=exif)

    report, _ = carved(tmp_path, photos)

    assert report["size"] == pytest.approx([1, 1 / 3, 5 / 9], abs=0.02)


@pytest.mark.parametrize(("half", "code"), [((0, 0, 0), "no_object"), ((0.5, 0.5, 2.0), "cropped")])
def test_an_empty_photo_and_a_cut_off_part_are_refused_by_name(tmp_path, half, code):
    photos = [
        photograph(box((0.5, 0.5, 0.5)), "front", tmp_path / "front.png"),
        photograph(box(half), "right", tmp_path / "right.png"),
    ]

    refused = refusal(tmp_path, photos)

    assert refused.code == code
    assert "right photo" in str(refused)


def test_a_photo_full_of_the_part_is_refused_by_name(tmp_path):
    photos = [photograph(box((0.5, 0.5, 0.5)), "front", tmp_path / "front.png")]
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "right.png")
    photos.append({"path": str(tmp_path / "right.png"), "angle": "right"})

    refused = refusal(tmp_path, photos)

    assert refused.code == "no_backdrop"
    assert "right photo" in str(refused)


def test_photos_that_contradict_each_other_become_a_model_with_a_doubt(tmp_path):
    shape = box((0.9, 0.2, 0.4))
    photos = [photograph(shape, side, tmp_path / f"{side}.png") for side in ("front", "right", "top")]
    photos[0]["angle"], photos[1]["angle"] = "right", "front"

    report, _ = carved(tmp_path, photos, should_texture=False)

    assert report["doubts"]
    assert report["sureness"] < 0.6


@pytest.mark.parametrize(
    ("angles", "code"),
    [(["front"], "photo_count"), (["front", "front"], "same_angle"), (["front", "above"], "unknown_angle")],
)
def test_labels_that_make_no_sense_are_refused(tmp_path, angles, code):
    photos = [{"path": str(tmp_path / "none.png"), "angle": angle} for angle in angles]

    assert refusal(tmp_path, photos).code == code


def test_a_file_that_is_not_an_image_is_refused_by_name(tmp_path):
    photos = [photograph(box((0.5, 0.5, 0.5)), "front", tmp_path / "front.png")]
    (tmp_path / "back.jpg").write_text("<html>")
    photos.append({"path": str(tmp_path / "back.jpg"), "angle": "back"})

    refused = refusal(tmp_path, photos)

    assert refused.code == "unreadable"
    assert "back photo" in str(refused)
