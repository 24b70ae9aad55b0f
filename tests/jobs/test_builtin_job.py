"""The main job without any account: the built-in engine's model, as a customer's browser gets it."""

from __future__ import annotations

import fcntl
import json
import subprocess
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from acr3d import sandbox, settings
from acr3d.accounts import sessions
from acr3d.accounts.tokens import find_token, issue_token, revoke_tokens
from acr3d.accounts.users import choose_language, create_user, disable_user, note_login
from acr3d.db.extensions import db
from acr3d.db.models import Base, Job, Part, PartImage, User
from acr3d.db.types import new_id
from acr3d.engine_server.app import EngineApp
from acr3d.engines.errors import TaskNotFound
from acr3d.jobs import model_files, queries, reoptimize, review, service
from acr3d.parts import categories
from acr3d.parts.bin import delete_part
from acr3d.parts.parts import part_by_id, update_part
from acr3d.parts.photos import add_photos, delete_photo, label_photo
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller
from tests.support.engine_server import until
from tests.support.factories import (
    by_angle,
    make_due,
    make_part,
    make_part_with_photos,
    make_user,
    order_of,
    photo,
)
from tests.support.requirements import NODE_MODULES

PATIENCE = 120

one_database = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


def run_to_the_end(app: Flask, job: Job) -> Job:
    end = time.monotonic() + PATIENCE
    while job.is_live:
        assert time.monotonic() < end, (job.status, job.waiting_for)
        make_due(job)
        JobPoller(app).run_once()
        db.session.expire_all()
    return job


def finished_part(app: Flask, user: User) -> tuple[Part, Job]:
    part = make_part_with_photos(angles=("front", "right", "back"))
    job = run_to_the_end(app, service.start(part.id, by_angle(part), "builtin", {}, user))
    assert job.status == "complete", job.error_message
    return part, job


@one_database
def test_the_engine_is_also_shown_the_other_sides_where_that_is_wanted(in_app: Flask) -> None:
    around = ("front", "right", "back", "left")
    user, part = make_user(), make_part_with_photos(angles=around)
    two = {angle: image for angle, image in by_angle(part).items() if angle in ("front", "right")}

    alone = run_to_the_end(in_app, service.start(part.id, two, "builtin", {}, user))
    whole = run_to_the_end(in_app, service.start(part.id, two, "builtin", {"other_sides": True}, user))

    seen = [{photo["angle"] for photo in (job.generation_report or {})["photos"]} for job in (alone, whole)]
    assert seen == [{"front", "right"}, set(around)]
    assert sorted(whole.selected_image_ids) == sorted(two.values())


@one_database
def test_canceling_a_job_stops_the_engine_that_has_begun(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EngineApp, "finish", lambda _app: None)  # a pass would wait for the model
    part, user = make_part_with_photos(), make_user()
    provider = in_app.extensions["acr3d_engines"].provider("builtin")
    with sandbox.heavy_lock(settings.current().instance).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the engine's child waits for its turn
        job = service.start(part.id, by_angle(part), "builtin", {}, user)
        JobPoller(in_app).run_once()
        db.session.expire_all()
        task_id = job.meshy_task_id or ""
        until(provider, task_id, lambda task: task.status == "IN_PROGRESS")

        service.cancel(job.id, user)
        make_due(job)
        JobPoller(in_app).run_once()

    assert queries.events_of(job.id)[-1].detail == "The engine had already started and was stopped."
    with pytest.raises(TaskNotFound):
        provider.get(task_id)


@one_database
@pytest.mark.needs("node")
def test_the_published_model_is_valid_and_served_as_it_should_be(
    in_app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    part, job = finished_part(in_app, make_user())
    url = part_by_id(part.id).model_3d_url or ""

    with client.get(url) as whole:
        model = whole.data
    with client.get(url, headers={"Range": "bytes=0-3"}) as piece:
        assert (piece.status_code, piece.data) == (206, b"glTF")
    with client.get(url, headers={"If-None-Match": whole.headers["ETag"]}) as again:
        assert again.status_code == 304

    assert (whole.status_code, whole.content_type) == (200, "model/gltf-binary")
    assert "immutable" in whole.headers["Cache-Control"]
    assert len(model) == job.optimized_file_size_bytes
    assert errors_of(model, tmp_path) == []
    assert client.get(job.raw_model_url or "").status_code == 404  # the raw file is no customer's business
    with storage().open(job.raw_storage_path or "") as file:
        assert errors_of(file.read(), tmp_path) == []


def errors_of(model: bytes, folder: Path) -> list[object]:
    """What the Khronos validator holds against the model."""
    path = folder / "model.glb"
    path.write_bytes(model)
    program = (
        f"require({str(NODE_MODULES / 'gltf-validator')!r})"
        ".validateBytes(new Uint8Array(require('fs').readFileSync(process.argv[1])))"
        ".then(found => console.log(JSON.stringify(found.issues)))"
    )
    done = subprocess.run(["node", "-e", program, str(path)], capture_output=True, text=True, check=True)
    issues = json.loads(done.stdout)
    return issues["messages"] if issues["numErrors"] else []


@one_database
def test_the_job_tells_what_the_engine_saw_and_guessed(in_app: Flask) -> None:
    part, job = finished_part(in_app, make_user())

    [version] = queries.versions_of(part.id)
    assert version.report["engine"]["guessed"]
    assert version.report["optimizer"]["triangles"] == job.polycount
    assert (job.meshy_credits_used, job.estimated_credits) == (0, 0)


# Filled when an account refuses, an answer is lost, a step works, photos are checked, and in adopted
# databases: test_pauses, test_jobs, test_ledger, test_unmatched_tasks, test_pollers, test_finding and
# test_migrations see to those, as do the tests of imports and batches.
SHOP_OPTIONS = (
    "photo_background",
    "name",
    "email",
    "phone",
    "whatsapp",
    "accent",
    "logo_file",
    "logo_type",
    "logo_sha256",
    "currency",
    "units",
    "languages",
    "review_before_publish",
    "ask_agreement",
    "monthly_budget",
    "user_monthly_limit",
    "low_balance",
)
ELSEWHERE = {
    ("batch_parts", "job_id"),
    ("bulk_changes", "undone_at"),
    ("captures", "due_at"),
    ("captures", "problem_code"),
    ("captures", "problem_params"),
    ("captures", "problem_text"),
    ("content_stamp", "shows_at"),
    ("engine_accounts", "pause"),
    ("engine_accounts", "paused_at"),
    ("engine_accounts", "balance"),
    ("engine_accounts", "balance_at"),
    ("generation_attempts", "asked_at"),
    ("generation_attempts", "removal_asked_at"),
    ("generation_attempts", "unknown_at"),
    ("import_photos", "angle_label"),
    ("import_photos", "image_id"),
    ("import_rows", "part_id"),
    ("imports", "created_by"),
    ("imports", "due_at"),
    ("imports", "photo_count"),
    ("imports", "photos_path"),
    ("imports", "sha256"),
    ("imports", "storage_path"),
    ("model_generation_jobs", "lease_owner"),
    ("model_generation_jobs", "lease_until"),
    ("model_generation_jobs", "task_missing_since"),
    ("parts", "image_url"),
    *(("clean_photos", name) for name in ("storage_path", "thumbnail_path", "webp_widths", "side_px")),
    ("part_images", "background"),
    ("part_images", "clean_id"),
    ("photo_outlines", "refusal"),
    ("photo_outlines", "storage_path"),
    ("engine_accounts", "leaving_link"),
    ("engine_accounts", "leaving_since"),
    ("engine_accounts", "model"),
    *(("shop_options", name) for name in SHOP_OPTIONS),
    ("stray_tasks", "consumed_credits"),
    ("stray_tasks", "deleting_until"),
    ("stray_tasks", "dismissed_at"),
    ("stray_tasks", "dismissed_by"),
    ("stray_tasks", "expires_at"),
    ("stray_tasks", "made_at"),
    ("stray_tasks", "maybe_job_id"),
    ("users", "link_expires_at"),
    ("users", "link_sha256"),
    ("users", "totp_secret"),
    ("shop_options", "admins_need_code"),
    ("notices", "job_id"),
    ("notices", "number"),
}

VEHICLE = {"make": "VW", "model": "Golf", "year_from": 1997, "year_to": 2003, "engine": "1.9", "note": "disc"}
FACTS = {
    "description": "Words",
    "width_mm": 3,
    "height_mm": 4,
    "depth_mm": 5,
    "weight_g": 850,
    "brand": "Bosch",
    "category": "Brakes/Discs/Front",
    "condition": "new",
    "price": 9.5,
    "currency": "EUR",
    "price_unit": "pair",
    "availability": "in_stock",
    "fitment": [VEHICLE],
}


def test_every_column_is_truly_written(in_app: Flask) -> None:
    user = create_user("anna@example.com", "correct horse battery", "admin")
    part, _job = finished_part(in_app, user)
    categories.create("Brakes/Discs/Front")
    update_part(part.id, FACTS)
    label_photo(order_of(part)[0], {"alt_text": "A block", "caption": "A block"})
    [version] = queries.versions_of(part.id)
    review.publish(version.id, user)
    run_to_the_end(in_app, reoptimize.optimize_again(_job.id, "light", "y90", user))
    review.confirm_size(queries.versions_of(part.id)[0].id, user)  # the sizes in FACTS are not the model's
    delete_part(make_part("GONE").id)
    model_files.catch_up(threading.Event())
    _job_that_fails(in_app, user)
    _job_that_waits(in_app, user)
    find_token(issue_token(user.email)[1])
    revoke_tokens(user.email)
    note_login(user)
    choose_language(user, "de")
    disable_user(create_user("bob@example.com", "correct horse battery", "viewer", one_time=True).email)
    sessions.end(new_id())
    add_photos(part.id, [photo()], {})  # a picture that the part has already
    delete_photo(order_of(part)[2])  # last: the photos that are left wait for their check

    empty = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.nullable and not _is_filled(column)
    }

    assert empty == ELSEWHERE


def _job_that_fails(app: Flask, user: User) -> None:
    part = make_part_with_photos("FAILS")
    job = service.start(part.id, by_angle(part), "builtin", {}, user)
    _break_photos(part)
    assert run_to_the_end(app, job).status == "failed"


def _job_that_waits(app: Flask, user: User) -> None:
    part = make_part_with_photos("WAITS")
    service.start(part.id, by_angle(part), "builtin", {}, user)
    _break_photos(part)
    JobPoller(app).run_once()


def _break_photos(part: Part) -> None:
    for image in db.session.scalars(select(PartImage).where(PartImage.part_id == part.id)):
        storage().delete(image.storage_path or "")


def _is_filled(column: sa.Column[object]) -> bool:
    query = select(sa.func.count()).select_from(column.table).where(column.is_not(None))
    if isinstance(column.type, sa.JSON):
        query = query.where(sa.cast(column, sa.Text) != "null")
    return bool(db.session.scalar(query))
