"""Photos of an earlier version get their WebP files from the poller."""

from __future__ import annotations

import io
import threading

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage
from acr3d.db.session import transaction
from acr3d.parts import photo_widths
from acr3d.parts.photos import images_of
from acr3d.storage.blobs import storage
from acr3d.storage.webp_keys import webp_keys
from tests.support.factories import make_part_with_photos


@pytest.fixture
def earlier(in_app: Flask) -> Part:
    """A part with three photos as an earlier version stored them."""
    part = make_part_with_photos()
    with transaction() as session:
        session.execute(update(PartImage).values(webp_widths=None))
        for image in images_of(part.id, session):
            for key in webp_keys(image.storage_path, [400]):
                storage().delete(key)
    return part


def test_they_are_made_without_a_change_that_an_open_form_would_see(in_app: Flask, earlier: Part) -> None:
    revision, updated = earlier.revision, [image.updated_at for image in images_of(earlier.id)]
    stopped = threading.Event()
    stopped.set()
    assert photo_widths.catch_up(stopped) == 0

    assert photo_widths.catch_up(threading.Event()) == 3
    assert photo_widths.catch_up(threading.Event()) == 0

    images = images_of(earlier.id)
    assert [image.webp_widths for image in images] == [[400]] * 3
    for key in webp_keys(images[0].storage_path, images[0].webp_widths):
        picture = Image.open(io.BytesIO(storage().path(key).read_bytes()))
        assert (picture.format, picture.size) == ("WEBP", (400, 300))
    assert [image.updated_at for image in images] == updated
    assert db.session.get_one(Part, earlier.id).revision == revision


def test_a_photo_that_cannot_be_read_is_left_as_jpeg_and_not_tried_again(
    in_app: Flask, earlier: Part
) -> None:
    broken, missing, whole = images_of(earlier.id)
    storage().path(broken.storage_path or "").write_bytes(b"no picture")
    storage().delete(missing.storage_path or "")

    assert photo_widths.catch_up(threading.Event()) == 3
    assert photo_widths.catch_up(threading.Event()) == 0

    db.session.expire_all()
    assert [image.webp_widths for image in (broken, missing, whole)] == [[], [], [400]]


def test_a_full_disk_is_tried_again(in_app: Flask, earlier: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(storage()), "put", full)
        assert photo_widths.catch_up(threading.Event()) == 0

    assert photo_widths.catch_up(threading.Event()) == 3
