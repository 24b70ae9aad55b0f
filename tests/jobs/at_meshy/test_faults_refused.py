"""The product knows no faults: what the tests' engine is told on a port, a normal start does not hear."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.faults.control import ROOT, engine_on_port
from tests.support.site import Site, free_port, running_site

TASKS = "/openapi/v1/multi-image-to-3d"
KEY = {"Authorization": "Bearer any"}
FAULT = {"at": "look", "do": "refuse", "times": 100, "status": 503}
# What somebody might try who has read the tests.
VARIABLES = {name: json.dumps(FAULT) for name in ("FAULTS", "ACR3D_FAULTS", "ACR3D_ENGINE_FAULTS")}
HEADERS = KEY | {name: json.dumps(FAULT) for name in ("Faults", "X-Faults", "X-Acr3d-Faults")}


def test_the_engine_of_the_tests_hears_a_fault(tmp_path: Path) -> None:
    with engine_on_port(tmp_path / "engine") as engine:
        engine.fault(**FAULT)  # type: ignore[arg-type]
        assert httpx.get(f"{engine.base}{TASKS}", headers=KEY).status_code == 503
        engine.heal()
        assert httpx.get(f"{engine.base}{TASKS}", headers=KEY).status_code == 200


def test_the_engine_started_normally_hears_none(tmp_path: Path) -> None:
    with engine_served_normally(tmp_path / "instance") as client:
        check_no_control(client)
        assert (client.get(TASKS).status_code, client.get(TASKS).json()) == (200, [])


def test_the_app_started_normally_hears_none(tmp_path: Path) -> None:
    with (
        running_site(tmp_path / "instance", VARIABLES) as site,
        httpx.Client(base_url=site.url, headers=HEADERS, timeout=10) as client,
    ):
        check_no_control(client)
        assert client.get("/").status_code == 200


def check_no_control(client: httpx.Client) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert client.request(method, "/faults", json=FAULT).status_code == 404


@contextmanager
def engine_served_normally(instance: Path) -> Iterator[httpx.Client]:
    """`flask engine serve`, as anybody starts it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "engine", "serve", "--port", str(port)],
        cwd=ROOT,
        env=Site(instance, VARIABLES).environ,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"listening on" in process.stdout.readline()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=10) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
