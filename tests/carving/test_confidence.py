"""The less the photos tell, the less sure the engine says it is."""

import itertools

import pytest

from acr3d.carving.calibration import MAX_MISFIT
from acr3d.carving.cameras import PinholeCamera
from acr3d.carving.confidence import MAX_DISAGREEMENT, confidence_score

THREE = ("front", "right", "top")


def of(sides=THREE, *, inverse_distance=0.1, misfit=0.0, disagreement=0.0):
    cameras = [
        PinholeCamera(side, 100.0, (0.0, 0.0), (50.0, 50.0), inverse_distance=inverse_distance)
        for side in sides
    ]
    return confidence_score(cameras, [misfit] * len(sides), [disagreement] * len(sides))


def falls(values):
    return all(one > other for one, other in itertools.pairwise(values))


def test_three_axes_that_fit_as_they_are_leave_no_doubt():
    assert of() == 1


def test_fewer_axes_are_less_sure():
    assert falls([of(THREE), of(("front", "right")), of(("front", "back"))])


def test_more_photos_along_the_same_axes_change_nothing():
    assert of(("front", "back", "left", "right")) == of(("front", "right"))


@pytest.mark.parametrize(
    ("what", "worse"),
    [
        ("misfit", [0, MAX_MISFIT / 4, MAX_MISFIT / 2, MAX_MISFIT]),
        ("disagreement", [0, MAX_DISAGREEMENT / 4, MAX_DISAGREEMENT / 2, MAX_DISAGREEMENT]),
        ("inverse_distance", [0.5, 0.6, 0.8, 1.0]),
    ],
)
def test_what_fits_worse_is_less_sure(what, worse):
    assert falls([of(**{what: value}) for value in worse])


def test_a_camera_from_afar_is_as_good_as_one_from_farther():
    assert of(inverse_distance=0.45) == of(inverse_distance=0.0)


def test_outlines_on_the_brink_of_a_refusal_are_worth_nothing():
    assert of(misfit=MAX_MISFIT) == of(misfit=2 * MAX_MISFIT) == 0
