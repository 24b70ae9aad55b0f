"""The staff's list of parts: filters with counts, order, and search as it is typed."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.session import transaction
from acr3d.parts import categories
from tests.support.accounts import csrf_header
from tests.support.factories import make_part, make_part_with_photos

TYPED = {"HX-Request": "true", "HX-Target": "part-list"}


def shop(app: Flask) -> None:
    """Four parts: one with photos, one unpublished, one that failed, one with sizes in a category."""
    with app.app_context():
        categories.create("Brakes/Discs")
        make_part_with_photos("A-1")
        make_part("B-2", name="Caliper", is_published=False)
        failed = make_part("C-3", name="Housing")
        make_part("D-4", name="Disc", category="Brakes/Discs", width_mm=10, height_mm=20, depth_mm=30)
        with transaction() as session:
            session.get_one(Part, failed.id).model_status = "failed"


def skus(page: str) -> list[str]:
    return re.findall(r'class="sku">([A-D]-\d)<', page)


def test_filters_limit_the_list_and_say_how_many_parts_each_would_leave(
    app: Flask, admin: FlaskClient
) -> None:
    shop(app)

    asked = {
        query: skus(admin.get(f"/admin/parts?sort=sku&{query}").text)
        for query in (
            *("photos=true", "photos=false&published=true", "published=false", "status=failed"),
            *("status=working", "sizes=true", "model=true", "category=brakes", "q=bracket&photos=false"),
        )
    }
    page = admin.get("/admin/parts?published=true").text

    assert asked == {
        "photos=true": ["A-1"],
        "photos=false&published=true": ["C-3", "D-4"],
        "published=false": ["B-2"],
        "status=failed": ["C-3"],
        "status=working": [],
        "sizes=true": ["D-4"],
        "model=true": [],
        "category=brakes": ["D-4"],
        "q=bracket&photos=false": [],
    }
    for choice in ("Photos missing (2)", "Unpublished (1)", "Failed (1)", "With sizes (1)", "Has 3D (0)"):
        assert choice in page
    assert "No parts match this choice" in admin.get("/admin/parts?model=true").text
    assert admin.get("/admin/parts?status=odd").status_code == 400


def test_a_change_is_in_the_counts_at_once(app: Flask, admin: FlaskClient) -> None:
    shop(app)
    before = admin.get("/admin/parts").text

    with app.app_context():
        make_part("E-5", is_published=False)

    assert "Unpublished (1)" in before
    assert "Unpublished (2)" in admin.get("/admin/parts").text


def test_the_list_alone_is_sent_while_somebody_types(app: Flask, admin: FlaskClient) -> None:
    shop(app)

    answer = admin.get("/admin/parts?q=cali&published=", headers=TYPED).text

    assert skus(answer) == ["B-2"]
    assert "<html" not in answer
    assert 'id="q"' not in answer
    assert "innerHTML:#list-filters" in answer
    assert ">1 part<" in answer


def test_many_parts_are_changed_from_the_list_and_changed_back(app: Flask, admin: FlaskClient) -> None:
    shop(app)
    listed = "/admin/parts/bulk?category=brakes"
    headers = TYPED | csrf_header(admin)

    done = admin.post(listed, data={"all": "yes", "action": "unpublish"}, headers=headers).text
    hidden = skus(admin.get("/admin/parts?published=false&sort=sku").text)
    undo = re.findall(r'hx-post="([^"]*/undo[^"]*)"', done)[0]
    back = admin.post(undo, headers=headers).text

    assert "1 part unpublished." in done
    assert skus(done) == ["D-4"]
    assert hidden == ["B-2", "D-4"]
    assert "1 part is as before." in back
    assert skus(admin.get("/admin/parts?published=false").text) == ["B-2"]
    refused = admin.post(listed, data={"action": "delete"}, headers=headers)
    assert (refused.status_code, refused.text) == (400, "Choose at least one part.")


def test_a_list_asks_the_database_a_dozen_times_however_many_parts_it_shows(
    app: Flask, admin: FlaskClient
) -> None:
    shop(app)
    asked: list[str] = []
    with app.app_context():
        engine = db.engine
    admin.get("/admin/parts")  # the shop's settings are read every few seconds
    event.listen(engine, "before_cursor_execute", lambda _connection, _cursor, said, *_: asked.append(said))

    admin.get("/admin/parts?category=brakes&published=true&sort=newest")

    assert len(asked) <= 14, asked  # two of them only while no poller runs
