"""An overview or list of jobs that stays open: a small request, answered only when something moved."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.jobs import queries, service
from tests.support.by_hand import move
from tests.support.factories import by_angle, make_part_with_photos, make_user

PAGES = ["/admin/", "/admin/jobs", "/admin/jobs?status=pending"]


def asked_next(page: str) -> str:
    """The address that the page asks after a while."""
    [url] = re.findall(r'data-poll hx-get="([^"]+)"', page)
    return html.unescape(str(url))


def order_model() -> str:
    """A new job; its part's id."""
    part = make_part_with_photos("NEW-1", ("front", "right"))
    service.start(part.id, by_angle(part), "builtin", {}, make_user())
    return part.id


@pytest.mark.parametrize("address", PAGES)
def test_an_idle_page_notices_a_job_that_others_start_and_its_progress(
    app: Flask, admin: FlaskClient, address: str
) -> None:
    first = admin.get(address).text
    assert "every 30s" in first
    assert admin.get(asked_next(first)).status_code == 204

    with app.app_context():
        part_id = order_model()
    moved = admin.get(asked_next(first)).text

    assert "Bracket NEW-1" in moved
    assert "Queued" in moved
    assert "every 10s" in moved
    assert admin.get(asked_next(moved)).status_code == 204
    with app.app_context(), transaction() as session:
        job = queries.live_job(session, part_id)
        assert job is not None
        job.waiting_for = "The engine is busy."
    told = admin.get(asked_next(moved)).text
    assert "The engine is busy." in told
    assert "Bracket NEW-1" not in told  # only the state


def test_the_overview_notices_what_is_added_and_what_fails_elsewhere(app: Flask, admin: FlaskClient) -> None:
    page = admin.get("/admin/").text
    assert "Three first steps" in page

    with app.app_context():
        part_id = order_model()
    page = admin.get(asked_next(page)).text
    assert "Nothing needs you now." in page
    move(app, part_id, Status.FAILED, "The engine made no model.")
    page = admin.get(asked_next(page)).text

    assert ("Needs you now" in page, "The engine made no model." in page) == (True, True)
    assert "every 30s" in page
