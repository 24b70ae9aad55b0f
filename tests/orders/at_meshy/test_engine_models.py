"""The model that orders go to: chosen by an admin, retired by the engine, and never a fault of the photos."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import CreditEntry, Job, User
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.errors import Conflict, InvalidInput
from acr3d.jobs import queries, service
from acr3d.orders import admin_alerts, circuit_breaker, engine_models
from tests.support.at_meshy import created, creates, step
from tests.support.contract.server import PreparedServer, answer
from tests.support.factories import by_angle, make_part_with_photos

RETIRED = (
    "Meshy has retired meshy-7.1, so orders wait. Choose another model in Settings; they then continue by "
    "themselves."
)


def start(user: User, sku: str) -> Job:
    part = make_part_with_photos(sku, ("front", "right"))
    return service.start(part.id, by_angle(part), "meshy", {}, user)


def put_off(job: Job) -> None:
    """Leave the job out of the next pass."""
    with transaction() as session:
        session.execute(update(Job).where(Job.id == job.id).values(next_at=utc_now() + timedelta(hours=1)))
    db.session.expire_all()


def models_ordered(meshy: PreparedServer) -> list[str]:
    return [json.loads(one.body)["ai_model"] for one in meshy.requests if one.method == "POST"]


def test_a_retired_model_stops_no_job_and_another_one_lets_all_continue(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    first, second = start(user, "A"), start(user, "B")
    meshy.answers += [answer(400, {"message": "The model meshy-7.1 was retired on 2026-10-30."})]
    put_off(second)
    step(app, first)
    step(app, second)

    assert creates(meshy) == 1
    assert {(job.status, job.retry_count) for job in (first, second)} == {(Status.PENDING, 0)}
    assert first.waiting_for == RETIRED
    assert RETIRED in admin_alerts.for_admins()

    engine_models.choose("meshy", "meshy-6-lite", "meshy-7.1")
    assert RETIRED not in admin_alerts.for_admins()
    db.session.expire_all()
    assert {(job.estimated_credits, job.waiting_for) for job in (first, second)} == {(15, None)}
    assert {entry.estimated for entry in db.session.query(CreditEntry)} == {15}
    meshy.answers += [created(), created("another")]
    put_off(second)
    step(app, first)
    put_off(first)
    step(app, second)

    assert models_ordered(meshy) == ["meshy-7.1", "meshy-6-lite", "meshy-6-lite"]
    assert {job.status for job in (first, second)} == {Status.SUBMITTED}
    assert spending.counted(db.session()) == 30


def test_what_the_engine_announces_is_told_to_admins_until_it_is_over(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    jobs = [start(user, sku) for sku in "AB"]
    said = {"deprecation": "@1790726400", "link": '<https://docs.example/end>; rel="deprecation"'}
    meshy.answers += [answer(202, {"result": "one"}, said)]
    put_off(jobs[1])
    step(app, jobs[0])

    provider = engines().provider("meshy")
    assert provider is not None
    account = circuit_breaker.account_of(provider.account)
    assert account is not None
    assert account.leaving_since == datetime(2026, 9, 30, tzinfo=UTC)
    assert any("https://docs.example/end" in sentence for sentence in admin_alerts.for_admins())

    meshy.answers += [answer(202, {"result": "two"})]
    put_off(jobs[0])
    step(app, jobs[1])
    assert not any("docs.example" in sentence for sentence in admin_alerts.for_admins())
    assert queries.live_job(db.session(), jobs[0].part_id)


@pytest.mark.parametrize(
    ("name", "seen", "kind"),
    [
        ("meshy-t1", "meshy-7.1", InvalidInput),
        ("meshy-5", "meshy-7.1", InvalidInput),
        ("", "meshy-7.1", InvalidInput),
        ("meshy-6", "meshy-6-lite", Conflict),
    ],
)
def test_a_choice_that_is_not_possible_changes_nothing(
    app: Flask, name: str, seen: str, kind: type[InvalidInput]
) -> None:
    with pytest.raises(kind):
        engine_models.choose("meshy", name, seen)

    assert engine_models.in_use(engines().default()) == "meshy-7.1"
