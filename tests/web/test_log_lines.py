"""`ACR3D_LOG=json`: each line is an object that names the request or the job it is about."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flask import Flask

from acr3d import logs
from acr3d.db.session import transaction
from acr3d.jobs.lease import JobLease
from acr3d.jobs.runner import advance
from acr3d.settings import Settings
from tests.support.factories import finished_job, make_part
from tests.support.site import Site


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    return sqlite_config


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged, as it is read again."""
    found: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(self.format(record)))

    handler = Kept()
    handler.setFormatter(logs.JsonFormatter())
    logger = logging.getLogger("acr3d")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def test_a_line_names_its_request_by_the_proxy_s_id(
    make_app: Callable[..., Flask], lines: list[dict[str, Any]]
) -> None:
    app = make_app(log="json", proxy_count=1)

    for given in ("0af7651916cd43dd8448eb211c80319c", 'a "b"'):
        app.test_client().get("/healthz", headers={"Authorization": "Bearer no", "X-Request-ID": given})
    logging.getLogger("acr3d").warning("after it")

    refused = [line for line in lines if line.get("event") == "security.token_refused"]
    assert [line["level"] for line in refused] == ["warning", "warning"]
    assert refused[0]["request"] == "0af7651916cd43dd8448eb211c80319c"
    assert len(refused[1]["request"]) == 16  # one of our own
    assert "request" not in lines[-1]
    assert lines[-1]["time"].endswith("Z")


def test_a_line_names_its_job_and_keeps_the_traceback(in_app: Flask, lines: list[dict[str, Any]]) -> None:
    part = make_part()
    with transaction() as session:
        job = finished_job(part.id, next_step="optimize", lease_owner="we")
        job.status = "optimizing"
        session.add(job)

    def breaks(_lease: JobLease) -> None:
        raise RuntimeError("ä\nb")

    advance(JobLease(job.id, "we", threading.Event()), breaks)

    [line] = [line for line in lines if line.get("event") == "job.step_failed"]
    assert (line["job"], line["logger"]) == (job.id, "acr3d.jobs")
    assert "RuntimeError: ä\nb" in line["error"]


def test_every_line_of_a_server_is_an_object(config: Settings) -> None:
    site = Site(config.instance, {"ACR3D_LOG": "json", "ACR3D_POLL_SECONDS": "30"})
    site.start()
    try:
        httpx.get(f"{site.url}/healthz", headers={"Authorization": "Bearer no"})
    finally:
        site.stop()

    read = [json.loads(line) for line in site.log.read_text().splitlines()]

    assert any(line["message"].startswith("children.confined") for line in read)
    [refused] = [line for line in read if line.get("event") == "security.token_refused"]
    assert refused["request"]
