"""Two admins change, reorder, delete and bring back one part in any order."""

from __future__ import annotations

import random

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.parts.photos import add_photos
from acr3d.settings import Settings
from tests.support.accounts import bearer
from tests.support.factories import make_part, photo


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """On one database only: the steps follow each other, so no database has to keep them apart."""
    return sqlite_config


@pytest.fixture
def part_id(app: Flask) -> str:
    with app.app_context():
        return make_part().id


def test_two_people_in_any_order_lose_nothing_without_being_told(
    app: Flask, client: FlaskClient, part_id: str
) -> None:
    """200 random steps: what was answered with success stays until somebody who saw it changes it."""
    staff, dice = bearer(app), random.Random(14)
    address = f"/api/admin/parts/{part_id}"
    photos = f"{address}/images/order"
    with app.app_context():
        images = [image.id for image in add_photos(part_id, [photo(), photo("red"), photo("green")])]
    known = client.get(address, headers=staff).json
    assert known is not None
    truth, seen, is_deleted, refused = known, [known, known], False, 0
    for number in range(200):
        who = dice.randrange(2)
        action = dice.choice(("read", "edit", "edit", "order", "delete", "restore"))
        match = {"If-Match": f'"{seen[who]["revision"]}"'}
        is_stale = seen[who]["revision"] != truth["revision"]
        if action == "restore":
            answer = client.post(f"{address}/restore", headers=staff)
            expected = 200 if is_deleted else 404
        elif action == "edit":
            field = dice.choice(("name", "description"))
            answer = client.patch(address, json={field: f"{number}"}, headers=staff | match)
            expected = 404 if is_deleted else 409 if is_stale else 200
        elif action == "order":
            dice.shuffle(images)
            answer = client.put(photos, json=images, headers=staff | match)
            expected = 404 if is_deleted else 409 if is_stale else 200
        elif action == "delete":
            answer = client.delete(address, headers=staff | match)
            expected = 404 if is_deleted else 409 if is_stale else 204
        else:
            answer = client.get(address, headers=staff)
            expected = 404 if is_deleted else 200
        assert answer.status_code == expected, (number, action, answer.text)
        refused += expected == 409
        if answer.status_code == 204 or (action == "restore" and expected == 200):
            is_deleted = action == "delete"
        now = client.get(address, headers=staff).json
        if not is_deleted:
            assert now is not None
            if expected >= 400:
                assert now == truth
            elif action == "edit":
                assert now[field] == f"{number}"
                other = "name" if field == "description" else "description"
                assert now[other] == truth[other]
            elif action == "order":
                assert [image["id"] for image in now["images"]] == images
            truth = now
            if expected == 409 or answer.status_code == 200:
                seen[who] = now
    assert refused > 20
