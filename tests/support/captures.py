"""Spin captures for tests that need no video: files that begin like one, and a child that reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import update

from acr3d import sandbox
from acr3d.captures import installed, queue, reading, uploads
from acr3d.captures.captures import by_id, files_of
from acr3d.db.extensions import db
from acr3d.db.models import Capture, User
from acr3d.db.session import end_read, transaction
from acr3d.db.types import utc_now
from acr3d.messages.message import Message
from tests.support.factories import picture

VIDEO = b"\0\0\0\x18ftypmp42" + b"film" * 20
UPRIGHT = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
PLACES = ((300, -300, 200), (0, -400, 60))  # of the frames' cameras on the sheet, mm
REPORT: dict[str, Any] = {
    "sheet": "A4",
    "frames_seen": 120,
    "frames_kept": 2,
    "blurred": 3,
    "cut_off": 0,
    "without_sheet": 1,
    "coverage": 0.8,
    "rings": [{"elevation": 27, "gaps": [[350, 422]]}],
    "pose_error_mm": 0.2,
    "best": ["001.jpg", "000.jpg"],
    "notes": [{"code": "text", "params": {"text": "Film the right side again."}}],
}


def install(patch: pytest.MonkeyPatch) -> None:
    """Let the app believe that PyAV and OpenCV are here; nothing in these tests loads them."""
    patch.setattr(installed, "is_installed", lambda: True)


def filmed(part_id: str, user: User, position: int = 1, name: str = "spin.mp4") -> Capture:
    """A capture whose whole video is here and waits to be read."""
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        capture = uploads.begin(part_id, position, [(name, len(VIDEO))], user)
        uploads.append(files_of(capture.id)[0].id, 0, VIDEO)
    return fresh(capture)


def fresh(capture: Capture) -> Capture:
    """The capture as it is stored now."""
    end_read()
    db.session.expire_all()
    return by_id(capture.id)


def make_due(capture: Capture) -> None:
    """Let the time pass that a capture waits for, or a killed reading's lease."""
    with transaction() as session:
        session.execute(update(Capture).where(Capture.id == capture.id).values(due_at=utc_now()))


def child(seen: list[dict[str, bytes]] | None = None) -> Callable[..., dict[str, Any]]:
    """In the place of `sandbox.run`: keeps two frames of whatever it is given; notes the files by name."""

    def run(
        module: str, args: list[str], *_limits: sandbox.Limits, folder: Path, **_how: Any
    ) -> dict[str, Any]:
        assert (module, args[0]) == ("acr3d.spin", "read")
        request = json.loads(Path(args[1]).read_text())
        if seen is not None:
            seen.append({one["name"]: Path(one["path"]).read_bytes() for one in request["files"]})
        (folder / "frames").mkdir()
        for number, colour in enumerate(("red", "blue")):
            (folder / "frames" / f"{number:03}.jpg").write_bytes(picture(colour))
        frames = [
            {"file": f"{number:03}.jpg", "rotation": UPRIGHT, "shift": [-at for at in place]}
            for number, place in enumerate(PLACES)
        ]
        (folder / "capture.json").write_text(json.dumps({"sheet": "A4", "frames": frames}))
        return REPORT

    return run


def refusal(name: str) -> Callable[..., dict[str, Any]]:
    """In the place of `sandbox.run`: refuses a film of this name."""

    def run(*_args: Any, **_how: Any) -> dict[str, Any]:
        raise sandbox.ChildRefused(Message("spin.video_broken", name=name), "broken")

    return run


def read_now(run: Callable[..., dict[str, Any]] | None = None) -> None:
    """Do what a poller does with the capture that is due."""
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        patch.setattr(sandbox, "run", run or child())
        claimed = queue.claim()
        assert claimed is not None
        reading.read(claimed, Event())
