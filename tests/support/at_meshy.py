"""A prepared server as Meshy: what it answers to a job's steps, and what it was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.engines.meshy.provider import MeshyProvider
from acr3d.jobs import queries, service
from acr3d.jobs.lease import LEASE
from acr3d.worker.loop import JobPoller
from tests.support.contract.server import Answer, PreparedServer, answer, cut_off, raw
from tests.support.factories import by_angle, make_due, make_part_with_photos

TASKS = "/openapi/v1/multi-image-to-3d"
TASK_ID = "01999999-aaaa-7bbb-8ccc-dddddddddddd"
KEY = "msy_test_0123456789"


def task(status: str, **more: object) -> dict[str, object]:
    return {"id": TASK_ID, "type": "multi-image-to-3d", "status": status, **more}


def created(task_id: str = TASK_ID) -> Answer:
    return answer(202, {"result": task_id})


def listed(*ids: str, at: datetime | None = None, prompt: str = "") -> Answer:
    made = {"created_at": int((at or datetime.now(UTC)).timestamp() * 1000), "texture_prompt": prompt}
    return answer(200, [{"id": one, "status": "PENDING", **made} for one in ids])


def made(task_id: str, at: datetime | None = None, **more: object) -> dict[str, object]:
    """A finished task as the list tells of it."""
    created_at = int((at or datetime.now(UTC)).timestamp() * 1000)
    facts = {"status": "SUCCEEDED", "progress": 100, "created_at": created_at, "consumed_credits": 30}
    return {"id": task_id, "type": "multi-image-to-3d"} | facts | more


def listing(*tasks: dict[str, object]) -> list[Answer]:
    """The whole list: one page, and the empty one that ends it."""
    return [answer(200, list(tasks)), answer(200, [])]


def finished(meshy: PreparedServer) -> Answer:
    url = f"{meshy.base}/output/model.glb?Signature=SECRET"
    return answer(200, task("SUCCEEDED", progress=100, consumed_credits=30, model_urls={"glb": url}))


def file(data: bytes) -> Answer:
    return raw(200, data, {"content-type": "model/gltf-binary"})


def missing_for_long(job: Job) -> None:
    """Let the engine have said five minutes ago that it does not know the job's task."""
    with transaction() as session:
        since = utc_now() - timedelta(minutes=5)
        session.execute(update(Job).where(Job.id == job.id).values(task_missing_since=since))


def start(sku: str, user: User, engine: str = "meshy") -> Job:
    """A job of a new part, from its front and right photos."""
    part = make_part_with_photos(sku, ("front", "right"))
    return service.start(part.id, by_angle(part), engine, {}, user)


def step(app: Flask, job: Job, times: int = 1) -> Job:
    """Let the poller take the job's next steps, as if their time had come."""
    for _ in range(times):
        make_due(job)
        JobPoller(app).run_once()
    db.session.expire_all()
    return job


def requests_per_second(app: Flask) -> float:
    """How often this process may ask the account."""
    provider = app.extensions["acr3d_engines"].provider("meshy")
    assert isinstance(provider, MeshyProvider)
    return provider.requests_per_second


def asked(meshy: PreparedServer) -> list[str]:
    return [f"{seen.method} {seen.path.removeprefix(TASKS)}" for seen in meshy.requests]


def creates(meshy: PreparedServer) -> int:
    return asked(meshy).count("POST ")


def order(job: Job) -> str:
    """The id of the job's latest order."""
    return queries.attempts_of(job.id)[-1].id


def let_pass(time: timedelta) -> None:
    """Let what was sent have been sent that much earlier."""
    with transaction() as session:
        for attempt in session.scalars(select(Attempt)):
            attempt.sent_at = attempt.sent_at and attempt.sent_at - time
            attempt.unknown_at = attempt.unknown_at and attempt.unknown_at - time


def two_candidates(app: Flask, meshy: PreparedServer, job: Job) -> Job:
    """An order without an answer, and two tasks of its time."""
    a_moment_ago = utc_now() - timedelta(seconds=1)
    meshy.answers += [cut_off, *listing(made("two"), made("one", a_moment_ago))]
    return step(app, job, 2)


def hold_all_but(job: Job) -> None:
    """Let another poller hold all other jobs: an accepted order wakes one that only waits for its time."""
    with transaction() as session:
        held = {"lease_owner": "another", "lease_until": utc_now() + LEASE}
        session.execute(update(Job).where(Job.id != job.id).values(**held))
