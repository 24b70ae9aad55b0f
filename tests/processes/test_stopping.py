"""SIGTERM to real processes in the middle of a job: it is handed back, no try is used up, and the next start
finishes it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from acr3d.db.extensions import db
from acr3d.db.models import Job, Poller
from acr3d.db.states import NextStep
from acr3d.jobs import queries, service
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from tests.support.contract.server import Always, Handler, silent
from tests.support.factories import box_glb, by_angle, make_part_with_photos, make_user
from tests.support.live_meshy import LivelyAccount, lively_account
from tests.support.processes import running

pytestmark = pytest.mark.proof
PATIENCE = 60
# Both kinds of process and both databases, but not each with each: these tests mostly wait.
EACH_KIND = pytest.mark.parametrize(
    ("config", "kind"),
    [("sqlite", "web"), pytest.param("postgres", "worker", marks=pytest.mark.needs("postgres"))],
    indirect=["config"],
)


@pytest.fixture
def meshy() -> Iterator[LivelyAccount]:
    with lively_account() as account:
        yield account


@pytest.fixture
def environ(meshy: LivelyAccount) -> dict[str, str]:
    return {"MESHY_API_KEY": "msy_test", "MESHY_API_BASE": meshy.base}


@pytest.fixture
def job(make_app: Callable[..., Flask], meshy: LivelyAccount) -> Iterator[Job]:
    """A job that nobody works on yet."""
    app = make_app(meshy_api_key="msy_test", meshy_api_base=meshy.base)
    with app.app_context():
        part = make_part_with_photos()
        yield service.start(part.id, by_angle(part), "meshy", {}, make_user())


def until(condition: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, log.read_text()[-3000:]
        db.session.rollback()
        time.sleep(0.005)


def fresh(job: Job) -> Job:
    db.session.rollback()
    db.session.expire_all()
    return queries.job_by_id(job.id)


@EACH_KIND
def test_a_download_that_is_cut_off_by_a_stop_is_handed_back(
    kind: str, config: Settings, environ: dict[str, str], meshy: LivelyAccount, job: Job
) -> None:
    whole, halfway, over = meshy.deliver, threading.Event(), threading.Event()

    def slowly(handler: Handler) -> None:
        handler.send(200, {"content-length": str(len(box_glb()))}, box_glb()[:500])
        halfway.set()
        for byte in box_glb()[500:]:
            if over.wait(0.2):
                break
            handler.wfile.write(bytes([byte]))
        handler.close_connection = True

    meshy.deliver = slowly
    with running(kind, config, environ) as process:
        until(halfway.is_set, process.log)
        assert process.stop() == 0, process.log.read_text()
    over.set()

    _is_handed_back(fresh(job), "processing")
    assert fresh(job).next_step == NextStep.DOWNLOAD
    meshy.deliver = whole
    _is_finished_by_the_next_start(kind, config, environ, meshy, job)


@EACH_KIND
def test_a_child_that_is_cut_off_by_a_stop_ends_and_its_job_is_handed_back(
    kind: str, config: Settings, environ: dict[str, str], meshy: LivelyAccount, job: Job
) -> None:
    with running(kind, config, environ) as process:
        until(lambda: bool(optimizing_children(config)), process.log)
        [child] = optimizing_children(config)
        os.kill(child, signal.SIGSTOP)  # else it might finish first
        assert process.stop() == 0, process.log.read_text()

    assert optimizing_children(config) == []
    _is_handed_back(fresh(job), "optimizing")
    _is_finished_by_the_next_start(kind, config, environ, meshy, job)


@EACH_KIND
def test_neither_a_slow_reader_nor_a_silent_meshy_delays_the_end(
    kind: str, config: Settings, environ: dict[str, str], meshy: LivelyAccount, job: Job
) -> None:
    asked = threading.Event()

    def say_nothing(handler: Handler) -> None:
        asked.set()
        silent(handler)

    meshy.server.answers = Always(say_nothing)
    with running(kind, config, environ) as process, contextlib.ExitStack() as connections:
        until(asked.is_set, process.log)
        if kind == "web":
            half = connections.enter_context(socket.create_connection(("127.0.0.1", process.port)))
            half.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        assert process.stop() == 0, process.log.read_text()

    assert (fresh(job).lease_owner, db.session.query(Poller).count()) == (None, 0)
    meshy.server.over.set()


def optimizing_children(config: Settings) -> list[int]:
    """The children of this instance that make a model small."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            ours = any(word.startswith(os.fsencode(config.instance)) for word in words)
            if ours and b"acr3d.optimize" in words:
                found.append(int(path.parent.name))
    return found


def _is_handed_back(job: Job, status: str) -> None:
    assert (job.status, job.lease_owner, job.lease_until, job.retry_count) == (status, None, None, 0)
    assert job.error_message is None
    assert list(storage().incoming.iterdir()) == []
    assert db.session.query(Poller).count() == 0


def _is_finished_by_the_next_start(
    kind: str, config: Settings, environ: dict[str, str], meshy: LivelyAccount, job: Job
) -> None:
    with running(kind, config, environ) as process:
        until(lambda: not fresh(job).is_live, process.log)
        assert process.stop() == 0
    assert (fresh(job).status, meshy.creates) == ("complete", 1)
