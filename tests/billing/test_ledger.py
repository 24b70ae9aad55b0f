"""Money: what counts, what is given back, what is refused before it is ordered, and what staff are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, CreditEntry, Job, Part, User
from acr3d.db.session import transaction
from acr3d.db.states import NextStep, Status
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.jobs import queries, review, service
from tests.support.accounts import bearer, browser, csrf_header
from tests.support.at_meshy import (
    KEY,
    TASK_ID,
    asked,
    created,
    creates,
    file,
    finished,
    hold_all_but,
    missing_for_long,
    start,
    step,
    task,
)
from tests.support.contract.server import PreparedServer, answer, cut_off
from tests.support.factories import box_glb, by_angle, make_part_with_photos, make_user

FAILED = {"task_error": {"type": "server_error", "message": "It did not work."}, "consumed_credits": 0}
MODERATED = {"task_error": {"code": "moderation_blocked", "message": "Not allowed."}, "consumed_credits": 0}


@pytest.fixture
def make(make_app: Callable[..., Flask], meshy: PreparedServer) -> Callable[..., Flask]:
    """Makes an app with a Meshy account; keyword arguments change its settings."""
    return lambda **changes: make_app(meshy_api_key=KEY, meshy_api_base=meshy.base, **changes)


@pytest.fixture
def app(make: Callable[..., Flask]) -> Iterator[Flask]:
    """One with a budget for two models."""
    app = make(monthly_budget=60)
    with app.app_context():
        yield app


@pytest.fixture
def user(app: Flask) -> User:
    return make_user()


def counted() -> int:
    return spending.counted(db.session())


def test_what_waits_runs_and_is_spent_counts_and_what_is_given_back_does_not(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    first, second = start("ONE", user), start("TWO", user)
    with pytest.raises(Conflict, match="only 0 are left"):
        start("THREE", user)
    assert start("FREE", user, "builtin").status == Status.PENDING

    service.cancel(second.id, user)
    assert (counted(), second.meshy_credits_used) == (30, None)
    assert "Nothing had been sent, so nothing is spent." in (queries.events_of(second.id)[-1].detail or "")

    meshy.answers += [created(), answer(200, task("FAILED", **FAILED))]
    step(app, first)
    assert counted() == 30
    step(app, first)
    assert (counted(), first.meshy_credits_used) == (0, 0)
    assert start("FOUR", user).status == Status.PENDING


def test_what_a_task_truly_took_replaces_the_estimate(app: Flask, meshy: PreparedServer, user: User) -> None:
    job = start("ONE", user)
    meshy.answers += [created(), answer(200, task("SUCCEEDED", progress=100, consumed_credits=35))]
    step(app, job, 2)

    assert (counted(), job.meshy_credits_used, job.estimated_credits) == (35, 35, 30)


def test_a_job_that_paid_twice_says_so(app: Flask, meshy: PreparedServer, user: User) -> None:
    job = start("ONE", user)
    gone = answer(404, {"message": "Task not found"})
    meshy.answers += [created("first"), answer(200, {"id": "first", "status": "IN_PROGRESS"}), gone, gone]
    step(app, job, 3)
    missing_for_long(job)
    step(app, job)
    assert (job.status, job.meshy_credits_used) == (Status.FAILED, 30)

    service.retry(job.id, user, pay=True)
    meshy.answers += [created(), finished(meshy), finished(meshy), file(box_glb())]
    step(app, job, 4)

    assert (job.status, job.meshy_credits_used, counted()) == (Status.COMPLETE, 60, 60)


def test_last_months_credits_are_free_again(app: Flask, user: User) -> None:
    start("ONE", user), start("TWO", user)
    with transaction() as session:
        session.execute(update(CreditEntry).values(day="2026-01-31", task_id=CreditEntry.id))

    assert start("THREE", user).status == Status.PENDING


def test_trying_again_for_money_keeps_to_the_budget(app: Flask, meshy: PreparedServer, user: User) -> None:
    job = start("ONE", user)
    meshy.answers += [created(), answer(200, task("FAILED", **FAILED))]
    step(app, job, 2)
    start("TWO", user), start("THREE", user)

    with pytest.raises(Conflict, match="this month's budget of 60"):
        service.retry(job.id, user, pay=True)

    assert (job.status, creates(meshy)) == (Status.FAILED, 1)


def test_one_persons_limit_is_not_anothers(make: Callable[..., Flask]) -> None:
    with make(user_monthly_limit=30).app_context():
        anna, bob = make_user("anna@example.com"), make_user("bob@example.com")
        start("ONE", anna)
        with pytest.raises(Conflict, match="of your 30 for this month only 0 are left"):
            start("TWO", anna)
        assert start("THREE", bob).status == Status.PENDING


def test_two_admins_at_the_same_moment_do_not_overdraw_the_budget(make: Callable[..., Flask]) -> None:
    app = make(monthly_budget=30)
    with app.app_context():
        people = [make_user(f"{name}@example.com").id for name in ("anna", "bob", "eve")]
        parts = [make_part_with_photos(f"P-{number}", ("front", "right")) for number in range(3)]
        orders = [(part.id, by_angle(part), person) for part, person in zip(parts, people, strict=True)]
    gate = threading.Barrier(3)
    refusals: list[str] = []

    def order(part_id: str, chosen: dict[str, str], user_id: str) -> None:
        with app.app_context():
            person = db.session.get_one(User, user_id)
            gate.wait()
            try:
                service.start(part_id, chosen, "meshy", {}, person)
            except Conflict as refusal:
                refusals.append(str(refusal))

    threads = [threading.Thread(target=order, args=one) for one in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refusals) == 2
    with app.app_context():
        assert (counted(), len(db.session.scalars(select(Job)).all())) == (30, 1)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        pytest.param([answer(400, {"message": "image_urls: unsupported format"})], "unsupported", id="order"),
        pytest.param([created(), answer(200, task("FAILED", **MODERATED))], "change them", id="task"),
    ],
)
def test_what_can_never_succeed_is_not_tried_again(
    app: Flask, meshy: PreparedServer, user: User, answers: list[object], words: str
) -> None:
    job = start("ONE", user)
    meshy.answers += answers  # type: ignore[arg-type]
    step(app, job, len(answers))

    assert words in (job.error_message or "")
    with pytest.raises(Conflict, match="Change them and press Generate"):
        service.retry(job.id, user, pay=True)


def test_a_model_that_is_published_after_a_cancel_shows_as_complete(
    make: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make(review_before_publish=True)
    admin = browser(app)
    with app.app_context():
        user = make_user()
        first = start("ONE", user)
        meshy.answers += [created(), finished(meshy), finished(meshy), file(box_glb())]
        step(app, first, 4)
        part_id = first.part_id
        service.cancel(
            service.start(part_id, by_angle(first_part(part_id)), "meshy", {}, user, again=True).id, user
        )
        assert first_part(part_id).model_status == "none"
        [version] = queries.versions_of(part_id)

        review.publish(version.id, user)

        assert first_part(part_id).model_status == "complete"
    badge = admin.get(f"/admin/parts/{part_id}").text.partition('id="part-badge"')[2].partition("</span>")[0]
    assert "Complete" in badge


def first_part(part_id: str) -> Part:
    return db.session.get_one(Part, part_id)


def test_a_program_agrees_to_the_price_before_anything_is_ordered_again(
    make: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make()
    client, headers = app.test_client(), bearer(app)
    with app.app_context():
        job = start("ONE", make_user())
        meshy.answers += [created(), answer(200, task("FAILED", **FAILED))]
        step(app, job, 2)
        retry = f"/api/admin/jobs/{job.id}/retry"

    refused = client.post(retry, headers=headers)
    assert refused.status_code == 409
    assert "about 30 credits" in refused.json["error"]  # type: ignore[index]
    assert client.post(retry, headers=headers, json={"pay": "yes"}).status_code == 400
    assert client.post(retry, headers=headers, json={"pay": True}).json["status"] == "pending"  # type: ignore[index]


def test_a_person_is_asked_before_it_costs_again_and_told_what_canceling_costs(
    make: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make()
    admin = browser(app)
    with app.app_context():
        job = start("ONE", make_user())
        page, job_id = f"/admin/parts/{job.part_id}", job.id
    assert "Nothing has been sent to Meshy yet, so no credits are spent." in admin.get(page).text
    with app.app_context():
        job = queries.job_by_id(job_id)
        meshy.answers += [created(), answer(200, task("FAILED", **FAILED))]
        step(app, job)
        assert "If Meshy has not started yet, its credits (about 30) are refunded" in admin.get(page).text
        step(app, job)

    assert "Order a new model for about 30 credits?" in admin.get(page).text
    header = csrf_header(admin) | {"HX-Request": "true"}
    assert "Nothing was ordered" in admin.post(f"/admin/jobs/{job_id}/retry", headers=header).text
    admin.post(f"/admin/jobs/{job_id}/retry", headers=header, data={"pay": "yes"})
    with app.app_context():
        assert queries.job_by_id(job_id).status == Status.PENDING


def test_every_job_of_a_part_shows_its_history(app: Flask, meshy: PreparedServer, user: User) -> None:
    job = start("ONE", user)
    meshy.answers += [created(), answer(200, task("FAILED", **FAILED))]
    step(app, job, 2)
    service.start(job.part_id, by_angle(db.session.get_one(Part, job.part_id)), "meshy", {}, user)

    page = browser(app).get(f"/admin/parts/{job.part_id}").text
    history = page.partition('id="history"')[2].partition("</section>")[0]
    newest, _heading, earlier = history.partition("Earlier jobs")
    assert "Requested with 2 photos." in newest
    assert "It did not work. Nothing was charged for it." in earlier
    assert "was Sent to the engine" in earlier
    assert user.email in earlier


def test_a_canceled_task_that_is_gone_counts_as_spent(app: Flask, meshy: PreparedServer, user: User) -> None:
    job = start("ONE", user)
    meshy.answers += [created(), answer(404, {"message": "Task not found"})]
    step(app, job)
    service.cancel(job.id, user)
    step(app, job)

    assert (job.meshy_credits_used, counted()) == (30, 30)


def test_a_removal_whose_answer_was_lost_gave_its_credits_back(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    job = start("ONE", user)
    step_to_a_lost_removal(app, meshy, job, user)

    meshy.answers += [answer(404, {"message": "Task not found"})]
    step(app, job)

    assert (job.next_step, job.meshy_credits_used, counted()) == (NextStep.NONE, 0, 0)
    assert "given back" in (queries.events_of(job.id)[-1].detail or "")


def test_a_removal_that_came_too_late_and_a_task_that_then_ran_out_count_as_spent(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    begun = start("ONE", user)
    step_to_a_lost_removal(app, meshy, begun, user)
    meshy.answers += [answer(200, task("IN_PROGRESS", progress=5))]
    step(app, begun)

    expired = start("TWO", user)
    step_to_a_lost_removal(app, meshy, expired, user, "second")
    with transaction() as session:
        session.execute(update(Attempt).values(removal_asked_at=utc_now() - timedelta(days=4)))
    meshy.answers += [answer(404, {"message": "Task not found"})]
    step(app, expired)

    assert [one.meshy_credits_used for one in (begun, expired)] == [30, 30]


def step_to_a_lost_removal(
    app: Flask, meshy: PreparedServer, job: Job, user: User, task_id: str = TASK_ID
) -> None:
    """The job is ordered and canceled while it waits; Meshy is asked to delete its task, and falls silent."""
    waiting = answer(200, task("PENDING") | {"id": task_id})
    meshy.answers += [created(task_id), waiting, cut_off]
    step(app, job)
    service.cancel(job.id, user)
    step(app, job)
    assert (asked(meshy)[-1], job.next_step) == (f"DELETE /{task_id}", NextStep.REVOKE)


def test_an_earlier_version_s_jobs_are_in_the_ledger(app: Flask, meshy: PreparedServer, user: User) -> None:
    waiting, done = start("WAITS", user), start("DONE", user)
    hold_all_but(done)
    meshy.answers += [created(), answer(200, task("SUCCEEDED", progress=100, consumed_credits=35))]
    step(app, done, 2)
    ids, before = {waiting.id, done.id}, entries()

    db.session.remove()
    flask_migrate.downgrade(revision="posters")
    flask_migrate.upgrade()

    assert entries() == before
    assert counted() == 65
    assert {one[0] for one in before} == ids


def entries() -> set[tuple[object, ...]]:
    rows = db.session.scalars(select(CreditEntry)).all()
    found = {(row.job_id, row.user_id, row.account, row.task_id, row.spent, row.estimated) for row in rows}
    db.session.remove()
    return found


def test_no_entry_is_without_its_task_once_it_was_ordered(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    job = start("ONE", user)
    meshy.answers += [created()]
    step(app, job)

    [entry] = db.session.scalars(select(CreditEntry))
    assert (entry.task_id, entry.spent, entry.user_id) == (TASK_ID, None, user.id)
