"""The less the photos show, the lower the confidence score."""

import itertools

import pytest

from acr3d.carving.calibration import MAX_MISFIT
from acr3d.carving.cameras import PinholeCamera
from acr3d.carving.confidence import MAX_DISAGREEMENT, confidence_score
from acr3d.jobs.publishing import LEAST_CONFIDENCE

THREE = ("front", "right", "top")


def score(sides=THREE, *, inverse_distance=0.1, misfit=0.0, disagreement=0.0, likeness=()):
    cameras = [
        PinholeCamera(side, 100.0, (0.0, 0.0), (50.0, 50.0), inverse_distance=inverse_distance)
        for side in sides
    ]
    return confidence_score(cameras, [misfit] * len(sides), [disagreement] * len(sides), likeness)


def falls(values):
    return all(one > other for one, other in itertools.pairwise(values))


def test_three_axes_that_fit_score_1():
    assert score() == 1


def test_fewer_axes_lower_the_score():
    assert falls([score(THREE), score(("front", "right")), score(("front", "back"))])


def test_more_photos_along_the_same_axes_change_nothing():
    assert score(("front", "back", "left", "right")) == score(("front", "right"))


@pytest.mark.parametrize(
    ("what", "worse"),
    [
        ("misfit", [0, MAX_MISFIT / 4, MAX_MISFIT / 2, MAX_MISFIT]),
        ("disagreement", [0, MAX_DISAGREEMENT / 4, MAX_DISAGREEMENT / 2, MAX_DISAGREEMENT]),
        ("inverse_distance", [0.5, 0.6, 0.8, 1.0]),
    ],
)
def test_a_worse_fit_lowers_the_score(what, worse):
    assert falls([score(**{what: value}) for value in worse])


def test_distance_beyond_close_range_does_not_matter():
    assert score(inverse_distance=0.45) == score(inverse_distance=0.0)


def test_silhouettes_that_are_about_to_be_refused_score_0():
    assert score(misfit=MAX_MISFIT) == score(misfit=2 * MAX_MISFIT) == 0


def test_the_model_of_photos_that_contradict_each_other_always_waits_for_a_person():
    assert falls([LEAST_CONFIDENCE, *(score(likeness=(0.99, least)) for least in (0.97, 0.9, 0.7))])
    assert score(likeness=(0.99, 0.5)) == 0
