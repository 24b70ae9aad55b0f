"""Of several pollers on one PostgreSQL, one does the periodic duties; when it ends, another one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from acr3d.worker import listener
from acr3d.worker.loop import JobPoller
from tests.worker.test_pollers import until

pytestmark = [
    pytest.mark.needs("postgres"),
    pytest.mark.parametrize("config", ["postgres"], indirect=True),
]


@pytest.fixture
def start(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., JobPoller]]:
    """Starts a poller, as another process does it."""
    monkeypatch.setattr(listener, "_LEAD_SECONDS", 0.1)
    started: list[JobPoller] = []

    def start(**settings: object) -> JobPoller:
        app = make_app(poll_seconds=3600, **settings)
        poller = app.extensions["acr3d_poller"] = JobPoller(app)
        poller.start()
        started.append(poller)
        return poller

    with make_app().app_context():
        yield start


def has_done_a_duty(poller: JobPoller) -> bool:
    done: list[bool] = []
    poller._run_aside("duty", lambda: done.append(True))
    poller._threads.join()
    return bool(done)


def test_one_poller_does_the_duties_and_another_takes_over(start: Callable[..., JobPoller]) -> None:
    first = start()
    until(lambda: first._listener.leads)
    second = start()
    until(lambda: second._heartbeat.is_written)
    assert (has_done_a_duty(first), has_done_a_duty(second)) == (True, False)

    first.stop()

    until(lambda: second._listener.leads)
    assert has_done_a_duty(second)


def test_a_poller_with_another_account_does_the_duties_for_that_one(start: Callable[..., JobPoller]) -> None:
    first = start()
    other = start(meshy_api_key="msy_test", meshy_api_base="http://127.0.0.1:9")

    until(lambda: first._listener.leads and other._listener.leads)
