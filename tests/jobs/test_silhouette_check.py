"""What a job does with the agreement of its model and its photos, and what the staff read of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from acr3d import sandbox
from acr3d.db.extensions import db
from acr3d.db.models import Job, ModelVersion, Part
from acr3d.db.session import transaction
from acr3d.jobs import silhouette_check
from acr3d.jobs.queries import events_of, versions_of
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from acr3d.web import labels
from acr3d.worker.loop import JobPoller
from tests.support.factories import finished_job, make_part
from tests.support.lens_photos import make_model, make_other, photograph
from tests.web.public.test_true_size import one_database

TURNED = [0.0, 0.5**0.5, 0.0, 0.5**0.5]  # y90


@dataclass(frozen=True)
class Shoot:
    """A part and photos of it, stored; `folder` has room for models."""

    part: Part
    folder: Path
    photos: list[dict[str, Any]]


@pytest.fixture
def config(config: Settings) -> Settings:
    return replace(config, agreement=True)


def photographed(folder: Path) -> Shoot:
    part, kept = make_part(), []
    for side, path in photograph(make_model(folder), folder, ("front", "right", "top")).items():
        key = f"parts/{part.id}/photos/{side}.jpg"
        storage().put(key, path.read_bytes())
        kept.append({"id": side, "url": "", "angle": side, "storage_path": key})
    return Shoot(part, folder, kept)


def finish(
    app: Flask, shoot: Shoot, model: Path, engine: str, config: dict[str, Any] | None = None
) -> tuple[Job, ModelVersion]:
    """Let a job that has just fetched this raw model take its last step."""
    key = f"parts/{shoot.part.id}/raw/fetched.glb"
    storage().put(key, model.read_bytes())
    ids = [photo["id"] for photo in shoot.photos]
    facts = {"selected_image_ids": ids, "selected_image_metadata": shoot.photos, "raw_storage_path": key}
    job = finished_job(shoot.part.id, **facts)
    job.generation_config = config or {}
    job.status, job.engine = "optimizing", engine
    with transaction() as session:
        session.add(job)
    JobPoller(app).run_once()
    db.session.expire_all()
    return job, versions_of(shoot.part.id)[0]


@one_database
def test_a_generated_model_is_turned_to_the_front_that_its_photos_show(in_app: Flask, tmp_path: Path) -> None:
    shoot = photographed(tmp_path)

    _job, version = finish(in_app, shoot, make_model(tmp_path, "turned.glb", TURNED), "meshy")

    assert (version.report["agreement"]["turn"], version.report["agreement"]["is_sure"]) == ("y270", True)
    assert version.report["optimizer"]["placed"]["turned"] == "y270"
    assert version.report["agreement"]["all"] > 0.95
    assert version.state == "published"


@one_database
def test_a_model_that_agrees_too_little_waits_for_a_person(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(agreement=True)
    with app.app_context():
        shoot = photographed(tmp_path)
        job, version = finish(app, shoot, make_other(tmp_path), "builtin")
        share = round(100 * version.report["agreement"]["all"])
        last = events_of(job.id)[-1].detail or ""

        assert share < 60
        assert (job.status, version.state) == ("complete", "draft")
        assert f"agrees only {share} %" in last


@pytest.mark.parametrize(("asked", "state"), [(101, "draft"), (0, "published")])
@one_database
def test_a_job_may_ask_for_more_or_less_agreement_than_the_host(
    make_app: Callable[..., Flask], tmp_path: Path, asked: int, state: str
) -> None:
    app = make_app(least_agreement=80)
    with app.app_context():
        shoot = photographed(tmp_path)
        model = make_model(tmp_path) if asked else make_other(tmp_path)

        _job, version = finish(app, shoot, model, "builtin", {"least_agreement": asked})

        assert version.state == state


@pytest.mark.parametrize(("engine", "state"), [("meshy", "draft"), ("builtin", "published")])
@one_database
def test_a_generated_model_whose_front_is_not_sure_waits_for_a_person(
    in_app: Flask, tmp_path: Path, engine: str, state: str
) -> None:
    shoot = photographed(tmp_path)

    job, version = finish(in_app, shoot, make_other(tmp_path), engine, {"least_agreement": 0})

    last = events_of(job.id)[-1].detail or ""
    assert (job.status, version.state) == ("complete", state)
    assert ("which side is its front" in last) is (engine == "meshy")


@one_database
def test_a_setting_leaves_the_comparison_out(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(agreement=False)
    with app.app_context():
        _job, version = finish(app, photographed(tmp_path), make_model(tmp_path), "builtin")

        assert (version.state, version.report["agreement"]) == ("published", None)


@one_database
def test_no_job_fails_because_nothing_could_be_compared(
    in_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silhouette_check, "LIMITS", sandbox.Limits(memory_mb=1))

    _job, version = finish(in_app, photographed(tmp_path), make_model(tmp_path), "meshy")

    assert (version.state, version.report["agreement"]) == ("published", None)


@one_database
def test_the_staff_read_the_figures_in_a_sentence(in_app: Flask) -> None:
    report = {"all": 0.971, "sides": {"front": 0.99, "back": 0.91}}

    assert words({}) is None
    assert words({"agreement": None}) is None
    assert words({"agreement": report}) == "The outlines agree with the photos to 97%; least: back, 91%."
    alone = {"all": 0.97, "sides": {"front": 0.97}}
    assert words({"agreement": alone}) == "The outlines agree with the photos to 97%."
    assert labels.is_front_unsure(ModelVersion(report={"agreement": report | {"is_sure": False}}))
    assert not labels.is_front_unsure(ModelVersion(report={"agreement": report}))


def words(report: dict[str, Any]) -> str | None:
    return labels.agreement(ModelVersion(report=report))
