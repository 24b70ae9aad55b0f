"""The inspection names every kind of mistake, and reports nothing about good photos."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from acr3d import sandbox
from acr3d.photo_checks.inspection.check_photos import check_photos, make_report
from acr3d.photo_checks.inspection.inspect_photo import PhotoInspection, inspect_photo
from acr3d.photo_checks.inspection.sharpness import MAX_SHARP_EDGE_WIDTH

DEMO = Path(__file__).parents[2] / "demo" / "photos"
ANGLES = ("front", "back", "left", "right", "top", "bottom")


def demo_photo(part: str, angle: str) -> Path:
    return DEMO / f"{part}-{angle}.jpg"


@pytest.fixture(scope="session")
def inspected() -> Callable[[str], list[PhotoInspection]]:
    """The inspections of a demo part's six photos, made once."""
    known: dict[str, list[PhotoInspection]] = {}

    def inspection(part: str) -> list[PhotoInspection]:
        if part not in known:
            known[part] = [
                inspect_photo(demo_photo(part, angle), place) for place, angle in enumerate(ANGLES)
            ]
        return known[part]

    return inspection


Inspected = Callable[[str], list[PhotoInspection]]


def findings_of(result: dict[str, Any]) -> list[tuple[str, list[int]]]:
    found = [finding for photo in result["photos"] for finding in photo["findings"]] + result["findings"]
    return [(finding["code"], finding["photos"]) for finding in found]


def changed(folder: Path, path: Path, change: Callable[[Image.Image], Image.Image]) -> Path:
    with Image.open(path) as image:
        change(image).save(folder / path.name, quality=92)
    return folder / path.name


@pytest.mark.parametrize("part", ["alternator", "toy-car"])
def test_good_photos_have_no_findings(inspected: Inspected, part: str) -> None:
    result = make_report(inspected(part), ANGLES)

    assert findings_of(result) == []
    assert result["best"] == [0, 3, 4, 1]  # front, right, top, back
    assert all(photo["outline"].startswith("M") for photo in result["photos"])


@pytest.mark.parametrize("part", ["alternator", "toy-car"])
@pytest.mark.parametrize(("one", "other"), [(0, 3), (1, 4), (2, 5)])
def test_two_swapped_labels_are_named(inspected: Inspected, part: str, one: int, other: int) -> None:
    angles = list(ANGLES)
    angles[one], angles[other] = angles[other], angles[one]

    assert findings_of(make_report(inspected(part), angles)) == [("swapped", [one, other])]


def test_photos_along_one_axis_leave_its_size_to_guess(inspected: Inspected) -> None:
    report = make_report(inspected("alternator")[:2], ANGLES[:2])

    assert report["findings"] == [{"code": "one_axis", "photos": [0, 1], "axis": "depth"}]
    assert findings_of(make_report(inspected("alternator")[:1], ANGLES[:1])) == []


@pytest.mark.parametrize("part", ["alternator", "oil-filter", "toy-car"])
def test_exchanged_left_and_right_are_asked_about(inspected: Inspected, part: str) -> None:
    angles = ("front", "back", "right", "left", "top", "bottom")

    assert findings_of(make_report(inspected(part), angles)) == [("exchanged", [2, 3])]
    assert findings_of(make_report(inspected(part)[:4], angles[:4])) == []  # too few to be sure


def test_two_swaps_that_explain_the_same_are_both_named(inspected: Inspected) -> None:
    inspections = inspected("alternator")[:4]

    [finding] = make_report(inspections, ("right", "back", "left", "front"))["findings"]

    assert {tuple(finding["photos"]), tuple(finding["or"])} == {(0, 3), (1, 2)}


@pytest.mark.parametrize("part", ["alternator", "oil-filter", "toy-car"])
@pytest.mark.parametrize("count", [3, 4, 5])
def test_any_choice_of_good_photos_has_no_findings(inspected: Inspected, part: str, count: int) -> None:
    for chosen in combinations(range(6), count):
        inspections = [inspected(part)[place] for place in chosen]

        assert findings_of(make_report(inspections, [ANGLES[place] for place in chosen])) == [], chosen


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_correct_photo_is_never_taken_for_another_part(inspected: Inspected, count: int) -> None:
    for chosen in combinations(range(6), count):
        for place, side in enumerate(chosen):
            inspections = [inspected("alternator")[one] for one in chosen]
            inspections[place] = inspected("toy-car")[side]
            found = findings_of(make_report(inspections, [ANGLES[one] for one in chosen]))

            assert all(photos == [place] for code, photos in found if code == "stranger"), (chosen, place)


def test_photos_whose_labels_are_in_doubt_are_chosen_last(inspected: Inspected) -> None:
    result = make_report(inspected("alternator"), ("right", "back", "left", "front", "top", "bottom"))

    assert findings_of(result) == [("swapped", [0, 3])]
    assert set(result["best"]).isdisjoint({0, 3})


@pytest.mark.parametrize("photo", ["brake-disc-top", "wheel-hub-bottom", "alternator-front"])
def test_a_slight_blur_is_distinguished_from_a_part_with_many_edges(tmp_path: Path, photo: str) -> None:
    path = DEMO / f"{photo}.jpg"
    slight = changed(tmp_path, path, lambda image: image.filter(ImageFilter.GaussianBlur(0.0015 * 1200)))

    sharp, blurred = inspect_photo(path, 0).edge_width, inspect_photo(slight, 0).edge_width

    assert sharp is not None
    assert blurred is not None
    assert 1.1 * sharp < MAX_SHARP_EDGE_WIDTH < blurred


@pytest.mark.parametrize("place", range(6))
def test_a_photo_of_another_part_is_named(inspected: Inspected, place: int) -> None:
    inspections = [*inspected("alternator")]
    inspections[place] = inspected("toy-car")[place]

    result = make_report(inspections, ANGLES)

    assert findings_of(result) == [("stranger", [place])]
    assert place not in result["best"]


def test_a_photo_that_lies_on_its_side_is_named(inspected: Inspected, tmp_path: Path) -> None:
    lying = changed(tmp_path, demo_photo("toy-car", "left"), lambda image: image.rotate(90, expand=True))
    inspections = [*inspected("toy-car")]
    inspections[2] = inspect_photo(lying, 2)

    assert findings_of(make_report(inspections, ANGLES)) == [("turned", [2])]


def test_silhouettes_without_a_simple_explanation_are_a_contradiction(inspected: Inspected) -> None:
    inspections = [inspected("toy-car")[0], inspected("alternator")[3], inspected("toy-car")[4]]

    [(code, _photos)] = findings_of(make_report(inspections, ("front", "right", "top")))

    assert code == "contradicts"


@pytest.mark.parametrize("way", ["left", "bottom", "inside"])
def test_a_part_that_is_cut_off_is_named(tmp_path: Path, way: str) -> None:
    boxes = {"left": (500, 0, 1200, 1200), "bottom": (0, 0, 1200, 700), "inside": (400, 300, 900, 800)}
    path = changed(tmp_path, demo_photo("alternator", "front"), lambda image: image.crop(boxes[way]))

    [photo] = check_photos([(path, "front")])["photos"]

    assert "cropped" in [finding["code"] for finding in photo["findings"]]
    assert photo["outline"] is None
    assert len(photo["marks"]) == 1


@pytest.mark.parametrize("way", ["out of focus", "shaken"])
def test_a_blurred_photo_is_named(tmp_path: Path, way: str) -> None:
    blurs = {
        "out of focus": lambda image: image.filter(ImageFilter.GaussianBlur(5)),
        "shaken": lambda image: image.resize((75, 1200), Image.Resampling.BOX).resize((1200, 1200)),
    }
    path = changed(tmp_path, demo_photo("oil-filter", "front"), blurs[way])

    assert findings_of(check_photos([(path, "front")])) == [("blurred", [0])]


def test_a_small_photo_and_a_part_that_is_small_in_its_photo_are_named(tmp_path: Path) -> None:
    small = changed(tmp_path, demo_photo("alternator", "front"), lambda image: image.resize((400, 400)))

    def far(image: Image.Image) -> Image.Image:
        wide = Image.new("RGB", (1600, 1600), "white")
        wide.paste(image.resize((350, 350), Image.Resampling.LANCZOS), (600, 600))
        return wide

    distant = changed(tmp_path, demo_photo("toy-car", "front"), far)

    assert findings_of(check_photos([(small, "front"), (distant, "right")])) == [
        ("small", [0]),
        ("part_small", [1]),
    ]


def test_a_busy_backdrop_and_an_empty_picture_are_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    busy = Image.fromarray(noise).resize((900, 900))
    busy.paste("navy", (300, 300, 600, 600))
    busy.save(tmp_path / "busy.png")
    Image.new("RGB", (900, 900), "white").save(tmp_path / "empty.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")

    result = check_photos([(tmp_path / f"{name}.png", None) for name in ("busy", "empty", "broken")])

    assert findings_of(result) == [("backdrop_busy", [0]), ("no_part", [1]), ("unreadable", [2])]
    assert result["best"] == []


def test_a_flawed_photo_is_chosen_only_if_no_other_shows_its_axis(
    inspected: Inspected, tmp_path: Path
) -> None:
    blurred = changed(
        tmp_path, demo_photo("alternator", "right"), lambda image: image.filter(ImageFilter.GaussianBlur(6))
    )
    inspections = [*inspected("alternator")]
    inspections[3] = inspect_photo(blurred, 3)

    assert make_report(inspections, ANGLES)["best"] == [0, 4, 1, 2]  # left instead of right
    assert make_report(inspections[3:5], ["right", "top"])["best"] == [0, 1]


def test_the_child_needs_little_memory_and_prints_its_report(tmp_path: Path) -> None:
    photos = {angle: demo_photo("alternator", angle) for angle in ANGLES}

    found = sandbox.run(
        "acr3d.photo_checks.inspection",
        [f"{angle}={path}" for angle, path in photos.items()],
        sandbox.Limits(60, memory_mb=250),
        reads=photos.values(),
        folder=None,
        lock=tmp_path / "heavy.lock",
    )

    assert found["findings"] == []


def test_the_command_line_can_be_used_by_hand(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "acr3d.photo_checks.inspection", f"={tmp_path / 'none.jpg'}"],
        cwd=DEMO.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout)["report"]["photos"][0]["findings"] == [
        {"code": "unreadable", "photos": [0]}
    ]
