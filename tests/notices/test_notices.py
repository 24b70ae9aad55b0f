"""Notices: each once, to whom chose them, in the app, by mail and to the webhook; a storm is one digest."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import NOTICE_KINDS, Job, Notice, NoticeOutlet, Poller, User
from acr3d.db.session import transaction
from acr3d.db.types import new_id, utc_now
from acr3d.notices import collect, listing, mail, outlets, watch, webhook
from acr3d.notices.channel import SendingFailed
from acr3d.shop import changes
from tests.support.factories import fail_job, make_part, make_user
from tests.support.receivers import Hook, Mailbox, serving

SECRET = "a secret of the receiver"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serving(Mailbox()) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hook]:
    with serving(Hook()) as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], mailbox: Mailbox, hook: Hook) -> Flask:
    return make_app(
        smtp=mailbox.url,
        mail_from="acr3d@example.com",
        notice_webhook=f"{hook.origin}/notices?for=us",
        notice_webhook_secret=SECRET,
        asset_origins=(hook.origin,),
        public_url="https://parts.example.com",
    )


def fail(number: int = 1) -> list[str]:
    """So many parts whose job has just failed; the jobs' ids."""
    return [fail_job(make_part(f"F-{one}")).id for one in range(number)]


def later(minutes: float = 11) -> None:
    """As if so much time had passed, for the notices and whom they are sent to."""
    passed = timedelta(minutes=minutes)
    with transaction() as session:
        for notice in session.scalars(select(Notice)):
            notice.at -= passed
        for outlet in session.scalars(select(NoticeOutlet)):
            outlet.next_at -= passed


def hear(app: Flask) -> User:
    """Anna, who gets everything by mail."""
    anna = make_user()
    outlets.choose_mail(anna, listing.kinds_for(anna))
    watch.once(app)  # from now on, the webhook is told
    return anna


def test_a_storm_is_one_mail_and_one_call(in_app: Flask, mailbox: Mailbox, hook: Hook) -> None:
    hear(in_app)
    fail(40)

    watch.once(in_app)
    assert (mailbox.mails, hook.calls) == ([], [])  # it waits for more
    for _time in range(3):
        later(2)
        watch.once(in_app)

    [mail], [(_signature, body)] = mailbox.mails, hook.calls
    assert (mail["To"], mail["Subject"]) == ("anna@example.com", "[acr3d] 40 notices (A job failed: 40)")
    text = mail.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "The model of" in text
    assert "… and 10 more." in text
    assert "https://parts.example.com/admin/parts/" in text
    assert len(json.loads(body)["notices"]) == 40
    later()
    fail_job(make_part("G-1"))
    watch.once(in_app)
    later()
    watch.once(in_app)
    assert len(mailbox.mails) == 2
    assert "G-1" in str(mailbox.mails[1]["Subject"])


def test_the_receiver_can_check_the_signature(in_app: Flask, hook: Hook) -> None:
    webhook.send(webhook.test_payload())

    [(signature, body)] = hook.calls
    seconds, given = (piece.partition("=")[2] for piece in signature.split(","))
    signed = hmac.new(SECRET.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert given == signed
    assert abs(int(seconds) - utc_now().timestamp()) < 60
    assert json.loads(body) == {"notices": [], "more": 0, "test": True}


def test_what_fails_is_tried_again_later_each_time_and_nothing_is_lost(
    in_app: Flask, mailbox: Mailbox, hook: Hook
) -> None:
    anna = hear(in_app)
    hook.status, mailbox.refuses = 500, True
    fail()
    watch.once(in_app)

    waits = []
    for _time in range(4):
        later(120)
        watch.once(in_app)
        outlet = db.session.get_one(NoticeOutlet, outlets.WEBHOOK, populate_existing=True)
        waits.append(round((outlet.next_at - utc_now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8]
    assert "answered 500" in outlets.problem_of(outlets.WEBHOOK)
    assert "451" in outlets.problem_of(anna.id)
    hook.status, mailbox.refuses = 204, False
    later(120)
    watch.once(in_app)

    assert [len(json.loads(body)["notices"]) for _signature, body in hook.calls] == [1] * 5
    assert len(mailbox.mails) == 1
    db.session.expire_all()
    assert outlets.problem_of(outlets.WEBHOOK) == ""


def test_two_processes_send_one_mail(in_app: Flask, mailbox: Mailbox) -> None:
    anna = hear(in_app)
    fail()
    collect.collect()
    later()

    assert outlets._take(anna.id)
    outlets.deliver()  # the other process

    assert mailbox.mails == []


def test_a_notice_that_is_committed_late_is_told_too(in_app: Flask, hook: Hook) -> None:
    hear(in_app)
    with transaction() as session:
        session.add(Notice(id=1, kind="failed", key="first"))
    later(2)
    with transaction() as session:
        session.add(Notice(id=3, kind="failed", key="third"))
    outlets.deliver()
    with transaction() as session:
        session.add(Notice(id=2, kind="failed", key="second"))
    later()

    outlets.deliver()

    assert [len(json.loads(body)["notices"]) for _signature, body in hook.calls] == [1, 2]


def test_people_hear_what_they_chose_and_their_role_allows(in_app: Flask, mailbox: Mailbox) -> None:
    wanted = {
        "ben@example.com": ("viewer", ["failed"]),
        "cleo@example.com": ("editor", ["review"]),
        "dora@example.com": ("viewer", ["poller"]),
        "emil@example.com": ("admin", ["poller"]),
        "gone@example.com": ("admin", ["failed"]),
    }
    for address, (role, kinds) in wanted.items():
        outlets.choose_mail(make_user(address, role), kinds)
    with transaction() as session:
        session.execute(update(User).where(User.email == "gone@example.com").values(disabled_at=utc_now()))
        long_ago = utc_now() - timedelta(hours=1)
        session.add(Poller(id=new_id(), host="here", pid=1, seen_at=long_ago, last_pass_at=long_ago))
    fail()
    watch.once(in_app)
    later()
    watch.once(in_app)

    told = {mail["To"]: mail["Subject"] for mail in mailbox.mails}
    assert set(told) == {"ben@example.com", "emil@example.com"}
    assert "The job service has stopped" in told["emil@example.com"]


def test_the_webhook_gets_the_kinds_that_admins_chose(in_app: Flask, hook: Hook) -> None:
    watch.once(in_app)
    changes.choose_webhook_notices(["review", "budget"])
    fail()
    watch.once(in_app)
    later()
    watch.once(in_app)
    assert hook.calls == []

    changes.choose_webhook_notices(["failed"])
    fail_job(make_part("G-1"))
    watch.once(in_app)
    later()
    watch.once(in_app)

    [(_signature, body)] = hook.calls
    assert [one["part"]["sku"] for one in json.loads(body)["notices"]] == ["G-1"]


def test_each_thing_is_told_once_and_a_job_that_fails_again_is_told_again(in_app: Flask) -> None:
    [job_id] = fail()
    for _time in range(2):
        collect.collect()
    assert listing.newest_id() == 1

    with transaction() as session:
        again = update(Job).where(Job.id == job_id)
        session.execute(again.values(completed_at=utc_now() + timedelta(seconds=5)))
    collect.collect()

    assert len(listing.after(0, ["failed"], 10)) == 2


def test_what_is_seen_is_no_longer_new_and_what_came_meanwhile_is(in_app: Flask) -> None:
    anna = make_user()
    fail(2)
    collect.collect()
    assert len(listing.unseen(anna, 10)) == 2

    listing.mark_seen(anna, 1)
    assert [one.notice.id for one in listing.unseen(anna, 10)] == [2]
    listing.mark_seen(anna, 10**9)  # never beyond what there is
    assert anna.notices_seen == 2
    listing.choose_in_app(anna, ["review"])
    assert listing.unseen(anna, 10) == []


def test_old_notices_are_deleted_but_the_newest_whose_id_is_remembered(in_app: Flask) -> None:
    fail(2)
    collect.collect()
    later(minutes=91 * 24 * 60)
    with transaction() as session:
        session.execute(update(Job).values(completed_at=utc_now() - timedelta(days=91)))

    collect.collect()

    assert [one.notice.id for one in listing.after(0, NOTICE_KINDS, 10)] == [2]


def test_a_webhook_in_a_private_network_is_refused(make_app: Callable[..., Flask], hook: Hook) -> None:
    app = make_app(notice_webhook=f"{hook.origin}/x", notice_webhook_secret=SECRET)

    with app.app_context(), pytest.raises(SendingFailed, match="private network"):
        webhook.send(webhook.test_payload())

    assert hook.calls == []


def test_a_password_is_never_sent_without_tls(make_app: Callable[..., Flask], mailbox: Mailbox) -> None:
    app = make_app(smtp=mailbox.url.replace("//", "//me:secret@"), mail_from="acr3d@example.com")

    with app.app_context(), pytest.raises(SendingFailed, match="offers no TLS"):
        mail.send("anna@example.com", "x", "y")


def test_no_piece_of_a_password_is_told(
    make_app: Callable[..., Flask], mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log_in(_server: smtplib.SMTP, _user: str, password: str) -> None:
        password.encode("ascii")

    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda *_: True)
    monkeypatch.setattr(smtplib.SMTP, "starttls", lambda *_, **__: None)
    monkeypatch.setattr(smtplib.SMTP, "login", log_in)
    app = make_app(smtp=mailbox.url.replace("//", "//me:pass%C3%A4word@"), mail_from="acr3d@example.com")

    with app.app_context(), pytest.raises(SendingFailed, match=r"^UnicodeEncodeError$"):
        mail.send("anna@example.com", "x", "y")
