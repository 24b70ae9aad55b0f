"""The built-in engine's server for tests: in this process with a checked client, or as its own process."""

import base64
import contextlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from acr3d.engine_server.app import EngineApp
from acr3d.engine_server.tasks import TaskQuota
from acr3d.engines.glb_check import RAW_MODEL
from acr3d.engines.meshy.client import CreateOptions, MeshyClient
from acr3d.engines.remote_task import Task
from acr3d.net.download import download_file
from tests.support.contract.checker import CheckedApp, Contract
from tests.support.stand_in_engine import stand_in_engine

BASE = "http://builtin.engine"
TASKS = "/openapi/v1/multi-image-to-3d"
KEY = {"Authorization": "Bearer any"}
FRONT, LEFT = (b"\xff\xd8\xfffront", "front"), (b"\xff\xd8\xffleft", "left")
THREE_DAYS_MS = 3 * 24 * 3600 * 1000


class Clock:
    """Milliseconds since 1970, advanced by hand."""

    now = 1_793_000_000_000

    def __call__(self) -> int:
        return self.now


class EngineHarness:
    """An engine in its own folder, wrapped so that every answer is checked, and a client for it."""

    def __init__(self, folder: Path, contract: Contract, quota: TaskQuota | None = None) -> None:
        self.folder = folder
        self.clock = Clock()
        self._quota = quota
        self.engine = self.new_engine()
        self.app = CheckedApp(self.engine, contract)
        self.http = httpx.Client(base_url=BASE, transport=httpx.WSGITransport(self.app))
        self.client = MeshyClient(BASE, "any", transport=httpx.WSGITransport(self.app), sends_angles=True)
        # For requests that the contract's descriptions do not cover.
        self.unchecked = httpx.Client(base_url=BASE, transport=httpx.WSGITransport(self.engine), headers=KEY)

    def new_engine(self) -> EngineApp:
        lock = self.folder.parent / "heavy.lock"
        return stand_in_engine(self.folder, lock, quota=self._quota, clock=self.clock)

    def set_behaviour(self, word: str) -> None:
        (self.folder / "behaviour").write_text(word)

    def starts(self) -> list[dict[str, Any]]:
        """The requests of all carvers that were started."""
        lines = (self.folder / "starts").read_text().splitlines()
        return [json.loads(line.partition(" ")[2]) for line in lines]

    def create(self) -> str:
        return self.client.create([FRONT, LEFT], CreateOptions())

    def until(self, task_id: str, reached: Callable[[Task], bool]) -> Task:
        return until(self.client, task_id, reached)

    def error_of(self, task_id: str) -> tuple[str, str | None]:
        """Type and code of a failed task's `task_error`, as the contract names them."""
        error = self.http.get(f"{TASKS}/{task_id}", headers=KEY).json()["task_error"]
        return error["type"], error.get("code")

    def download(self, url: str | None) -> bytes:
        into = io.BytesIO()
        assert url is not None
        transport = httpx.WSGITransport(self.app)
        download_file(url, into, RAW_MODEL, allowed_origins=[BASE], transport_for=lambda _origin: transport)
        return into.getvalue()


def until(client: MeshyClient, task_id: str, reached: Callable[[Task], bool]) -> Task:
    """Poll the task until it has reached a state."""
    ends = time.monotonic() + 150
    while not reached(task := client.get(task_id)):
        assert time.monotonic() < ends, task
        time.sleep(0.02)
    return task


def has_ended(task: Task) -> bool:
    return task.ended


def is_carving(task: Task) -> bool:
    return task.status == "IN_PROGRESS" and task.progress == 40


def request_body(**changes: object) -> dict[str, object]:
    picture = "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8\xffpicture").decode()
    defaults = {"image_urls": [picture, picture], "target_polycount": 5000} | CreateOptions().body()
    return {name: value for name, value in (defaults | changes).items() if value is not None}


@contextlib.contextmanager
def served(folder: Path, log: Path) -> Iterator[tuple["subprocess.Popen[str]", MeshyClient]]:
    """The engine as a separate process on a port; it is killed at the end if it still runs."""
    command = [sys.executable, "-m", "tests.support.stand_in_engine", str(folder)]
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
