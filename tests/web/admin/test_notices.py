"""The page Notices, and what is new on the overview."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from acr3d.accounts import users
from acr3d.notices import collect
from tests.support.accounts import browser, csrf_token
from tests.support.factories import fail_job, make_part
from tests.support.receivers import Hook, Mailbox, serving


def press(client: FlaskClient, address: str, **form: str | list[str]) -> str:
    data = {"csrf_token": csrf_token(client)} | form
    return client.post(f"/admin/notices{address}", data=data, follow_redirects=True).text


def fail(app: Flask) -> None:
    with app.app_context():
        fail_job(make_part("F-1", name="Flange"))
        collect.collect()


def test_what_is_new_is_on_the_overview_until_it_is_seen(app: Flask, admin: FlaskClient) -> None:
    viewer = browser(app, "viewer")
    fail(app)
    page = viewer.get("/admin/").text
    assert "The model of Flange (F-1) failed." in page
    [newest] = re.findall(r'name="up_to" value="([0-9]+)"', page)

    assert "New notices" not in press(viewer, "/seen", up_to=newest)

    assert "The model of Flange (F-1) failed." in viewer.get("/admin/notices").text
    assert "New notices" in admin.get("/admin/").text  # what one has seen, others have not


def test_everybody_chooses_for_themselves_within_their_role(app: Flask, admin: FlaskClient) -> None:
    viewer = browser(app, "viewer")
    fail(app)
    assert "The job service stopped" not in viewer.get("/admin/notices").text

    page = press(viewer, "", app=["review"], mail=["failed", "poller"])

    assert "Saved." in page
    assert "New notices" not in viewer.get("/admin/").text
    with app.app_context():
        chosen = users.user_by_email("viewer@example.com")
        assert (chosen.app_notices, chosen.mailed_notices) == ("review", "failed")
        assert users.user_by_email("admin@example.com").mailed_notices == ""


def test_both_ways_can_be_tried(make_app: Callable[..., Flask]) -> None:
    with serving(Mailbox()) as mailbox, serving(Hook()) as hook:
        app = make_app(
            smtp=mailbox.url,
            mail_from="acr3d@example.com",
            notice_webhook=hook.origin,
            notice_webhook_secret="0123456789abcdef",
            asset_origins=(hook.origin,),
        )
        admin = browser(app)
        assert "It was sent and accepted." in press(admin, "/test-mail")
        assert "It was sent and accepted." in press(admin, "/test-webhook")
        hook.status = 404
        assert "Nothing arrived: the receiver answered 404." in press(admin, "/test-webhook")

    assert [mail["To"] for mail in mailbox.mails] == ["admin@example.com"]
    assert len(hook.calls) == 2


def test_admins_choose_what_the_webhook_gets(make_app: Callable[..., Flask]) -> None:
    app = make_app(notice_webhook="https://hooks.example.com", notice_webhook_secret="0123456789abcdef")
    admin, viewer = browser(app), browser(app, "viewer")
    assert admin.get("/admin/notices").text.count('name="kind"') == 5

    page = press(admin, "/webhook", kind=["failed"])

    assert re.findall(r'name="kind" value="([a-z]+)" checked', page) == ["failed"]
    assert "Notices for the webhook" in admin.get("/admin/log?kind=setting").text
    assert 'name="kind"' not in viewer.get("/admin/notices").text
    sent = viewer.post("/admin/notices/webhook", data={"csrf_token": csrf_token(viewer)})
    assert sent.status_code == 403


def test_a_way_cannot_be_tried_without_end(make_app: Callable[..., Flask]) -> None:
    admin = browser(make_app(search_rate=2))

    answers = [press(admin, "/test-webhook") for _time in range(2)]

    assert ["Too many requests" in one for one in answers] == [False, True]


def test_without_settings_nothing_is_sent_and_the_page_says_so(admin: FlaskClient) -> None:
    for way in ("/test-mail", "/test-webhook"):
        assert "This is not set up on the server" in press(admin, way)
    assert "No mail server is set up" in admin.get("/admin/notices").text
