"""A restored place never pays for a model twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, Part
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.worker.loop import JobPoller
from tests.support.backups import (
    Elsewhere,
    back_up,
    restore,
)
from tests.support.contract.checker import Contract
from tests.support.contract.server import prepared_server
from tests.support.factories import (
    by_angle,
    make_part_with_photos,
    make_user,
)


def test_what_waited_to_be_sent_is_not_sent_by_a_restored_place(
    make_app: Callable[..., Flask], elsewhere: Elsewhere, target: Path
) -> None:
    with prepared_server(Contract([])) as meshy:
        account = {"meshy_api_key": "msy_test_0123456789", "meshy_api_base": meshy.base}
        app = make_app(**account)
        with app.app_context():
            user = make_user()
            fresh, sent = (start("meshy", sku, user) for sku in ("FRESH-1", "SENT-1"))
            attempt = Attempt(
                job_id=sent,
                account=meshy_account(sent),
                state="unknown",
                params_sha256="0" * 64,
                sent_at=utc_now(),
            )
            with transaction() as session:
                session.add(attempt)
        back_up(app, target)
        other = elsewhere(**account)

        result = restore(other, target)

        with other.app_context():
            JobPoller(other).run_once()
            for job_id in (fresh, sent):
                job = queries.job_by_id(job_id)
                part = db.session.get_one(Part, job.part_id)
                assert job.status == part.model_status == "failed"
                assert "may have been ordered since" in (job.error_message or "")
                assert part.model_generation_error == job.error_message
                assert queries.events_of(job_id)[-1].actor == "restore"
                assert service.retry_pays(job)
            assert queries.attempts_of(sent)[0].state == "refused"
        assert meshy.requests == []
    assert "2 job(s) may have been ordered after this backup" in result.output


def start(engine: str, sku: str, user: Any) -> str:
    part = make_part_with_photos(sku)
    return service.start(part.id, by_angle(part), engine, {}, user).id


def meshy_account(job_id: str) -> str:
    return queries.job_by_id(job_id).account


def test_what_the_engine_has_is_followed_and_the_builtin_engines_work_is_not(
    app: Flask, elsewhere: Elsewhere, target: Path
) -> None:
    with app.app_context():
        user = make_user()
        ours, theirs = start("builtin", "OURS-1", user), start("builtin", "THEIRS-1", user)
        with transaction() as session:
            at_engine = {"status": "processing", "next_step": "poll", "meshy_task_id": "a-task"}
            session.execute(update(Job).values(lease_owner="x", **at_engine))
            session.execute(update(Job).where(Job.id == theirs).values(engine="meshy"))
    back_up(app, target)
    other = elsewhere()

    restore(other, target)

    with other.app_context():
        assert queries.job_by_id(ours).status == "failed"
        assert "it costs nothing" in (queries.job_by_id(ours).error_message or "")
        followed = queries.job_by_id(theirs)
        assert (followed.status, followed.meshy_task_id) == ("processing", "a-task")
        assert followed.lease_owner is None
        [told] = queries.events_of(theirs)
        assert told.actor == "anna@example.com"
