"""A model's picture: made with it, seen by whoever may see the model, from where the viewer begins."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from acr3d.jobs import review, service
from acr3d.jobs.queries import versions_of
from acr3d.jobs.steps import optimize
from acr3d.parts.photos import images_of
from acr3d.storage.blobs import storage
from acr3d.storage.index import media_url
from tests.support.factories import make_part, make_part_with_photos, make_user
from tests.web.public.test_true_size import PLACES, one_database, optimized


@one_database
def test_a_model_comes_with_a_picture_from_where_the_viewer_begins(
    in_app: Flask, client: FlaskClient
) -> None:
    version = optimized(in_app, make_part_with_photos())

    assert version.poster_path
    with client.get(media_url(version.poster_path)) as answer:
        assert (answer.status_code, answer.content_type) == (200, "image/webp")
        assert "immutable" in answer.headers["Cache-Control"]
        content = answer.data
    with Image.open(io.BytesIO(content)) as poster:
        assert poster.size == (800, 800)
        assert poster.getpixel((0, 0))[3] == 0
        assert poster.getpixel((400, 400))[3] == 255
    for place in PLACES:
        page = client.get(place).text
        viewer = page[page.index("data-viewer>") : page.index("</model-viewer>")]
        assert f'<img class="viewer-poster" src="{media_url(version.poster_path)}"' in viewer
        assert viewer.count("<img") == 1
        for name, value in version.report["poster"]["camera"].items():
            assert f' {name}="{value}"' in viewer


@one_database
def test_no_model_fails_for_its_picture(
    in_app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = make_part_with_photos()
    monkeypatch.setattr(optimize, "POSTER_LIMITS", optimize.sandbox.Limits(memory_mb=1))

    version = optimized(in_app, part)

    assert (version.state, version.poster_path) == ("published", None)
    page = client.get(PLACES[0]).text
    assert f'class="viewer-poster" src="{images_of(part.id)[0].image_url}"' in page
    assert ' camera-orbit="' not in page


@one_database
def test_strangers_see_the_picture_of_a_published_model_only(in_app: Flask, client: FlaskClient) -> None:
    part = make_part()
    optimized(in_app, part)
    draft = optimized(in_app, part)
    url = media_url(draft.poster_path or "")

    before = client.get(url).status_code
    review.publish(draft.id, make_user())

    with client.get(url) as after:
        assert (before, after.status_code) == (404, 200)


@one_database
def test_a_model_of_a_job_that_was_canceled_meanwhile_leaves_no_file(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, user = make_part(), make_user()
    run = optimize.sandbox.run

    def cancel_after(module: str, *args: object, **how: object) -> object:
        report = run(module, *args, **how)  # type: ignore[arg-type]
        if module == "acr3d.render":
            service.cancel(optimize.db.session.query(optimize.Job).one().id, user)
        return report

    monkeypatch.setattr(optimize.sandbox, "run", cancel_after)
    with pytest.raises(AssertionError):
        optimized(in_app, part)

    assert versions_of(part.id) == []
    assert [key for key in storage().keys() if "/models/" in key] == []  # noqa: SIM118
