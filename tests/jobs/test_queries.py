"""Questions about jobs that pages and the command line ask."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import queries
from tests.support.factories import finished_job, make_part


def test_results_that_expire_soon_are_those_not_downloaded(in_app: Flask) -> None:
    soon = utc_now() + timedelta(hours=5)
    kept = {"raw_storage_path": "raw.glb"}
    facts: dict[str, dict[str, object]] = {
        "FAILED": {"status": "failed"},
        "DOWNLOADED": {"status": "failed"} | kept,
        "REFUSED": {"status": "failed", "raw_refused": True} | kept,
        "WAITING": {"status": "processing", "next_step": "download"},
        "AGAIN": {"status": "processing", "next_step": "download"} | kept,
        "COMPLETE": {"status": "complete"} | kept,
    }
    with transaction() as session:
        for sku, values in facts.items():
            job = finished_job(make_part(sku).id, task_expires_at=soon)
            for name, value in values.items():
                setattr(job, name, value)
            session.add(job)

    found = {job.part.sku for job in queries.about_to_expire()}

    assert found == {"FAILED", "REFUSED", "WAITING", "AGAIN"}
