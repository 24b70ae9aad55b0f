"""What floats beside the part in one photo only is a shadow or a stain; what two show is part of it."""

from __future__ import annotations

import pytest

from tests.support.carvings import box, carved, photograph, solid


def block(points):
    return box((0.4, 0.5, 0.3))(points)


def block_and_ball(points):
    """The block with a ball that floats to its right, between its top and its bottom."""
    return block(points) | (((points - [0.75, 0.2, 0.0]) ** 2).sum(-1) < 0.14**2)


@pytest.fixture
def pieces(tmp_path):
    """A function that carves the block from these sides, with the ball in some, and counts the pieces."""

    def count(sides, with_ball):
        shapes = {side: block_and_ball if side in with_ball else block for side in sides}
        photos = [photograph(shape, side, tmp_path / f"{side}.png") for side, shape in shapes.items()]
        _, model = carved(tmp_path, photos)
        return len(solid(model).split(only_watertight=False))

    return count


def test_a_stain_in_one_photo_does_not_float_beside_the_model(pieces):
    assert pieces(("front", "right"), with_ball=("front",)) == 1


def test_a_loose_piece_that_two_photos_show_stays(pieces):
    assert pieces(("front", "right", "top"), with_ball=("front", "right", "top")) == 2
