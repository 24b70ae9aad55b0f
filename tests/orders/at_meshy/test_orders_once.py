"""Orders in rare interleavings: late answers, changed keys, people in a hurry. Nothing is paid twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, Part, UnmatchedTask, User
from acr3d.db.session import transaction
from acr3d.db.states import AttemptState, NextStep, Status
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.jobs import queries, service, webhook_hints
from acr3d.messages.message import Message
from acr3d.orders import admission, resolve, unmatched, unmatched_actions
from acr3d.orders.attempts import mark_accepted
from acr3d.worker.loop import JobPoller
from tests.support.at_meshy import (
    TASK_ID,
    asked,
    created,
    creates,
    finished,
    listed,
    listing,
    made,
    order,
    step,
)
from tests.support.contract.server import Handler, PreparedServer, answer, cut_off, raw
from tests.support.factories import by_angle, make_due, make_part_with_photos


def earlier(**seconds: int) -> None:
    """Let the order without an answer have been sent, and given up, so many seconds ago."""
    with transaction() as session:
        moments = {name: utc_now() - timedelta(seconds=ago) for name, ago in seconds.items()}
        session.execute(update(Attempt).where(Attempt.state == AttemptState.UNKNOWN).values(moments))


# --- people who decide ---------------------------------------------------------------------------------


def test_while_the_list_is_looked_through_nobody_can_order_anew(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [cut_off]
    step(app, job)

    with pytest.raises(Conflict, match="nothing to choose"):
        resolve.order_again(job.id, order(job), [], user)


def test_a_page_that_shows_an_earlier_order_orders_nothing(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [cut_off, *listing(made("one"), made("two"))]
    step(app, job, 2)
    shown = order(job)
    resolve.order_again(job.id, shown, ["one", "two"], user)
    meshy.answers += [cut_off, *listing(made("one"), made("two"), made("three"), made("four"))]
    step(app, job, 2)

    with pytest.raises(Conflict, match="nothing to choose"):
        resolve.order_again(job.id, shown, ["one", "two", "three", "four"], user)

    assert creates(meshy) == 2


def test_a_job_that_waits_for_a_person_is_shown_also_when_its_tasks_are_gone(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [cut_off, *listing(made("one"), made("two"))]
    step(app, job, 2)
    earlier(sent_at=600, unknown_at=600)
    meshy.answers += listing(made("one"), made("two"))
    step(app, job)
    with transaction() as session:
        session.execute(update(UnmatchedTask).values(maybe_job_id=None))
    meshy.answers += [answer(200, [])]
    unmatched_actions.scan_accounts()

    assert unmatched.jobs_to_resolve() == [job.id]
    resolve.order_again(job.id, order(job), [], user)
    meshy.answers += [created("anew")]
    assert step(app, job).meshy_task_id == "anew"


# --- orders whose task comes late ----------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0, 130])
def test_a_task_that_was_made_long_after_the_crash_is_found_also_by_a_clock_that_is_ahead(
    app: Flask, meshy: PreparedServer, job: Job, ahead: int
) -> None:
    meshy.answers += [cut_off]
    step(app, job)
    earlier(sent_at=101, unknown_at=100)

    made_at = utc_now() + timedelta(seconds=ahead - 10)
    meshy.answers += listing(made("ours", made_at, status="IN_PROGRESS"))
    step(app, job)

    assert (job.meshy_task_id, creates(meshy)) == ("ours", 1)


def test_a_task_is_found_also_by_a_clock_that_is_behind(app: Flask, meshy: PreparedServer, job: Job) -> None:
    meshy.answers += [cut_off]
    step(app, job)

    meshy.answers += listing(made("ours", utc_now() - timedelta(seconds=200), status="IN_PROGRESS"))
    step(app, job)

    assert (job.meshy_task_id, creates(meshy)) == ("ours", 1)


def test_a_job_canceled_while_its_order_is_on_the_way_leaves_its_task_to_nobody_else(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    is_held, go_on = threading.Event(), threading.Event()

    def hold_and_cut_off(handler: Handler) -> None:
        is_held.set()
        go_on.wait(30)
        cut_off(handler)

    other_part = make_part_with_photos("OTHER")
    meshy.answers += [hold_and_cut_off]
    make_due(job)
    ordering = threading.Thread(target=JobPoller(app).run_once)
    ordering.start()
    assert is_held.wait(30)
    service.cancel(job.id, user)
    meshy.answers += [listed()]  # Meshy does not list it yet
    step(app, job)
    other = service.start(other_part.id, by_angle(other_part), "meshy", {}, user)
    step(app, other)
    go_on.set()
    ordering.join()

    assert (job.next_step, creates(meshy), other.status) == (NextStep.REVOKE, 1, Status.PENDING)
    named = {"metadata": {"acr3d-attempt": order(job)}}
    meshy.answers += [
        *listing(made("ours", status="PENDING", **named)),
        answer(200, made("ours", status="PENDING")),
        raw(200, b""),
    ]
    step(app, job, 2)
    assert asked(meshy)[-1] == "DELETE /ours"
    assert spending.counted(db.session()) == other.estimated_credits


def test_a_second_task_that_nobody_follows_is_an_unmatched_task(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [cut_off, listed()]
    step(app, job, 2)
    first = order(job)
    earlier(sent_at=600, unknown_at=600)
    meshy.answers += [listed(), created("second")]
    step(app, job, 2)
    mark_accepted(first, "first", Message("order.accepted"))

    meshy.answers += listing(made("first"), made("second"))

    assert [row.task_id for row in unmatched_actions.refresh()] == ["first"]


# --- keys that change -----------------------------------------------------------------------------------


def test_after_a_change_of_key_the_tasks_of_our_jobs_are_not_unmatched(
    app: Flask, make_app: Callable[..., Flask], meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [created("ours")]
    step(app, job)
    changed = make_app(meshy_api_key="msy_changed", meshy_api_base=meshy.base)

    with changed.app_context():
        meshy.answers += listing(made("ours"))
        assert unmatched_actions.refresh() == []


def test_what_was_ordered_with_another_key_is_not_asked_of_this_one_nor_counted_again(
    app: Flask, make_app: Callable[..., Flask], meshy: PreparedServer, job: Job, user: User
) -> None:
    failed = {"id": TASK_ID, "status": "FAILED", "consumed_credits": 0}
    meshy.answers += [created(), answer(200, failed)]
    step(app, job, 2)
    changed = make_app(meshy_api_key="msy_changed", meshy_api_base=meshy.base)

    with changed.app_context():
        service.retry(job.id, user, pay=True)
        service.cancel(job.id, user)
        again = step(changed, queries.job_by_id(job.id))

        assert (again.next_step, again.meshy_credits_used) == (NextStep.NONE, 0)
        assert spending.counted(db.session()) == 0


def test_a_canceled_job_of_an_account_that_is_gone_ends_when_its_results_must_be_gone_too(
    app: Flask, make_app: Callable[..., Flask], meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [created()]
    step(app, job)
    service.cancel(job.id, user)
    changed = make_app(meshy_api_key="msy_changed", meshy_api_base=meshy.base)

    with changed.app_context():
        again = step(changed, queries.job_by_id(job.id))
        assert again.next_step == NextStep.REVOKE
        with transaction() as session:
            session.execute(update(Job).values(completed_at=utc_now() - timedelta(days=4)))
        again = step(changed, queries.job_by_id(job.id))
        assert again.next_step == NextStep.NONE
        assert "left alone" in (queries.events_of(job.id)[-1].detail or "")


# --- unmatched tasks that are given to a part --------------------------------------------


def test_canceling_the_job_of_an_attached_task_deletes_nothing_and_gives_it_free_again(
    app: Flask, meshy: PreparedServer, part: Part, user: User
) -> None:
    meshy.answers += listing(made("lost"))
    [row] = unmatched_actions.refresh()
    job = unmatched_actions.attach(row.id, part.id, user)
    service.cancel(job.id, user)
    meshy.answers += [answer(200, made("lost"))]
    step(app, job)

    assert "DELETE /lost" not in asked(meshy)
    meshy.answers += listing(made("lost"))
    assert [row.task_id for row in unmatched_actions.refresh()] == ["lost"]


# --- waiting and trying --------------------------------------------------------------------------------


def test_hints_use_up_no_tries(app: Flask, meshy: PreparedServer, job: Job) -> None:
    meshy.answers += [created(), finished(meshy), finished(meshy), cut_off]
    step(app, job, 3)
    assert job.retry_count == 1

    for _hint in range(5):
        webhook_hints.poll_soon({TASK_ID})
        JobPoller(app).run_once()

    db.session.expire_all()
    assert (job.status, job.retry_count) == (Status.PROCESSING, 1)


def test_the_turn_of_one_that_waits_after_our_own_failure_is_the_next_ones(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    other_part = make_part_with_photos("OTHER")
    other = service.start(other_part.id, by_angle(other_part), "meshy", {}, user)
    later = utc_now() + timedelta(hours=1)
    with transaction() as session:
        session.execute(update(Job).values(next_at=later))
        session.execute(update(Job).where(Job.id == job.id).values(retry_count=1))

    with transaction() as session:
        admission.wake_next(session, job.account)

    assert job.next_at == later
    assert other.next_at <= utc_now()


def test_a_paid_result_is_fetched_as_long_as_it_is_kept(app: Flask, meshy: PreparedServer, job: Job) -> None:
    kept_until = int((utc_now() + timedelta(days=2)).timestamp() * 1000)
    done = made(TASK_ID, expires_at=kept_until, model_urls={"glb": f"{meshy.base}/model.glb"})
    meshy.answers += [created(), answer(200, done), *[answer(200, done), cut_off] * 7]
    step(app, job, 9)

    assert (job.status, job.next_step, job.retry_count) == (Status.PROCESSING, NextStep.DOWNLOAD, 7)
    assert job.next_at < utc_now() + timedelta(minutes=25)


def test_words_of_our_own_failure_hold_no_secrets_while_an_order_is_open(
    app: Flask,
    meshy: PreparedServer,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    meshy.answers += [cut_off]
    step(app, job)

    def broken(*_anything: object) -> None:
        raise KeyError("postgresql://somebody:secret@db")

    monkeypatch.setattr("acr3d.orders.reconcile._candidates", broken)
    step(app, job)

    assert (job.status, job.waiting_for) == (
        Status.PENDING,
        "Something went wrong on our side; see the server log.",
    )
    assert "job.step_failed" in caplog.text
