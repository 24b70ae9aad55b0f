"""The log: who changed what, from what to what, and what is left of it after a year."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from acr3d.accounts import audit_log, people, users
from acr3d.db.models import LogEntry, Part
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.parts import bulk, categories
from acr3d.parts.bin import delete_part, restore_part
from acr3d.parts.parts import update_part
from acr3d.parts.photos import label_photo
from tests.support.accounts import browser, csrf_header
from tests.support.databases import ON_BOTH
from tests.support.factories import make_part, make_part_with_photos, make_user, order_of

pytestmark = ON_BOTH


def told(**choice: str) -> list[tuple[str, str, dict[str, list[object]]]]:
    return [(one.entry.kind, one.entry.action, one.entry.changes) for one in audit_log.page(**choice).lines]


def test_every_change_is_written_with_what_was_before(app: Flask) -> None:
    with app.app_context():
        part = make_part_with_photos("BR-100", angles=("front",))
        categories.create("Brakes")
        anna, bob = make_user(), make_user("bob@example.com", "viewer")
        update_part(
            part.id, {"name": "Rotor", "category": "Brakes", "numbers": [{"kind": "oe", "value": "1K0"}]}
        )
        label_photo(order_of(part)[0], {"angle_label": "back"})
        bulk.change("unpublish", [part.id], anna)
        delete_part(part.id)
        restore_part(part.id)
        people.change_role(bob.id, "admin", anna)
        users.reset_password("bob@example.com", "a phrase that nobody guesses", one_time=False)
        users.log_out_everywhere(bob)

        newest_first = told()

    facts = {"name": ["Bracket BR-100", "Rotor"], "category": [None, "Brakes"], "numbers": ["", "oe 1K0"]}
    assert newest_first[:8] == [
        ("account", "changed", {"sessions": [None, None]}),
        ("account", "changed", {"password": [None, None]}),
        ("account", "changed", {"role": ["viewer", "admin"]}),
        ("part", "restored", {}),
        ("part", "deleted", {}),
        ("part", "changed", {"is_published": [True, False]}),
        ("photo", "changed", {"angle_label": ["front", "back"]}),
        ("part", "changed", facts),
    ]


def test_what_fails_is_not_in_the_log_and_a_year_later_nothing_is(app: Flask) -> None:
    with app.app_context():
        part = make_part()
        with pytest.raises(RuntimeError):
            _change_that_fails(part)

        assert told() == [("part", "created", {})]
        with transaction() as session:
            session.execute(update(LogEntry).values(at=utc_now() - audit_log.KEPT - timedelta(days=1)))
        audit_log.forget_old()
        assert told() == []


def _change_that_fails(part: Part) -> None:
    with transaction() as session:
        session.get_one(Part, part.id).name = "Never"
        session.flush()
        raise RuntimeError


def test_admins_find_entries_by_person_part_and_kind(app: Flask, admin: FlaskClient) -> None:
    token = csrf_header(admin)
    made = admin.post("/api/admin/parts", json={"sku": "BR-7", "name": "Arm"}, headers=token).get_json()
    admin.patch(f"/api/admin/parts/{made['id']}", json={"width_mm": 12.5, "revision": 1}, headers=token)
    with app.app_context():
        make_part("BR-8")

    page = admin.get("/admin/log?person=admin@example.com&part=br-7&kind=part").text

    assert "Width: – → <strong>12.5</strong>" in page
    assert "BR-8" not in page
    assert "BR-8" in admin.get("/admin/log?person=server").text
    assert "No entry matches this choice." in admin.get("/admin/log?kind=photo").text
    for odd in ("before=99999999999999999999", "person=%00", "part=%00", "before=x"):
        assert admin.get(f"/admin/log?{odd}").status_code == 200
    assert browser(app, "viewer").get("/admin/log").status_code == 403
