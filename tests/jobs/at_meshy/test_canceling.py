"""Canceling a job at Meshy, and tasks that nobody waits for any more."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import update

from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import Job, Part, User
from acr3d.db.session import transaction
from acr3d.db.states import AttemptState, NextStep, Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.messages.message import Message
from acr3d.orders import unmatched_actions
from acr3d.orders.attempts import mark_accepted, mark_unknown
from acr3d.parts.parts import part_by_id
from tests.support.at_meshy import (
    TASK_ID,
    asked,
    created,
    file,
    finished,
    let_pass,
    listed,
    listing,
    made,
    step,
    task,
)
from tests.support.contract.server import PreparedServer, answer, cut_off, raw, raw_json
from tests.support.factories import box_glb, by_angle, make_due


def test_canceling_a_waiting_order_takes_it_back_from_meshy(
    app: Flask, meshy: PreparedServer, part: Part, job: Job, user: User
) -> None:
    meshy.answers += [created(), answer(200, task("PENDING")), raw(200, b"")]
    step(app, job)

    service.cancel(job.id, user)
    assert (job.status, part_by_id(part.id).model_status) == (Status.CANCELED, "none")
    step(app, job)

    assert asked(meshy) == ["POST ", f"GET /{TASK_ID}", f"DELETE /{TASK_ID}"]
    assert "removed. Its credits are given back." in (queries.events_of(job.id)[-1].detail or "")
    assert (job.next_step, job.meshy_credits_used) == (NextStep.NONE, 0)


def test_canceling_a_running_order_says_that_its_credits_are_spent(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    running = answer(200, task("IN_PROGRESS", progress=7))
    meshy.answers += [created(), running, answer(409, {"message": "Task is in progress"})]
    step(app, job)

    service.cancel(job.id, user)
    step(app, job)

    assert "credits are spent" in (queries.events_of(job.id)[-1].detail or "")
    assert job.meshy_credits_used == 30


def test_what_a_canceled_order_cost_is_corrected_when_its_task_ends(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    def ask_again(answered: dict[str, object]) -> int:
        meshy.answers += [answer(200, answered)]
        make_due(job)
        step(app, job)
        return spending.counted(db.session())

    running = task("IN_PROGRESS", progress=7)
    meshy.answers += [created(), answer(200, running)]
    step(app, job)
    service.cancel(job.id, user)
    step(app, job)
    told = len(queries.events_of(job.id))
    assert spending.counted(db.session()) == 30

    assert ask_again(running) == 30
    assert (len(queries.events_of(job.id)), job.next_step) == (told, NextStep.REVOKE)
    assert ask_again(task("FAILED", consumed_credits=0)) == 0

    assert (job.status, job.next_step, job.meshy_credits_used) == (Status.CANCELED, NextStep.NONE, 0)
    assert "task had failed. Nothing was charged for it." in (queries.events_of(job.id)[-1].detail or "")
    assert [one for one in asked(meshy) if "DELETE" in one] == []


def test_a_canceled_order_that_never_ends_is_not_asked_for_beyond_its_results(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    running = answer(200, task("IN_PROGRESS", progress=7))
    meshy.answers += [created(), running, running]
    step(app, job)
    service.cancel(job.id, user)
    step(app, job)
    with transaction() as session:
        long_ago = utc_now() - timedelta(days=4)
        session.execute(update(Job).where(Job.id == job.id).values(completed_at=long_ago, next_at=long_ago))
    step(app, job)

    assert (job.next_step, job.meshy_credits_used) == (NextStep.NONE, 30)


def test_an_order_canceled_while_its_answer_was_lost_is_found_and_taken_back(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    ours = listed(TASK_ID, prompt="brushed steel")
    meshy.answers += [cut_off, ours, listed(), answer(200, task("PENDING")), raw(200, b"")]
    step(app, job)

    service.cancel(job.id, user)
    step(app, job, 2)

    assert asked(meshy) == ["POST ", "GET ", "GET ", f"GET /{TASK_ID}", f"DELETE /{TASK_ID}"]
    assert (job.status, job.next_step) == (Status.CANCELED, NextStep.NONE)


def test_a_canceled_order_leaves_a_task_alone_that_may_be_somebody_elses_and_frees_the_account(
    app: Flask, meshy: PreparedServer, part: Part, job: Job, user: User
) -> None:
    meshy.answers += [cut_off, *[listed("whose"), listed()] * 2]
    step(app, job)
    service.cancel(job.id, user)
    step(app, job)
    # Its own task may still show up: no other job is sent before that is sure.
    assert job.next_step == NextStep.REVOKE
    let_pass(timedelta(minutes=5))
    step(app, job, 2)

    assert job.next_step == NextStep.NONE
    assert any("left alone: task whose" in (event.detail or "") for event in queries.events_of(job.id))
    next_job = service.start(part.id, by_angle(part), "meshy", {}, user)
    meshy.answers += [created()]
    assert step(app, next_job).status == Status.SUBMITTED


def test_an_answer_that_comes_after_the_order_was_given_up_still_takes_its_task_back(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [cut_off, listed()]
    step(app, job)
    [attempt] = queries.attempts_of(job.id)
    service.cancel(job.id, user)
    let_pass(timedelta(minutes=5))
    step(app, job, 2)
    assert job.next_step == NextStep.NONE

    mark_accepted(attempt.id, TASK_ID, Message("order.accepted"))
    meshy.answers += [answer(200, task("PENDING")), raw(200, b"")]
    step(app, job)

    assert asked(meshy)[-1] == f"DELETE /{TASK_ID}"
    assert job.status == Status.CANCELED


def test_a_late_no_answer_does_not_reopen_what_is_settled(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [created()]
    step(app, job)
    [attempt] = queries.attempts_of(job.id)

    mark_unknown(attempt.id, Message("answer.timeout"))

    db.session.expire_all()
    assert attempt.state == AttemptState.ACCEPTED


def test_a_job_does_not_fail_while_its_order_is_unsettled(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [cut_off, *[raw_json(400, {"message": "sort_by is unknown"})] * 6]

    step(app, job, 7)

    assert job.status == Status.PENDING
    assert "sort_by is unknown" in (job.waiting_for or "")


def test_a_finished_model_that_nobody_waits_for_stays_at_meshy_and_can_be_given_to_a_part(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [created(), finished(meshy)]
    step(app, job, 2)
    assert job.next_step == NextStep.DOWNLOAD

    service.cancel(job.id, user)
    meshy.answers += [finished(meshy)]
    step(app, job)

    assert f"DELETE /{TASK_ID}" not in asked(meshy)
    assert (job.status, job.next_step) == (Status.CANCELED, NextStep.NONE)
    assert "had finished" in (queries.events_of(job.id)[-1].detail or "")
    assert job.meshy_credits_used == 30
    meshy.answers += listing(made(TASK_ID))
    [row] = unmatched_actions.refresh()
    given = unmatched_actions.attach(row.id, job.part_id, user)
    assert (given.meshy_task_id, unmatched_actions.current_tasks()) == (TASK_ID, [])
    meshy.answers += [finished(meshy), finished(meshy), file(box_glb())]
    assert step(app, given, 3).status == Status.COMPLETE
    assert spending.counted(db.session()) == 30


def test_a_cleanup_that_is_refused_for_good_ends_with_a_line_in_the_history(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [created(), raw_json(400, {"message": "Invalid ID"})]
    step(app, job)
    service.cancel(job.id, user)

    step(app, job)

    assert (job.status, job.next_step) == (Status.CANCELED, NextStep.NONE)
    assert "Invalid ID" in (queries.events_of(job.id)[-1].detail or "")
