"""Photos become a model: a task's life, and the list of tasks."""

import io
import json
import struct
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from acr3d.engine_server.app import create_engine_app
from acr3d.engines import errors
from acr3d.engines.glb_check import RAW_MODEL
from acr3d.engines.meshy.client import CreateOptions, MeshyClient
from acr3d.net.download import DownloadGone, download_file
from tests.support.contract.checker import CheckedApp, Contract
from tests.support.engine_child import tiny_glb
from tests.support.engine_server import (
    BASE,
    FRONT,
    KEY,
    LEFT,
    TASKS,
    EngineHarness,
    has_ended,
    is_carving,
    request_body,
    until,
)


def test_photos_go_in_and_a_model_comes_out(harness: EngineHarness) -> None:
    task_id = harness.client.create(
        [FRONT, LEFT], CreateOptions(texture_prompt="steel", target_polycount=5000)
    )

    task = harness.until(task_id, has_ended)

    assert task.status == "SUCCEEDED"
    assert (task.progress, task.consumed_credits, task.texture_prompt) == (100, 0, "steel")
    assert task.report == {"triangles": 12}
    assert task.created_at is not None
    assert task.expires_at is not None
    assert task.finished_at is not None
    assert (task.expires_at - task.finished_at).days == 3
    assert harness.download(task.glb_url) == tiny_glb()
    [order] = harness.starts()
    assert [image["angle"] for image in order["images"]] == ["front", "left"]
    assert (order["target_polycount"], order["should_texture"], order["guesses"]) == (5000, True, True)


def test_a_short_lived_process_can_wait_for_its_engine(harness: EngineHarness) -> None:
    made = [harness.create() for _ in range(3)]

    harness.engine.finish()

    assert {harness.client.get(task_id).status for task_id in made} == {"SUCCEEDED"}


def test_the_photos_are_gone_when_the_task_has_ended(harness: EngineHarness) -> None:
    task_id = harness.create()

    harness.until(task_id, has_ended)
    harness.engine.stop()

    assert [path.name for path in (harness.folder / "tasks" / task_id).iterdir()] == ["model.glb"]


def test_without_angles_the_photos_are_front_right_back_left(harness: EngineHarness) -> None:
    answer = harness.http.post(
        TASKS, json=request_body(image_urls=request_body()["image_urls"] * 2), headers=KEY
    )  # type: ignore[operator]

    harness.until(answer.json()["result"], has_ended)

    [order] = harness.starts()
    assert [image["angle"] for image in order["images"]] == ["front", "right", "back", "left"]


def test_progress_and_position_in_the_queue_are_reported(harness: EngineHarness) -> None:
    harness.set_behaviour("wait")
    first, second, third = (harness.create() for _ in range(3))

    running = harness.until(first, is_carving)
    waiting = harness.client.get(third)

    assert running.started_at is not None
    assert running.finished_at is None
    assert running.retry_after == 2
    assert (waiting.status, waiting.preceding_tasks, waiting.glb_url) == ("PENDING", 2, None)
    harness.set_behaviour("carve")
    assert {harness.until(task_id, has_ended).status for task_id in (first, second, third)} == {"SUCCEEDED"}


def test_refused_photos_fail_the_task_with_the_carvers_message(harness: EngineHarness) -> None:
    harness.set_behaviour("refuse")

    task = harness.until(harness.create(), has_ended)

    assert (task.status, harness.error_of(task.id)) == ("FAILED", ("invalid_input", "no_outline"))
    assert task.error_message == "The front photo shows no outline."
    assert task.input_refused
    assert (task.consumed_credits, task.glb_url) == (0, None)


def test_a_crash_of_the_carver_fails_the_task_as_a_server_error(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.set_behaviour("crash")

    task = harness.until(harness.create(), has_ended)

    assert (task.status, harness.error_of(task.id)[0]) == ("FAILED", "server_error")
    assert "stopped unexpectedly" in task.error_message
    assert "lost the thread" in caplog.text
    assert not task.input_refused


def photo_of_a_block(width: int, height: int) -> bytes:
    """A JPEG of one side of a lightly shaded block in front of a white backdrop; sizes in pixels."""
    picture = Image.new("RGB", (480, 480), "white")
    side = Image.linear_gradient("L").resize((width, height)).point(lambda tone: 60 + tone // 4)
    picture.paste(side.convert("RGB"), ((480 - width) // 2, (480 - height) // 2))
    into = io.BytesIO()
    picture.save(into, "JPEG", quality=92)
    return into.getvalue()


def test_the_real_carver_makes_a_model_with_the_right_proportions(tmp_path: Path, contract: Contract) -> None:
    engine = create_engine_app(tmp_path / "engine", heavy_lock=tmp_path / "heavy.lock", grid=48)
    transport = httpx.WSGITransport(CheckedApp(engine, contract))
    client = MeshyClient(BASE, "any", transport=transport, sends_angles=True)
    into = io.BytesIO()

    task_id = client.create(
        [(photo_of_a_block(320, 160), "front"), (photo_of_a_block(80, 160), "right")],
        CreateOptions(target_polycount=2000),
    )
    task = until(client, task_id, has_ended)
    assert task.succeeded, task.error_message
    assert task.glb_url is not None
    download_file(
        task.glb_url, into, RAW_MODEL, allowed_origins=[BASE], transport_for=lambda _origin: transport
    )
    engine.stop()

    model = read_json_chunk(into.getvalue())
    low, high = position_bounds(model)
    width, height, depth = (top - bottom for bottom, top in zip(low, high, strict=True))
    assert height / width == pytest.approx(160 / 320, abs=0.05)
    assert depth / width == pytest.approx(80 / 320, abs=0.05)
    assert len(model["images"]) == 1
    assert task.report["triangles"] <= 2000


def read_json_chunk(glb: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<I", glb, 12)
    decoded: dict[str, Any] = json.loads(glb[20 : 20 + length])
    return decoded


def position_bounds(model: dict[str, Any]) -> tuple[list[float], list[float]]:
    [mesh] = model["meshes"]
    [primitive] = mesh["primitives"]
    accessor = model["accessors"][primitive["attributes"]["POSITION"]]
    return accessor["min"], accessor["max"]


def test_the_list_has_pages_in_both_orders(harness: EngineHarness) -> None:
    harness.set_behaviour("wait")
    made = []
    for _ in range(5):
        made.append(harness.create())
        harness.clock.now += 1

    def ids(query: str) -> list[str]:
        return [task["id"] for task in harness.http.get(f"{TASKS}?{query}", headers=KEY).json()]

    assert ids("") == made[::-1]
    assert ids("sort_by=-created_at&page_size=2") == [made[4], made[3]]
    assert ids("sort_by=-created_at&page_size=2&page_num=3") == [made[0]]
    assert ids("sort_by=%2Bcreated_at&page_size=2&page_num=2") == [made[2], made[3]]
    assert ids("page_num=99") == []
    assert sorted(made) == made


@pytest.mark.parametrize(
    "query",
    [
        "page_num=0",
        "page_num=x",
        "page_num=-1",
        "page_size=0",
        "page_size=51",
        "sort_by=+created_at",
        "sort_by=x",
    ],
)
def test_invalid_list_parameters_are_refused(harness: EngineHarness, query: str) -> None:
    assert harness.unchecked.get(f"{TASKS}?{query}").status_code == 400


def test_a_waiting_running_or_ended_task_can_be_deleted(harness: EngineHarness) -> None:
    harness.set_behaviour("wait")
    running, waiting, next_one = harness.create(), harness.create(), harness.create()
    harness.until(running, is_carving)

    harness.client.delete(waiting)
    harness.client.delete(running)
    harness.until(next_one, is_carving)  # the child of the deleted one was stopped and made room
    assert [path.name for path in (harness.folder / "tasks").iterdir()] == [next_one]
    harness.set_behaviour("carve")
    url = harness.until(next_one, has_ended).glb_url
    harness.client.delete(next_one)

    assert harness.client.list() == []
    assert list((harness.folder / "tasks").iterdir()) == []
    for deleted in (waiting, running):
        with pytest.raises(errors.TaskNotFound):
            harness.client.get(deleted)
    with pytest.raises(DownloadGone):
        harness.download(url)
    assert len(harness.starts()) == 2
