"""A result that is a whole GLB but that our optimizer refuses: it is paid for, so it is kept all the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Job, User
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.sandbox import ChildCrashed
from acr3d.storage.blobs import storage
from tests.support.at_meshy import TASK_ID, asked, created, creates, file, finished, missing_for_long, step
from tests.support.contract.server import PreparedServer, answer
from tests.support.factories import box_glb

REFUSED_GLB = box_glb().replace(b'"count": 36', b'"count": 99')


def test_a_refused_result_is_fetched_afresh_when_tried_again(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    step_to_a_refused_result(app, meshy, job)
    assert "kept as it came" in (job.error_message or "")
    assert not service.retry_pays(job)
    assert job in queries.about_to_expire()  # what is kept may not be the model
    before = job.raw_storage_path

    service.retry(job.id, user)
    meshy.answers += [finished(meshy), file(box_glb())]
    step(app, job, 2)

    assert (job.status, creates(meshy)) == (Status.COMPLETE, 1)
    assert kept_bytes(job.raw_storage_path) == box_glb()
    assert kept_bytes(before) == REFUSED_GLB  # never overwritten: another job may be made from it


@pytest.mark.parametrize("is_known", [True, False])
def test_a_refused_result_that_the_engine_keeps_no_more_goes_on_from_the_kept_file(
    app: Flask, meshy: PreparedServer, job: Job, user: User, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    step_to_a_refused_result(app, meshy, job)
    asked_before = asked(meshy)
    expired = utc_now() - timedelta(seconds=1) if is_known else None
    with transaction() as session:
        session.execute(update(Job).values(task_expires_at=expired))
    db.session.expire_all()
    monkeypatch.setattr("acr3d.sandbox.run", optimize_anything)  # a later version of the optimizer

    service.retry(job.id, user)
    if not is_known:
        meshy.answers += [answer(404, {"message": "Task not found"})] * 2
        step(app, job)
        missing_for_long(job)
        step(app, job)
        assert job.status == Status.OPTIMIZING
    step(app, job)

    assert job.status == Status.COMPLETE, job.error_message
    assert creates(meshy) == 1
    assert job.meshy_credits_used == 30
    assert asked(meshy) == asked_before + ([] if is_known else [f"GET /{TASK_ID}"] * 2)


def test_a_refused_result_whose_fresh_download_fails_is_not_lost(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    step_to_a_refused_result(app, meshy, job)
    service.retry(job.id, user)
    meshy.answers += [finished(meshy), file(b"<html>not found</html>")]
    step(app, job)
    assert job.status == Status.FAILED
    assert kept_bytes(job.raw_storage_path) == REFUSED_GLB

    service.retry(job.id, user)

    assert job.status == Status.OPTIMIZING


def step_to_a_refused_result(app: Flask, meshy: PreparedServer, job: Job) -> None:
    meshy.answers += [created(), finished(meshy), finished(meshy), file(REFUSED_GLB)]
    step(app, job, 4)
    assert job.status == Status.FAILED
    with transaction() as session:
        session.execute(update(Job).values(task_expires_at=utc_now() + timedelta(hours=9)))
    db.session.expire_all()


def kept_bytes(key: str | None) -> bytes:
    return storage().path(key or "").read_bytes()


def optimize_anything(module: str, args: list[str], *_limits: object, **_more: object) -> dict[str, object]:
    """Stands in for the child: its model is a small box, whatever it is given."""
    if module != "acr3d.optimize":
        raise ChildCrashed("no poster")
    Path(args[-1]).write_bytes(box_glb())
    return {"triangles": 12}
