"""Requests to every address of the app: sound ones, and such with something odd in them (Hypothesis)."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from flask import Flask
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from acr3d.parts.fields import FIELDS
from tests.support.factories import picture
from tests.support.routes import SOMETHING, UNSAFE, Route, routes

Body = dict[str, Any] | list[Any]

ROLES = ("nobody", "viewer", "admin", "newcomer", "viewer's program", "admin's program", "forged")
"""A newcomer has a one-time password."""

FILES = {
    "photo": picture(size=(64, 48)),
    "png": picture(size=(64, 48), kind="PNG"),
    "half": picture(size=(64, 48))[:300],
    "text": b"not a photo",
    "nothing": b"",
}
_WORDS = (
    *("", " ", "0", "-1", "1e309", "NaN", "null", "true", "on", "x", "x" * 300, "x90,y180"),
    *("a\x00b", "\ud83d", "\u202e", "e\u0301" * 200, "../../etc/passwd", "%00", "'; --", "{{7*7}}", "<b>"),
    *("1" * 400, "9" * 25, "２０２０", "http://[", "\r\nX-Odd: 1", "😀", "\ufffe", "\u2028"),
)
# Beside the names in sound bodies: what no route takes, and what a framework may.
_NAMES = ("", "id", "__class__", "csrf_token", "revision", "x" * 200, "a\x00b", "image6", "page", "q")
_HEADERS = (
    ("HX-Request", "true"),
    ("HX-Current-URL", "http://localhost/admin/parts?q=1"),
    ("HX-Current-URL", "http://["),
    ("HX-Current-URL", "\xff"),
    ("Accept-Language", "de"),
    ("Accept-Language", "*" * 100),
    ("If-None-Match", '"x"'),
    ("If-Match", "*"),
    ("Range", "bytes=0-1"),
    ("Range", "bytes=9-1"),
    ("Range", "x"),
    ("Origin", "https://elsewhere.example"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Content-Encoding", "gzip"),
    ("Transfer-Encoding", "chunked"),
    ("X-HTTP-Method-Override", "DELETE"),
)
_TYPES = (
    *("application/json", "application/x-www-form-urlencoded", "multipart/form-data"),
    *("multipart/form-data; boundary=x", "text/xml", "\xff"),
)
_BYTES = (b"", b"[" * 20_000, b"--x\r\n\r\n", b"a=%ff&a[]=1", b'{"a": 1, "a": 2}', b"\xff\xfe")

_LEFT_OUT = "(left out)"

words = st.sampled_from(_WORDS) | st.text(max_size=20)
numbers = st.integers() | st.floats() | st.sampled_from((0, -1, 2**63, 2**64, 1e308))
anything = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Sent:
    """One request, for `FlaskClient.open`."""

    role: str
    method: str
    path: str
    how: dict[str, Any] = field(repr=False)
    has_csrf_token: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def _shown(self) -> str:
        return str({name: value() if callable(value) else value for name, value in self.how.items()})

    def __repr__(self) -> str:
        return f"{self.role}: {self.method} {self.path[:200]!r} {self.headers} {self._shown()[:400]}"


def sound_bodies(known: dict[str, str], image_ids: list[str]) -> dict[str, Body]:
    """By endpoint, what it takes. Text that begins with @ names a file of FILES."""
    part = {one.name: one.default for one in FIELDS} | {"sku": "NEW-1", "name": "New", "width_mm": 5}
    form = {name: str(value) for name, value in part.items() if value is not None}
    labels = {"angle_label": "top", "alt_text": "A bracket", "caption": "Seen from above"}
    angles = dict(zip(("front", "right", "back"), image_ids, strict=True))
    order = {"attempt_id": SOMETHING, "task_id": "a task"}
    uploads = {f"image{place}": "@photo" for place in range(2)}
    options = {"target_polycount": 3000, "enable_pbr": True, "texture_prompt": "steel", "level": "light"}
    return {
        "api_parts.create_part": part,
        "api_jobs.generate": {
            "partId": known["part_id"],
            "selectedAngles": angles,
            "engine": "builtin",
            "config": options,
        },
        "api_jobs.retry_job": {"pay": True},
        "api_jobs.optimize_job_again": {"level": "light", "turn": "x90"},
        "api_photos.label_image": labels,
        "api_photos.reorder_images": image_ids[::-1],
        "api_photos.upload_images": {"partId": known["part_id"]} | uploads | labels,
        "api_photos.replace_image": {"image": "@png"},
        "api_unmatched_tasks.adopt": {"taskId": "a task"},
        "api_unmatched_tasks.order_anew": {"attemptId": SOMETHING, "taskIds": ["a task"]},
        "api_unmatched_tasks.attach": {"partId": known["part_id"]},
        "auth.log_in": {"email": "admin@example.com", "password": "correct horse battery", "next": "/admin/"},
        "auth.change_password": {
            "current_password": "correct horse battery",
            "new_password": "a long new password",
            "repeated_password": "a long new password",
        },
        "admin.parts.create": form,
        "admin.parts.update": form | {"revision": "1"},
        "admin.photos.order": {"id": image_ids[::-1]},
        "admin.photos.label": labels,
        "admin.jobs.generate": {"use": image_ids, "engine": "builtin"}
        | {f"angle-{one}": angle for angle, one in angles.items()}
        | {name: str(value) for name, value in options.items()},
        "admin.jobs.retry": {"pay": "yes"},
        "admin.jobs.optimize_again": {"level": "light", "turn": "x90"},
        "admin.unmatched_tasks.attach": {"sku": known["sku"]},
        "admin.unmatched_tasks.choose_task": {"task_id": "a task"},
        "admin.unmatched_tasks.order_again": order,
        "webhooks.meshy": {"id": SOMETHING, "status": "SUCCEEDED"},
    }


def requests(app: Flask, known: dict[str, str], image_ids: list[str]) -> SearchStrategy[Sent]:
    """Any request; those that may change something three times as often as the others."""
    rules = list(app.url_map.iter_rules())
    endpoints = {(rule.rule, method): rule.endpoint for rule in rules for method in rule.methods or ()}
    bodies = sound_bodies(known, image_ids)
    listed = [
        _requests_to(route, bodies.get(endpoints[route.rule, route.method]), known)
        for route in routes(app, **known)
        for _ in range(3 if route.changes else 1)
    ]
    return st.sampled_from(listed).flatmap(lambda one: one)


def _requests_to(route: Route, sound: Body | None, known: dict[str, str]) -> SearchStrategy[Sent]:
    # The API takes JSON, but for files.
    as_form = "'@" in str(sound) or not route.rule.startswith(("/api/", "/webhooks/"))
    return st.builds(
        Sent,
        role=_mostly("admin's program" if route.is_api else "admin", st.sampled_from(ROLES)),
        method=_mostly(route.method, st.sampled_from((*UNSAFE, "GET", "HEAD", "OPTIONS", "PROPFIND"))),
        path=_mostly(route.path, _odd_paths(route.path, known)),
        how=_bodies(sound, as_form) if route.changes else _queries(),
        has_csrf_token=_mostly(True, st.just(False)),
        headers=_mostly({}, st.lists(st.sampled_from(_HEADERS), max_size=2).map(dict)),
    )


def _mostly(sound: Any, odd: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.integers(0, 5).flatmap(lambda number: odd if number == 5 else st.just(sound))


def _odd_paths(path: str, known: dict[str, str]) -> SearchStrategy[str]:
    """The path with another thing's name, or no name, in its place; or with something behind it."""
    named = [value for value in known.values() if value in path] or [path[1:]]
    instead = st.sampled_from((*known.values(), SOMETHING, *_WORDS)).map(_in_path)
    replaced = st.builds(path.replace, st.sampled_from(named), instead)
    return replaced | instead.map(lambda more: f"{path}/{more}")


def _in_path(word: str) -> str:
    return quote(word.encode("utf-8", "surrogatepass"))


def _queries() -> SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(("q", "page", "status", "job", "rev", "next", "limit", "cursor", "", "v"))
    queries = st.dictionaries(names, words.map(_sendable), max_size=3)
    return queries.map(lambda query: {"query_string": query})


def _bodies(sound: Body | None, as_form: bool) -> SearchStrategy[dict[str, Any]]:
    values = (
        anything
        if sound is None
        else st.booleans().flatmap(lambda is_sound: st.just(sound) if is_sound else _changed(sound))
    )
    as_usual, otherwise = (_form, _json) if as_form else (_json, _form)
    raw = st.builds(
        lambda data, kind: {"data": data, "content_type": kind},
        st.binary(max_size=60) | st.sampled_from(_BYTES),
        st.sampled_from(_TYPES),
    )
    return st.integers(0, 9).flatmap(
        lambda number: raw if number == 9 else values.map(otherwise if number == 8 else as_usual)
    )


def _changed(sound: Body) -> SearchStrategy[Any]:
    """The body with one to three values taken out, added or replaced, or something else altogether."""
    if isinstance(sound, list):
        return st.lists(st.sampled_from(sound) | words, max_size=8) | anything
    names = st.sampled_from((*sound, *sound, *_NAMES))
    values = anything | st.sampled_from((*sound.values(), "@half", "@text", "@nothing", _LEFT_OUT))
    changes = st.dictionaries(names, values, min_size=1, max_size=3)
    return changes.map(lambda made: _without_left_out(sound | made)) | anything


def _without_left_out(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value != _LEFT_OUT}


def _json(body: Any) -> dict[str, Any]:
    # As a program could send it: Python writes NaN, and half a pair as an escape.
    return {"data": json.dumps(body).encode(), "content_type": "application/json"}


def _form(body: Any) -> dict[str, Any]:
    fields = body if isinstance(body, dict) else {"id": body}
    # Made again for each sending: a file is read only once.
    return {"data": lambda: {_sendable(name): _field(value) for name, value in fields.items()}}


def _field(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("@") and value[1:] in FILES:
        return (io.BytesIO(FILES[value[1:]]), f"{value[1:]}.jpg")
    if isinstance(value, list):
        return [_sendable(str(one)) for one in value]
    return _sendable(str(value))


def _sendable(text: str) -> str:
    """What a browser could put into a form: it has no half surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
