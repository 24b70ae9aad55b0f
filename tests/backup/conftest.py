"""A place worth a backup, and empty places to restore it into."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import update

from acr3d import settings
from acr3d.db.models import Job, ModelVersion, Part, PartImage
from acr3d.db.session import transaction
from acr3d.parts.photos import images_of
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from acr3d.storage.index import media_url
from acr3d.storage.webp_keys import webp_key
from tests.support.accounts import bearer, make_account
from tests.support.backups import (
    Elsewhere,
    Furnished,
)
from tests.support.factories import (
    box_glb,
    finished_job,
    make_part,
    make_part_with_photos,
)


@pytest.fixture
def furnished(app: Flask) -> Furnished:
    email, token = make_account(app), bearer(app)
    with app.app_context():
        part = make_part_with_photos(angles=("front", "right"))
        make_part("HIDDEN-1", is_published=False)
        raw, model = f"parts/{part.id}/raw/a-task.glb", f"parts/{part.id}/models/a-model.glb"
        for key in (raw, model):
            storage().put(key, box_glb())
        job = finished_job(part.id, raw_storage_path=raw)
        with transaction() as session:
            session.add(job)
            session.flush()
            session.add(published(job, model))
            session.execute(update(Part).where(Part.id == part.id).values(model_3d_url=media_url(model)))
        files = [
            url for image in images_of(part.id) for url in (image.image_url, thumbnail(image), webp(image))
        ]
    return Furnished(part.id, ["/", "/parts/BR-100", media_url(model), *files], email, token)


@pytest.fixture
def elsewhere(
    config: Settings, make_app: Callable[..., Flask], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Elsewhere]:
    """Makes an app in an empty place with a database of the same kind, which has tables when `migrated`."""
    made: list[str] = []

    def make(migrated: bool = False, **changes: object) -> Flask:
        name = f"elsewhere_{uuid.uuid4().hex[:12]}"
        environ = {"ACR3D_INSTANCE": str(tmp_path / name)}
        if not config.database_url.startswith("sqlite"):
            server = request.getfixturevalue("postgres")
            server.create(name)
            made.append(name)
            environ["DATABASE_URL"] = server.url(name)
        app = make_app(**vars(settings.from_environment(environ)) | changes)
        if migrated:
            with app.app_context():
                flask_migrate.upgrade()
        return app

    yield make
    for name in made:
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"


def published(job: Job, key: str) -> ModelVersion:
    return ModelVersion(
        part_id=job.part_id,
        job_id=job.id,
        number=1,
        state="published",
        storage_path=key,
        sha256=hashlib.sha256(box_glb()).hexdigest(),
        file_size_bytes=len(box_glb()),
        report={},
    )


def thumbnail(image: PartImage) -> str:
    return media_url(image.thumbnail_path or "")


def webp(image: PartImage) -> str:
    [width] = image.webp_widths or []
    return media_url(webp_key(image.storage_path or "", width))
