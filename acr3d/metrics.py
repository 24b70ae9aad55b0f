"""What the processes of one instance folder count and time for Prometheus, while `ACR3D_METRICS` is on.

Each process writes to files of its own (prometheus_client's multiprocess mode); `/metrics` of any web process
adds them up. While it is off, nothing is kept and prometheus_client is not loaded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WORK_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)


class Metrics:
    """The counters of this process, in files of `folder` that carry what `process_name` returns."""

    def __init__(self, folder: Path, process_name: Callable[[], str]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram, values

        self.folder = folder
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # where the library looks for it
        self._values = values.ValueClass = values.MultiProcessValue(process_name)
        own = CollectorRegistry()  # the figures come from files; nothing registers here
        self.requests = Histogram(
            "acr3d_http_request_seconds",
            "Time until an answer begins.",
            ("area", "method", "status"),
            buckets=_REQUEST_SECONDS,
            registry=own,
        )
        self.job_steps = Histogram(
            "acr3d_job_step_seconds",
            "Steps of jobs, and whether they ended as they should.",
            ("step", "outcome"),
            buckets=_WORK_SECONDS,
            registry=own,
        )
        self.work = Histogram(
            "acr3d_poller_work_seconds",
            "Other work of the poller, by lane.",
            ("lane",),
            buckets=_WORK_SECONDS,
            registry=own,
        )
        self.engine_answers = Counter(
            "acr3d_engine_answers_total",
            "Answers of engines by HTTP status, and requests without one.",
            ("engine", "method", "answer"),
            registry=own,
        )

    def close(self) -> None:
        """Close the files; what was counted stays."""
        self._values.close_all_files()

    def of_all_processes(self) -> CollectorRegistry:
        """A registry that reads the files of all processes."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self.folder))
        return registry


_kept: Metrics | None = None


def keep_in(metrics: Metrics | None) -> None:
    """Let this process keep its figures there; None: nowhere."""
    global _kept
    if _kept is not None:
        _kept.close()
    _kept = metrics


def http_request(area: str, method: str, status: str, seconds: float) -> None:
    """Count an answer; `status` is its class, like 2xx."""
    if _kept is not None:
        _kept.requests.labels(area, method, status).observe(seconds)


def engine_answer(engine: str, method: str, answer: str) -> None:
    """Count what an engine answered to a request: a status, or why there was none."""
    if _kept is not None:
        _kept.engine_answers.labels(engine, method, answer).inc()


@contextmanager
def job_step(step: str) -> Iterator[None]:
    """Time a job's step, which fails with an exception."""
    started, outcome = time.monotonic(), "error"
    try:
        yield
        outcome = "done"
    finally:
        if _kept is not None:
            _kept.job_steps.labels(step, outcome).observe(time.monotonic() - started)


@contextmanager
def poller_work(lane: str) -> Iterator[None]:
    """Time a piece of the poller's work."""
    started = time.monotonic()
    try:
        yield
    finally:
        if _kept is not None:
            _kept.work.labels(lane).observe(time.monotonic() - started)
