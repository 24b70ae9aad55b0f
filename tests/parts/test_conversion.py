"""An upload is converted in a process of its own: bounded, in its turn, and no obstacle to others."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from acr3d import sandbox
from acr3d.messages.wording import worded
from acr3d.parts import conversion
from acr3d.photos import sanitize
from acr3d.photos.limits import PhotoRefused
from acr3d.storage.blobs import storage
from tests.support.pictures import in_scans, quarters, saved

FAULTY = "tests.support.sandbox_child"


@dataclass
class Held:
    has_begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def a_png_is_being_decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """The child of a PNG does not begin before `may_end` is set."""
    run, held = sandbox.run, Held()

    def run_later(module: str, args: list[str], *rest: Any, **options: Any) -> dict[str, Any]:
        if Path(args[1], "upload").read_bytes().startswith(b"\x89PNG"):
            held.has_begun.set()
            assert held.may_end.wait(20)
        return run(module, args, *rest, **options)

    monkeypatch.setattr(sandbox, "run", run_later)
    yield held
    held.may_end.set()


@pytest.fixture
def convert(app: Flask) -> Callable[[io.BytesIO], sanitize.Photo]:
    def in_app(stream: io.BytesIO) -> sanitize.Photo:
        with app.app_context():
            return conversion.converted(stream)

    return in_app


def test_the_child_makes_the_same_photo_and_leaves_nothing_behind(in_app: Flask) -> None:
    stream = saved(quarters((3000, 2000)), "JPEG")
    stream.seek(500)

    assert conversion.converted(stream) == sanitize.clean(stream)
    assert not storage().temporary().parent.exists() or not [*storage().temporary().parent.iterdir()]


def test_a_refusal_comes_back_whole_and_in_the_readers_language(in_app: Flask) -> None:
    with (
        pytest.raises(PhotoRefused, match="more than the 64 allowed") as refused,
        in_app.test_request_context(),
    ):
        conversion.converted(in_scans(65))

    assert refused.value.code == "photo.too_many_scans"
    with in_app.test_request_context(), force_locale("de"):
        assert "65 Durchgängen" in worded(refused.value.message)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("crash", "failed at this one"),
        ("hang", "more time or memory than a photo may need"),
        ("take_memory", "more time or memory than a photo may need"),
    ],
)
def test_a_decoder_that_fails_takes_only_its_photo_along(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch, fault: str, sentence: str
) -> None:
    run = sandbox.run
    seconds = 1 if fault == "hang" else 20
    monkeypatch.setattr(conversion, "LIMITS", sandbox.Limits(seconds=seconds, memory_mb=100))
    with monkeypatch.context() as faulty:
        faulty.setattr(sandbox, "run", lambda _, __, *rest, **more: run(FAULTY, [fault], *rest, **more))
        with pytest.raises(PhotoRefused, match=sentence):
            conversion.converted(saved(quarters(), "JPEG"))

    monkeypatch.undo()
    assert conversion.converted(saved(quarters(), "JPEG")).width_px == 640


def test_several_photos_share_a_child_and_each_has_its_own_fate(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, run = list[int](), sandbox.run
    monkeypatch.setattr(
        sandbox, "run", lambda _, args, *rest, **more: (ran.append(len(args)), run(_, args, *rest, **more))[1]
    )
    damaged = io.BytesIO(saved(quarters(), "JPEG").getvalue()[:3000])
    sent = [saved(quarters((500, 400)), "JPEG"), damaged, io.BytesIO(), saved(quarters((700, 600)), "JPEG")]

    outcomes = conversion.converted_all([*sent, saved(quarters(), "PNG")])

    assert [getattr(one, "width_px", None) or getattr(one, "code", "") for one in outcomes] == [
        *(500, "photo.damaged", "photo.empty", 700, 640)
    ]
    assert ran == [4, 2]  # the seconds and three JPEGs; the seconds and the PNG


def test_a_photo_that_breaks_their_child_takes_no_other_along(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sandbox.run

    def break_off(module: str, args: list[str], *rest: Any, **more: Any) -> dict[str, Any]:
        is_evil = any(b"evil" in Path(one, "upload").read_bytes() for one in args[1:])
        return run(FAULTY if is_evil else module, ["crash"] if is_evil else args, *rest, **more)

    monkeypatch.setattr(sandbox, "run", break_off)
    evil = io.BytesIO(saved(quarters(), "JPEG").getvalue() + b"evil")

    first, second, third = conversion.converted_all(
        [saved(quarters(), "JPEG"), evil, saved(quarters(), "JPEG")]
    )

    assert first == third == sanitize.clean(saved(quarters(), "JPEG"))
    assert isinstance(second, PhotoRefused)
    assert second.code == "photo.decoder_failed"


def test_a_decoder_gets_so_much_processor_time_and_no_more(tmp_path: Path) -> None:
    spin = """
import sys
from acr3d.photos import __main__ as converter

def decode_for_ever(_stream):
    while True:
        pass

converter.sanitize.clean = decode_for_ever
converter.main(sys.argv)
"""
    (tmp_path / "upload").write_bytes(b"x")

    child = subprocess.run([sys.executable, "-c", spin, "1", tmp_path], check=False)

    assert child.returncode == -signal.SIGXCPU


def test_a_full_disk_is_not_the_photos_fault(in_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "LIMITS", sandbox.Limits(file_mb=0))  # as for the child's files

    with pytest.raises(OSError, match="File too large"):
        conversion.converted(saved(quarters(), "JPEG"))


def test_an_ordinary_photo_does_not_wait_for_another_kind(
    convert: Callable[[io.BytesIO], sanitize.Photo], a_png_is_being_decoded: Held
) -> None:
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(convert, saved(quarters(), "PNG"))
        for _ in range(2):
            assert convert(saved(quarters(), "JPEG")).width_px == 640
        assert not slow.done()
        a_png_is_being_decoded.may_end.set()
        assert slow.result().width_px == 640


def test_who_would_wait_too_long_is_told_to_come_back(
    convert: Callable[[io.BytesIO], sanitize.Photo],
    a_png_is_being_decoded: Held,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(convert, saved(quarters(), "PNG"))
        assert a_png_is_being_decoded.has_begun.wait(20)
        monkeypatch.setattr(conversion, "LONGEST_WAIT_SECONDS", 0)
        with pytest.raises(conversion.Busy, match="Nothing is wrong with it"):
            convert(saved(quarters(), "PNG"))
        a_png_is_being_decoded.may_end.set()
        assert slow.result().width_px == 640


def test_only_so_many_requests_wait_in_the_servers_threads(
    convert: Callable[[io.BytesIO], sanitize.Photo],
) -> None:
    with ExitStack() as waiting:
        for _ in range(conversion.LONGEST_QUEUE):
            waiting.enter_context(conversion._all_others._places)
        with pytest.raises(conversion.Busy):
            convert(saved(quarters(), "PNG"))

    assert convert(saved(quarters(), "PNG")).width_px == 640
