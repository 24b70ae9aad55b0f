"""What a child refuses is told in the reader's language."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from PIL import Image

from acr3d import sandbox
from acr3d.engines.meshy.task_reader import read_task
from acr3d.messages import refusal
from acr3d.messages.message import Message
from acr3d.messages.wording import worded

ROOT = Path(__file__).parents[2]
NO_OBJECT = Message("carving.no_object", angle=Message("angle.front"))


@pytest.mark.parametrize("message", [NO_OBJECT, Message.plain("words"), Message("photo.kind_progressive")])
def test_a_line_is_read_as_it_was_written(message: Message) -> None:
    assert refusal.read(json.loads(refusal.written(message, "word"))) == message


@pytest.mark.parametrize(
    "odd", [None, 7, [], {}, {"code": "absent"}, {"code": "carving.no_object"}, {"code": [], "params": 7}]
)
def test_a_line_that_cannot_be_worded_says_its_english_sentence(odd: Any) -> None:
    assert str(refusal.read({"error": "A sentence.", "message": odd})) == "A sentence."


def line_of(module: str, *args: object) -> dict[str, Any]:
    """The last line of a child that refuses."""
    command = [sys.executable, "-m", module, *map(str, args)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == sandbox.REFUSED_EXIT, done.stderr
    line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return line


def in_german(app: Flask, message: Message) -> str:
    with app.test_request_context(), force_locale("de"):
        return worded(message)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_the_carving_and_the_optimizer_are_understood_in_german(app: Flask, tmp_path: Path) -> None:
    photos = []
    for angle in ("front", "right"):
        Image.new("RGB", (400, 400), "white").save(tmp_path / f"{angle}.jpg")
        photos.append({"path": str(tmp_path / f"{angle}.jpg"), "angle": angle})
    (tmp_path / "request.json").write_text(json.dumps({"images": photos}))
    (tmp_path / "bad.glb").write_bytes(b"glTF" + bytes(40))

    carving = line_of("acr3d.carving", tmp_path / "request.json", tmp_path / "out.glb")
    optimizer = line_of("acr3d.optimize", "--json", tmp_path / "bad.glb", tmp_path / "out.glb")

    assert (carving["code"], optimizer["code"]) == ("no_object", "not_glb")
    assert "No part was found in the front photo" in carving["error"]
    assert "Im Foto von vorne wurde kein Teil gefunden" in in_german(app, refusal.read(carving))
    assert "glTF 2.0" in in_german(app, refusal.read(optimizer))
    assert "Das ist eine GLB-Datei der Version 0" in in_german(app, refusal.read(optimizer))


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_each_photo_that_cuts_the_part_off_is_named_with_its_edges(app: Flask, tmp_path: Path) -> None:
    photos = []
    for angle in ("front", "right"):
        picture = Image.new("RGB", (400, 400), "white")
        picture.paste("black", (0, 100, 400, 300))
        picture.save(tmp_path / f"{angle}.jpg")
        photos.append({"path": str(tmp_path / f"{angle}.jpg"), "angle": angle})
    (tmp_path / "request.json").write_text(json.dumps({"images": photos}))

    line = line_of("acr3d.carving", tmp_path / "request.json", tmp_path / "out.glb")

    assert "cut off in the front photo (on the left, on the right)" in line["error"]
    assert "cut off in the right photo" in line["error"]
    assert "im Foto von vorne abgeschnitten (links, rechts)" in in_german(app, refusal.read(line))


def test_the_engines_words_are_read_from_its_task() -> None:
    failed = {"id": "t", "status": "FAILED"}
    error = {"message": str(NO_OBJECT), "wording": NO_OBJECT.as_json()}

    assert read_task(failed | {"task_error": error}).refusal == NO_OBJECT
    for foreign in (
        {"code": "job.canceled", "params": {}},
        {"code": "text", "params": {"text": "x"}},
        "x",
        None,
    ):
        assert read_task(failed | {"task_error": error | {"wording": foreign}}).refusal is None
