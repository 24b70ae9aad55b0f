"""A new model never overwrites an old one: any can be looked at, one is published, and it can be undone."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion, User
from acr3d.db.session import transaction
from acr3d.errors import InvalidInput
from acr3d.jobs import queries, review
from acr3d.parts.parts import part_by_id
from acr3d.storage.blobs import storage
from acr3d.storage.index import media_url
from tests.support.accounts import bearer, browser, csrf_header
from tests.support.factories import box_glb, finished_job, make_part, make_user
from tests.web.test_media import version


@dataclass(frozen=True)
class Three:
    """A part with three models, none of them published: ids and addresses."""

    part_id: str
    ids: list[str]
    urls: list[str]


@pytest.fixture
def three(app: Flask) -> Three:
    with app.app_context():
        part = make_part()
        job = finished_job(part.id)
        keys = [f"parts/{part.id}/models/{number}.glb" for number in (1, 2, 3)]
        with transaction() as session:
            session.add(job)
            session.flush()
            rows = [version(job, number, "draft", key) for number, key in enumerate(keys, start=1)]
            session.add_all(rows)
        for key in keys:
            storage().put(key, box_glb())
        return Three(part.id, [row.id for row in rows], [media_url(key) for key in keys])


def reachable(app: Flask, three: Three) -> list[bool]:
    """Which of the models a stranger can fetch."""
    stranger = app.test_client()
    return [stranger.get(url, buffered=True).status_code == 200 for url in three.urls]


def shown(app: Flask, three: Three) -> str | None:
    with app.app_context():
        return part_by_id(three.part_id).model_3d_url


def test_any_is_looked_at_one_is_published_and_the_way_back_is_one_click(app: Flask, three: Three) -> None:
    admin = browser(app)
    token = csrf_header(admin) | {"HX-Request": "true"}
    first, second, third = three.ids

    def click(what: str) -> int:
        return admin.post(f"/admin/versions/{what}", headers=token).status_code

    assert reachable(app, three) == [False, False, False]
    assert click(f"{first}/publish") == 200
    assert (shown(app, three), reachable(app, three)) == (three.urls[0], [True, False, False])
    assert click(f"{second}/publish") == 200
    assert (shown(app, three), reachable(app, three)) == (three.urls[1], [True, True, False])
    assert click(f"{third}/reject") == 200
    assert f'id="publish-{first}"' in admin.get(f"/admin/parts/{three.part_id}").text
    assert click(f"{first}/publish") == 200

    assert (shown(app, three), reachable(app, three)) == (three.urls[0], [True, True, False])
    assert [click(f"{third}/publish"), click(f"{first}/reject")] == [409, 409]
    for version_id, url in zip(three.ids, three.urls, strict=True):
        preview = admin.get(f"/admin/versions/{version_id}/preview")
        assert (preview.status_code, url in preview.text) == (200, True)
        assert admin.get(url, buffered=True).status_code == 200


def test_the_api_does_the_same(app: Flask, client: FlaskClient, three: Three) -> None:
    headers = bearer(app)
    first, second, third = three.ids

    def say(what: str) -> int:
        return client.post(f"/api/admin/versions/{what}", headers=headers).status_code

    said = [
        say(f"{first}/publish"),
        say(f"{second}/publish"),
        say(f"{third}/reject"),
        say(f"{third}/publish"),
    ]
    listed = client.get(f"/api/admin/parts/{three.part_id}/versions", headers=headers).get_json()

    assert said == [200, 200, 200, 409]
    states = {one["number"]: (one["state"], one["url"]) for one in listed}
    assert [state for state, _url in states.values()] == ["rejected", "published", "superseded"]
    assert states[2][1] == three.urls[1]
    assert say(f"{first}/publish") == 200
    assert shown(app, three) == three.urls[0]


def test_however_many_people_choose_at_once_one_model_is_published(app: Flask, three: Three) -> None:
    with app.app_context():
        make_user()
    ready = threading.Barrier(4)

    def choose(version_id: str, what: str) -> None:
        with app.app_context():
            actor = db.session.scalars(select(User)).one()
            db.session.commit()
            ready.wait(30)
            try:
                (review.publish if what == "publish" else review.reject)(version_id, actor)
            except InvalidInput:
                return  # the other one was first

    choices = [(version_id, "publish") for version_id in three.ids] + [(three.ids[2], "reject")]
    people = [threading.Thread(target=choose, args=choice) for choice in choices]
    for person in people:
        person.start()
    for person in people:
        person.join()

    with app.app_context():
        states = [row.state for row in db.session.scalars(select(ModelVersion).order_by(ModelVersion.number))]
        assert states.count("published") == 1
        assert set(states[:2]) <= {"published", "superseded"}
        published = queries.published_version(three.part_id)
        assert published is not None
        assert part_by_id(three.part_id).model_3d_url == media_url(published.storage_path)
    assert reachable(app, three) == [state in ("published", "superseded") for state in states]
