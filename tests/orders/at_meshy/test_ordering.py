"""A job's whole way at Meshy, seen from its two ends: what the account is asked, and what the part shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, CreditEntry, Job, Part, User
from acr3d.db.session import transaction
from acr3d.db.states import AttemptState, Status, VersionState
from acr3d.db.types import utc_now
from acr3d.jobs import queries, review, service
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import delete_photo, images_of
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller
from tests.support.at_meshy import (
    KEY,
    TASK_ID,
    asked,
    created,
    creates,
    file,
    finished,
    let_pass,
    listed,
    missing_for_long,
    step,
    task,
)
from tests.support.contract.server import PreparedServer, answer, cut_off, raw
from tests.support.factories import box_glb, by_angle, make_due, make_part_with_photos


def to_completion(app: Flask, meshy: PreparedServer, job: Job) -> Job:
    meshy.answers += [created(), finished(meshy), finished(meshy), file(box_glb())]
    return step(app, job, 4)


def test_a_job_is_ordered_followed_fetched_made_small_and_published(
    app: Flask, meshy: PreparedServer, part: Part, job: Job
) -> None:
    meshy.answers += [created(), answer(200, task("IN_PROGRESS", progress=40))]
    step(app, job, 2)

    assert (job.status, job.progress, part.model_status) == (Status.PROCESSING, 40, "processing")
    assert part.model_3d_url is None

    meshy.answers += [finished(meshy), finished(meshy), file(box_glb())]
    step(app, job, 3)

    assert (job.status, job.error_message) == (Status.COMPLETE, None)
    assert (part.model_status, part.model_3d_url) == ("complete", job.optimized_model_url)
    assert (job.meshy_credits_used, job.polycount) == (30, 12)
    assert asked(meshy) == ["POST ", *[f"GET /{TASK_ID}"] * 3, "GET /output/model.glb"]
    body = meshy.requests[0].json
    assert len(body["image_urls"]) == 3
    assert (body["texture_prompt"], body["ai_model"]) == ("brushed steel", "meshy-7.1")
    assert "authorization" not in meshy.requests[-1].headers
    with storage().open(job.raw_storage_path or "") as kept:
        assert kept.read() == box_glb()
    told = [event.to_status for event in queries.events_of(job.id)]
    assert told == ["pending", "submitted", "processing", "optimizing", "complete"]
    assert list(storage().incoming.iterdir()) == []


def test_a_second_model_waits_for_a_person_and_the_first_keeps_its_address(
    app: Flask, meshy: PreparedServer, part: Part, job: Job, user: User
) -> None:
    to_completion(app, meshy, job)
    first_url = part.model_3d_url
    second = service.start(part.id, by_angle(part), "meshy", {}, user)
    meshy.answers += [created("second"), answer(200, {"id": "second", "status": "FAILED"})]
    step(app, second, 2)
    assert (second.status, part.model_status, part.model_3d_url) == (Status.FAILED, "failed", first_url)

    third = service.start(part.id, by_angle(part), "meshy", {}, user)
    to_completion(app, meshy, replace_id(third))

    newest, oldest = queries.versions_of(part.id)
    assert (newest.state, oldest.state, part.model_3d_url) == ("draft", "published", first_url)
    review.publish(newest.id, user)
    assert part_by_id(part.id).model_3d_url == third.optimized_model_url != first_url
    assert queries.version_by_id(oldest.id).state == VersionState.SUPERSEDED
    review.publish(oldest.id, user)
    assert part_by_id(part.id).model_3d_url == first_url


def replace_id(job: Job) -> Job:
    """Two tasks of one account never share an id: let the earlier attempt's make room for the usual one."""
    with transaction() as session:
        for table in (Attempt, CreditEntry):
            session.execute(update(table).where(table.task_id == TASK_ID).values(task_id="an-earlier-one"))
    return job


def test_an_order_whose_answer_was_lost_is_found_again_and_not_sent_twice(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [
        cut_off,
        listed("of-another-time", at=datetime(2026, 1, 1, tzinfo=UTC)),
        listed(TASK_ID),
        listed(),
    ]
    step(app, job)
    assert job.status == Status.PENDING
    assert "looked through" in (job.waiting_for or "")

    step(app, job, 2)

    assert (job.status, job.meshy_task_id) == (Status.SUBMITTED, TASK_ID)
    assert creates(meshy) == 1


def test_an_order_that_shows_in_no_list_is_sent_again_only_after_the_wait(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [raw(503, b"<html>bad gateway</html>"), listed(), listed(), created()]
    step(app, job, 2)
    assert (creates(meshy), job.status) == (1, Status.PENDING)

    let_pass(timedelta(seconds=241))
    step(app, job, 2)

    assert (creates(meshy), job.status) == (2, Status.SUBMITTED)
    states = [attempt.state for attempt in queries.attempts_of(job.id)]
    assert states == [AttemptState.ACCEPTED, AttemptState.REFUSED]


def test_two_tasks_that_could_be_the_order_stop_everything_until_a_person_decides(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [cut_off, listed("one", "two"), listed()]
    step(app, job, 2)
    let_pass(timedelta(hours=1))
    meshy.answers += [listed("one", "two", at=utc_now() - timedelta(hours=1)), listed()]
    step(app, job)

    assert (creates(meshy), job.status, job.meshy_task_id) == (1, Status.PENDING, None)
    assert "2 tasks" in (job.waiting_for or "")


def test_while_one_order_is_unsettled_no_other_is_sent_to_the_account(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    other_part = make_part_with_photos("OTHER")
    other = service.start(other_part.id, by_angle(other_part), "meshy", {}, user)
    meshy.answers += [cut_off]
    with transaction() as session:
        session.execute(update(Job).where(Job.id == other.id).values(next_at=utc_now() + timedelta(hours=1)))
    step(app, job)
    with transaction() as session:
        session.execute(update(Job).where(Job.id == job.id).values(next_at=utc_now() + timedelta(hours=1)))

    step(app, other)

    assert creates(meshy) == 1
    assert "another job" in (other.waiting_for or "")


def test_a_bad_request_fails_at_once_with_what_meshy_said(
    app: Flask, meshy: PreparedServer, part: Part, job: Job
) -> None:
    meshy.answers += [answer(400, {"message": "image_urls: unsupported format"})]

    step(app, job)

    assert (job.status, part.model_status) == (Status.FAILED, "failed")
    assert "unsupported format" in (part.model_generation_error or "")


def test_a_failed_task_tells_why_and_trying_again_orders_a_new_one(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    error = {"type": "server_error", "message": "Failed to generate preview images."}
    meshy.answers += [created(), answer(200, task("FAILED", task_error=error, consumed_credits=0))]
    step(app, job, 2)
    assert (job.status, job.meshy_credits_used) == (Status.FAILED, 0)
    assert "preview images. Nothing was charged" in (job.error_message or "")
    with pytest.raises(service.Conflict, match="about 30 credits"):
        service.retry(job.id, user)
    assert job.status == Status.FAILED

    service.retry(job.id, user, pay=True)
    meshy.answers += [created("second")]
    step(app, job)

    assert (job.status, job.error_message, job.meshy_task_id) == (Status.SUBMITTED, None, "second")


def test_a_task_that_is_gone_for_good_fails_the_job(app: Flask, meshy: PreparedServer, job: Job) -> None:
    meshy.answers += [created(), *[answer(404, {"message": "Task not found"})] * 2]

    step(app, job, 2)
    assert (job.status, job.meshy_task_id) == (Status.SUBMITTED, TASK_ID)
    missing_for_long(job)
    step(app, job)

    assert job.status == Status.FAILED
    assert "no longer knows" in (job.error_message or "")
    assert service.retry_pays(job)


def test_meshys_own_trouble_while_waiting_is_not_the_jobs_failure(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [created(), *[raw(502, b"")] * 6, answer(200, task("IN_PROGRESS", progress=99))]

    step(app, job, 8)

    assert (job.status, job.progress, job.retry_count) == (Status.PROCESSING, 99, 0)


def test_a_task_that_never_ends_is_given_up_after_two_hours_and_can_be_looked_at_again(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    stuck = answer(200, task("IN_PROGRESS", progress=99))
    meshy.answers += [created(), stuck, stuck]
    step(app, job, 2)
    with transaction() as session:
        session.execute(update(Job).values(deadline_at=utc_now() - timedelta(seconds=1)))
    step(app, job)
    assert job.status == Status.FAILED
    assert "two hours" in (job.error_message or "")
    assert not service.retry_pays(job)

    service.retry(job.id, user)
    assert (job.deadline_at or utc_now()) > utc_now() + timedelta(hours=1)
    meshy.answers += [finished(meshy), finished(meshy), file(box_glb())]
    step(app, job, 3)

    assert (job.status, creates(meshy)) == (Status.COMPLETE, 1)


def test_a_job_waits_when_the_account_behind_it_changed_and_is_not_ordered_anew(
    app: Flask, meshy: PreparedServer, job: Job, make_app: Callable[..., Flask], config: Settings
) -> None:
    other = make_app(**vars(replace(config, meshy_api_key="msy_another_key", meshy_api_base=meshy.base)))
    make_due(job)
    JobPoller(other).run_once()

    db.session.expire_all()
    assert (job.status, meshy.requests) == (Status.PENDING, [])
    assert "another Meshy account" in (job.waiting_for or "")


def test_photos_changed_after_generate_do_not_change_the_job(
    app: Flask, meshy: PreparedServer, part: Part, job: Job
) -> None:
    for image in images_of(part.id):
        delete_photo(image.id)

    meshy.answers += [created()]
    step(app, job)

    assert len(meshy.requests[0].json["image_urls"]) == 3


def test_one_poisoned_job_does_not_stop_the_others(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    with transaction() as session:
        poisoned = {"selected_image_metadata": [{"nonsense": True}]}
        session.execute(update(Job).where(Job.id == job.id).values(poisoned))
    other_part = make_part_with_photos("OTHER")
    other = service.start(other_part.id, by_angle(other_part), "meshy", {}, user)
    make_due(job)
    meshy.answers += [created()]

    step(app, other)

    assert other.status == Status.SUBMITTED
    assert (job.status, job.retry_count) == (Status.PENDING, 1)
    assert "on our side" in (job.waiting_for or "")


def test_a_double_click_makes_one_job(app: Flask, part: Part, job: Job, user: User) -> None:
    with pytest.raises(service.Conflict, match="already being made"):
        service.start(part.id, by_angle(part), "meshy", {}, user)

    assert len(queries.jobs_of(part.id)) == 1


def test_no_key_and_no_signed_address_is_kept_or_logged(
    app: Flask, meshy: PreparedServer, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    to_completion(app, meshy, job)

    with db.engine.connect() as connection:
        rows = [str(connection.execute(select(table)).all()) for table in Job.metadata.tables.values()]
    for text in (*rows, caplog.text):
        assert KEY not in text
        assert "SECRET" not in text
