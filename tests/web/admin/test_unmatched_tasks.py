"""What an admin sees of tasks that nobody can place, and what the buttons and the API do with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from acr3d.db.models import Attempt, UnmatchedTask
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.orders import unmatched_actions
from acr3d.parts.parts import part_by_id
from acr3d.worker.loop import JobPoller
from tests.support.accounts import bearer, browser, csrf_header
from tests.support.at_meshy import KEY, listing, made, step, two_candidates
from tests.support.contract.server import PreparedServer, answer, cut_off, raw
from tests.support.factories import by_angle, make_part_with_photos, make_user, picture

HTMX = {"HX-Request": "true"}


@pytest.fixture
def app(make_app: Callable[..., Flask], meshy: PreparedServer) -> Flask:
    return make_app(meshy_api_key=KEY, meshy_api_base=meshy.base)


@pytest.fixture
def ambiguous(app: Flask, meshy: PreparedServer) -> tuple[str, str]:
    """The ids of a part and its job, whose order could have made two tasks."""
    with app.app_context():
        part = make_part_with_photos()
        job = service.start(part.id, by_angle(part), "meshy", {}, make_user("who@example.com"))
        two_candidates(app, meshy, job)
        return part.id, job.id


def swept(app: Flask, meshy: PreparedServer, *tasks: dict[str, object]) -> dict[str, str]:
    """{task id: row id} of the unmatched tasks, after a scan."""
    meshy.answers += listing(*tasks)
    with app.app_context():
        return {row.task_id: row.id for row in unmatched_actions.refresh()}


def test_the_way_to_the_decision_is_shown_where_the_job_is(
    app: Flask, admin: FlaskClient, ambiguous: tuple[str, str]
) -> None:
    part_id, job_id = ambiguous
    address = f"/admin/jobs/{job_id}/candidates"

    for page in ("/admin/", "/admin/jobs", f"/admin/parts/{part_id}"):
        assert address in admin.get(page).text, page
    shown = admin.get(address).text
    assert re.findall(r'class="sku">(one|two)<', shown) == ["one", "two"]
    assert "No other job waits" in shown


def test_the_button_takes_the_shown_task(app: Flask, admin: FlaskClient, ambiguous: tuple[str, str]) -> None:
    part_id, job_id = ambiguous
    token = csrf_header(admin) | HTMX

    done = admin.post(f"/admin/jobs/{job_id}/adopt", data={"task_id": "two"}, headers=token)
    second = admin.post(f"/admin/jobs/{job_id}/adopt", data={"task_id": "one"}, headers=token)

    assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"/admin/parts/{part_id}")
    assert (second.status_code, second.mimetype) == (409, "text/plain")
    assert "somebody else has just chosen" in second.text
    assert "nothing to choose" in admin.get(f"/admin/jobs/{job_id}/candidates").text
    with app.app_context():
        assert queries.job_by_id(job_id).meshy_task_id == "two"


def test_ordering_anew_names_the_price_and_what_was_looked_at(
    app: Flask, admin: FlaskClient, ambiguous: tuple[str, str]
) -> None:
    _part_id, job_id = ambiguous
    page = admin.get(f"/admin/jobs/{job_id}/candidates").text
    assert "about 30 credits" in page

    form = page[page.index("order-anew") :]
    looked_at = re.findall(r'name="task_id" value="([^"]+)"', form)
    [attempt] = re.findall(r'name="attempt_id" value="([^"]+)"', form)
    assert looked_at == ["one", "two"]
    address, headers = f"/admin/jobs/{job_id}/order-anew", csrf_header(admin) | HTMX
    sent = (
        {"attempt_id": attempt, "task_id": "one"},
        {"attempt_id": "another", "task_id": looked_at},
        {"attempt_id": attempt, "task_id": looked_at},
        {"attempt_id": attempt, "task_id": looked_at},
    )

    statuses = [admin.post(address, data=data, headers=headers).status_code for data in sent]

    assert statuses == [409, 409, 204, 409]


def test_the_api_shows_and_takes_the_same_decision(
    app: Flask, client: FlaskClient, ambiguous: tuple[str, str]
) -> None:
    _part_id, job_id = ambiguous
    address, headers = f"/api/admin/jobs/{job_id}", bearer(app)

    shown = client.get(f"{address}/candidates", headers=headers).get_json()
    assert [one["task_id"] for one in shown["candidates"]] == ["one", "two"]
    order = {"attemptId": shown["attemptId"]}
    some = client.post(f"{address}/order-anew", json=order | {"taskIds": ["one"]}, headers=headers)
    adopted = client.post(f"{address}/adopt", json={"taskId": "one"}, headers=headers)
    late = client.post(f"{address}/order-anew", json=order | {"taskIds": ["one", "two"]}, headers=headers)

    assert (some.status_code, adopted.status_code, late.status_code) == (409, 200, 409)
    assert adopted.get_json()["meshy_task_id"] == "one"
    assert client.get(f"{address}/candidates", headers=headers).get_json()["undecided"] is False


def test_unmatched_tasks_are_listed_with_what_is_known_and_their_pictures_come_from_us(
    app: Flask, admin: FlaskClient, meshy: PreparedServer
) -> None:
    signed = f"{meshy.base}/preview.png?Expires=1&Signature=SECRET"
    rows = swept(
        app,
        meshy,
        made("seen", thumbnail_url=signed, texture_prompt="<b>steel</b>"),
        made("runs", status="IN_PROGRESS", progress=40),
    )

    page = admin.get("/admin/unmatched-tasks").text
    assert "In progress, 40%" in page
    assert "&lt;b&gt;steel&lt;/b&gt;" in page
    assert "SECRET" not in page
    [source] = re.findall(r'<img src="([^"]+)"', page)
    assert source == f"/api/admin/orphans/{rows['seen']}/preview"
    assert page.count("/attach") == 1  # what still runs cannot be given away
    assert "If other software ordered it" in page
    meshy.answers += [answer(200, made("seen", thumbnail_url=signed)), raw(200, picture(kind="PNG"))]
    preview = admin.get(source)
    assert (preview.status_code, preview.mimetype) == (200, "image/jpeg")
    assert preview.headers["Cache-Control"].startswith("private")
    assert app.test_client().get(source).status_code == 401
    assert admin.get(f"/api/admin/orphans/{rows['runs']}/preview").status_code == 204


def test_an_unmatched_task_is_given_to_the_part_with_that_number(
    app: Flask, admin: FlaskClient, meshy: PreparedServer
) -> None:
    with app.app_context():
        part_id = make_part_with_photos("A/1").id
    rows = swept(app, meshy, made("lost"))
    headers = csrf_header(admin) | HTMX

    wrong = admin.post(
        f"/admin/unmatched-tasks/{rows['lost']}/attach", data={"sku": "nothing"}, headers=headers
    )
    given = admin.post(
        f"/admin/unmatched-tasks/{rows['lost']}/attach", data={"sku": " a/1 "}, headers=headers
    )

    assert (wrong.status_code, "nothing" in wrong.text) == (400, True)
    assert given.headers["HX-Redirect"] == f"/admin/parts/{part_id}"
    page = admin.get(f"/admin/parts/{part_id}").text
    assert "Its model will be downloaded" in page
    assert "which no job followed" in page
    with app.app_context():
        assert part_by_id(part_id).model_status == "processing"


def test_the_api_lists_attaches_dismisses_and_deletes(
    app: Flask, client: FlaskClient, meshy: PreparedServer
) -> None:
    headers = bearer(app)
    with app.app_context():
        part_id = make_part_with_photos().id
    meshy.answers += listing(made("a"), made("b"), made("c", status="IN_PROGRESS"))
    found = client.post("/api/admin/orphans/refresh", headers=headers).get_json()
    rows = {one["task_id"]: f"/api/admin/orphans/{one['id']}" for one in found}
    assert client.get("/api/admin/orphans", headers=headers).get_json() == found
    meshy.answers += [answer(409, {"message": "running"}), raw(200, b"")]

    attached = client.post(f"{rows['a']}/attach", json={"partId": part_id}, headers=headers)
    running = client.delete(rows["c"], headers=headers)
    deleted = client.delete(rows["b"], headers=headers)
    dismissed = client.post(f"{rows['c']}/dismiss", headers=headers)

    statuses = [one.status_code for one in (attached, running, deleted, dismissed)]
    assert statuses == [202, 409, 204, 204]
    assert "still working" in running.get_json()["error"]
    assert client.get("/api/admin/orphans", headers=headers).get_json() == []


def test_what_was_put_aside_or_deleted_is_shown_with_who_did_it_and_can_be_brought_back(
    app: Flask, admin: FlaskClient, meshy: PreparedServer
) -> None:
    rows = swept(app, meshy, made("aside"), made("deleted"))
    headers = csrf_header(admin) | HTMX
    assert "Dismissed or deleted" not in admin.get("/admin/unmatched-tasks").text
    meshy.answers += [raw(200, b"")]
    admin.post(f"/admin/unmatched-tasks/{rows['aside']}/dismiss", headers=headers)
    admin.post(f"/admin/unmatched-tasks/{rows['deleted']}/delete", headers=headers)

    page = admin.get("/admin/unmatched-tasks").text
    listed, _heading, record = page.partition("Dismissed or deleted")
    assert rows["aside"] not in listed
    assert re.findall(r'class="sku">(\w+)<', record) == ["deleted", "aside"]
    assert "Dismissed by admin@example.com" in record
    assert "Deleted at Meshy by admin@example.com" in record
    assert re.findall(r"/unmatched-tasks/([^/]+)/restore", record) == [rows["aside"]]
    seen_by_viewer = browser(app, "viewer").get("/admin/unmatched-tasks").text
    assert "Dismissed by admin@example.com" in seen_by_viewer
    assert "/bring-back" not in seen_by_viewer

    back = admin.post(f"/admin/unmatched-tasks/{rows['aside']}/restore", headers=headers)
    gone = admin.post(f"/admin/unmatched-tasks/{rows['deleted']}/restore", headers=headers)

    assert (back.headers["HX-Redirect"], gone.status_code) == ("/admin/unmatched-tasks", 409)
    assert "deleted at Meshy" in gone.text
    with app.app_context():
        assert [row.task_id for row in unmatched_actions.current_tasks()] == ["aside"]


def test_a_task_that_meshy_no_longer_keeps_is_not_offered_to_be_brought_back(
    app: Flask, admin: FlaskClient, meshy: PreparedServer
) -> None:
    soon = int((utc_now() + timedelta(hours=1)).timestamp() * 1000)
    rows = swept(app, meshy, made("aside", expires_at=soon))
    admin.post(f"/admin/unmatched-tasks/{rows['aside']}/dismiss", headers=csrf_header(admin) | HTMX)
    assert "/restore" in admin.get("/admin/unmatched-tasks").text
    with app.app_context(), transaction() as session:
        session.execute(update(UnmatchedTask).values(expires_at=utc_now()))

    page = admin.get("/admin/unmatched-tasks").text

    assert "Dismissed by" in page
    assert "/bring-back" not in page


def test_a_candidate_that_was_put_aside_comes_back_only_when_its_jobs_order_is_settled(
    app: Flask, admin: FlaskClient, client: FlaskClient, meshy: PreparedServer, ambiguous: tuple[str, str]
) -> None:
    _part_id, job_id = ambiguous
    headers = bearer(app)
    shown = client.get(f"/api/admin/jobs/{job_id}/candidates", headers=headers).get_json()
    looked_at = {"attemptId": shown["attemptId"], "taskIds": ["one", "two"]}
    client.post(f"/api/admin/jobs/{job_id}/order-anew", json=looked_at, headers=headers)
    aside = client.get("/api/admin/orphans/dismissed", headers=headers).get_json()
    assert {(one["task_id"], one["is_deleted"]) for one in aside} == {("one", False), ("two", False)}
    assert all(one["dismissed_at"] and "@" in one["dismissed_by"] for one in aside)
    address = f"/api/admin/orphans/{aside[0]['id']}/bring-back"
    meshy.answers += [cut_off]
    with app.app_context():
        job = step(app, queries.job_by_id(job_id))
        early = client.post(address, headers=headers)
        service.cancel(job.id, make_user("other@example.com"))
        with transaction() as session:
            session.execute(update(Attempt).values(state="refused"))
    late = client.post(address, headers=headers)

    assert (early.status_code, late.status_code) == (409, 204)
    [listed] = client.get("/api/admin/orphans", headers=headers).get_json()
    assert (listed["task_id"], listed["maybe_job_id"]) == (aside[0]["task_id"], None)


def test_the_poller_looks_for_unmatched_tasks_by_itself_and_lives_with_a_meshy_that_is_away(
    app: Flask, meshy: PreparedServer, caplog: pytest.LogCaptureFixture
) -> None:
    poller = JobPoller(app)
    meshy.answers += [cut_off, *listing(made("lost"))]

    for _time in range(2):
        poller._run_aside("scan", unmatched_actions.scan_accounts)
        poller._threads.join()

    with app.app_context():
        assert [row.task_id for row in unmatched_actions.current_tasks()] == ["lost"]
    assert "Traceback" not in caplog.text


def test_a_decided_job_goes_on_by_itself(
    app: Flask, admin: FlaskClient, meshy: PreparedServer, ambiguous: tuple[str, str]
) -> None:
    _part_id, job_id = ambiguous
    headers = csrf_header(admin) | HTMX
    admin.post(f"/admin/jobs/{job_id}/adopt", data={"task_id": "two"}, headers=headers)
    meshy.answers += [answer(200, made("two", status="IN_PROGRESS", progress=50))]

    with app.app_context():
        again = step(app, queries.job_by_id(job_id))
        assert (again.status, again.progress) == (Status.PROCESSING, 50)


def test_the_pages_earlier_address_leads_to_the_new_one(admin: FlaskClient) -> None:
    moved = admin.get("/admin/orphans")

    assert (moved.status_code, moved.location) == (301, "/admin/unmatched-tasks")
