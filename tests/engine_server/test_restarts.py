"""The engine loses no task, however it stops."""

import io
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from acr3d.engine_server.app import BODY_LIMIT
from acr3d.engine_server.tasks import MAX_STARTS, TaskStore
from acr3d.engines import errors
from acr3d.engines.glb_check import RAW_MODEL
from acr3d.engines.meshy.client import CreateOptions, MeshyClient
from acr3d.net.download import download_file
from tests.support.engine_child import tiny_glb
from tests.support.engine_server import BASE, FRONT, EngineHarness, has_ended, is_carving, served, until


def test_a_stopped_engine_releases_its_task_and_the_next_one_finishes_it(harness: EngineHarness) -> None:
    harness.set_behaviour("wait")
    task_id = harness.create()
    harness.until(task_id, is_carving)

    harness.engine.stop()
    released = TaskStore(harness.folder).get(task_id)
    harness.set_behaviour("carve")
    harness.app.app = harness.new_engine()
    task = harness.until(task_id, has_ended)

    assert released is not None
    assert (released.status, released.starts) == ("PENDING", 0)
    assert task.succeeded
    harness.app.app.stop()


def test_a_stopped_engine_starts_nothing_new(harness: EngineHarness) -> None:
    harness.engine.stop()

    task_id = harness.create()

    assert harness.client.get(task_id).status == "PENDING"
    assert not (harness.folder / "starts").exists()


def test_a_task_that_keeps_losing_its_worker_fails(harness: EngineHarness) -> None:
    harness.engine.stop()
    task_id = harness.create()
    tasks = TaskStore(harness.folder, clock=harness.clock)
    for _ in range(MAX_STARTS):
        assert tasks.claim() is not None  # and its worker dies

    harness.app.app = harness.new_engine()
    task = harness.until(task_id, has_ended)

    assert (task.status, harness.error_of(task.id)[0]) == ("FAILED", "server_error")
    assert "interrupted 10 times" in task.error_message
    harness.app.app.stop()
    assert list((harness.folder / "tasks" / task_id).iterdir()) == []


def test_two_engines_share_the_work_and_start_each_task_once(harness: EngineHarness) -> None:
    harness.set_behaviour("wait")
    second = harness.new_engine()
    client = MeshyClient(BASE, "any", transport=httpx.WSGITransport(second), sends_angles=True)
    made = [each.create([FRONT], CreateOptions()) for each in (harness.client, client) * 3]

    harness.until(made[0], is_carving)
    harness.set_behaviour("carve")

    assert {harness.until(task_id, has_ended).status for task_id in made} == {"SUCCEEDED"}
    rows = [TaskStore(harness.folder, clock=harness.clock).get(task_id) for task_id in made]
    assert [row.starts for row in rows if row] == [1] * 6
    assert len(harness.starts()) == 6
    second.stop()


def test_a_killed_engine_loses_no_task_and_finishes_none_twice(tmp_path: Path) -> None:
    folder, log = tmp_path / "engine", tmp_path / "log"
    folder.mkdir()
    (folder / "behaviour").write_text("wait")

    with served(folder, log) as (process, client):
        made = [client.create([FRONT], CreateOptions()) for _ in range(3)]
        until(client, made[0], is_carving)
        process.send_signal(signal.SIGKILL)
        process.wait()
    (folder / "behaviour").write_text("carve")
    with served(folder, log) as (process, client):
        ends = [until(client, task_id, has_ended) for task_id in made]
        listed = [task.id for task in client.list()]
        process.terminate()
        process.wait()

    assert [task.status for task in ends] == ["SUCCEEDED"] * 3
    assert listed == made[::-1]
    starts = [line.split()[0] for line in (folder / "starts").read_text().splitlines()]
    assert [starts.count(task_id) for task_id in made] == [2, 1, 1]
    assert {path.name for task_id in made for path in (folder / "tasks" / task_id).iterdir()} == {"model.glb"}


def test_a_kill_at_any_moment_leaves_a_task_that_still_succeeds(tmp_path: Path) -> None:
    folder, log = tmp_path / "engine", tmp_path / "log"
    made: list[str] = []

    for moment in (0.0, 0.02, 0.04, 0.08, 0.12, 0.2):
        with served(folder, log) as (process, client):
            made.append(client.create([FRONT], CreateOptions()))
            time.sleep(moment)  # the moment of the kill varies
            process.send_signal(signal.SIGKILL)
            process.wait()
    with served(folder, log) as (_, client):
        ends = [until(client, task_id, has_ended) for task_id in made]

    assert [task.status for task in ends] == ["SUCCEEDED"] * len(made)


def test_sigterm_stops_the_engine_cleanly_and_releases_the_task(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    folder.mkdir()
    (folder / "behaviour").write_text("wait")

    with served(folder, tmp_path / "log") as (process, client):
        task_id = client.create([FRONT], CreateOptions())
        until(client, task_id, is_carving)
        process.terminate()
        code = process.wait(15)

    row = TaskStore(folder).get(task_id)
    assert code == 0
    assert row is not None
    assert (row.status, row.starts) == ("PENDING", 0)


def test_on_a_port_the_model_is_fetched_large_orders_are_answered_and_no_signature_is_logged(
    tmp_path: Path,
) -> None:
    into = io.BytesIO()

    with served(tmp_path / "engine", tmp_path / "log") as (process, client):
        task = until(client, client.create([FRONT], CreateOptions()), has_ended)
        assert task.glb_url is not None
        download_file(
            task.glb_url, into, RAW_MODEL, allowed_origins=[client.base], private_origins=[client.base]
        )
        with pytest.raises(errors.InvalidRequest, match="20 MB"):
            client.create([(b"\xff\xd8\xff" + bytes(BODY_LIMIT), "front")], CreateOptions())
        process.terminate()
        assert process.stdout is not None
        said = process.stdout.read() + (tmp_path / "log").read_text()

    assert into.getvalue() == tiny_glb()
    assert "Signature" not in said


def test_the_server_does_not_load_heavy_modules() -> None:
    heavy = "{'numpy', 'scipy', 'skimage', 'PIL', 'flask', 'sqlalchemy'}"
    code = f"import sys, acr3d.engine_server.app; print({heavy} & sys.modules.keys())"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "set()"
