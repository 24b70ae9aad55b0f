"""The review of a model: beside its photos, with a question where the outlines agree little."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.models import ModelVersion
from acr3d.db.session import transaction
from acr3d.jobs import queries, transitions
from acr3d.parts.photos import images_of
from tests.support.accounts import browser, csrf_header
from tests.support.factories import finished_job, make_part_with_photos

ASKED = "The outlines agree with the photos only to"


def reviewed(app: Flask, share: float, width_off: float = 0.0) -> tuple[str, str, str]:
    """A draft made from photos of the front and right; the ids of part, job and model."""
    with app.app_context():
        part = make_part_with_photos("REV-1", ("front", "right"))
        part.width_mm = 100.0
        photos = [
            {"id": one.id, "url": one.image_url, "angle": one.angle_label, "storage_path": one.storage_path}
            for one in images_of(part.id)
        ]
        job = finished_job(part.id, selected_image_metadata=photos)
        placed = {"requested_mm": {"width": 100}, "size_mm": [100 + width_off, 50.04, 20]}
        report = {
            "optimizer": {"placed": placed | {"deviation_percent": {"width": width_off}}},
            "agreement": {"all": share, "sides": {"front": share, "right": 0.99}},
            "poster": {"strip": {"sides": ["front"], "square": 320, "fill": 0.92}},
        }
        version = ModelVersion(
            storage_path="m.glb", sides_path="s.webp", sha256="0" * 64, file_size_bytes=1, report=report
        )
        with transaction() as session:
            session.add_all([part, job])
            session.flush()
            transitions.add_version(session, job, version)
        return part.id, job.id, version.id


def test_the_review_shows_each_photo_beside_the_model_and_says_what_nobody_saw(
    app: Flask, admin: FlaskClient
) -> None:
    _part, _job, version = reviewed(app, 0.9, width_off=7.0)

    page = admin.get(f"/admin/versions/{version}/review").text

    assert page.count('class="review-side"') == 2
    # 400 × 300 pixels without a known outline: the square's 92 % span the photo's width.
    assert '<svg x="-17.4" y="-67.4" width="434.8" height="434.8" viewBox="0 0 320 320">' in page
    assert page.count("There is no picture of the model from this side.") == 1
    assert "outlines agree to 90%" in page
    assert "This compares outlines only" in page
    assert "No photo shows: Back, Left, Top, Bottom." in page
    assert "contradict the part&#39;s sizes (width 7% off)" in page
    assert ASKED not in page
    viewer = browser(app, "viewer").get(f"/admin/versions/{version}/review").text
    assert "hx-post" not in viewer


@pytest.mark.parametrize(("share", "is_asked"), [(0.849, True), (0.85, False)])
def test_publishing_asks_first_where_the_outlines_agree_little(
    app: Flask, admin: FlaskClient, share: float, is_asked: bool
) -> None:
    part, _job, version = reviewed(app, share)

    pages = [admin.get(path).text for path in (f"/admin/versions/{version}/review", f"/admin/parts/{part}")]
    published = admin.post(
        f"/admin/versions/{version}/publish", data={"back": "part"}, headers=csrf_header(admin)
    )

    assert [ASKED in page for page in pages] == [is_asked, is_asked]
    assert published.headers["HX-Redirect"] == f"/admin/parts/{part}"


def test_home_names_what_waits_for_review_until_somebody_decides(app: Flask, admin: FlaskClient) -> None:
    empty = admin.get("/admin/").text
    _part, _job, version = reviewed(app, 0.9)

    home, listed = admin.get("/admin/").text, admin.get("/admin/jobs").text
    admin.post(f"/admin/versions/{version}/publish", headers=csrf_header(admin))

    assert "Three first steps" in empty
    assert "Three first steps" not in home
    assert 'id="needs-you"' in home
    assert "REV-1" in home[home.index('id="needs-you"') : home.index('class="figures"')]
    assert "Waiting for review" in listed
    assert 'id="needs-you"' not in admin.get("/admin/").text


def test_a_rejection_keeps_the_word_why(app: Flask, admin: FlaskClient) -> None:
    part, job, version = reviewed(app, 0.9)
    sent = {"back": "part", "reason": " The inlet is square. "}

    answer = admin.post(f"/admin/versions/{version}/reject", data=sent, headers=csrf_header(admin))

    assert answer.headers["HX-Redirect"] == f"/admin/parts/{part}"
    with app.app_context():
        assert queries.version_by_id(version).state == "rejected"
        assert queries.events_of(job)[-1].detail == "Model 1 was rejected: The inlet is square."
    assert "The inlet is square." in admin.get(f"/admin/parts/{part}").text
