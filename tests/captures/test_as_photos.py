"""The best frames of a capture become photos of the part, once, and say which side they show."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from flask import Flask

from acr3d.captures import as_photos
from acr3d.db.models import User
from acr3d.errors import Conflict, InvalidInput
from acr3d.parts.photos import images_of
from tests.support.backups import back_up
from tests.support.captures import filmed, read_now
from tests.support.factories import make_part, make_part_with_photos


def test_the_best_frames_become_photos_once(in_app: Flask, user: User) -> None:
    part = make_part()
    capture = filmed(part.id, user)
    with pytest.raises(Conflict, match="not ready"):
        as_photos.add(capture.id)
    read_now()

    as_photos.add(capture.id)

    # As the report orders them; the other one looks at a corner.
    assert [image.angle_label for image in images_of(part.id)] == ["front", None]
    with pytest.raises(Conflict, match="already"):
        as_photos.add(capture.id)
    assert len(images_of(part.id)) == 2


def test_a_side_that_a_photo_has_is_not_given_twice_and_six_are_the_most(in_app: Flask, user: User) -> None:
    part = make_part_with_photos(angles=("front", "right", "back", "left"))
    capture = filmed(part.id, user)
    read_now()

    as_photos.add(capture.id)

    assert [image.angle_label for image in images_of(part.id)][4:] == [None, None]
    full = make_part_with_photos("FULL", angles=("front", "right", "back", "left", "top"))
    capture = filmed(full.id, user)
    read_now()
    with pytest.raises(InvalidInput, match="room for 1 more"):
        as_photos.add(capture.id)


def test_a_backup_holds_the_frames(in_app: Flask, user: User, tmp_path: Path) -> None:
    capture = filmed(make_part().id, user)
    read_now()
    target = tmp_path / "backup.tar"

    back_up(in_app, target)

    with tarfile.open(target) as archive:
        names = [name for name in archive.getnames() if capture.id in name]
    assert len(names) == 3
