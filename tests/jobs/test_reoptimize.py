"""Optimizing a kept raw model again: another level, another side up, a draft of its own, nothing to pay."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.extensions import db
from acr3d.db.models import Job, ModelVersion, Part, User
from acr3d.db.session import transaction
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.jobs import queries, reoptimize, review, service
from acr3d.parts.bin import delete_part
from acr3d.parts.parts import part_by_id
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller
from tests.support.accounts import bearer, browser, csrf_header
from tests.support.factories import box_glb, finished_job, make_part, make_user

OPTIMIZE = "/api/admin/jobs/{}/optimize"


def raw_job(part: Part, **facts: Any) -> Job:
    """A finished job with its raw model kept; box_glb() is 1 × 1 × 0.5 m."""
    key = f"parts/{part.id}/raw/kept.glb"
    storage().put(key, box_glb())
    job = finished_job(part.id, raw_storage_path=key, raw_file_size_bytes=len(box_glb()), **facts)
    with transaction() as session:
        session.add(job)
    return job


def finish(app: Flask, job: Job) -> ModelVersion:
    JobPoller(app).run_once()
    db.session.expire_all()
    assert job.status == "complete", job.error_message or job.waiting_for
    return queries.versions_of(job.part_id)[0]


def test_another_level_becomes_a_draft_beside_what_customers_see(in_app: Flask, user: User) -> None:
    part = make_part()
    first = finish(in_app, reoptimize.optimize_again(raw_job(part).id, "web", None, user))
    review.publish(first.id, user)
    shown = part_by_id(part.id).model_3d_url

    job = reoptimize.optimize_again(first.job_id, "light", None, user)
    assert part_by_id(part.id).model_status == "optimizing"
    version = finish(in_app, job)

    assert (version.number, version.state, version.level) == (2, "draft", "light")
    assert version.report["optimizer"]["level"] == "light"
    assert part_by_id(part.id).model_3d_url == shown
    assert part_by_id(part.id).model_status == "complete"
    assert (job.estimated_credits, job.meshy_credits_used, job.meshy_task_id) == (0, None, None)
    assert queries.attempts_of(job.id) == []
    events = [(event.actor, event.to_status) for event in queries.events_of(job.id)]
    assert events == [(user.email, "optimizing"), ("poller", "complete")]


def test_even_the_first_model_waits_for_a_click(in_app: Flask, user: User) -> None:
    part = make_part()

    version = finish(in_app, reoptimize.optimize_again(raw_job(part).id, "full", None, user))

    assert version.state == "draft"
    assert part_by_id(part.id).model_3d_url is None


def test_a_turn_is_that_of_the_raw_model_and_kept_until_another_is_said(in_app: Flask, user: User) -> None:
    part = make_part()

    tipped = finish(in_app, reoptimize.optimize_again(raw_job(part).id, "web", "x90", user))
    kept = finish(in_app, reoptimize.optimize_again(tipped.job_id, "light", None, user))
    undone = finish(in_app, reoptimize.optimize_again(kept.job_id, "light", "", user))

    sizes = [version.report["optimizer"]["size_m"] for version in (tipped, kept, undone)]
    assert sizes[0] == sizes[1] == pytest.approx([1, 0.5, 1], rel=1e-3)
    assert sizes[2] == pytest.approx([1, 1, 0.5], rel=1e-3)


def test_the_file_for_ar_is_stored_beside_the_model(in_app: Flask, user: User) -> None:
    version = finish(in_app, reoptimize.optimize_again(raw_job(make_part()).id, "web", None, user))

    assert version.ar_storage_path
    with storage().open(version.ar_storage_path) as file:
        content = file.read()
    document = json.loads(content[20 : 20 + struct.unpack_from("<I", content, 12)[0]])
    assert len(content) == version.ar_file_size_bytes
    assert "extensionsRequired" not in document


def test_a_retry_goes_on_from_the_same_raw_model(in_app: Flask, user: User) -> None:
    job = raw_job(make_part())
    storage().put(job.raw_storage_path or "", b"not a model")
    failing = reoptimize.optimize_again(job.id, "light", None, user)
    JobPoller(in_app).run_once()
    db.session.expire_all()
    assert failing.status == "failed"
    storage().put(job.raw_storage_path or "", box_glb())

    service.retry(failing.id, user)

    assert finish(in_app, failing).level == "light"


@pytest.mark.parametrize(
    ("level", "turn", "words"), [("huge", None, "level must be"), ("web", "x45", "is no turn")]
)
def test_what_cannot_be_is_refused(in_app: Flask, user: User, level: str, turn: str, words: str) -> None:
    job = raw_job(make_part())

    with pytest.raises(InvalidInput, match=words):
        reoptimize.optimize_again(job.id, level, turn, user)

    assert len(queries.jobs_of(job.part_id)) == 1


def test_only_one_job_of_a_part_runs_and_a_raw_model_must_be_there(in_app: Flask, user: User) -> None:
    job, bare = raw_job(make_part()), finished_job(make_part("BARE").id)
    with transaction() as session:
        session.add(bare)
    reoptimize.optimize_again(job.id, "light", None, user)

    with pytest.raises(Conflict, match="already being made"):
        reoptimize.optimize_again(job.id, "light", None, user)
    with pytest.raises(Conflict, match="no raw model"):
        reoptimize.optimize_again(bare.id, "light", None, user)
    with pytest.raises(Missing):
        reoptimize.optimize_again("6f0ad3c1-0000-4000-8000-000000000000", "light", None, user)
    delete_part(bare.part_id)
    with pytest.raises(Conflict, match="deleted"):
        reoptimize.optimize_again(bare.id, "light", None, user)


def test_the_api_answers_at_once_with_the_new_job(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        job_id = raw_job(make_part()).id
    admin = bearer(app)

    answer = client.post(OPTIMIZE.format(job_id), json={"level": "light", "turn": "y90"}, headers=admin)
    second = client.post(OPTIMIZE.format(job_id), json={"level": "light"}, headers=admin)
    wrong = client.post(OPTIMIZE.format(job_id), json={"turn": "y90"}, headers=admin)

    assert answer.status_code == 202
    made: dict[str, Any] = answer.json or {}
    assert (made["status"], made["optimized_from"], made["estimated_credits"]) == ("optimizing", job_id, 0)
    assert made["generation_config"] == {"level": "light", "turn": "y90"}
    assert (second.status_code, wrong.status_code) == (409, 400)


def test_the_page_offers_it_and_turns_what_is_shown_further(app: Flask) -> None:
    admin = browser(app, "admin")
    with app.app_context():
        part = make_part()
        version = finish(
            app, reoptimize.optimize_again(raw_job(part).id, "web", "x90", make_user("b@example.com"))
        )
        part_id, version_id = part.id, version.id

    page = admin.get(f"/admin/parts/{part_id}").text
    choice = {"level": "light", "turn": "z90"}
    address = f"/admin/versions/{version_id}/optimize"
    answer = admin.post(address, data=choice, headers=csrf_header(admin))

    assert "Optimize again" in page
    assert answer.status_code == 200
    assert "The model is being optimized again." in answer.text
    with app.app_context():
        job = queries.jobs_of(part_id)[0]
        assert job.generation_config == {"level": "light", "turn": "x90,z90"}


def test_those_who_may_only_look_are_not_offered_it(app: Flask) -> None:
    with app.app_context():
        part = make_part()
        version = finish(
            app, reoptimize.optimize_again(raw_job(part).id, "web", None, make_user("b@example.com"))
        )
        part_id, version_id = part.id, version.id
    viewer = browser(app, "viewer")

    page = viewer.get(f"/admin/parts/{part_id}").text
    address = f"/admin/versions/{version_id}/optimize"
    answer = viewer.post(address, data={"level": "light"}, headers=csrf_header(viewer))

    assert "Optimize again" not in page
    assert answer.status_code == 403
