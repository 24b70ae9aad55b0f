"""Public answers are the same for everyone, and are asked for again only when something changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from acr3d.captures import queue
from acr3d.db import content_stamp
from acr3d.db.content_stamp import PRIVATE, StampReader, committed_stamp, present_stamp
from acr3d.db.extensions import db
from acr3d.db.models import Base, ContentStamp, Part, Poller
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.parts.parts import update_part
from acr3d.parts.photos import images_of, label_photo
from acr3d.parts.search_query import LONGEST
from acr3d.web.compression import best_coding
from acr3d.web.kept_pages import LONGEST as LONGEST_KEPT
from acr3d.web.kept_pages import KeptPage, KeptPages
from acr3d.web.public import pages
from acr3d.web.request_rate import RequestRate
from tests.support.accounts import browser
from tests.support.databases import ON_BOTH
from tests.support.factories import make_part, make_part_with_photos

PLACES = ("/", "/?q=bracket", "/parts/BR-100", "/embed/BR-100", "/api/parts", "/api/parts/BR-100")


def test_everyone_gets_the_same_and_shared_caches_may_keep_it(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part_with_photos()
    admin = browser(app)

    for place in PLACES:
        answer, for_admin = client.get(place), admin.get(place)
        assert answer.data == for_admin.data, place
        assert "Set-Cookie" not in for_admin.headers, place
        assert "Cookie" not in for_admin.headers["Vary"], place
        assert {"Accept-Encoding", "Accept-Language"} <= set(answer.vary), place
        assert answer.cache_control.public, place
        assert answer.cache_control.s_maxage, place
        assert answer.cache_control.max_age == 0, place


def test_who_has_the_present_answer_gets_304_until_something_changes(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()

    for place in PLACES:
        first = client.get(place)
        tag, weak = first.get_etag()
        assert not weak
        assert first.last_modified
        again = client.get(place, headers={"If-None-Match": f'"{tag}"'})
        assert (again.status_code, again.data) == (304, b""), place
        for name in ("ETag", "Cache-Control", "Vary"):
            assert again.headers[name] == first.headers[name], name
        for more in ({"Accept-Encoding": "gzip"}, {"Accept-Language": "de"}):
            assert client.get(place, headers={"If-None-Match": f'"{tag}"'} | more).status_code == 200, more
    with app.app_context():
        label_photo(images_of(part.id)[0].id, {"alt_text": "Seen from the road"})

    changed = client.get("/parts/BR-100", headers={"If-None-Match": f'"{tag}"'})

    assert "Seen from the road" in changed.text
    assert client.get("/parts/NEVER", headers={"If-None-Match": "*"}).status_code == 404


@ON_BOTH
def test_changes_that_may_show_later_show_together(in_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    part = make_part()

    def change() -> str:
        with transaction() as session:
            session.get_one(Part, part.id).revision += 1
            content_stamp.may_show_later(session)
        return present_stamp().value

    before = present_stamp()
    assert [change(), change()] == [before.value, before.value]
    with db.engine.begin() as connection:  # the time passes
        connection.execute(update(ContentStamp).values(shows_at=utc_now() - timedelta(seconds=1)))
    db.session.rollback()
    shown = present_stamp()
    assert shown.value != before.value
    assert shown.changed_at is not None
    assert StampReader(db.engine).read() == committed_stamp().value == shown.value
    third = change()
    assert third not in (before.value, shown.value)
    assert change() == third
    update_part(part.id, {"name": "Other"})
    assert present_stamp().value != third


@ON_BOTH
def test_every_change_that_customers_may_see_gives_a_new_stamp(in_app: Flask) -> None:
    assert {table.name for table in Base.metadata.sorted_tables} > PRIVATE
    stamps = [present_stamp().value]
    part = make_part()
    stamps.append(present_stamp().value)
    update_part(part.id, {"name": "Another"})
    stamps.append(present_stamp().value)
    with transaction() as session:
        session.execute(insert(Part).values(sku="X", sku_key="x", name="In bulk"))
    stamps.append(present_stamp().value)
    assert len(set(stamps)) == 4

    with transaction() as session:
        session.add(Poller(id="p", host="h", pid=1))
    with pytest.raises(Conflict):
        make_part("X")
    assert queue.claim() is None  # a poller that finds no capture to read
    assert present_stamp().value == stamps[-1]
    with transaction() as session:
        assert session.get_one(ContentStamp, 1).stamp == stamps[-1]


def test_public_text_is_compressed_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part_with_photos()
    admin = browser(app)
    for place in PLACES:
        plain = client.get(place)
        for coding, read in (("br", brotli.decompress), ("gzip", gzip.decompress)):
            packed = client.get(place, headers={"Accept-Encoding": coding})
            assert packed.headers["Content-Encoding"] == coding, place
            assert read(packed.data) == plain.data, place
            assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data), place
    for place in ("/admin/", "/account/password", "/login"):
        assert "Content-Encoding" not in admin.get(place, headers={"Accept-Encoding": "br"}).headers, place


@pytest.mark.parametrize(
    ("sent", "coding"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.1, gzip", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("identity", None),
        ("*", "br"),
    ],
)
def test_the_client_chooses_the_coding(sent: str, coding: str | None) -> None:
    assert best_coding(sent) == coding


def test_a_long_search_is_refused_and_so_are_too_many(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_app(search_rate=4).test_client()
    too_long = client.get("/api/parts?q=" + "x" * (LONGEST + 1))
    assert too_long.status_code == 400
    assert str(LONGEST) in json.loads(too_long.data)["error"]
    assert client.get("/?q=bracket").status_code == 200

    held = client.get("/api/parts")

    assert held.status_code == 429
    assert 1 <= int(held.headers["Retry-After"]) <= 15
    assert client.get("/?q=bracket").status_code == 429
    assert client.get("/").status_code == 200
    elsewhere = client.get("/api/parts", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200


def test_half_a_minutes_requests_may_come_at_once_and_then_one_at_a_time() -> None:
    now = [0.0]
    rate = RequestRate(60, clock=lambda: now[0])

    assert [rate.seconds_to_wait("192.0.2.7") for _ in range(32)] == [0] * 30 + [1, 1]
    now[0] = 1
    assert [rate.seconds_to_wait("192.0.2.7") for _ in range(2)] == [0, 1]


def test_a_page_is_kept_until_what_it_shows_changes_in_any_process(
    app: Flask, client: FlaskClient, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        part = make_part_with_photos()
    made: list[str] = []
    shown = pages.part_context
    monkeypatch.setattr(pages, "part_context", lambda found: made.append(found.sku) or shown(found))
    first = client.get("/parts/BR-100", headers={"Accept-Encoding": "br"})

    again = client.get("/parts/BR-100", headers={"Accept-Encoding": "br"})

    assert made == ["BR-100"]
    assert (again.data, list(again.headers)) == (first.data, list(first.headers))
    assert client.head("/parts/BR-100", headers={"Accept-Encoding": "br"}).data == b""
    for other in ({}, {"Accept-Language": "de"}, {"Host": "elsewhere.example.com"}):
        assert client.get("/parts/BR-100", headers=other).data != first.data, other
    assert "elsewhere" not in client.get("/parts/BR-100").text
    known = {"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]}
    by_flask, repeated = (
        one.get("/parts/BR-100", headers=known) for one in (make_app().test_client(), client)
    )
    assert by_flask.status_code == repeated.status_code == 304
    assert sorted(by_flask.headers) == sorted(repeated.headers)
    with monkeypatch.context() as without_flask:
        without_flask.setattr(app.wsgi_app, "_inner", None)
        assert client.get("/parts/BR-100", headers=known).status_code == 304
        assert client.get("/parts/BR-100", headers={"Accept-Encoding": "br"}).data == first.data
    with make_app().app_context():  # another process
        label_photo(images_of(part.id)[0].id, {"alt_text": "Seen from the road"})
    assert "Seen from the road" in client.get("/parts/BR-100").text


def test_kept_pages_take_a_bounded_room() -> None:
    kept = KeptPages(most_bytes=8_000)
    for name in ("a", "b", "a", "c", "d"):
        kept.keep(name, KeptPage(b"x" * 1000, (), has_viewer=False))
        if name == "b":
            kept.get("a")
    kept.keep("huge", KeptPage(b"x" * (LONGEST_KEPT + 1), (), has_viewer=False))
    assert [name for name in ("a", "b", "c", "d", "huge") if kept.get(name)] == ["a", "c", "d"]
