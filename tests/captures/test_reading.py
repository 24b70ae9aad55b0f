"""The poller reads a capture once it is whole: frames are kept, the film goes, and nothing gets lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from acr3d import sandbox
from acr3d.captures import captures, installed, queue, reading, uploads
from acr3d.captures.captures import blobs_of, positions_of
from acr3d.captures.report import understood
from acr3d.db.extensions import db
from acr3d.db.models import Capture, Part, User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.engine_server import worker
from acr3d.errors import Conflict
from acr3d.jobs import silhouette_check
from acr3d.jobs.steps import optimize
from acr3d.messages.message import Message
from acr3d.parts.bin import delete_part
from acr3d.storage import cleanup
from acr3d.storage.blobs import storage
from acr3d.storage.index import find_blob, keys_of
from acr3d.worker.loop import JobPoller
from tests.support.captures import VIDEO, child, filmed, fresh, install, make_due, read_now
from tests.support.factories import finished_job, make_part, picture


def refused(*_args: object, **_how: object) -> dict[str, Any]:
    raise sandbox.ChildRefused(Message.plain("No sheet was seen."), "spin.no_sheet")


def crashed(*_args: object, **_how: object) -> dict[str, Any]:
    raise sandbox.ChildCrashed("it broke off")


def stopped(*_args: object, **_how: object) -> dict[str, Any]:
    raise sandbox.ChildStopped("stopping")


def test_the_poller_keeps_frames_and_cameras_and_drops_the_film(
    in_app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, seen = filmed(make_part().id, user), list[dict[str, bytes]]()
    assert queue.next_due() is not None
    install(monkeypatch)
    monkeypatch.setattr(reading.sandbox, "run", child(seen))

    JobPoller(in_app).run_once()

    assert seen == [{"spin.mp4": VIDEO}]
    ready = fresh(capture)
    assert (ready.state, ready.due_at) == ("ready", None)
    assert understood(ready.report).rings[0].gaps == ((350, 422),)
    frames, cameras = blobs_of(capture.id, "frame"), blobs_of(capture.id, "cameras")
    assert [storage().path(one.storage_path).read_bytes() for one in frames] == [
        picture("red"),
        picture("blue"),
    ]
    assert sorted(storage().keys()) == sorted(one.storage_path for one in [*frames, *cameras])
    assert list(storage().incoming.iterdir()) == []
    blob = find_blob(frames[0].storage_path)
    assert blob is not None
    assert not blob.is_public  # staff see them, customers do not


def test_photos_go_through_the_same_gate_as_every_upload(
    in_app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    part, png = make_part(), picture(kind="PNG")
    files = [(f"{number}.png", len(png)) for number in range(16)]
    capture = uploads.begin(part.id, 1, files, user)
    for file in captures.files_of(capture.id):
        uploads.append(file.id, 0, png)
    seen: list[dict[str, bytes]] = []

    read_now(_after_real_photos(child(seen)))

    [files_read] = seen
    assert len(files_read) == 16
    assert all(data.startswith(b"\xff\xd8\xff") for data in files_read.values())


def _after_real_photos(run: Any) -> Any:
    real = sandbox.run

    def chosen(module: str, *args: Any, **how: Any) -> Any:
        return run(module, *args, **how) if module == "acr3d.spin" else real(module, *args, **how)

    return chosen


def test_a_killed_reading_begins_again_and_the_late_one_writes_nothing(in_app: Flask, user: User) -> None:
    capture = filmed(make_part().id, user)
    killed = queue.claim()
    assert killed is not None
    assert fresh(capture).state == "reading"
    assert queue.claim() is None

    make_due(capture)  # its lease ran out
    read_now()
    reading.read(killed, Event())  # it lived after all

    assert fresh(capture).state == "ready"
    assert len(blobs_of(capture.id, "frame")) == 2
    assert len(list(storage().keys())) == 3


def test_a_reading_that_loses_its_claim_at_the_very_end_takes_no_frames_away(
    in_app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = filmed(make_part().id, user)
    written = reading._written

    def meanwhile_another_reads(folder: Path) -> list[Path]:
        monkeypatch.undo()
        make_due(capture)
        read_now()
        return written(folder)

    monkeypatch.setattr(reading, "_written", meanwhile_another_reads)
    read_now()

    assert fresh(capture).state == "ready"
    kept = [*blobs_of(capture.id, "frame"), *blobs_of(capture.id, "cameras")]
    assert sorted(storage().keys()) == sorted(one.storage_path for one in kept)


def test_a_stopped_reading_is_handed_back_at_once(in_app: Flask, user: User) -> None:
    capture = filmed(make_part().id, user)

    read_now(stopped)
    assert (fresh(capture).state, fresh(capture).tries) == ("waiting", 0)
    read_now()

    assert fresh(capture).state == "ready"


def test_a_refusal_is_told_and_the_film_goes(in_app: Flask, user: User) -> None:
    capture = filmed(make_part().id, user)

    read_now(refused)

    assert (fresh(capture).state, str(fresh(capture).problem)) == ("refused", "No sheet was seen.")
    assert list(storage().keys()) == []


def test_a_film_that_breaks_its_reader_is_refused_after_three_tries(in_app: Flask, user: User) -> None:
    capture = filmed(make_part().id, user)
    for _try in range(reading.MOST_TRIES):
        make_due(capture)
        assert fresh(capture).state == "waiting"
        read_now(crashed)

    assert fresh(capture).state == "refused"
    assert "three times" in str(fresh(capture).problem)
    assert queue.next_due() is None


def test_a_film_that_ends_its_poller_each_time_is_refused(in_app: Flask, user: User) -> None:
    capture = filmed(make_part().id, user)
    for _try in range(reading.MOST_TRIES):
        assert queue.claim() is not None
        make_due(capture)  # killed, and its lease ran out

    read_now()

    assert (fresh(capture).state, "three times" in str(fresh(capture).problem)) == ("refused", True)


def test_a_lost_piece_of_a_film_is_waited_for_a_day(in_app: Flask, user: User) -> None:
    capture = filmed(make_part().id, user)
    storage().delete(blobs_of(capture.id, "piece")[0].storage_path)
    for _try in range(reading.MOST_TRIES + 1):
        make_due(capture)
        read_now()
        assert (fresh(capture).state, fresh(capture).tries) == ("waiting", 0)

    with transaction() as session:
        session.execute(update(Capture).values(touched_at=utc_now() - timedelta(days=1, minutes=1)))
    make_due(capture)
    read_now()

    assert (fresh(capture).state, "can no longer be read" in str(fresh(capture).problem)) == ("refused", True)


@pytest.mark.parametrize("name", ["frames/000.jpg", "frames/../../x", "capture.json"])
def test_what_a_broken_child_wrote_is_not_kept(in_app: Flask, user: User, name: str) -> None:
    capture = filmed(make_part().id, user)

    def odd(*args: Any, folder: Path, **how: Any) -> dict[str, Any]:
        report = child()(*args, folder=folder, **how)
        if name == "capture.json":
            (folder / name).unlink()
        elif name.endswith("x"):
            (folder / "frames" / "x.html").write_text("<script>")
        else:
            (folder / name).write_text("<script>")
        return report

    read_now(odd)

    assert (fresh(capture).state, fresh(capture).tries) == ("waiting", 1)
    assert [one.kind for one in blobs_of(capture.id, "frame")] == []


def test_a_newer_film_replaces_the_one_before_unless_a_model_was_made_of_it(
    in_app: Flask, user: User
) -> None:
    part = make_part()
    made = []
    for position in (1, 2, 1):
        made.append(filmed(part.id, user, position))
        read_now()
    first, other_side, second = made
    assert {one.id for one in captures.of_part(part.id)} == {other_side.id, second.id}
    assert [one.ready and one.ready.id for one in positions_of(part.id)] == [second.id, other_side.id]
    assert len(list(storage().keys())) == 6

    with transaction() as session:
        session.add(finished_job(part.id, capture_ids=[second.id]))
    filmed(part.id, user)
    read_now()

    assert second.id in {one.id for one in captures.of_part(part.id)}
    with pytest.raises(Conflict, match="made again"):
        captures.remove(second.id)
    captures.remove(other_side.id)
    assert len(list(storage().keys())) == 6
    assert db.session.get(Capture, first.id) is None


def test_frames_stay_as_long_as_the_part_can_be_brought_back(
    in_app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "MIN_AGE_SECONDS", -1)
    part, other = make_part(), make_part("OTHER")
    filmed(other.id, user)
    filmed(part.id, user)
    make_due(captures.of_part(part.id)[0])
    while queue.next_due():
        read_now()
    assert cleanup.inspect_storage().stray_files == []
    assert len(keys_of(part.id)) == 3

    delete_part(part.id)
    assert cleanup.inspect_storage().stray_files == []
    with transaction() as session:
        gone = utc_now() - timedelta(days=31)
        session.execute(update(Part).where(Part.id == part.id).values(deleted_at=gone))

    stray = {file.key for file in cleanup.inspect_storage().stray_files}
    assert stray == set(keys_of(part.id))


def test_a_capture_is_not_taken_twice_while_it_waits_for_other_heavy_work() -> None:
    others = (silhouette_check.LIMITS, optimize.OPTIMIZE_LIMITS, optimize.POSTER_LIMITS, worker.SPIN_LIMITS)
    longest = max(limits.seconds for limits in others)

    assert timedelta(seconds=longest + reading.LIMITS.seconds) < queue.LEASE


def test_without_the_extra_a_capture_says_what_to_install(
    in_app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = filmed(make_part().id, user)
    monkeypatch.setattr(installed, "is_installed", lambda: False)
    claimed = queue.claim()
    assert claimed is not None

    reading.read(claimed, Event())

    assert "“make spin”" in str(fresh(capture).problem)
