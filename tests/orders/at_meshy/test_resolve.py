"""An order that could have made more than one task at Meshy: a person decides, and nothing is paid twice."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, UnmatchedTask, User
from acr3d.db.session import transaction
from acr3d.db.states import AttemptState, NextStep, Status
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.jobs import queries, service
from acr3d.orders import resolve, unmatched_actions
from tests.support.at_meshy import (
    created,
    creates,
    file,
    let_pass,
    listing,
    made,
    order,
    step,
    two_candidates,
)
from tests.support.contract.server import PreparedServer, answer, cut_off
from tests.support.factories import box_glb, by_angle, make_part_with_photos


def end_of_its_time(app: Flask, meshy: PreparedServer, job: Job) -> Job:
    """Later, when no other order's task can be taken for one of the two."""
    let_pass(timedelta(minutes=5))
    with transaction() as session:
        for row in session.scalars(select(UnmatchedTask)):
            row.first_seen_at -= timedelta(minutes=5)
    then = utc_now() - timedelta(minutes=5)
    meshy.answers += listing(made("one", then), made("two", then))
    return step(app, job)


# --- an order that could have made more than one task -------------------------------------------------


def test_the_task_a_person_names_is_the_jobs_and_its_model_is_finished(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    two_candidates(app, meshy, job)
    shown = resolve.ambiguous_order(job.id)
    assert [row.task_id for row in shown.candidates] == ["one", "two"]

    resolve.choose_task(job.id, "two", user)

    assert (job.status, job.meshy_task_id) == (Status.SUBMITTED, "two")
    told = queries.events_of(job.id)[-1]
    assert (told.actor, told.to_status) == (user.email, "submitted")
    assert "two" in (told.detail or "")
    urls = {"glb": f"{meshy.base}/model.glb"}
    finished = answer(200, made("two", model_urls=urls))
    meshy.answers += [finished, finished, file(box_glb())]
    step(app, job, 3)
    assert (job.status, creates(meshy)) == (Status.COMPLETE, 1)
    assert [row.task_id for row in unmatched_actions.current_tasks()] == ["one"]


def test_when_none_is_the_jobs_it_is_ordered_anew_and_they_are_asked_about_no_more(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    two_candidates(app, meshy, job)

    resolve.order_again(job.id, order(job), ["two", "one"], user)
    meshy.answers += [cut_off, *listing(made("one"), made("two"), made("three"))]
    step(app, job, 2)

    assert (job.status, job.meshy_task_id, creates(meshy)) == (Status.SUBMITTED, "three", 2)
    assert unmatched_actions.current_tasks() == []
    states = {attempt.state for attempt in queries.attempts_of(job.id)}
    assert states == {AttemptState.REFUSED, AttemptState.ACCEPTED}


def test_what_was_not_shown_is_not_decided(app: Flask, meshy: PreparedServer, job: Job, user: User) -> None:
    two_candidates(app, meshy, job)

    with pytest.raises(Conflict, match="More tasks could belong"):
        resolve.order_again(job.id, order(job), ["one"], user)
    with pytest.raises(Conflict, match="no longer belong"):
        resolve.choose_task(job.id, "another", user)

    assert (job.status, job.meshy_task_id) == (Status.PENDING, None)


def test_of_two_people_who_decide_one_is_first_and_the_other_is_told(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    two_candidates(app, meshy, job)
    job_id, order_id, ready, said = job.id, order(job), threading.Barrier(4), []

    def decides(task_id: str | None) -> None:
        with app.app_context():
            actor = db.session.scalars(select(User)).one()
            db.session.commit()
            ready.wait(30)
            try:
                if task_id:
                    resolve.choose_task(job_id, task_id, actor)
                else:
                    resolve.order_again(job_id, order_id, ["one", "two"], actor)
                said.append("done")
            except Conflict as conflict:
                said.append(str(conflict))

    people = [threading.Thread(target=decides, args=(choice,)) for choice in ("one", "two", "one", None)]
    for person in people:
        person.start()
    for person in people:
        person.join()

    assert said.count("done") == 1
    assert len([one for one in said if "somebody else has just chosen" in one]) == 3


def test_a_task_that_another_job_took_meanwhile_is_not_taken_twice(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    two_candidates(app, meshy, job)
    other = make_part_with_photos("OTHER")
    with transaction() as session:
        another = Job(**{name: getattr(job, name) for name in _COPIED}, part_id=other.id, status="failed")
        session.add(another)
        session.flush()
        facts = {"account": job.account, "task_id": "one", "state": "accepted", "params_sha256": ""}
        session.add(Attempt(job_id=another.id, **facts))

    with pytest.raises(Conflict, match="no longer belong"):
        resolve.choose_task(job.id, "one", user)
    assert [row.task_id for row in resolve.ambiguous_order(job.id).candidates] == ["two"]


_COPIED = (
    *("selected_image_ids", "selected_image_urls", "selected_image_metadata", "generation_config"),
    *("engine", "engine_base", "account"),
)


def test_other_jobs_wait_only_until_their_tasks_cannot_be_mistaken(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    other_part = make_part_with_photos("OTHER")
    two_candidates(app, meshy, job)
    other = service.start(other_part.id, by_angle(other_part), "meshy", {}, user)
    step(app, other)
    assert (creates(meshy), resolve.ambiguous_order(job.id).others_waiting) == (1, 1)

    not_now(other)
    end_of_its_time(app, meshy, job)
    assert resolve.ambiguous_order(job.id).others_waiting == 0
    db.session.expire_all()
    assert other.next_at <= utc_now()
    meshy.answers += [cut_off, *listing(made("three"), made("one"), made("two"))]
    step(app, other, 2)

    assert (other.status, other.meshy_task_id) == (Status.SUBMITTED, "three")
    assert (job.status, creates(meshy)) == (Status.PENDING, 2)
    before = len(meshy.requests)
    not_now(other)
    step(app, job)
    assert len(meshy.requests) == before  # only a person's word moves it now
    resolve.choose_task(job.id, "one", user)
    assert job.status == Status.SUBMITTED


@pytest.mark.parametrize(("seconds", "is_ours"), [(30, True), (90, False)])
def test_what_was_listed_before_an_order_was_sent_is_not_its_task_but_clocks_may_differ(
    app: Flask, meshy: PreparedServer, job: Job, seconds: int, is_ours: bool
) -> None:
    meshy.answers += listing(made("listed"))
    unmatched_actions.refresh()
    with transaction() as session:
        seen_at = utc_now() - timedelta(seconds=seconds)
        session.execute(update(UnmatchedTask).values(first_seen_at=seen_at))

    meshy.answers += [cut_off, *listing(made("listed"))]
    step(app, job, 2)

    assert job.meshy_task_id == ("listed" if is_ours else None)


def test_what_a_canceled_order_may_have_left_is_an_unmatched_task(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    two_candidates(app, meshy, job)
    service.cancel(job.id, user)
    with pytest.raises(Conflict, match="nothing to choose"):
        resolve.ambiguous_order(job.id)
    let_pass(timedelta(minutes=5))
    meshy.answers += listing(made("one"), made("two"))
    step(app, job, 2)

    assert job.next_step == NextStep.NONE
    assert sorted(row.task_id for row in unmatched_actions.current_tasks()) == ["one", "two"]
    assert {row.maybe_job_id for row in unmatched_actions.current_tasks()} == {job.id}


# --- tasks that name their order -----------------------------------------------------------------------


def not_now(job: Job) -> None:
    with transaction() as session:
        session.execute(update(Job).where(Job.id == job.id).values(next_at=utc_now() + timedelta(hours=1)))


def baggage(meshy: PreparedServer) -> dict[str, str]:
    sent = meshy.requests[0].headers["x-meshy-metadata"]
    return dict(pair.split("=") for pair in sent.split(","))


@pytest.mark.parametrize("as_text", [False, True])
def test_a_task_that_names_the_order_is_its_own_and_needs_no_person(
    app: Flask, meshy: PreparedServer, job: Job, as_text: bool
) -> None:
    meshy.answers += [cut_off]
    step(app, job)
    [attempt] = queries.attempts_of(job.id)
    named = baggage(meshy)
    assert named == {"acr3d-job": job.id, "acr3d-attempt": attempt.id}

    theirs = {"metadata": {"acr3d-attempt": "another"}}
    ours = (
        {"metadata": ", ".join(f"{name}={value};kept" for name, value in named.items())}
        if as_text
        else {"metadata": named}
    )
    meshy.answers += listing(made("unnamed"), made("theirs", **theirs), made("ours", **ours))
    step(app, job)

    assert (job.status, job.meshy_task_id) == (Status.SUBMITTED, "ours")


def test_a_task_that_names_another_order_is_never_taken(app: Flask, meshy: PreparedServer, job: Job) -> None:
    meshy.answers += [cut_off, *listing(made("theirs", metadata={"acr3d-attempt": "another"}))]
    step(app, job, 2)

    assert (job.status, job.meshy_task_id) == (Status.PENDING, None)


def test_an_account_that_refuses_the_metadata_is_ordered_from_without_it_from_then_on(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    meshy.answers += [answer(400, {"message": "X-Meshy-Metadata is malformed"}), created("first")]
    step(app, job)
    assert (job.status, job.meshy_task_id) == (Status.SUBMITTED, "first")
    not_now(job)

    other_part = make_part_with_photos("OTHER")
    other = service.start(other_part.id, by_angle(other_part), "meshy", {}, user)
    meshy.answers += [created("second")]
    step(app, other)

    assert other.meshy_task_id == "second"
    sent = ["x-meshy-metadata" in seen.headers for seen in meshy.requests]
    assert sent == [True, False, False]
