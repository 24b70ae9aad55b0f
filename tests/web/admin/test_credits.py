"""The page Credits: what was spent by month, part, person and day, and the same as a table."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.orders import circuit_breaker
from tests.support.accounts import browser
from tests.support.at_meshy import KEY, created, hold_all_but, start, step, task
from tests.support.contract.server import PreparedServer, answer
from tests.support.factories import make_user


def test_the_page_says_what_was_spent_by_whom_and_for_what(
    make_app: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make_app(meshy_api_key=KEY, meshy_api_base=meshy.base, monthly_budget=60, low_balance=100)
    admin = browser(app)
    assert "No credits spent yet" in admin.get("/admin/credits").text
    with app.app_context():
        job = start("BR-7", make_user("carla@example.com"))
        start("BR-8", make_user("bob@example.com"))
        meshy.answers += [created(), answer(200, task("SUCCEEDED", progress=100, consumed_credits=35))]
        hold_all_but(job)
        step(app, job, 2)
        link = engines().provider("meshy")
        assert link is not None
        meshy.answers += [answer(200, {"balance": 44})]
        circuit_breaker.probe(link, only_if_open=False)
        circuit_breaker.probe(link, only_if_open=False)  # known by now: not asked again
        today = utc_now()

    page = admin.get("/admin/credits").text
    assert rows_of(page) == [[f"{today:%B}", f"{today:%Y}", "35", "30", "2"]]
    assert rows_of(sums(admin, "day"))[0][-3:] == ["35", "30", "2"]
    assert rows_of(sums(admin, "part")) == [["BR-7", "35", "0", "1"], ["BR-8", "0", "30", "1"]]
    assert ["bob@example.com", "0", "30", "1"] in rows_of(sums(admin, "person"))
    assert rows_of(sums(admin, "part&month=2025-01")) == [["Nothing", "yet."]]
    table = admin.get("/admin/credits.csv?by=part")
    assert table.headers["Content-Disposition"].endswith(f"credits-{today:%Y-%m}-by-part.csv")
    assert table.text.splitlines() == ["\ufeffpart,spent,running,orders", "BR-7,35,0,1", "BR-8,0,30,1"]
    assert f"{today:%Y-%m},35,30,2" in admin.get("/admin/credits.csv").text
    assert "<strong>65</strong> of 60 credits" in page
    assert "<strong>44</strong> credits left at Meshy" in page
    assert "The Meshy account has only 44 credits left." in page
    assert "budget of 60 credits is used up" in page


def sums(admin: FlaskClient, by: str) -> str:
    return admin.get(f"/admin/credits?by={by}").text


def rows_of(page: str) -> list[list[str]]:
    """The words of the rows below the head of the page's table."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [row.partition("</tr>")[0] for row in body.split("<tr>")[1:]]
    return ["".join(f" {piece.partition('>')[2]}" for piece in row.split("<")).split() for row in rows]
