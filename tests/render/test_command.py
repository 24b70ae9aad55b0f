"""`python -m acr3d.render` as a person at a terminal and as the web process sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acr3d import sandbox
from tests.support.optimize_glbs import Builder, add_sphere, sphere
from tests.support.render_glbs import RED, add_box, builder, save

POSTER_LIMITS = sandbox.Limits(seconds=60, memory_mb=250)


def command(*args: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "acr3d.render", *map(str, args)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    made = builder()
    add_box(made)
    return save(made, tmp_path)


def test_a_poster_is_a_square_webp_and_tells_the_viewers_camera(model: Path, tmp_path: Path) -> None:
    done = command(model, tmp_path / "poster.webp", "--json")

    report = json.loads(done.stdout)["report"]
    assert report["camera"]["camera-target"] == "0m 0m 0m"
    assert report["camera"]["field-of-view"] == "30deg"
    assert report["camera"]["camera-orbit"].startswith("30deg 75deg 7.026")  # 1.05 √3 ∕ sin 15°
    with Image.open(tmp_path / "poster.webp") as poster:
        assert (poster.format, poster.mode, poster.size) == ("WEBP", "RGBA", (800, 800))


def test_any_side_can_be_drawn_on_white(model: Path, tmp_path: Path) -> None:
    done = command(model, tmp_path / "front.png", "--side", "front", "--white", "--pixels", 64)

    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "front.png") as front:
        assert (front.getpixel((0, 0)), front.getpixel((32, 32))) == ((255, 255, 255), RED)


def test_a_mask_is_white_on_the_part(model: Path, tmp_path: Path) -> None:
    assert command(model, tmp_path / "mask.png", "--mask", "--orbit", "45,90", "--pixels", 64).returncode == 0

    with Image.open(tmp_path / "mask.png") as mask:
        seen = np.asarray(mask)
    assert seen[32, 32]
    assert not seen[0].any()


def test_a_file_that_is_no_model_is_refused_with_a_sentence(tmp_path: Path) -> None:
    words = tmp_path / "words.glb"
    words.write_bytes(b"these are only words, and no model at all")

    done = command(words, tmp_path / "poster.webp", "--json")

    assert done.returncode == 3
    assert json.loads(done.stdout)["code"] == "not_glb"


def test_a_model_that_shows_nothing_is_refused(tmp_path: Path) -> None:
    made = builder()
    add_box(made)
    del made.data["nodes"][0]["mesh"]

    done = command(save(made, tmp_path), tmp_path / "poster.webp")

    assert (done.returncode, done.stderr) == (
        3,
        "The model has nothing to draw. Generate or export the model again.\n",
    )


def test_a_poster_of_three_hundred_thousand_triangles_fits_a_small_host(tmp_path: Path) -> None:
    made = Builder()
    add_sphere(made, sphere(rings=276))
    source = save(made, tmp_path)

    report = sandbox.run(
        "acr3d.render",
        ["--json", str(source), str(tmp_path / "poster.webp")],
        POSTER_LIMITS,
        reads=[source],
        folder=tmp_path,
        lock=tmp_path / "heavy.lock",
    )

    assert report["width"] == 800
