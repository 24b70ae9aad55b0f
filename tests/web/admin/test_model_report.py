"""What staff read of the optimizer's report beside each model."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion, User
from acr3d.db.session import transaction
from acr3d.jobs import queries, review, transitions
from tests.support.factories import finished_job, make_part

REPORT: dict[str, Any] = {
    "bytes_in": 12_788_164,
    "bytes_out": 502_948,
    "triangles_in": 118_006,
    "triangles": 118_004,
    "vertices_in": 60_030,
    "vertices": 59_869,
    "draw_calls": 3,
    "gpu_bytes": 70_000_000,
    "size_m": [0.1, 0.2, 0.05],
    "placed": {"turned": "x90", "requested_mm": {"width": 100, "height": 200, "depth": 50}},
    "maps": [
        {
            "kinds": ["base colour"],
            "before": {"format": "png", "width": 2048, "height": 2048, "bytes": 2_463_152},
            "after": {"format": "webp", "width": 2048, "height": 2048, "bytes": 55_258},
            "psnr_db": 41.5,
        }
    ],
    "steps": [{"step": "geometry", "saved": 2_351_641}, {"step": "rest", "saved": -74}],
    "truth": {"position_max_mm": 0.0356, "normal_mean_degrees": 0.06},
    "condition": {"pieces": 3, "holes": 1, "inside_out": 2},
    "warnings": ["The model's depth is 12 % more than the part's; check the sizes or the photos."],
}


ODD_VALUES: list[Any] = [None, [], {}, "text", 1e300, [[]], [{}], {"kinds": 7, "saved": "x"}]


def page(app: Flask, admin: FlaskClient, report: dict[str, Any], language: str = "en") -> str:
    with app.app_context():
        part = make_part()
        version = made_by(report)
        job = finished_job(part.id)
        with transaction() as session:
            session.add(job)
            session.flush()
            transitions.add_version(session, job, version)
        address = f"/admin/parts/{part.id}"
    return " ".join(admin.get(address, headers={"Accept-Language": language}).text.split())


def test_the_report_is_told_in_plain_words(app: Flask, admin: FlaskClient) -> None:
    text = page(app, admin, {"optimizer": REPORT})

    for said in (
        "The surface has 1 hole; the inside is visible through it.",
        "The model has 3 separate pieces.",
        "2 pieces are inside out and may be invisible.",
        "12.8 MB → 0.5 MB",
        "118,006 → 118,004",
        "100 × 200 × 50 mm",
        "within 0.036 mm, surface normals within 0.06° on average",
        "PNG 2048 × 2048, 2.5 MB → WEBP 2048 × 2048, 55.3 kB, 41.5 dB",
        "−2.4 MB",
        "The model&#39;s depth is 12 % more",
    ):
        assert said in text, said


def test_it_is_told_what_the_engine_guessed_and_how_sure_it_is(app: Flask, admin: FlaskClient) -> None:
    guessed = ["No photo shows the back; colours there were carried on from what the photos show."]
    text = page(app, admin, {"engine": {"guessed": guessed, "sureness": 0.62, "texture_seen": 0.8}})

    for said in ("Shape confidence</dt><dd>62%", "Texture from photos</dt><dd>80%", *guessed):
        assert said in text, said


def test_what_did_not_fit_in_the_photos_is_told_in_the_readers_language(
    app: Flask, admin: FlaskClient
) -> None:
    params = {"angle": {"code": "angle.bottom", "params": {}}, "degrees": 90}
    doubts = [{"code": "carving.doubt_turned", "params": params}, {"code": "<b>"}, "x"]

    text = page(app, admin, {"engine": {"doubts": doubts}}, "de")

    assert "um 90° gegen den Uhrzeigersinn gedreht" in text
    assert "<b>" not in text


def test_it_is_told_in_german_too(app: Flask, admin: FlaskClient) -> None:
    text = page(app, admin, {"optimizer": REPORT}, "de")

    assert "Die Oberfläche hat 1 Loch" in text
    assert "118.006 → 118.004" in text


@pytest.mark.parametrize("report", [{}, {"optimizer": {"triangles": 12}}])
def test_the_reports_of_earlier_releases_do_no_harm(
    app: Flask, admin: FlaskClient, report: dict[str, Any]
) -> None:
    text = page(app, admin, report)

    assert "Model 1" in text
    assert "hole" not in text


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
def test_a_report_of_odd_shape_breaks_no_page(app: Flask, admin: FlaskClient, odd: Any) -> None:
    programs: dict[str, dict[str, Any]] = {
        "optimizer": REPORT,
        "engine": {"guessed": ["x"], "sureness": 1, "texture_seen": 1, "guesses": [{"axis": "width"}]},
        "agreement": {"all": 1, "sides": {"front": 1}, "is_sure": True},
        "poster": {"camera": {"camera-orbit": "0deg"}, "width": 800, "height": 800},
    }
    reports = [odd, *({name: odd} for name in programs)]
    for program, report in programs.items():
        reports += [programs | {program: report | {name: odd}} for name in report]
    with app.app_context():
        part = make_part()
        with transaction() as session:
            session.add(job := finished_job(part.id))
            session.flush()
            for report in reports:
                transitions.add_version(session, job, made_by(report, poster_path="parts/x/models/y.webp"))
        ids = [version.id for version in queries.versions_of(part.id)]
        shown = [*ids[:4], *ids[-5:]]  # odd in the poster, and in the program as a whole

    assert admin.get(f"/admin/parts/{part.id}").text.count("Report</summary>") == len(reports)
    for version_id in shown:
        with app.app_context():
            review.publish(version_id, db.session.scalars(select(User)).one())
        assert admin.get(f"/parts/{part.sku}").status_code == 200
    assert admin.get("/").status_code == 200


def made_by(report: Any, **more: Any) -> ModelVersion:
    return ModelVersion(
        storage_path="parts/x/models/y.glb", sha256="0" * 64, file_size_bytes=1, report=report, **more
    )
