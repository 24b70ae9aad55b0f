"""The test's side of the engine with faults: start it, order faults, ask what it has seen."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from acr3d.engines.meshy.client import MeshyClient
from tests.support.factories import box_glb

ROOT = Path(__file__).parents[3]
KEY = "msy_test_0123456789"
ALWAYS = 1_000_000
_PATIENCE = 60


class EngineOnPort:
    """The engine in a process of its own, at `base`; an app takes it for Meshy when its settings say so."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._http = httpx.Client(base_url=base, timeout=10)
        self._counted_before: Counter[str] = Counter()

    @property
    def environ(self) -> dict[str, str]:
        """What makes an acr3d send its jobs here."""
        return {"MESHY_API_KEY": KEY, "MESHY_API_BASE": self.base}

    def fault(self, at: str, do: str, times: int = 1, **more: object) -> None:
        """Order a fault; engine.py says which there are."""
        self._http.post("/faults", json={"at": at, "do": do, "times": times, **more}).raise_for_status()

    def heal(self) -> None:
        """No more faults; what is held goes on."""
        self._http.delete("/faults").raise_for_status()

    def begin_afresh(self) -> None:
        """As if it had just been started: no faults, no tasks, all counts zero."""
        self.heal()
        with MeshyClient(self.base, KEY) as client:
            while tasks := client.list():
                for task in tasks:
                    client.delete(task.id)
        self._counted_before = self._counts()

    def made(self) -> int:
        """How many tasks the engine has made."""
        return self._counts()["made"] - self._counted_before["made"]

    def asked(self, at: str) -> int:
        """How often it was asked for that."""
        return self._counts()[at] - self._counted_before[at]

    def wait_until_held(self) -> None:
        """Until somebody waits for an answer that is held."""
        end = time.monotonic() + _PATIENCE
        while not self._told()["held"]:
            assert time.monotonic() < end, self._told()
            time.sleep(0.02)

    def close(self) -> None:
        self._http.close()

    def _counts(self) -> Counter[str]:
        told = self._told()
        return Counter({"made": told["made"], **told["asked"]})

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = self._http.get("/faults").raise_for_status().json()
        return told


@contextlib.contextmanager
def engine_on_port(folder: Path) -> Iterator[EngineOnPort]:
    """Runs while the block does; its models are all the same small box."""
    folder.mkdir(parents=True)
    (folder / "model.glb").write_bytes(box_glb())
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.faults", str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    said = process.stdout.readline().decode()
    assert "http://" in said, (folder / "log").read_text()
    engine = EngineOnPort(said.split()[-1])
    try:
        yield engine
    finally:
        engine.close()
        process.kill()
        process.wait()
        process.stdout.close()
