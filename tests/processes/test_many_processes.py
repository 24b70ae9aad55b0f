"""Three machines with pollers on one PostgreSQL: each job is ordered once and finished, and all share it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, ModelVersion, Part
from acr3d.db.session import transaction
from acr3d.db.states import VersionState
from acr3d.jobs import service
from acr3d.parts.photos import add_photos
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from tests.support.factories import by_angle, make_part, make_user, photo
from tests.support.live_meshy import LivelyAccount, lively_account
from tests.support.processes import running
from tests.support.proof import dose

JOBS, MACHINES = dose(50, small=12), 3
ON_POSTGRES = [pytest.param("postgres", marks=pytest.mark.needs("postgres"))]
PATIENCE = 420


@pytest.fixture
def meshy() -> Iterator[LivelyAccount]:
    with lively_account(looks=2) as account:
        yield account


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("config", ON_POSTGRES, indirect=True)
def test_many_jobs_are_shared_and_each_is_ordered_once(
    config: Settings, make_app: Callable[..., Flask], meshy: LivelyAccount, tmp_path: Path
) -> None:
    environ = {
        "MESHY_API_KEY": "msy_test",
        "MESHY_API_BASE": meshy.base,
        "ACR3D_MAX_CONCURRENT_TASKS": "20",
        "ACR3D_AGREEMENT": "0",
        "ACR3D_CUTOUT": "0",
    }
    app = make_app(meshy_api_key="msy_test", meshy_api_base=meshy.base)
    with app.app_context(), contextlib.ExitStack() as machines:
        _ask_for_jobs()
        workers = []
        for number in range(MACHINES):
            instance = tmp_path / f"machine-{number}"
            instance.mkdir()
            host = replace(config, instance=instance)
            workers.append(machines.enter_context(running("worker", host, environ)))

        took_part = _pollers_seen_until_the_end(workers[0].log)

        assert [worker.stop() for worker in workers] == [0] * MACHINES
        assert len(took_part) == MACHINES
        assert meshy.creates == JOBS
        assert _counts(Job.status) == {"complete": JOBS}
        assert _counts(Attempt.state) == {"accepted": JOBS}
        assert _counts(ModelVersion.state) == {VersionState.PUBLISHED: JOBS}
        assert list(storage().incoming.iterdir()) == []


def _ask_for_jobs() -> None:
    user, picture = make_user(), photo()
    for number in range(JOBS):
        part = make_part(f"P-{number}")
        for angle in ("front", "right"):
            add_photos(part.id, [picture], {"angle_label": angle})
        service.start(part.id, by_angle(part), "meshy", {}, user)
    with transaction() as session:
        session.execute(update(Part).values(check_due_at=None))  # looking at their photos takes minutes


def _pollers_seen_until_the_end(log: Path) -> set[str]:
    """Who held a job at some time, until none is live any more."""
    seen: set[str] = set()
    end = time.monotonic() + PATIENCE
    while True:
        with transaction() as session:
            jobs = session.execute(select(Job.status, Job.lease_owner)).all()
        seen |= {owner.partition(":")[0] for _status, owner in jobs if owner}
        if all(status in ("complete", "failed") for status, _owner in jobs):
            return seen
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.05)


def _counts(column: object) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)  # type: ignore[call-overload]
    return {str(word): count for word, count in db.session.execute(query)}
