"""The engine limits its queue, its disk space and its memory, and deletes what has expired."""

import gc
import os
import time
import tracemalloc
from pathlib import Path

import httpx
import pytest

from acr3d.engine_server.app import BODY_LIMIT
from acr3d.engine_server.tasks import TaskQuota
from acr3d.engines import errors
from acr3d.engines.meshy.client import CreateOptions, MeshyClient
from acr3d.net.download import DownloadGone
from tests.support.contract.checker import Contract
from tests.support.engine_child import tiny_glb
from tests.support.engine_server import (
    BASE,
    FRONT,
    LEFT,
    TASKS,
    THREE_DAYS_MS,
    EngineHarness,
    has_ended,
    is_carving,
)


def test_after_three_days_task_and_files_are_gone(harness: EngineHarness) -> None:
    task = harness.until(harness.create(), has_ended)
    harness.clock.now += THREE_DAYS_MS - 1
    assert harness.client.get(task.id).succeeded

    harness.clock.now += 1

    with pytest.raises(errors.TaskNotFound):
        harness.client.get(task.id)
    assert harness.client.list() == []
    with pytest.raises(DownloadGone):
        harness.download(task.glb_url)
    harness.set_behaviour("wait")
    newer = harness.create()
    assert [folder.name for folder in (harness.folder / "tasks").iterdir()] == [newer]


def test_the_queue_is_limited(tmp_path: Path, contract: Contract) -> None:
    harness = EngineHarness(tmp_path / "engine", contract, TaskQuota(max_waiting=2))
    harness.set_behaviour("wait")
    first = harness.create()
    harness.until(first, is_carving)
    harness.create()
    harness.create()

    with pytest.raises(errors.QueueFull, match="2 tasks are already waiting"):
        harness.create()

    assert len(list((harness.folder / "tasks").iterdir())) == 3
    harness.engine.stop()


def test_old_results_are_deleted_to_free_space_and_recent_ones_are_not(
    tmp_path: Path, contract: Contract
) -> None:
    photos = len(FRONT[0]) + len(LEFT[0])
    quota = TaskQuota(max_disk_bytes=len(tiny_glb()) + photos)
    harness = EngineHarness(tmp_path / "engine", contract, quota)
    first = harness.until(harness.create(), has_ended)
    second = harness.create()
    harness.until(second, has_ended)

    with pytest.raises(errors.QueueFull, match="disk space"):
        harness.create()
    assert harness.client.get(first.id).succeeded
    harness.clock.now += 3600 * 1000
    third = harness.create()

    with pytest.raises(errors.TaskNotFound):
        harness.client.get(first.id)
    assert not (harness.folder / "tasks" / first.id).exists()
    assert harness.until(third, has_ended).succeeded
    harness.engine.stop()


def test_a_body_that_is_too_large_is_refused(harness: EngineHarness) -> None:
    answer = harness.unchecked.post(TASKS, content=b" " * (BODY_LIMIT + 1))

    assert answer.status_code == 413
    assert "20 MB" in answer.json()["message"]


def test_photos_left_by_a_killed_process_are_deleted(harness: EngineHarness) -> None:
    task_id = harness.create()
    harness.until(task_id, has_ended)
    left = harness.folder / "tasks" / task_id / "photo0"
    left.write_bytes(b"x")

    harness.until(harness.create(), has_ended)

    assert not left.exists()
    assert harness.client.get(task_id).succeeded


def test_old_orphan_folders_are_deleted_and_recent_ones_kept(harness: EngineHarness) -> None:
    old, young = harness.folder / "tasks" / "old", harness.folder / "tasks" / "young"
    old.mkdir()
    young.mkdir()
    (old / "photo0").write_bytes(b"x")
    os.utime(old, (time.time() - 7200, time.time() - 7200))

    harness.until(harness.create(), has_ended)

    assert not old.exists()
    assert young.exists()


def test_a_requests_photos_do_not_stay_in_memory(harness: EngineHarness) -> None:
    harness.engine.stop()
    client = MeshyClient(BASE, "any", transport=httpx.WSGITransport(harness.engine))
    photo = (b"\xff\xd8\xff" + bytes(3_000_000), "front")
    client.create([photo], CreateOptions())
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        client.create([photo], CreateOptions())
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()

    assert grown < 500_000
