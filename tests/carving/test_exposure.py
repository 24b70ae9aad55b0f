"""Photos of one surface with different exposures are equalized; photos of different things are not."""

import numpy as np
import pytest

from acr3d.carving.exposure import exposure_gains

_FACTORS = np.array([[1.0, 1.0, 1.0], [1.2, 1.15, 1.1], [0.9, 0.95, 1.0]])


@pytest.fixture
def surface():
    return np.random.default_rng(3).uniform(60, 180, (2000, 3))


def test_a_brighter_photo_of_the_same_surface_is_evened(surface):
    photos = (surface[None] * _FACTORS[:, None]).astype(np.float32)

    evened = photos * exposure_gains(photos, np.ones((3, 2000), bool))[:, None]

    assert np.abs(evened / evened[0] - 1).max() < 0.02


def test_photos_that_show_different_things_keep_their_colours(surface):
    other = np.random.default_rng(4).uniform(90, 220, (2000, 3))

    found = exposure_gains(np.array([surface, other], np.float32), np.ones((2, 2000), bool))

    assert found == pytest.approx(np.ones((2, 3)))


def test_a_red_face_and_a_blue_one_keep_their_colours_though_one_pattern_runs_over_both(surface):
    pattern = surface.mean(1, keepdims=True) / 180
    photos = np.array([pattern * [200, 40, 40], pattern * [40, 60, 200]], np.float32)

    assert exposure_gains(photos, np.ones((2, 2000), bool)) == pytest.approx(np.ones((2, 3)))


def test_what_no_two_photos_show_is_not_compared(surface):
    photos = (surface[None] * _FACTORS[:, None]).astype(np.float32)
    well_seen = np.arange(2000)[None] % 3 == np.arange(3)[:, None]

    assert exposure_gains(photos, well_seen) == pytest.approx(np.ones((3, 3)))
