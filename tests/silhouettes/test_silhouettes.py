"""How well a model agrees with photos of a part, and which side of it they show as the front."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acr3d.gltf.orientation import Turn, orientations
from tests.support.lens_photos import make_model, make_other, make_post, photograph

pytestmark = pytest.mark.proof


def measured(model: Path, photos: dict[str, Path], *more: str) -> dict[str, Any]:
    words = [f"{side}={path}" for side, path in photos.items()]
    line = [sys.executable, "-m", "acr3d.silhouettes", str(model), *words, *more, "--json"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=200)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer.get("report", answer)


def test_the_right_model_agrees_with_hand_held_photos_from_every_side(tmp_path: Path) -> None:
    model = make_model(tmp_path)

    report = measured(model, photograph(model, tmp_path))

    assert report["all"] > 0.95
    assert min(report["sides"].values()) > 0.9
    assert set(report["sides"]) == {"front", "right", "back", "top"}


def test_the_model_of_another_part_does_not_agree(tmp_path: Path) -> None:
    photos = photograph(make_model(tmp_path), tmp_path)

    assert measured(make_other(tmp_path), photos)["all"] < 0.6


def test_the_words_for_turns_are_the_optimizers(tmp_path: Path) -> None:
    assert len(orientations()) == 24
    for text, matrix in orientations().items():
        turn = Turn.parse(text)
        assert (np.array(turn.rows if turn else np.eye(3)) == matrix).all(), text


@pytest.mark.parametrize("turned", ["", "x90", "y180", "z270,x90"])
def test_a_turned_model_is_found_and_turned_back(tmp_path: Path, turned: str) -> None:
    photos = photograph(make_model(tmp_path), tmp_path)
    turn = Turn.parse(turned)
    model = make_model(tmp_path, "turned.glb", turn.quaternion if turn else None)

    report = measured(model, photos, "--find-front")

    assert report["is_sure"]
    back = orientations()[report["turn"]] @ (np.array(turn.rows) if turn else np.eye(3))
    assert (back == np.eye(3)).all()
    assert report["all"] > 0.95


def test_colours_tell_where_outlines_cannot(tmp_path: Path) -> None:
    photos = photograph(make_post(tmp_path, "post.glb"), tmp_path)
    model = make_post(tmp_path, "turned.glb", [0, 0.5**0.5, 0, 0.5**0.5])

    report = measured(model, photos, "--find-front")

    assert (report["turn"], report["is_sure"]) == ("y270", True)


def test_a_part_that_looks_alike_from_all_sides_is_left_as_it_came(tmp_path: Path) -> None:
    model = make_post(tmp_path, "plain.glb", plain=True)

    report = measured(model, photograph(model, tmp_path, ("front", "right")), "--find-front")

    assert (report["turn"], report["is_sure"]) == ("", True)
    assert report["all"] > 0.95


def test_colours_that_are_like_nothing_do_not_overrule_the_outlines(tmp_path: Path) -> None:
    photos = photograph(make_post(tmp_path, "post.glb", bump=True), tmp_path)
    for path in photos.values():
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert("RGB"))
        inverted = np.where((pixels == 255).all(2, keepdims=True), pixels, 240 - pixels // 2)
        Image.fromarray(inverted.astype(np.uint8)).save(path)
    model = make_post(tmp_path, "turned.glb", [0, 1, 0, 0], bump=True)

    report = measured(model, photos, "--find-front")

    assert report["turn"] == "y180"


def test_a_photo_that_shows_no_outline_is_named_and_the_others_count(tmp_path: Path) -> None:
    model = make_model(tmp_path)
    photos = photograph(model, tmp_path)
    Image.new("RGB", (300, 300), "white").save(photos["back"])

    report = measured(model, photos)

    assert "back photo" in report["unmeasured"]["back"]
    assert set(report["sides"]) == {"front", "right", "top"}
    assert report["all"] > 0.95


def test_without_any_outline_there_is_no_figure(tmp_path: Path) -> None:
    model = make_model(tmp_path)
    blank = tmp_path / "blank.png"
    Image.new("RGB", (300, 300), "white").save(blank)

    assert measured(model, {"front": blank})["code"] == "no_outline"
