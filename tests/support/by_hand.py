"""Moving the jobs of a site that has no poller, as the poller would."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.jobs import publishing, queries, transitions
from acr3d.messages.message import Message
from acr3d.storage.blobs import storage
from tests.support.databases import close
from tests.support.factories import box_glb
from tests.support.site import Site


@contextmanager
def app_beside(site: Site) -> Iterator[Flask]:
    """A second app on the site's instance folder."""
    app = create_app(settings.from_environment({"ACR3D_INSTANCE": str(site.instance)}))
    try:
        yield app
    finally:
        close(app)


def progress(app: Flask, part_id: str, percent: int) -> None:
    with app.app_context(), transaction() as session:
        job = queries.live_job(session, part_id)
        assert job is not None
        job.progress = percent


def move(app: Flask, part_id: str, to: Status, detail: str | None = None) -> None:
    with app.app_context(), transaction() as session:
        live = queries.live_job(session, part_id)
        assert live is not None
        job, part = queries.locked_job(session, live.id)
        message = Message.plain(detail) if detail else None
        transitions.transition(session, job, part, to, "poller", message)


def finish(app: Flask, part_id: str, *, published: bool) -> None:
    """Give the live job its model, a plain box, and bring it to its end."""
    data = box_glb()
    sha256 = hashlib.sha256(data).hexdigest()
    with app.app_context(), transaction() as session:
        live = queries.live_job(session, part_id)
        assert live is not None
        job, part = queries.locked_job(session, live.id)
        key = f"parts/{part_id}/models/{job.id}-{sha256[:16]}.glb"
        ar_key = key.replace(".glb", "-ar.glb")
        for one in (key, ar_key):
            storage().put(one, data)
        sizes = {"width": part.width_mm, "height": part.height_mm, "depth": part.depth_mm}
        placed = {"requested_mm": sizes, "size_mm": [side or 25.0 for side in sizes.values()]}
        version = ModelVersion(
            storage_path=key,
            sha256=sha256,
            file_size_bytes=len(data),
            ar_storage_path=ar_key,
            polycount=12,
            report={"optimizer": {"placed": placed}} if any(sizes.values()) else {},
        )
        transitions.add_version(session, job, version)
        if published:
            publishing.publish(session, version, part, by_user=None)
        for step in (Status.SUBMITTED, Status.PROCESSING, Status.OPTIMIZING, Status.COMPLETE):
            transitions.transition(session, job, part, step, "poller")


def job_count(app: Flask, part_id: str) -> int:
    with app.app_context():
        count = len(queries.jobs_of(part_id))
        db.session.remove()
        return count
