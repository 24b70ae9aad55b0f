"""The outline is the part's, or there is none and a true reason; with a network, and by colour alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from acr3d.outlines.extraction.find_outline import find_outline
from tests.support.photographed import (
    GREY,
    PLATE,
    SIDE,
    SKIN,
    STEEL,
    Mask,
    Pixels,
    alpha_of,
    box,
    disc,
    in_clutter,
    iou,
    on_paper,
)

NOTHING = np.zeros((SIDE, SIDE), bool)


def test_before_a_cluttered_backdrop_the_network_finds_what_colour_cannot() -> None:
    taken = in_clutter((PLATE, STEEL))

    assert find_outline(taken).refusal == "no_backdrop"
    assert iou(find_outline(taken, alpha_of(PLATE)).mask, PLATE) > 0.98


def test_on_a_plain_backdrop_the_colour_keeps_the_rim_where_the_network_is_rough() -> None:
    rough = alpha_of(box(202, 132, 398, 468))

    assert iou(find_outline(on_paper((PLATE, STEEL)), rough).mask, PLATE) > 0.99


def test_a_hole_needs_the_backdrops_colour_and_the_networks_doubt() -> None:
    hole, sticker = disc(300, 240, 25), disc(300, 380, 25)
    part = PLATE & ~hole
    taken = on_paper((PLATE, STEEL), (hole | sticker, GREY))

    found = find_outline(taken, alpha_of(part)).mask

    assert found is not None
    assert not found[300, 240]
    assert found[300, 380]


def test_on_a_spotless_backdrop_small_holes_are_kept_though_the_network_closes_them() -> None:
    hole = disc(300, 240, 10)
    taken = on_paper((PLATE, STEEL), (hole, GREY), noise=0)

    found = find_outline(taken, alpha_of(PLATE)).mask

    assert found is not None
    assert not found[300, 240]


def test_a_hand_that_holds_the_part_is_left_out_and_named() -> None:
    hand = box(280, 460, 330, 600)
    taken = on_paper((hand, SKIN), (PLATE, STEEL))

    found = find_outline(taken, alpha_of(PLATE))

    assert iou(found.mask, PLATE) > 0.97
    assert found.left_out == ["hand"]


def test_an_arm_that_the_network_takes_for_part_is_left_out_and_named() -> None:
    arm = box(280, 440, 340, 600)

    found = find_outline(in_clutter((arm, SKIN), (PLATE, STEEL)), alpha_of(PLATE | arm))

    assert iou(found.mask, PLATE) > 0.95
    assert "hand" in found.left_out


def test_a_part_of_the_colour_of_skin_that_is_cut_off_is_no_arm() -> None:
    cut = box(200, 200, 400, 600)

    assert find_outline(in_clutter((cut, SKIN)), alpha_of(cut)).refusal == "cropped"


def test_a_part_that_light_breaks_into_pieces_for_the_colour_is_one_to_the_network() -> None:
    pieces = [box(220, 150 + 110 * number, 380, 210 + 110 * number) for number in range(3)]
    taken = on_paper(*((piece, STEEL) for piece in pieces))

    assert find_outline(taken).refusal == "several_parts"
    assert iou(find_outline(taken, alpha_of(PLATE) * 0.7).mask, PLATE) > 0.97


def test_a_second_object_is_left_out_and_named() -> None:
    coin = disc(520, 520, 35)
    taken = on_paper((PLATE, STEEL), (coin, (150, 110, 40)))

    found = find_outline(taken, alpha_of(PLATE))

    assert iou(found.mask, PLATE) > 0.97
    assert found.left_out == ["object"]


def test_a_hard_shadow_is_left_out_and_named() -> None:
    shadow = box(400, 160, 430, 490)
    taken = on_paper((shadow, (125, 124, 120)), (PLATE, STEEL))

    found = find_outline(taken, alpha_of(PLATE))

    assert iou(found.mask, PLATE) > 0.97
    assert found.left_out == ["shadow"]


def test_the_edge_of_a_table_that_the_network_doubts_does_not_cut_the_part_off() -> None:
    edge = box(296, 0, 304, 600)
    taken = on_paper((edge, (90, 60, 40)), (PLATE, STEEL))
    alpha = np.maximum(alpha_of(PLATE), alpha_of(edge) * np.float32(0.3))

    found = find_outline(taken, alpha)

    assert found.refusal is None
    assert iou(found.mask, PLATE) > 0.97


def test_the_edge_of_a_table_that_the_network_takes_for_the_part_does_not_either() -> None:
    edge = box(396, 0, 402, 600)
    both = PLATE | edge
    taken = in_clutter((both, STEEL))

    found = find_outline(taken, alpha_of(both))

    assert found.refusal is None
    assert iou(found.mask, PLATE) > 0.96


def test_a_part_in_two_pieces_stays_whole_and_three_parts_are_refused() -> None:
    two = disc(300, 150, 60) | disc(300, 300, 60)
    three = two | disc(300, 450, 60)

    assert iou(find_outline(on_paper((two, STEEL)), alpha_of(two)).mask, two) > 0.97
    for taken in (on_paper((three, STEEL)), in_clutter((three, STEEL))):
        assert find_outline(taken, alpha_of(three)).refusal == "several_parts"
    refused = find_outline(on_paper((three, STEEL)))
    assert refused.refusal == "several_parts"
    middles = sorted((left + right) / 2 * three.shape[1] for left, _top, right, _bottom in refused.marks)
    assert middles == pytest.approx([150, 300, 450], abs=3)  # each is marked


@pytest.mark.parametrize("alpha", [None, alpha_of(NOTHING)])
def test_an_empty_picture_shows_no_part(alpha: np.ndarray | None) -> None:
    assert find_outline(on_paper(), alpha).refusal == "no_part"


def test_a_pattern_of_which_the_network_is_unsure_shows_no_part() -> None:
    unsure = alpha_of(box(100, 100, 500, 500), doubt=0.5) + alpha_of(disc(300, 300, 60), doubt=0.8)

    assert find_outline(in_clutter(), unsure).refusal == "no_part"


@pytest.mark.parametrize("knows_it_is_text", [False, True])
def test_a_page_of_text_is_refused(knows_it_is_text: bool) -> None:
    page = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(page)
    for row in range(40, 500, 150):
        draw.text((40, row), "A B C 4 7", "black", ImageFont.load_default(100))
    alpha = alpha_of(NOTHING) if knows_it_is_text else None

    assert find_outline(np.asarray(page), alpha).refusal == "scattered"


def test_a_person_is_refused() -> None:
    with Image.open(Path(skimage.data.__file__).with_name("astronaut.png")) as image:
        person: Pixels = np.asarray(image.convert("RGB"))
    mask: Mask = np.zeros(person.shape[:2], bool)
    mask[20:500, 40:440] = True

    assert find_outline(person, alpha_of(mask)).refusal == "person"


@pytest.mark.parametrize("with_network", [False, True])
def test_only_a_part_that_touches_the_border_is_cut_off(with_network: bool) -> None:
    cut = box(200, 300, 400, 600)

    found = find_outline(on_paper((cut, STEEL)), alpha_of(cut) if with_network else None)

    assert (found.mask, found.refusal, found.sides) == (None, "cropped", ["right"])
