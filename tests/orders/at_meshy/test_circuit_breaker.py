"""One refusal that is nobody's fault is enough for all: nothing more is sent until it can succeed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import EngineAccount, Job, User
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.jobs import queries, service
from acr3d.orders import circuit_breaker
from acr3d.worker.loop import JobPoller
from tests.support.accounts import browser
from tests.support.at_meshy import KEY, asked, created, creates, step, task
from tests.support.contract.server import Answer, Handler, PreparedServer, answer
from tests.support.factories import by_angle, make_part_with_photos, make_user, photo

MANY = 12  # more than run at once
BALANCE = "GET /openapi/v1/balance"
TOO_FEW_CREDITS = "The Meshy account has too few credits, so orders wait. They continue when it is topped up."


def make_jobs(user: User, count: int) -> list[Job]:
    made = []
    for number in range(count):
        part = make_part_with_photos(f"P-{number:02}", ("front", "right"))
        made.append(service.start(part.id, by_angle(part), "meshy", {}, user))
    return made


def refused(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return answer(status, {"message": message}, headers)


def balance(credits: int) -> Answer:
    return answer(200, {"balance": credits})


def account() -> EngineAccount:
    link = engines().provider("meshy")
    assert link is not None
    found = circuit_breaker.account_of(link.account)
    assert found is not None
    return found


def everybody_looks(app: Flask) -> None:
    """Each of fifty jobs takes at least one step, twelve at a time."""
    with transaction() as session:
        session.execute(update(Job).values(next_at=utc_now() - timedelta(seconds=1)))
    for _round in range(5):
        run_pollers(app)


def look_due() -> None:
    """Let the time pass until the account is looked at again."""
    with transaction() as session:
        session.execute(update(EngineAccount).values(probe_at=utc_now() - timedelta(seconds=1)))


def run_pollers(app: Flask, count: int = 3) -> None:
    """That many pollers at once, each with one pass to its end."""
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait()
        JobPoller(app).run_once()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    db.session.expire_all()


def told(job: Job) -> list[str]:
    return [event.detail or "" for event in queries.events_of(job.id)]


def an_empty_account(handler: Handler) -> None:
    """402 for every order; the balance says the same."""
    if handler.seen.method == "POST":
        refused(402, "Insufficient funds")(handler)
    else:
        balance(3)(handler)


def a_full_purse(handler: Handler) -> None:
    if handler.seen.method == "POST":
        answer(202, {"result": f"task-{len(handler.server.prepared.requests)}"})(handler)
    elif handler.seen.path.endswith("/balance"):
        balance(1000)(handler)
    elif handler.seen.path.endswith("/multi-image-to-3d"):
        answer(200, [])(handler)
    else:
        answer(200, {"id": handler.seen.path.rpartition("/")[2], "status": "PENDING"})(handler)


def test_many_jobs_and_an_empty_account_are_one_order_and_no_failure(
    app: Flask, meshy: PreparedServer, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = photo()
    monkeypatch.setattr("tests.support.factories.photo", lambda: shared)
    jobs = make_jobs(user, MANY)
    meshy.answers += [an_empty_account] * 500

    everybody_looks(app)
    assert creates(meshy) == 1
    look_due()
    everybody_looks(app)

    assert creates(meshy) == 1
    assert asked(meshy).count(BALANCE) == 1
    assert {(job.status, job.retry_count) for job in jobs} == {(Status.PENDING, 0)}
    assert {job.waiting_for for job in jobs} == {TOO_FEW_CREDITS}
    assert [told(job).count(TOO_FEW_CREDITS) for job in jobs] == [1] * MANY

    meshy.answers[:] = [a_full_purse] * 500
    look_due()
    for _round in range(2):
        everybody_looks(app)

    assert creates(meshy) == 1 + app.extensions["acr3d_settings"].max_concurrent_tasks
    assert account().open_cause is None
    assert TOO_FEW_CREDITS not in {job.waiting_for for job in jobs}
    assert [told(job).count(TOO_FEW_CREDITS) for job in jobs] == [1] * MANY


def test_all_waiting_jobs_are_due_at_once_when_the_account_is_good_again(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    first, *others = make_jobs(user, 4)
    meshy.answers += [an_empty_account] * 20
    step(app, first)
    everybody_looks(app)
    paused = {job: job.next_at for job in others}
    assert {job.waiting_for for job in others} == {TOO_FEW_CREDITS}
    meshy.answers[:] = [a_full_purse] * 20
    look_due()

    step(app, first)

    assert first.status == Status.SUBMITTED
    for job, until in paused.items():  # the same pass may have taken one, which then waits for its turn
        assert job.waiting_for != TOO_FEW_CREDITS
        assert job.next_at < until


def test_a_refused_key_is_asked_about_ever_more_seldom_and_never_by_ordering(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    [job] = make_jobs(user, 1)
    meshy.answers += [refused(401, "Invalid API key")] * 3
    step(app, job)
    waits = []
    for _look in range(2):
        step(app, job)  # too early: nothing is asked
        look_due()
        step(app, job)
        waits.append(account().probe_at - utc_now())

    assert asked(meshy) == ["POST ", BALANCE, BALANCE]
    assert waits[1] > waits[0] + timedelta(seconds=50)
    assert (job.status, job.retry_count) == (Status.PENDING, 0)

    look_due()
    meshy.answers += [balance(500), created()]
    step(app, job)
    assert (job.status, account().open_cause, account().probes, account().balance) == (
        Status.SUBMITTED,
        None,
        0,
        500,
    )


def test_an_account_that_was_topped_up_too_little_stays_paused(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    [job] = make_jobs(user, 1)
    meshy.answers += [refused(402, "Insufficient funds"), balance(29)]
    step(app, job)
    look_due()
    step(app, job)
    assert (job.status, creates(meshy)) == (Status.PENDING, 1)

    look_due()
    meshy.answers += [balance(30), created()]
    step(app, job)

    assert (job.status, creates(meshy)) == (Status.SUBMITTED, 2)


@pytest.mark.parametrize("words", ["NoMoreConcurrentTasks", "NoMorePendingTasks"])
def test_a_full_queue_holds_all_orders_until_a_task_of_ours_ends(
    app: Flask, meshy: PreparedServer, user: User, words: str
) -> None:
    first, second, third = make_jobs(user, 3)
    meshy.answers += [created(), refused(429, words)]
    put_off(second, third)
    step(app, first)
    put_off(first, third)
    step(app, second)
    step(app, third)
    assert creates(meshy) == 2
    assert (second.status, second.retry_count, third.retry_count) == (Status.PENDING, 0, 0)

    meshy.answers += [answer(200, task("FAILED", task_error={"message": "Too dark."}))]
    put_off(first, second, third)
    step(app, first)

    assert account().open_cause is None
    assert second.next_at <= utc_now() < third.next_at
    meshy.answers += [created("second")]
    db.session.rollback()
    JobPoller(app).run_once()
    db.session.expire_all()
    assert (second.status, third.status) == (Status.SUBMITTED, Status.PENDING)
    assert third.next_at <= utc_now()  # it is its turn


def test_a_full_queue_without_a_task_of_ours_is_tried_again_ever_more_seldom(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    [job] = make_jobs(user, 1)
    meshy.answers += [refused(429, "NoMorePendingTasks")] * 2
    waits = []
    for _try in range(2):
        step(app, job)
        waits.append(account().probe_at - utc_now())
        look_due()

    assert waits[1] > 1.5 * waits[0]
    assert (job.status, job.retry_count) == (Status.PENDING, 0)


def test_a_rate_limit_holds_all_orders_for_as_long_as_meshy_says(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    first, second = make_jobs(user, 2)
    meshy.answers += [refused(429, "RateLimitExceeded", {"Retry-After": "40"})]
    put_off(second)
    step(app, first)
    step(app, second)

    assert asked(meshy) == ["POST "]
    assert timedelta(seconds=30) < account().probe_at - utc_now() <= timedelta(seconds=40)
    assert second.next_at > utc_now() + timedelta(seconds=30)


def test_a_key_refused_while_a_task_is_followed_stops_new_orders(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    first, second = make_jobs(user, 2)
    put_off(second)
    meshy.answers += [created()]
    step(app, first)
    put_off(second)
    meshy.answers += [refused(401, "Invalid API key")] * 3
    step(app, first)
    step(app, second)

    assert creates(meshy) == 1
    assert (first.status, second.status) == (Status.SUBMITTED, Status.PENDING)


def test_another_accounts_state_is_not_ours(
    app: Flask, meshy: PreparedServer, user: User, make_app: Callable[..., Flask]
) -> None:
    [job] = make_jobs(user, 1)
    meshy.answers += [refused(401, "Invalid API key")]
    step(app, job)

    other = make_app(meshy_api_key="msy_another", meshy_api_base=meshy.base)
    with other.app_context():
        part = make_part_with_photos("OTHER")
        fresh = service.start(part.id, by_angle(part), "meshy", {}, user)
        meshy.answers += [created()]
        assert step(other, fresh).status == Status.SUBMITTED

    assert queries.job_by_id(job.id).status == Status.PENDING


def test_however_many_pollers_run_no_more_tasks_are_in_work_than_allowed(
    make_app: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make_app(meshy_api_key=KEY, meshy_api_base=meshy.base, max_concurrent_tasks=2)
    with app.app_context():
        jobs = make_jobs(make_user(), 6)
        meshy.answers += [a_full_purse] * 200
        for _round in range(6):
            with transaction() as session:
                session.execute(update(Job).where(Job.status == "pending").values(next_at=utc_now()))
            run_pollers(app, 4)

        assert creates(meshy) == 2
        assert sorted(job.status for job in jobs) == ["pending"] * 4 + ["submitted"] * 2


def test_admins_see_why_nothing_is_ordered_and_nobody_else_does(
    make_app: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make_app(meshy_api_key=KEY, meshy_api_base=meshy.base)
    admin, viewer = browser(app), browser(app, "viewer")
    assert notices(admin.get("/admin/").text) == ""
    with app.app_context():
        [job] = make_jobs(make_user(), 1)
        live = f"/admin/parts/{job.part_id}/live?rev=x"
        meshy.answers += [refused(402, "Insufficient funds")]
        step(app, job)

    assert "too few credits, so orders wait" in notices(admin.get("/admin/").text)
    assert notices(viewer.get("/admin/").text) == ""
    assert "too few credits, so orders wait" in notices(admin.get(live).text)

    with app.app_context():
        [job] = db.session.scalars(select(Job))
        meshy.answers += [balance(100), created()]
        look_due()
        step(app, job)
    assert notices(admin.get("/admin/").text) == ""


def notices(page: str) -> str:
    """What the page tells admins about the account."""
    inside = page.partition('<div id="notices"')[2].partition("</div>")[0]
    return inside.partition(">")[2].strip()


def put_off(*jobs: Job) -> None:
    with transaction() as session:
        later = {"next_at": utc_now() + timedelta(hours=1)}
        session.execute(update(Job).where(Job.id.in_([job.id for job in jobs])).values(later))
