"""A photo's part on white: at one scale and in the middle, without the backdrop, with a soft shadow."""

from __future__ import annotations

import numpy as np
import pytest

from acr3d.clean_photos.drawing.cut_out import box_of, drawn_on_white
from acr3d.clean_photos.drawing.layout import Extent, scales, side_px
from tests.support.photographed import PLATE, STEEL, on_paper

RED = (180, 60, 50)


def test_a_length_that_two_photos_show_is_drawn_as_long_in_both() -> None:
    # A part of 300 × 100 × 60, from in front at 1 pixel a unit, from above at 2 and from the left at 0.5.
    extents = [Extent(300, 100, "front"), Extent(600, 120, "top"), Extent(30, 50, "left")]

    factors = scales(extents)

    assert [round(factor * 300, 3) for factor in factors] == [1, 0.5, 2]


@pytest.mark.parametrize(
    "extents",
    [
        [Extent(300, 100), Extent(600, 120)],  # no labels
        [Extent(300, 100, "front"), Extent(100, 300, "back")],  # one of them lies on its side
    ],
)
def test_without_labels_that_agree_each_photo_fills_the_picture(extents: list[Extent]) -> None:
    assert scales(extents) == pytest.approx([1 / extent.longest for extent in extents])


def test_no_picture_is_larger_than_its_photo_but_for_the_least_size() -> None:
    assert side_px([Extent(1000, 500)], [1 / 1000]) == 1190
    assert side_px([Extent(100, 50)], [1 / 100]) == 800
    assert side_px([Extent(9000, 50)], [1 / 9000]) == 1600


@pytest.mark.parametrize("angle", ["front", "top"])
def test_the_part_is_in_the_middle_on_white_with_nothing_of_its_backdrop(angle: str) -> None:
    photo = on_paper((PLATE, RED))

    picture = np.asarray(drawn_on_white(photo, PLATE, angle, 2.0, 800)).astype(int)

    is_red = (picture[..., 0] - picture[..., 1]) > 60
    left, top, right, bottom = box_of(is_red)
    assert abs((left + right) / 2 - 400) <= 2
    assert abs((top + bottom) / 2 - 400) <= 2
    assert right - left == pytest.approx(680, abs=6)
    assert (picture[0] == 255).all()
    assert (picture[:, 0] == 255).all()
    # Paper is yellowish, (190, 188, 182), and the shadow is grey.
    more_than_green, more_than_blue = picture[..., 0] - picture[..., 1], picture[..., 0] - picture[..., 2]
    assert not ((more_than_blue > 4) & (more_than_green < more_than_blue / 2)).any()


def test_the_shadow_is_where_the_part_meets_the_ground() -> None:
    picture = np.asarray(drawn_on_white(on_paper((PLATE, STEEL)), PLATE, "front", 1.0, 600))[..., 0]

    assert picture[405, 300] < 200  # just below
    assert picture[190, 300] == 255  # above
    assert picture[405, 20] > 250
