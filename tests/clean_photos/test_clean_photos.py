"""Clean photos are made in the background, kept, shown where somebody chose so, and sent to engines."""

from __future__ import annotations

import io
import threading
from dataclasses import replace

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from acr3d.clean_photos import making
from acr3d.db.extensions import db
from acr3d.db.models import CleanPhoto, Part, PartImage
from acr3d.db.session import end_read, transaction
from acr3d.db.types import utc_now
from acr3d.jobs import service
from acr3d.jobs.ordered_photos import ordered_photos
from acr3d.parts.photos import add_photos, delete_photo, images_of, label_photo
from acr3d.photos import sanitize
from acr3d.settings import Settings
from acr3d.shop import changes
from acr3d.storage import cleanup
from acr3d.storage.blobs import storage
from acr3d.storage.index import find_blob, media_url
from acr3d.worker.loop import JobPoller
from tests.support.accounts import browser
from tests.support.factories import by_angle, make_part, make_user
from tests.support.photographed import PLATE, STEEL, as_file, in_clutter, on_paper


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """On one database: the children take most of the time. Its second engine is never asked."""
    return replace(sqlite_config, meshy_api_key="msy_test")


@pytest.fixture
def staff(in_app: Flask) -> FlaskClient:
    return browser(in_app)


@pytest.fixture
def part(in_app: Flask, staff: FlaskClient) -> Part:
    """A part with two photos that show it and one that does not, checked."""
    part = make_part()
    pictures = {
        "front": on_paper((PLATE, STEEL)),
        "right": on_paper((PLATE[:, ::-1], STEEL)),
        "top": in_clutter(),
    }
    for angle, picture in pictures.items():
        add_photos(part.id, [sanitize.clean(as_file(picture))], {"angle_label": angle})
    check(in_app, part)
    return part


def check(app: Flask, part: Part) -> None:
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(check_due_at=utc_now()))
    JobPoller(app).run_once()
    db.session.expire_all()


def cleans(part: Part) -> list[str | None]:
    """The keys of its photos' clean photos."""
    db.session.expire_all()
    keys = [image.clean.storage_path if image.clean else None for image in images_of(part.id)]
    end_read()
    return keys


def choose(background: str) -> None:
    form = dict.fromkeys(("name", "accent", "email", "phone", "whatsapp", "currency"), "")
    numbers = dict.fromkeys(("monthly_budget", "user_monthly_limit", "low_balance"), "0")
    rest = {"units": "mm", "ask_agreement": "85", "photo_background": background}
    changes.save(form | numbers | rest, changes.revision())


def test_each_photo_with_an_outline_gets_a_square_picture_on_white(staff: FlaskClient, part: Part) -> None:
    front, right, top = cleans(part)

    assert top is None
    for key in (front, right):
        picture = Image.open(io.BytesIO(storage().path(key or "").read_bytes()))
        assert (picture.format, *picture.size) == ("JPEG", 800, 800)
        assert np.asarray(picture)[0, 0].tolist() == [255, 255, 255]
    assert cleanup.inspect_storage().stray_files == []
    page = staff.get(f"/admin/parts/{part.id}").text
    assert page.count("<figcaption>On white</figcaption>") == 2
    assert page.count("There is no picture on white") == 1


def test_the_shop_chooses_for_all_photos_and_each_photo_for_itself(
    in_app: Flask, client: FlaskClient, part: Part
) -> None:
    front, _right, top = images_of(part.id)
    white = media_url(cleans(part)[0] or "")
    address = f"/parts/{part.sku}"
    before = client.get(address)
    assert white not in before.text

    choose("white")
    page, api = client.get(address).text, client.get(f"/api/parts/{part.sku}").json

    assert f'href="{white}"' in page
    assert white.replace(".jpg", "-800.webp").replace("/photos/", "/webp/") in page
    assert front.image_url not in page
    assert top.image_url in page  # nothing on white, so as it was taken
    assert api["photos"][0]["url"].endswith(white)
    assert (api["photos"][0]["width_px"], api["photos"][0]["height_px"]) == (800, 800)
    assert white in client.get("/sitemaps/1.xml").text
    with client.get(white) as sent:
        assert (sent.status_code, sent.content_type) == (200, "image/jpeg")

    label_photo(front.id, {"background": "taken"})

    assert front.image_url in client.get(address).text
    assert client.get(address).headers["ETag"] != before.headers["ETag"]


def test_a_picture_for_links_has_another_address_once_the_cover_is_on_white(
    client: FlaskClient, part: Part
) -> None:
    def card() -> str:
        page = client.get(f"/parts/{part.sku}").text
        return page.partition('property="og:image" content="')[2].partition('"')[0].partition("/cards/")[2]

    before = card()
    choose("white")

    assert card() != before
    sent = client.get(f"/cards/{card()}")
    assert "immutable" in sent.headers["Cache-Control"]


def test_a_new_label_draws_all_anew_and_removes_what_nothing_shows(in_app: Flask, part: Part) -> None:
    before = cleans(part)[0] or ""

    label_photo(images_of(part.id)[1].id, {"angle_label": "left"})
    check(in_app, part)

    after = cleans(part)[0] or ""
    assert after != before
    assert (find_blob(before), storage().stat(before)) == (None, None)
    assert find_blob(after) is not None
    assert len(list(db.session.scalars(select(CleanPhoto)))) == 2


def test_a_job_keeps_what_it_was_ordered_with(in_app: Flask, part: Part) -> None:
    key = cleans(part)[0] or ""
    chosen = {angle: image for angle, image in by_angle(part).items() if angle != "top"}
    user = make_user("ordering@example.com")

    job = service.start(part.id, chosen, "meshy", {}, user)
    label_photo(images_of(part.id)[1].id, {"angle_label": "left"})
    delete_photo(images_of(part.id)[0].id)
    check(in_app, part)

    photos = [jpeg for jpeg, _angle in ordered_photos(job)]
    assert photos[0] == storage().path(key).read_bytes()
    assert cleanup.inspect_storage().stray_files == []
    service.cancel(job.id, user)
    assert find_blob(key) is not None


@pytest.mark.parametrize(("engine", "asked"), [("meshy", {"clean_photos": False}), ("builtin", {})])
def test_the_photos_as_taken_go_to_who_wants_them(
    in_app: Flask, part: Part, engine: str, asked: dict[str, bool]
) -> None:
    chosen = {angle: image for angle, image in by_angle(part).items() if angle != "top"}

    job = service.start(part.id, chosen, engine, asked, make_user("ordering@example.com"))

    front = images_of(part.id)[0]
    assert ordered_photos(job)[0][0] == storage().path(front.storage_path or "").read_bytes()


def test_photos_of_an_earlier_version_get_theirs_from_the_poller(in_app: Flask, part: Part) -> None:
    wanted = cleans(part)
    with transaction() as session:
        session.execute(update(Part).values(check_due_at=None))
        session.execute(update(PartImage).values(clean_id=None))
        for row in session.scalars(select(CleanPhoto)):
            session.delete(row)

    assert making.catch_up(threading.Event()) == 1
    assert making.catch_up(threading.Event()) == 0
    assert cleans(part) == wanted


def test_what_cannot_be_drawn_is_tried_once_and_shown_as_taken(staff: FlaskClient, part: Part) -> None:
    [image] = images_of(part.id)[:1]
    storage().path(image.storage_path or "").write_bytes(b"no picture")
    label_photo(images_of(part.id)[1].id, {"angle_label": "left"})

    making.make(part.id, threading.Event())

    db.session.expire_all()
    assert [bool(key) for key in cleans(part)] == [False, True, False]
    assert making.catch_up(threading.Event()) == 0
    assert "could not be made" in staff.get(f"/admin/parts/{part.id}").text
