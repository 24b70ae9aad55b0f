"""Hostile text in every field, then every page and header read: nothing breaks out, nothing breaks down."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.db.models import Poller
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from tests.support import captures
from tests.support.accounts import PASSWORD, browser, csrf_header, csrf_token
from tests.support.factories import make_user, picture
from tests.support.proof import IS_FULL
from tests.support.routes import Route, routes

# What must never come back as a tag, an attribute, a computed value or a header.
TAG, ATTRIBUTE, COMPUTED, HEADER = "hostile-tag", "onhostile", "3702963", "X-Hostile"
TEXTS = {
    "tag": f"<{TAG}>x</{TAG}><script>{TAG}</script>",
    "quotes": f"\"'`> {ATTRIBUTE}=\"x\" ' {ATTRIBUTE}='y' ",
    "closing": f"</textarea></title></script>--><{TAG}>",
    "template": "{{ 1234321*3 }}{% raw %}${1234321*3}#{1234321*3}",
    "percent": "%s %(n)s %n {0} {n}",
    "right to left": "gear\u202egpj.exe",
    "zero width": "ge\u200bar\ufeff\u2066",
    "line end": f"a\r\n{HEADER}: 1\r\n\r\n<{TAG}>",
    "sql": "'; DROP TABLE parts; -- \" \\' OR 1=1 _%",
    "path": "../../../../etc/passwd",
    "address": "javascript:alert(1)//https://evil.example",
    "null": "a\x00b",
    "control": "a\x1b[31m\x07\x7f",
    "emoji": "🔩👩🏽‍🔧🇩🇪",
    "long": "x" * 100_000,
    "half": "\ud83d",
    "marks": "a" + "\u0316\u0300" * 10_000,
    "spaces": " \t\u00a0\u2003 ",
    "empty": "",
}
# What a database may take differently; the others meet PostgreSQL in the full proof.
ON_POSTGRES = TEXTS if IS_FULL else ("null", "control", "half", "long", "emoji", "sql")
CASES = [
    *(pytest.param(text, "sqlite", id=f"{name}-sqlite") for name, text in TEXTS.items()),
    *(
        pytest.param(TEXTS[name], "postgres", id=f"{name}-postgres", marks=pytest.mark.needs("postgres"))
        for name in ON_POSTGRES
    ),
]
each_text = pytest.mark.parametrize(("text", "config"), CASES, indirect=["config"])

BINARY = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
    "application/pdf",
    "image/jpeg",
)
UNMARKED = ("application/json", "text/csv", "text/plain")
XML = ("application/rss+xml", "application/xml")

pytestmark = pytest.mark.proof


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    with app.app_context(), transaction() as session:  # so that /healthz is well
        session.add(Poller(id="poller", host="here", pid=1, last_pass_at=utc_now()))
    return browser(app, "admin")


class Reader(HTMLParser):
    """Collects what a browser would see as tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names += [tag, *(name for name, _value in attrs)]
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def _sendable(form: dict[str, str]) -> dict[str, str]:
    """What a browser could put into a form: it has no half surrogate pairs."""
    return {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}


def is_ours(link: str, host: str = "localhost") -> bool:
    return link.startswith(("/", "#", f"http://{host}/")) and not link.startswith("//")


def check(answer: TestResponse, what: object, host: str = "localhost") -> None:
    """The answer is sound whatever it echoes."""
    assert answer.status_code < 500, what
    assert HEADER not in answer.headers, what
    assert not any("\r" in value or "\n" in value for value in answer.headers.values()), what
    if answer.mimetype in BINARY:
        return
    assert COMPUTED not in answer.text, what
    if answer.mimetype == "text/html":
        reader = Reader()
        reader.feed(answer.text)
        assert all(is_ours(link, host) for link in reader.links), (what, reader.links)
        assert not [name for name in reader.names if TAG in name or ATTRIBUTE in name], what
    else:
        assert answer.mimetype in UNMARKED or answer.mimetype in XML, what
        if answer.mimetype in XML:
            assert f"<{TAG}" not in answer.text, what


def read_everything(app: Flask, customer: FlaskClient, admin: FlaskClient, **values: str) -> Iterator[Route]:
    """Every page and every answer of the API, read by the person whom it is for."""
    for route in routes(app, **values):
        if route.changes or route.rule.startswith(("/media/", "/static/")):
            continue
        check((admin if route.is_for_staff else customer).get(route.path), route)
        yield route


@each_text
def test_text_in_the_name_of_a_film(
    app: Flask, client: FlaskClient, admin: FlaskClient, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures.install(monkeypatch)
    token, name = csrf_header(admin), f"film {text}.mp4"
    part = admin.post("/api/admin/parts", json={"sku": "BR-1", "name": "Bracket"}, headers=token).json
    assert part is not None
    address = f"/api/admin/parts/{part['id']}/captures"
    for films in ([{"name": name, "size": 80}], [{"name": text, "size": 80}], [{text[:200]: text}]):
        check(admin.post(address, json={"files": films}, headers=token), films)
    with app.app_context():
        capture = captures.filmed(part["id"], make_user("film@example.com"), name=name)
        captures.read_now(captures.refusal(name))

    read = list(read_everything(app, client, admin, part_id=part["id"], capture_id=capture.id, sku="BR-1"))

    assert any("captures" in route.path for route in read)
    assert "Cannot be used" in admin.get(f"/admin/parts/{part['id']}").text


@each_text
def test_text_in_a_part(app: Flask, client: FlaskClient, admin: FlaskClient, text: str) -> None:
    token = csrf_header(admin)
    plain = {"sku": "BR-1", "name": "Bracket", "description": "Strong.", "is_published": True, "width_mm": 5}
    fitting = {"sku": text[:64], "name": text[:200], "description": text[:5000]}
    kept = dict(plain)
    changes = [{name: text} for name in plain] + [{name: cut} for name, cut in fitting.items()]
    for change in [*changes, {text[:200]: text}]:
        made = admin.post("/api/admin/parts", json=plain | change, headers=token)
        check(made, change)
        if made.status_code != 201 or made.json is None:
            assert made.status_code == 400, change
            continue
        kept |= change
        deleted = admin.post(f"/admin/parts/{made.json['id']}/delete", headers=token)
        check(deleted, change)
        assert deleted.status_code == 204

    part = admin.post("/api/admin/parts", json=kept, headers=token).json
    assert part is not None
    assert len(list(read_everything(app, client, admin, part_id=part["id"], sku=part["sku"]))) > 10
    form = fitting | {"width_mm": text, "is_published": text}
    for address in (f"/admin/parts/{part['id']}", "/admin/parts"):
        check(admin.post(address, data=_sendable(form), headers=token), address)
    if text in (TEXTS["tag"], TEXTS["quotes"], TEXTS["template"]):
        assert {**kept, **fitting} == kept, "what this attack is made of is kept as text and was read back"


@each_text
def test_text_beside_a_photo_and_in_a_job(
    app: Flask, client: FlaskClient, admin: FlaskClient, text: str
) -> None:
    token = csrf_header(admin)
    part = admin.post("/api/admin/parts", json={"sku": "BR-1", "name": "Bracket"}, headers=token).json
    assert part is not None
    upload = "/api/admin/3d-models/upload-images"
    sendable = text.encode("utf-8", "replace").decode()
    for name, field in (("image0", "alt_text"), ("image1", "caption"), ("image2", "angle_label")):
        file = (io.BytesIO(picture()), sendable.replace("\x00", "")[:200] or "a.jpg")
        form = {"partId": part["id"], field: sendable, name: file}
        check(admin.post(upload, data=form, headers=token), field)
    for angle in ("front", "back"):
        form = {"partId": part["id"], "angle_label": angle, "image0": (io.BytesIO(picture()), "a.jpg")}
        image = admin.post(upload, data=form, headers=token).json["images"][0]  # type: ignore[index]
        for field in ("alt_text", "caption", "angle_label", text[:100]):
            check(admin.patch(f"/api/admin/images/{image['id']}", json={field: text}, headers=token), field)
            form = {field.encode("utf-8", "replace").decode(): sendable}
            check(admin.post(f"/admin/photos/{image['id']}/labels", data=form, headers=token), field)
    bad = {"partId": text, "image0": (io.BytesIO(sendable.encode()), "a.jpg"), sendable[:100]: "x"}
    check(admin.post(upload, data=bad | {"partId": sendable}, headers=token), "upload")
    check(admin.put(f"/api/admin/parts/{part['id']}/images/order", json=[text], headers=token), "order")

    images = admin.get(f"/api/admin/parts/{part['id']}").json["images"]  # type: ignore[index]
    chosen = {"front": images[-2]["id"], "back": images[-1]["id"]}
    sound = {"partId": part["id"], "selectedAngles": chosen}
    for change in (
        {"partId": text},
        {"selectedAngles": chosen | {text[:100]: images[0]["id"]}},
        {"selectedAngles": chosen | {"left": text}},
        {"engine": text or "?"},
        {"config": {text[:100]: 1}},
        {"config": {"texture_prompt": text, "level": text}},
        {"config": {"texture_prompt": text}},
    ):
        answer = admin.post("/api/admin/3d-models/generate", json=sound | change, headers=token)
        check(answer, change)
        assert answer.status_code in (202, 400, 404), change
    job = admin.post("/api/admin/3d-models/generate", json=sound, headers=token).json or {}
    names = {"part_id": part["id"], "sku": "BR-1", "image_id": images[0]["id"]}
    assert list(read_everything(app, client, admin, **names, job_id=job.get("jobId", "x")))


@each_text
def test_text_in_an_address_a_query_a_form_and_a_header(
    app: Flask, client: FlaskClient, admin: FlaskClient, text: str
) -> None:
    short = text.encode("utf-8", "replace").decode()[:2000]
    names = dict.fromkeys(("part_id", "image_id", "job_id", "version_id", "sku", "key", "filename"), short)
    for route in routes(app, **{name: value or "x" for name, value in names.items()}):
        query = "&".join(
            f"{name}={quote(short)}" for name in ("q", "page", "next", "status", "rev", "job", "v", "id")
        )
        path = f"{quote(route.path, safe='/%')}?{query}&{quote(short)}=1"
        for reader in (client, admin):
            check(reader.open(path, method=route.method, buffered=True), route)

    form = dict.fromkeys(("email", "password", "next", "current_password", "new_password", "id"), short)
    for reader in (client, admin):
        for path in ("/login", "/account/password", "/logout", "/admin/parts"):
            answer = reader.post(path, data=form | {"csrf_token": csrf_token(reader)})
            check(answer, path)
            assert is_ours(answer.location or "/"), path

    right = {"email": "admin@example.com", "password": PASSWORD, "csrf_token": csrf_token(client)}
    landed = client.post("/login", data=right | {"next": short})
    check(landed, "login")
    assert landed.status_code == 302
    assert is_ours(landed.location or "")

    header = short.replace("\r", "").replace("\n", "").replace("\x00", "").encode().decode("latin-1")
    names = ("User-Agent", "Referer", "Accept-Language", "HX-Current-URL", "Authorization", "Origin", "Host")
    for name in names:
        for path in ("/", "/admin/", "/api/admin/parts/x", "/nothing"):
            answer = client.get(path, headers={name: header, "HX-Request": "true"})
            check(answer, name, host=header if name == "Host" and answer.status_code == 200 else "localhost")
