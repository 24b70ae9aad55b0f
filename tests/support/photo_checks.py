"""The check of a part's photos, and a moment later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.session import end_read, transaction
from acr3d.db.types import utc_now
from acr3d.parts.parts import part_by_id
from acr3d.photo_checks import queue
from acr3d.worker.loop import JobPoller

GOOD: dict[str, Any] = {
    "findings": [],
    "outline": "M1 1L9 1L9 9Z",
    "left_out": [],
    "marks": [],
    "size": [512, 384],
    "edge_width": 2.5,
}


def settle(part: Part) -> None:
    """Let the time pass that photos must have been left alone."""
    moment = utc_now() - timedelta(seconds=1)
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(check_due_at=moment))


def is_due(part: Part) -> bool:
    db.session.expire_all()
    due = part_by_id(part.id).check_due_at is not None
    end_read()
    return due


def check(part: Part, app: Flask) -> None:
    settle(part)
    JobPoller(app).run_once()
    assert not is_due(part)


def kept(part: Part, report: dict[str, Any]) -> None:
    """Keep `report` as what a check of the part's present photos found."""
    settle(part)
    claimed = queue.claim()
    assert claimed is not None
    assert claimed.part_id == part.id
    queue.store(claimed, report)


def told(client: FlaskClient, part: Part) -> Any:
    return client.get(f"/api/admin/parts/{part.id}").json
