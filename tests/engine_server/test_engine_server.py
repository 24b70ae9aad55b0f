"""The built-in engine as a server: it answers Meshy's contract, and loses no task, whatever happens to it."""

import base64
import contextlib
import gc
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from acr3d.engine_server.app import BODY_LIMIT, EngineApp, create_engine_app
from acr3d.engine_server.tasks import MAX_STARTS, TaskQuota, TaskStore
from acr3d.engines import errors
from acr3d.engines.glb_check import RAW_MODEL
from acr3d.engines.meshy.client import CreateOptions, MeshyClient
from acr3d.engines.remote_task import Task
from acr3d.net.download import DownloadGone, download_file
from tests.support.contract.checker import DESCRIPTIONS, CheckedApp, Contract
from tests.support.engine_child import tiny_glb

BASE = "http://builtin.engine"
TASKS = "/openapi/v1/multi-image-to-3d"
KEY = {"Authorization": "Bearer any"}
FRONT, LEFT = (b"\xff\xd8\xfffront", "front"), (b"\xff\xd8\xffleft", "left")
THREE_DAYS = 3 * 24 * 3600 * 1000
CHILD = "tests.support.engine_child"


class Clock:
    """Milliseconds since 1970, moved by hand."""

    now = 1_793_000_000_000

    def __call__(self) -> int:
        return self.now


class Bench:
    """An engine in a folder of its own, a checking wrapper around it, and a client that speaks with it."""

    def __init__(self, folder: Path, contract: Contract, quota: TaskQuota | None = None) -> None:
        self.folder = folder
        self.clock = Clock()
        self._quota = quota
        self.engine = self.another_engine()
        self.app = CheckedApp(self.engine, contract)
        self.http = httpx.Client(base_url=BASE, transport=httpx.WSGITransport(self.app))
        self.client = MeshyClient(BASE, "any", transport=httpx.WSGITransport(self.app), sends_angles=True)
        # For what no description of the contract speaks of.
        self.unchecked = httpx.Client(base_url=BASE, transport=httpx.WSGITransport(self.engine), headers=KEY)

    def another_engine(self) -> EngineApp:
        lock = self.folder.parent / "heavy.lock"
        return create_engine_app(
            self.folder, heavy_lock=lock, carver=CHILD, quota=self._quota, clock=self.clock
        )

    def tell_child(self, word: str) -> None:
        (self.folder / "behaviour").write_text(word)

    def starts(self) -> list[dict[str, Any]]:
        """The orders of all children that were started."""
        lines = (self.folder / "starts").read_text().splitlines()
        return [json.loads(line.partition(" ")[2]) for line in lines]

    def create(self) -> str:
        return self.client.create([FRONT, LEFT], CreateOptions())

    def until(self, task_id: str, reached: Callable[[Task], bool]) -> Task:
        return until(self.client, task_id, reached)

    def download(self, url: str | None) -> bytes:
        into = io.BytesIO()
        assert url is not None
        transport = httpx.WSGITransport(self.app)
        download_file(url, into, RAW_MODEL, allowed_origins=[BASE], transport_for=lambda _origin: transport)
        return into.getvalue()


def until(client: MeshyClient, task_id: str, reached: Callable[[Task], bool]) -> Task:
    """Ask for the task until it is as wished."""
    ends = time.monotonic() + 150
    while not reached(task := client.get(task_id)):
        assert time.monotonic() < ends, task
        time.sleep(0.02)
    return task


def ended(task: Task) -> bool:
    return task.ended


def is_carving(task: Task) -> bool:
    return task.status == "IN_PROGRESS" and task.progress == 40


@pytest.fixture
def contract() -> Iterator[Contract]:
    """Every answer of the engine must keep every description of the contract that there is."""
    made = Contract(DESCRIPTIONS)
    yield made
    assert made.problems == []


@pytest.fixture
def bench(tmp_path: Path, contract: Contract) -> Iterator[Bench]:
    made = Bench(tmp_path / "engine", contract)
    yield made
    made.engine.stop()


def body(**changes: object) -> dict[str, object]:
    picture = "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8\xffpicture").decode()
    order = {"image_urls": [picture, picture], "target_polycount": 5000} | CreateOptions().body() | changes
    return {name: value for name, value in order.items() if value is not None}


# --- the way of a task ------------------------------------------------------------------------


def test_photos_go_in_and_a_model_comes_out(bench: Bench) -> None:
    task_id = bench.client.create([FRONT, LEFT], CreateOptions(texture_prompt="steel", target_polycount=5000))

    task = bench.until(task_id, ended)

    assert task.status == "SUCCEEDED"
    assert (task.progress, task.consumed_credits, task.texture_prompt) == (100, 0, "steel")
    assert task.report == {"triangles": 12}
    assert task.created_at is not None
    assert task.expires_at is not None
    assert task.finished_at is not None
    assert (task.expires_at - task.finished_at).days == 3
    assert bench.download(task.glb_url) == tiny_glb()
    [order] = bench.starts()
    assert [image["angle"] for image in order["images"]] == ["front", "left"]
    assert (order["target_polycount"], order["should_texture"], order["guesses"]) == (5000, True, True)


def test_a_short_lived_process_can_wait_for_its_engine_to_finish(bench: Bench) -> None:
    made = [bench.create() for _ in range(3)]

    bench.engine.finish()

    assert {bench.client.get(task_id).status for task_id in made} == {"SUCCEEDED"}


def test_the_photos_are_gone_when_the_task_has_ended(bench: Bench) -> None:
    task_id = bench.create()

    bench.until(task_id, ended)
    bench.engine.stop()

    assert [path.name for path in (bench.folder / "tasks" / task_id).iterdir()] == ["model.glb"]


def test_without_angles_the_photos_are_front_right_back_left(bench: Bench) -> None:
    answer = bench.http.post(TASKS, json=body(image_urls=body()["image_urls"] * 2), headers=KEY)  # type: ignore[operator]

    bench.until(answer.json()["result"], ended)

    [order] = bench.starts()
    assert [image["angle"] for image in order["images"]] == ["front", "right", "back", "left"]


def test_progress_and_the_place_in_the_queue_can_be_followed(bench: Bench) -> None:
    bench.tell_child("wait")
    first, second, third = (bench.create() for _ in range(3))

    running = bench.until(first, is_carving)
    waiting = bench.client.get(third)

    assert running.started_at is not None
    assert running.finished_at is None
    assert running.retry_after == 2
    assert (waiting.status, waiting.preceding_tasks, waiting.glb_url) == ("PENDING", 2, None)
    bench.tell_child("carve")
    assert {bench.until(task_id, ended).status for task_id in (first, second, third)} == {"SUCCEEDED"}


def test_photos_that_the_child_refuses_fail_the_task_with_its_sentence(bench: Bench) -> None:
    bench.tell_child("refuse")

    task = bench.until(bench.create(), ended)

    assert (task.status, task.error_type, task.error_code) == ("FAILED", "invalid_input", "no_outline")
    assert task.error_message == "The front photo shows no outline."
    assert task.input_refused
    assert (task.consumed_credits, task.glb_url) == (0, None)


def test_a_child_that_crashes_fails_the_task_as_our_own_fault(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.tell_child("crash")

    task = bench.until(bench.create(), ended)

    assert (task.status, task.error_type) == ("FAILED", "server_error")
    assert "ended unexpectedly" in task.error_message
    assert "lost the thread" in caplog.text
    assert not task.input_refused


def photo_of_a_block(width: int, height: int) -> bytes:
    """A JPEG of one side of a lightly shaded block before a white backdrop; sizes in pixels."""
    picture = Image.new("RGB", (480, 480), "white")
    side = Image.linear_gradient("L").resize((width, height)).point(lambda tone: 60 + tone // 4)
    picture.paste(side.convert("RGB"), ((480 - width) // 2, (480 - height) // 2))
    into = io.BytesIO()
    picture.save(into, "JPEG", quality=92)
    return into.getvalue()


def test_the_real_carving_makes_a_model_with_the_parts_proportions(
    tmp_path: Path, contract: Contract
) -> None:
    engine = create_engine_app(tmp_path / "engine", heavy_lock=tmp_path / "heavy.lock", grid=48)
    transport = httpx.WSGITransport(CheckedApp(engine, contract))
    client = MeshyClient(BASE, "any", transport=transport, sends_angles=True)
    into = io.BytesIO()

    task_id = client.create(
        [(photo_of_a_block(320, 160), "front"), (photo_of_a_block(80, 160), "right")],
        CreateOptions(target_polycount=2000),
    )
    task = until(client, task_id, ended)
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


# --- what is refused --------------------------------------------------------------------------

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
GIF = "data:image/gif;base64," + base64.b64encode(b"GIF89a").decode()
NO_PICTURE = "data:image/png;base64," + base64.b64encode(b"<svg/>").decode()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"image_urls": None}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": []}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": [PNG] * 5}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": PNG}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": [PNG, "https://example.test/a.jpg"]}, r"image_urls\[1\] must be a data URI"),
        ({"image_urls": [5]}, r"image_urls\[0\] must be a data URI"),
        ({"image_urls": [GIF]}, r"image_urls\[0\] must be a data URI"),
        ({"image_urls": [NO_PICTURE]}, r"image_urls\[0\] is not a JPEG or PNG"),
        ({"image_urls": ["data:image/png;base64,%%%"]}, r"image_urls\[0\] is not valid base64"),
        ({"image_angles": ["front"]}, "image_angles must be a list with one angle for each image"),
        ({"image_angles": ["front", "front"]}, "image_angles must be different ones"),
        ({"image_angles": ["front", "inside"]}, "image_angles must be different ones"),
        ({"image_angles": ["front", ["left"]]}, "image_angles must be different ones"),
        ({"input_task_id": "x"}, "input_task_id is not supported"),
        ({"ai_model": "meshy-5"}, "ai_model must be one of"),
        ({"target_polycount": 99}, "target_polycount must be a whole number from 100 to 300000"),
        ({"target_polycount": 300_001}, "target_polycount must be a whole number"),
        ({"target_polycount": "5000"}, "target_polycount must be a whole number"),
        ({"target_polycount": True}, "target_polycount must be a whole number"),
        ({"should_texture": "yes"}, "should_texture must be true or false"),
        ({"should_texture": False}, "enable_pbr is only supported when should_texture is true"),
        ({"texture_prompt": "x" * 801}, "texture_prompt must be text of at most 800"),
        ({"texture_resolution": "16k"}, "texture_resolution must be one of"),
        ({"topology": "hexagon"}, "topology must be one of"),
        ({"target_formats": []}, "target_formats must be a list of"),
        ({"target_formats": ["doc"]}, "target_formats must be a list of"),
        ({"target_formats": [{}]}, "target_formats must be a list of"),
        ({"target_formats": ["obj"]}, "target_formats must contain glb"),
        ({"decimation_mode": 5}, "decimation_mode must be a whole number from 1 to 4"),
        ({"texture_image_urls": [PNG], "texture_prompt": "x"}, "texture_image_urls cannot be sent"),
    ],
)
def test_a_bad_parameter_is_named_in_a_sentence(bench: Bench, changes: dict[str, object], names: str) -> None:
    answer = bench.http.post(TASKS, json=body(**changes), headers=KEY)

    assert answer.status_code == 400
    with pytest.raises(AssertionError, match=names):
        raise AssertionError(answer.json()["message"])
    assert bench.client.list() == []


@pytest.mark.parametrize("content", [b"", b"[]", b"no", b'"text"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(bench: Bench, content: bytes) -> None:
    answer = bench.http.post(TASKS, content=content, headers=KEY | {"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


def test_an_unknown_parameter_is_ignored_as_meshy_does(bench: Bench) -> None:
    assert bench.unchecked.post(TASKS, json=body(colour="red")).status_code == 202


def test_without_a_key_nothing_is_answered(bench: Bench) -> None:
    some_id = bench.create()
    asked = [
        bench.http.post(TASKS, json=body()),
        bench.http.get(TASKS),
        bench.http.get(f"{TASKS}/{some_id}"),
        bench.http.delete(f"{TASKS}/{some_id}"),
        bench.http.get("/openapi/v1/balance"),
        bench.http.get(TASKS, headers={"Authorization": "Bearer "}),
        bench.http.get(TASKS, headers={"Authorization": "Basic abc"}),
    ]

    assert {answer.status_code for answer in asked} == {401}


def test_any_key_will_do_and_nothing_is_charged(bench: Bench) -> None:
    before = bench.client.balance()

    bench.until(bench.create(), ended)

    assert bench.client.balance() == before > 0


def test_what_is_not_there_is_told_apart(bench: Bench) -> None:
    unknown = "01999999-aaaa-7bbb-8ccc-dddddddddddd"

    no_route = bench.unchecked.get("/openapi/v2/x")

    assert (no_route.status_code, no_route.json()) == (404, {"message": "NoMatchingRoute"})
    with pytest.raises(errors.TaskNotFound):
        bench.client.get(unknown)
    with pytest.raises(errors.TaskNotFound):
        bench.client.delete(unknown)
    with pytest.raises(errors.InvalidRequest, match="Invalid ID"):
        bench.client.get("no-uuid")


def test_a_result_opens_with_its_own_address_only(bench: Bench) -> None:
    task = bench.until(bench.create(), ended)
    other = bench.until(bench.create(), ended)
    assert task.glb_url is not None
    assert other.glb_url is not None
    path = task.glb_url.partition("?")[0]

    answers = [
        bench.http.get(path),
        bench.http.get(f"{path}?Signature="),
        bench.http.get(f"{path}?Signature=wrong"),
        bench.http.get(f"{path}?{other.glb_url.partition('?')[2]}"),
        bench.http.get("/results/..%2F..%2Ftasks.sqlite/model.glb?Signature=x"),
    ]

    assert [answer.status_code for answer in answers[:4]] == [403] * 4
    assert answers[4].status_code in (403, 404)


# --- list and delete --------------------------------------------------------------------------


def test_the_list_has_pages_in_both_orders(bench: Bench) -> None:
    bench.tell_child("wait")
    made = []
    for _ in range(5):
        made.append(bench.create())
        bench.clock.now += 1

    def ids(query: str) -> list[str]:
        return [task["id"] for task in bench.http.get(f"{TASKS}?{query}", headers=KEY).json()]

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
def test_a_list_that_cannot_be_meant_is_refused(bench: Bench, query: str) -> None:
    assert bench.unchecked.get(f"{TASKS}?{query}").status_code == 400


def test_a_waiting_or_ended_task_can_be_deleted_and_a_running_one_cannot(bench: Bench) -> None:
    bench.tell_child("wait")
    running, waiting = bench.create(), bench.create()
    bench.until(running, is_carving)

    bench.client.delete(waiting)
    with pytest.raises(errors.WrongState):
        bench.client.delete(running)
    bench.tell_child("carve")
    url = bench.until(running, ended).glb_url
    bench.client.delete(running)

    assert bench.client.list() == []
    assert list((bench.folder / "tasks").iterdir()) == []
    with pytest.raises(errors.TaskNotFound):
        bench.client.get(waiting)
    with pytest.raises(DownloadGone):
        bench.download(url)
    assert len(bench.starts()) == 1


# --- limits -----------------------------------------------------------------------------------


def test_after_three_days_task_and_files_are_gone(bench: Bench) -> None:
    task = bench.until(bench.create(), ended)
    bench.clock.now += THREE_DAYS - 1
    assert bench.client.get(task.id).succeeded

    bench.clock.now += 1

    with pytest.raises(errors.TaskNotFound):
        bench.client.get(task.id)
    assert bench.client.list() == []
    with pytest.raises(DownloadGone):
        bench.download(task.glb_url)
    bench.tell_child("wait")
    newer = bench.create()
    assert [folder.name for folder in (bench.folder / "tasks").iterdir()] == [newer]


def test_only_so_many_tasks_may_wait(tmp_path: Path, contract: Contract) -> None:
    bench = Bench(tmp_path / "engine", contract, TaskQuota(max_waiting=2))
    bench.tell_child("wait")
    first = bench.create()
    bench.until(first, is_carving)
    bench.create()
    bench.create()

    with pytest.raises(errors.QueueFull, match="2 tasks are already waiting"):
        bench.create()

    assert len(list((bench.folder / "tasks").iterdir())) == 3
    bench.engine.stop()


def test_old_results_make_room_and_young_ones_do_not(tmp_path: Path, contract: Contract) -> None:
    photos = len(FRONT[0]) + len(LEFT[0])
    bench = Bench(tmp_path / "engine", contract, TaskQuota(max_disk_bytes=len(tiny_glb()) + photos))
    first = bench.until(bench.create(), ended)
    second = bench.create()
    bench.until(second, ended)

    with pytest.raises(errors.QueueFull, match="disk space"):
        bench.create()
    assert bench.client.get(first.id).succeeded
    bench.clock.now += 3600 * 1000
    third = bench.create()

    with pytest.raises(errors.TaskNotFound):
        bench.client.get(first.id)
    assert not (bench.folder / "tasks" / first.id).exists()
    assert bench.until(third, ended).succeeded
    bench.engine.stop()


def test_a_body_that_is_too_large_is_refused(bench: Bench) -> None:
    answer = bench.unchecked.post(TASKS, content=b" " * (BODY_LIMIT + 1))

    assert answer.status_code == 413
    assert "20 MB" in answer.json()["message"]


def test_photos_that_a_kill_left_behind_are_swept(bench: Bench) -> None:
    task_id = bench.create()
    bench.until(task_id, ended)
    left = bench.folder / "tasks" / task_id / "photo0"
    left.write_bytes(b"x")

    bench.until(bench.create(), ended)

    assert not left.exists()
    assert bench.client.get(task_id).succeeded


def test_leftover_folders_are_swept_and_young_ones_spared(bench: Bench) -> None:
    old, young = bench.folder / "tasks" / "old", bench.folder / "tasks" / "young"
    old.mkdir()
    young.mkdir()
    (old / "photo0").write_bytes(b"x")
    os.utime(old, (time.time() - 7200, time.time() - 7200))

    bench.until(bench.create(), ended)

    assert not old.exists()
    assert young.exists()


def test_the_photos_of_an_order_do_not_stay_in_memory(bench: Bench) -> None:
    bench.engine.stop()
    client = MeshyClient(BASE, "any", transport=httpx.WSGITransport(bench.engine))
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


# --- stopping and dying -----------------------------------------------------------------------


def test_a_stop_hands_the_task_back_and_the_next_engine_finishes_it(bench: Bench) -> None:
    bench.tell_child("wait")
    task_id = bench.create()
    bench.until(task_id, is_carving)

    bench.engine.stop()
    handed_back = TaskStore(bench.folder).get(task_id)
    bench.tell_child("carve")
    bench.app.app = bench.another_engine()
    task = bench.until(task_id, ended)

    assert handed_back is not None
    assert (handed_back.status, handed_back.starts) == ("PENDING", 0)
    assert task.succeeded
    bench.app.app.stop()


def test_a_stopped_engine_starts_nothing_new(bench: Bench) -> None:
    bench.engine.stop()

    task_id = bench.create()

    assert bench.client.get(task_id).status == "PENDING"
    assert not (bench.folder / "starts").exists()


def test_a_task_that_loses_its_worker_again_and_again_is_given_up(bench: Bench) -> None:
    bench.engine.stop()
    task_id = bench.create()
    tasks = TaskStore(bench.folder, clock=bench.clock)
    for _ in range(MAX_STARTS):
        assert tasks.claim() is not None  # and the worker is never heard of again

    bench.app.app = bench.another_engine()
    task = bench.until(task_id, ended)

    assert (task.status, task.error_type) == ("FAILED", "server_error")
    assert "interrupted 10 times" in task.error_message
    bench.app.app.stop()
    assert list((bench.folder / "tasks" / task_id).iterdir()) == []


def test_two_engines_share_the_work_and_start_each_task_once(bench: Bench) -> None:
    bench.tell_child("wait")
    second = bench.another_engine()
    client = MeshyClient(BASE, "any", transport=httpx.WSGITransport(second), sends_angles=True)
    made = [each.create([FRONT], CreateOptions()) for each in (bench.client, client) * 3]

    bench.until(made[0], is_carving)
    bench.tell_child("carve")

    assert {bench.until(task_id, ended).status for task_id in made} == {"SUCCEEDED"}
    rows = [TaskStore(bench.folder, clock=bench.clock).get(task_id) for task_id in made]
    assert [row.starts for row in rows if row] == [1] * 6
    assert len(bench.starts()) == 6
    second.stop()


SERVE = """
import sys
from pathlib import Path
from acr3d.engine_server.app import create_engine_app, serve
folder = Path(sys.argv[1])
serve(create_engine_app(folder, heavy_lock=folder.parent / "heavy.lock", carver=sys.argv[2]), 0)
"""


@contextlib.contextmanager
def served(folder: Path, log: Path) -> Iterator[tuple["subprocess.Popen[str]", MeshyClient]]:
    """The engine as a process of its own on a port; whoever is left at the end is killed."""
    command = [sys.executable, "-c", SERVE, str(folder), CHILD]
    with log.open("a") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    try:
        base = process.stdout.readline().split()[-1]
        with MeshyClient(base, "any", sends_angles=True) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_engine_loses_no_task_and_makes_none_twice(tmp_path: Path) -> None:
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
        ends = [until(client, task_id, ended) for task_id in made]
        listed = [task.id for task in client.list()]
        process.terminate()
        process.wait()

    assert [task.status for task in ends] == ["SUCCEEDED"] * 3
    assert listed == made[::-1]
    starts = [line.split()[0] for line in (folder / "starts").read_text().splitlines()]
    assert [starts.count(task_id) for task_id in made] == [2, 1, 1]
    assert {path.name for task_id in made for path in (folder / "tasks" / task_id).iterdir()} == {"model.glb"}


def test_a_kill_at_any_moment_leaves_a_task_that_ends_well(tmp_path: Path) -> None:
    folder, log = tmp_path / "engine", tmp_path / "log"
    made: list[str] = []

    for moment in (0.0, 0.02, 0.04, 0.08, 0.12, 0.2):
        with served(folder, log) as (process, client):
            made.append(client.create([FRONT], CreateOptions()))
            time.sleep(moment)  # the moment of the kill is what is tried out
            process.send_signal(signal.SIGKILL)
            process.wait()
    with served(folder, log) as (_, client):
        ends = [until(client, task_id, ended) for task_id in made]

    assert [task.status for task in ends] == ["SUCCEEDED"] * len(made)


def test_sigterm_ends_the_engine_cleanly_and_hands_the_task_back(tmp_path: Path) -> None:
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
        task = until(client, client.create([FRONT], CreateOptions()), ended)
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


def test_the_engines_server_stays_light() -> None:
    heavy = "{'numpy', 'scipy', 'skimage', 'PIL', 'flask', 'sqlalchemy'}"
    code = f"import sys, acr3d.engine_server.app; print({heavy} & sys.modules.keys())"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "set()"
