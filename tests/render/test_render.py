"""What pictures of a model show: the right side, the right way up, its own colours, its own outline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acr3d.gltf.errors import BadModel
from acr3d.optimize import pipeline
from acr3d.render.cameras import SIDES, side_camera
from acr3d.render.draw import draw, flatten_on_white, mask
from acr3d.render.poster import starting_view
from acr3d.render.scene import read_scene
from tests.support.optimize_glbs import Builder, encoded, textured_sphere
from tests.support.render_glbs import (
    BLUE,
    COLOURS,
    GREEN,
    RED,
    UNLIT,
    YELLOW,
    add_box,
    add_sheet,
    builder,
    save,
)

PIXELS = 64


def picture_of(path: Path, side: str = "front", pixels: int = PIXELS) -> Image.Image:
    scene = read_scene(path)
    return draw(scene, side_camera(side, *scene.box, pixels), pixels, pixels)


def mask_of(path: Path, side: str = "front", pixels: int = PIXELS) -> np.ndarray:
    scene = read_scene(path)
    return mask(scene, side_camera(side, *scene.box, pixels), pixels, pixels)


@pytest.mark.parametrize("side", SIDES)
def test_each_side_shows_its_own_face(tmp_path: Path, side: str) -> None:
    made = builder()
    add_box(made)

    shown = picture_of(save(made, tmp_path), side)

    assert shown.getpixel((32, 32)) == (*COLOURS[side], 255)
    assert shown.getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("side", "right", "up"),
    [
        ("front", True, True),
        ("back", False, True),
        ("left", True, True),
        ("right", False, True),
        ("top", True, False),
        ("bottom", True, True),
    ],
)
def test_each_side_is_the_right_way_round(tmp_path: Path, side: str, right: bool, up: bool) -> None:
    """A knob stands out at the upper right corner of the front."""
    made = builder()
    add_box(made)
    add_box(made, (1.5, 1.5, 1.5), (0.5, 0.5, 0.5))

    seen = mask_of(save(made, tmp_path), side)

    upper, lower = seen[:6].sum(), seen[-6:].sum()
    left, far = seen[:, :6].sum(), seen[:, -6:].sum()
    assert bool(far < left) is right
    assert bool(upper < lower) is up


def test_a_texture_is_upright_and_in_its_own_colours(tmp_path: Path) -> None:
    painted = Image.new("RGB", (64, 64), RED)
    painted.paste(GREEN, (32, 0, 64, 32))
    painted.paste(BLUE, (0, 32, 32, 64))
    painted.paste(YELLOW, (32, 32, 64, 64))

    shown = picture_of(save(textured_sheet(painted), tmp_path))

    corners = [shown.getpixel(place)[:3] for place in ((16, 16), (48, 16), (16, 48), (48, 48))]
    assert corners == [RED, GREEN, BLUE, YELLOW]


def textured_sheet(painted: Image.Image, material: dict | None = None) -> Builder:
    made = builder(material)
    texture = made.image(encoded(painted, "PNG"), "image/png")
    made.data["materials"][0] |= {"pbrMetallicRoughness": {"baseColorTexture": {"index": texture}}}
    add_sheet(made)
    return made


def test_a_fine_pattern_far_away_is_its_mean_and_does_not_flicker(tmp_path: Path) -> None:
    board = (np.indices((1024, 1024)).sum(0) % 2 * 255).astype(np.uint8)

    shown = np.asarray(picture_of(save(textured_sheet(Image.fromarray(board)), tmp_path)))[8:-8, 8:-8, :3]

    assert int(shown.max()) - int(shown.min()) <= 2
    assert 120 < shown.mean() < 136


def test_a_texture_may_be_moved_by_its_material(tmp_path: Path) -> None:
    halves = Image.new("RGB", (64, 64), RED)
    halves.paste(GREEN, (32, 0, 64, 64))
    made = textured_sheet(halves)
    info = made.data["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    info["extensions"] = {"KHR_texture_transform": {"offset": [0.5, 0], "scale": [0.5, 1]}}

    shown = picture_of(save(made, tmp_path))

    assert shown.getpixel((12, 32))[:3] == shown.getpixel((48, 32))[:3] == GREEN


def test_holes_cut_by_a_texture_are_holes_in_the_picture_and_the_outline(tmp_path: Path) -> None:
    pierced = Image.new("RGBA", (64, 64), (*RED, 255))
    pierced.paste((*RED, 0), (16, 16, 48, 48))
    path = save(textured_sheet(pierced, {"alphaMode": "MASK"}), tmp_path)

    shown, seen = picture_of(path), mask_of(path)

    assert (shown.getpixel((32, 32))[3], shown.getpixel((8, 8))[3]) == (0, 255)
    assert (bool(seen[32, 32]), bool(seen[8, 8])) == (False, True)


def test_clear_glass_lets_through_what_is_behind_it(tmp_path: Path) -> None:
    made = builder({"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}})
    glass = {"alphaMode": "BLEND", "pbrMetallicRoughness": {"baseColorFactor": [0, 0, 1, 0.25]}}
    made.data["materials"].append(UNLIT | glass)
    add_sheet(made, 1.0, material=1)
    add_sheet(made, 0.0)

    red, _, blue, alpha = picture_of(save(made, tmp_path)).getpixel((32, 32))

    assert alpha == 255
    assert red > blue > 100


@pytest.mark.parametrize("heights", [(0.0, 1.0), (1.0, 0.0)])
def test_the_nearer_surface_hides_the_farther_one(tmp_path: Path, heights: tuple[float, float]) -> None:
    made = builder({"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}})
    made.data["materials"].append(UNLIT | {"pbrMetallicRoughness": {"baseColorFactor": [0, 1, 0, 1]}})
    for material, height in enumerate(heights):
        add_sheet(made, height, material)

    shown = picture_of(save(made, tmp_path)).getpixel((32, 32))[:3]

    assert shown == (RED if heights[0] > heights[1] else GREEN)


def test_backs_show_only_where_the_material_has_two_sides(tmp_path: Path) -> None:
    for is_two_sided in (False, True):
        made = builder({"doubleSided": is_two_sided})
        add_sheet(made, turned=True)
        assert (picture_of(save(made, tmp_path)).getpixel((32, 32))[3] == 255) is is_two_sided


def test_a_mirrored_node_shows_its_outside(tmp_path: Path) -> None:
    made = builder()
    add_box(made)
    made.data["nodes"][0] |= {"scale": [-1, 1, 1], "translation": [5, 5, 5]}

    path = save(made, tmp_path)

    assert picture_of(path, "front").getpixel((32, 32))[:3] == RED
    assert picture_of(path, "left").getpixel((32, 32))[:3] == YELLOW


def test_a_matt_grey_is_as_bright_as_in_the_viewer(tmp_path: Path) -> None:
    """<model-viewer> 4.4 shows a sphere of this material at these levels where it faces the camera."""
    made = Builder()
    made.data["materials"] = [
        {"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorFactor": [0.502, 0.502, 0.502, 1]}}
    ]
    add_box(made, colours=dict.fromkeys(COLOURS, (255, 255, 255)))
    path = save(made, tmp_path)

    for side, grey in (("front", 206), ("top", 221), ("bottom", 136)):
        assert abs(picture_of(path, side).getpixel((32, 32))[0] - grey) < 12, side


def test_metal_is_never_black(tmp_path: Path) -> None:
    made = Builder()
    made.data["materials"] = [
        {"pbrMetallicRoughness": {"metallicFactor": 1, "baseColorFactor": [0.6, 0.6, 0.6, 1]}}
    ]
    add_box(made, colours=dict.fromkeys(COLOURS, (255, 255, 255)))
    path = save(made, tmp_path)

    for side in SIDES:
        assert min(picture_of(path, side).getpixel((32, 32))[:3]) > 80, side


def test_the_optimized_file_looks_like_the_raw_one(tmp_path: Path) -> None:
    """Draco and WebP are read as plain arrays and PNG are."""
    raw = save(textured_sphere(), tmp_path, "raw.glb")
    pipeline.optimize(raw, tmp_path / "small.glb")

    pictures = [flatten_on_white(picture_of(path, pixels=128)) for path in (raw, tmp_path / "small.glb")]

    one, other = (np.asarray(each, float) for each in pictures)
    assert (one < 250).any()
    assert np.abs(one - other).mean() < 3


def test_the_outline_is_what_the_picture_covers(tmp_path: Path) -> None:
    path = save(textured_sphere(), tmp_path)

    seen, shown = mask_of(path), np.asarray(picture_of(path))[..., 3]

    assert seen.sum() == pytest.approx(np.pi / 4 * (0.92 * PIXELS) ** 2, rel=0.02)
    assert not shown[~seen & ~near(seen)].any()
    assert (shown[seen & ~near(~seen)] == 255).all()


def near(area: np.ndarray) -> np.ndarray:
    """The pixels beside an area."""
    wide = np.pad(area, 1, mode="edge")
    return wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]


@pytest.mark.parametrize("half", [(1, 1, 1), (3, 0.1, 1), (0.1, 3, 0.1)], ids=["cube", "board", "rod"])
def test_the_starting_view_shows_the_whole_model(tmp_path: Path, half: tuple[float, float, float]) -> None:
    made = builder()
    add_box(made, (7, -2, 3), half)
    scene = read_scene(save(made, tmp_path))
    orbit, breadth = starting_view(scene)

    camera = orbit.camera(PIXELS)
    columns, rows, _ = camera.project(scene.points.astype(float), (PIXELS, PIXELS))

    assert 0 < rows.min() < rows.max() < PIXELS
    assert columns.min() / max(1, breadth) + PIXELS * (max(1, breadth) - 1) / 2 > 0
    assert orbit.target == pytest.approx((7, -2, 3))


def test_an_opaque_surface_shows_the_colours_under_alpha_0(tmp_path: Path) -> None:
    made = textured_sphere()
    clear = encoded(Image.new("RGBA", (64, 64), (255, 255, 255, 0)), "PNG")
    texture = made.image(clear, "image/png")
    made.data["materials"] = [UNLIT | {"pbrMetallicRoughness": {"baseColorTexture": {"index": texture}}}]
    made.data["extensionsUsed"] = ["KHR_materials_unlit"]

    shown = picture_of(save(made, tmp_path))

    assert shown.getpixel((32, 32)) == (255, 255, 255, 255)


def test_what_cannot_be_drawn_is_left_out_or_refused_with_a_sentence(tmp_path: Path) -> None:
    made = builder()
    add_box(made)
    nothing = {"attributes": {"COLOR_0": made.data["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]}}
    made.data["meshes"][0]["primitives"].append(nothing)
    made.data["materials"][0]["pbrMetallicRoughness"] = []
    assert picture_of(save(made, tmp_path)).getpixel((32, 32)) == (*COLOURS["front"], 255)

    made.data["nodes"][0]["scale"] = [0, 0, 0]
    with pytest.raises(BadModel, match="has no size"):
        read_scene(save(made, tmp_path))
