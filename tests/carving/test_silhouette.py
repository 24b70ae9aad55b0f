"""The silhouette is the part's, without shadows, print or the backdrop seen through holes."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from acr3d.carving.background_flood import grow_over_cast_shadows
from acr3d.carving.errors import CarvingError
from acr3d.carving.photo_input import LabelledPhoto
from acr3d.carving.silhouette import extract_silhouette

LEFT, TOP, RIGHT, BOTTOM = 150, 200, 450, 400
ROWS, COLUMNS = np.mgrid[:600, :600]
STEEL, BRASS = (96, 99, 105), (196, 160, 92)


def box():
    return (ROWS >= TOP) & (ROWS < BOTTOM) & (COLUMNS >= LEFT) & (COLUMNS < RIGHT)


def disc(row, column, radius):
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 < radius**2


def plate():
    """A plate with one wide and two small holes."""
    return box() & ~disc(300, 260, 60) & ~disc(250, 390, 12) & ~disc(350, 390, 18)


def photo(part, backdrop, colour=STEEL, noise=1.0, falloff=0.0, shade=1.0, kind="JPEG"):
    """A photo of a part in front of a backdrop whose light falls off towards the corners."""
    light = 1 - falloff * 2 * ((ROWS / 600 - 0.5) ** 2 + (COLUMNS / 600 - 0.5) ** 2)
    picture = np.array(backdrop, float) * (light * shade)[..., None]
    picture[part] = colour
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    file = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(file, kind, quality=92)
    with Image.open(file) as image:
        return LabelledPhoto("front", np.asarray(image.convert("RGB")))


def likeness(part, taken):
    mask = extract_silhouette(taken).mask
    return (mask & part).sum() / (mask | part).sum()


def shadow_beneath(fading):
    below = ROWS - (BOTTOM - 1)
    beside = np.clip((170 - np.abs(COLUMNS - 299.5)) / 60, 0, 1)
    return 1 - np.where(below > 0, 0.35 * np.exp(-np.maximum(below, 0) / fading), 0) * beside


@pytest.mark.parametrize("fading", [40, 60])
def test_the_shadow_right_beneath_a_part_is_left_out(fading):
    taken = photo(box(), (205, 200, 196), colour=(40, 90, 160), shade=shadow_beneath(fading), kind="PNG")

    assert extract_silhouette(taken).box == pytest.approx((LEFT, TOP, RIGHT, BOTTOM), abs=3)


@pytest.mark.parametrize("deep", [30, 60])
def test_the_steep_shadow_between_the_feet_of_a_part_is_left_out(deep):
    bench = box() & ~((ROWS >= 370) & (COLUMNS >= 200) & (COLUMNS < 400))
    lit = 0.55 + 0.45 * np.clip((ROWS - 370) / deep, 0, 1)
    shade = np.where((ROWS >= 370) & (np.abs(COLUMNS - 299.5) < 148), lit, 1)

    assert likeness(bench, photo(bench, (205, 200, 196), colour=(40, 90, 160), shade=shade)) > 0.97


def test_the_shadow_beneath_rough_metal_is_left_out_where_both_have_one_tone():
    grain = ndimage.gaussian_filter(np.random.default_rng(1).normal(0, 25, ROWS.shape), 2.5)
    metal = (140 + grain)[..., None] * np.ones(3)
    below = ROWS - (BOTTOM - 1)
    ends = np.clip((165 - np.abs(COLUMNS - 299.5)) / 60, 0, 1)
    tight = 0.45 * np.exp(-np.maximum(below, 0) / 9) * (below > 0) * ends
    taken = photo(box(), (205, 200, 196), colour=metal[box()], shade=1 - tight)

    assert extract_silhouette(taken).box == pytest.approx((LEFT, TOP, RIGHT, BOTTOM), abs=4)


def test_grey_metal_that_fades_from_a_gap_in_its_edge_is_kept():
    part = box()
    pixels = photo(part, (160, 157, 154), noise=0, kind="PNG").pixels.copy()
    metal = 1 - 0.5 * np.clip((COLUMNS - LEFT) / 60, 0, 1)
    inner = part & (ROWS >= TOP + 8) & (ROWS < BOTTOM - 8) & (COLUMNS >= LEFT + 8) & (COLUMNS < RIGHT - 8)
    inner |= part & (COLUMNS < LEFT + 8) & (abs(ROWS - 300) < 12)
    pixels[inner] = (metal[..., None] * (160, 157, 154))[inner]

    assert likeness(part, LabelledPhoto("front", pixels)) > 0.97


def test_of_a_shadow_that_runs_into_metal_only_the_shadow_is_backdrop():
    rows, columns = np.mgrid[:140, :240]
    outside = (rows < 10) | (rows >= 100) | (columns < 20) | (columns >= 220)
    metal = (rows >= 14) & (rows < 84) & (columns >= 24) & (columns < 216)
    shadow = (rows >= 88) & (rows < 100) & (columns >= 20) & (columns < 220)
    gap = (rows >= 84) & (rows < 88) & (abs(columns - 120) < 12)  # where both have one tone
    gradient = np.where(metal | shadow | gap | outside, 5, 60).astype(np.float32)
    level = np.where(outside, 1, 0.7).astype(np.float32)

    backdrop = grow_over_cast_shadows(level, np.ones_like(outside), gradient, outside)

    assert backdrop[shadow & (rows >= 90) & (abs(columns - 120) < 90)].all()
    assert not backdrop[metal].any()


def test_a_shine_that_passes_through_the_backdrops_tone_is_no_hole():
    part = box()
    shine = (187 + (COLUMNS - 300) / 12).astype(np.uint8)
    pixels = photo(part, (190, 188, 182), noise=2).pixels.copy()
    pixels[260:340, 200:400] = shine[260:340, 200:400, None]

    assert likeness(part, LabelledPhoto("front", pixels)) > 0.98


@pytest.mark.parametrize("noise", [0, 2, 4])
@pytest.mark.parametrize("backdrop", [(255, 255, 255), (190, 188, 182), (200, 180, 150)])
def test_holes_show_a_pale_or_tinted_backdrop(backdrop, noise):
    assert likeness(plate(), photo(plate(), backdrop, noise=noise)) > 0.97


@pytest.mark.parametrize("noise", [0, 2])
@pytest.mark.parametrize("backdrop", [(70, 70, 72), (25, 40, 90), (70, 140, 80)])
def test_holes_show_a_dark_backdrop(backdrop, noise):
    assert likeness(plate(), photo(plate(), backdrop, colour=BRASS, noise=noise)) > 0.97


@pytest.mark.parametrize("noise", [0, 1, 2])
def test_holes_show_a_backdrop_whose_light_falls_off(noise):
    assert likeness(plate(), photo(plate(), (205, 203, 198), noise=noise, falloff=0.12)) > 0.97


def test_white_metal_on_white_is_found():
    assert likeness(box(), photo(box(), (255, 255, 255), colour=(243, 243, 244), noise=0.5)) > 0.97


def test_white_print_is_no_hole():
    part = box()
    pixels = photo(part, (190, 188, 182)).pixels.copy()
    pixels[260:340, 200:400] = 230

    assert likeness(part, LabelledPhoto("front", pixels)) > 0.98


def test_all_loose_pieces_are_kept():
    pieces = disc(300, 180, 70) & ~disc(300, 180, 30) | disc(300, 430, 50)

    assert likeness(pieces, photo(pieces, (190, 188, 182), noise=2)) > 0.97


def test_a_picture_without_a_plain_backdrop_is_refused():
    picture = np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)
    busy = Image.fromarray(picture).resize((600, 600), Image.Resampling.BILINEAR)

    with pytest.raises(CarvingError) as refusal:
        extract_silhouette(LabelledPhoto("front", np.asarray(busy)))

    assert refusal.value.code in ("no_backdrop", "cropped")
