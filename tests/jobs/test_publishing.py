"""Which first model is shown to customers by itself, and which waits for a person, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from PIL import Image

from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion
from acr3d.db.session import transaction
from acr3d.jobs.queries import events_of, versions_of
from acr3d.render.strip import SQUARE
from acr3d.storage.blobs import storage
from acr3d.web.admin.model_report import model_report
from acr3d.worker.loop import JobPoller
from tests.support.factories import box_glb, finished_job, make_part
from tests.web.public.test_true_size import one_database


def model_of(app: Flask, angles: tuple[str, ...], report: dict[str, Any] | None) -> tuple[ModelVersion, str]:
    """The version that photos from these sides and this report of the engine give, and the last event."""
    part = make_part()
    key = f"parts/{part.id}/raw/fetched.glb"
    storage().put(key, box_glb())
    photos = [{"id": angle, "url": "", "angle": angle, "storage_path": ""} for angle in angles]
    job = finished_job(
        part.id,
        raw_storage_path=key,
        selected_image_ids=list(angles),
        selected_image_metadata=photos,
        generation_report=report,
    )
    job.status = "optimizing"
    with transaction() as session:
        session.add(job)
    JobPoller(app).run_once()
    db.session.expire_all()
    return versions_of(part.id)[0], events_of(job.id)[-1].detail or ""


@one_database
@pytest.mark.parametrize(
    ("angles", "report", "state", "reason"),
    [
        (("front", "right"), {"sureness": 0.8}, "published", "ready and published"),
        (("front", "right"), {"sureness": 0.59}, "draft", "only 59 % sure"),
        (("front", "right"), None, "published", "ready and published"),
        (("front", "back"), {"sureness": 0.9}, "draft", "one direction only"),
        (("left", "right"), None, "draft", "one direction only"),
    ],
)
def test_a_first_model_publishes_itself_only_when_its_shape_is_known(
    in_app: Flask, angles: tuple[str, ...], report: dict[str, Any] | None, state: str, reason: str
) -> None:
    version, last = model_of(in_app, angles, report)

    assert version.state == state
    assert reason in last
    # One strip shows the model from all the sides, each as a square.
    with storage().open(version.sides_path or "") as file, Image.open(file) as strip:
        assert strip.size == (SQUARE * len(angles), SQUARE)
        assert all(strip.getpixel((SQUARE * place + SQUARE // 2, SQUARE // 2))[3] == 255 for place in (0, 1))
    assert version.report["poster"]["strip"]["sides"] == list(angles)


@one_database
def test_the_admin_reads_which_extent_no_photo_shows(in_app: Flask) -> None:
    version, _last = model_of(in_app, ("front", "back"), {"axes_seen": ["depth"], "sureness": 0.4})

    assert any("so the depth is a guess" in concern for concern in model_report(version).concerns)
