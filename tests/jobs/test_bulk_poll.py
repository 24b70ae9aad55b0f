"""Many tasks in flight at once: what the account is asked, what is written, what the database has to read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event, select, update

from acr3d.db.extensions import db
from acr3d.db.models import Job, JobEvent, Part
from acr3d.db.session import transaction
from acr3d.db.states import NextStep
from acr3d.db.types import new_id, utc_now
from acr3d.engines.registry import engines
from acr3d.jobs import queries, queue, service
from acr3d.jobs.queue import ReachableAccounts, accounts_to_bulk_poll, claim_batch
from acr3d.jobs.steps.bulk_poll import ProgressUpdate, polled_jobs, write_progress
from acr3d.worker.loop import JobPoller
from tests.support.contract.server import Answer, Handler, PreparedServer, answer, raw
from tests.support.factories import finished_job, make_due, make_user

TASKS = "/openapi/v1/multi-image-to-3d"


class Account:
    """Tasks at an engine, newest first, as its list and its GET tell of them."""

    def __init__(self, server: PreparedServer, page_size: int = 50) -> None:
        self.server = server
        self.page_size = page_size
        self.tasks: list[dict[str, Any]] = []
        self.unlisted: dict[str, dict[str, Any]] = {}
        self.instead: Answer | None = None
        server.answers += [self.give] * 1000

    def give(self, handler: Handler) -> None:
        if self.instead:
            self.instead(handler)
            return
        task_id = handler.seen.path.removeprefix(TASKS).strip("/")
        if not task_id:
            asked = dict(pair.split("=") for pair in handler.seen.query.split("&"))
            size = min(int(asked["page_size"]), self.page_size)
            start = (int(asked["page_num"]) - 1) * size
            answer(200, self.tasks[start : start + size])(handler)
        elif task_id in self.unlisted:
            answer(200, self.unlisted[task_id])(handler)
        else:
            answer(404, {"message": "Task not found"})(handler)

    def asked(self) -> list[str]:
        """The ids asked for, "" for each page of the list; then forget them."""
        asked = [seen.path.removeprefix(TASKS).strip("/") for seen in self.server.requests]
        self.server.requests.clear()
        return asked


@pytest.fixture
def account(meshy: PreparedServer) -> Account:
    return Account(meshy)


@pytest.fixture
def app(make_app: Callable[..., Flask], meshy: PreparedServer) -> Iterator[Flask]:
    app = make_app(meshy_api_key="msy_test", meshy_api_base=meshy.base, unknown_wait_seconds=0)
    with app.app_context():
        yield app


def put_in_flight(account: Account, count: int, account_of: str | None = None) -> list[Job]:
    """So many parts, each with a job whose task the engine works on."""
    link = engines().provider("meshy")
    jobs = []
    with transaction() as session:
        for number in range(count):
            part = Part(id=new_id(), sku=f"P-{number}", sku_key=f"p-{number}", name="Part")
            session.add(part)
            job = finished_job(part.id, account=account_of or link.account, engine_base=link.base)
            job.id, job.engine, job.status, job.meshy_task_id = (
                new_id(),
                "meshy",
                "processing",
                f"task-{number}",
            )
            job.submitted_at = utc_now()
            jobs.append(job)
        session.flush()
        session.add_all(jobs)
    now = int(utc_now().timestamp() * 1000)
    account.tasks = [
        {"id": f"task-{number}", "status": "IN_PROGRESS", "progress": 0, "created_at": now}
        for number in reversed(range(count))
    ]
    return jobs


def look(app: Flask, jobs: list[Job]) -> None:
    """One pass when all are due."""
    with transaction() as session:
        session.execute(update(Job).values(next_at=utc_now()))
    JobPoller(app).run_once()
    db.session.expire_all()


def history() -> list[JobEvent]:
    return list(db.session.scalars(select(JobEvent)))


def test_a_pass_asks_once_for_fifty_tasks_and_writes_progress_without_history(
    app: Flask, account: Account
) -> None:
    jobs = put_in_flight(account, 120)
    for task in account.tasks:
        task["progress"] = 40
    before = [queries.job_by_id(job.id).progress for job in jobs]

    look(app, jobs)

    assert account.asked() == [""] * 3
    assert before == [0] * 120
    assert {(job.progress, job.snooze_count, job.lease_owner) for job in jobs} == {(40, 0, None)}
    assert {db.session.get_one(Part, job.part_id).revision for job in jobs} == {2}
    assert history() == []

    look(app, jobs)  # nothing new

    assert {(job.progress, job.snooze_count) for job in jobs} == {(40, 1)}
    assert {db.session.get_one(Part, job.part_id).revision for job in jobs} == {2}
    assert min(job.next_at for job in jobs) > utc_now()


def test_what_is_not_due_yet_is_looked_at_along_with_the_rest(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 20)
    for task in account.tasks:
        task["progress"] = 7
    with transaction() as session:
        session.execute(update(Job).values(next_at=utc_now().replace(year=utc_now().year + 1)))
    for job in jobs[:5]:
        make_due(job)

    JobPoller(app).run_once()

    db.session.expire_all()
    assert account.asked() == [""]
    assert {job.progress for job in jobs} == {7}


def test_few_tasks_are_asked_for_one_by_one(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 3)
    account.unlisted = {task["id"]: task | {"progress": 5} for task in account.tasks}

    look(app, jobs)

    assert sorted(account.asked()) == ["task-0", "task-1", "task-2"]
    assert {job.progress for job in jobs} == {5}


def test_an_engine_that_gives_less_than_a_full_page_is_read_to_the_end(app: Flask, account: Account) -> None:
    account.page_size = 10
    jobs = put_in_flight(account, 60)
    for task in account.tasks:
        task["progress"] = 3

    look(app, jobs)

    assert account.asked() == [""] * 6
    assert {job.progress for job in jobs} == {3}


def test_tasks_of_others_in_the_list_change_nothing(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 30)
    others = [task | {"id": f"other-{task['id']}", "status": "SUCCEEDED"} for task in account.tasks]
    account.tasks = [task for pair in zip(others, account.tasks, strict=True) for task in pair]

    look(app, jobs)

    assert account.asked() == ["", ""]
    assert {job.status for job in jobs} == {"processing"}


def test_a_task_that_the_list_does_not_show_is_asked_for_a_few_in_each_pass(
    app: Flask, account: Account
) -> None:
    jobs = put_in_flight(account, 10)
    account.unlisted = {"task-9": account.tasks[0] | {"progress": 66}}
    account.tasks = account.tasks[5:]  # 5 to 9 are not listed

    passes = []
    for _ in range(2):
        with transaction() as session:
            session.execute(update(Job).values(next_at=Job.next_at))
        for job in jobs:
            if job.is_live:
                make_due_in_order(job)
        JobPoller(app).run_once()
        db.session.expire_all()
        passes.append([task_id for task_id in account.asked() if task_id])

    assert [len(asked) for asked in passes] == [3, 2]
    assert {*passes[0], *passes[1]} == {f"task-{number}" for number in range(5, 10)}
    assert [job.status for job in jobs] == ["processing"] * 5 + ["failed"] * 4 + ["processing"]
    assert "no longer knows" in (jobs[5].error_message or "")
    assert jobs[9].progress == 66


def make_due_in_order(job: Job) -> None:
    """Due, and those that waited longest first."""
    with transaction() as session:
        before = job.next_at.replace(year=job.next_at.year - 1)
        session.execute(update(Job).where(Job.id == job.id).values(next_at=before))


def test_what_ends_or_begins_is_told_in_its_jobs_history(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 6)
    with transaction() as session:
        session.execute(update(Job).where(Job.id == jobs[3].id).values(status="submitted"))
        late = utc_now().replace(year=utc_now().year - 1)
        session.execute(update(Job).where(Job.id == jobs[4].id).values(deadline_at=late))
    by_id = {task["id"]: task for task in account.tasks}
    expires = int(utc_now().timestamp() * 1000) + 3_600_000
    by_id["task-0"].update(status="SUCCEEDED", progress=100, consumed_credits=30, expires_at=expires)
    error = {"type": "server_error", "message": "Out of luck."}
    by_id["task-1"].update(status="FAILED", task_error=error, consumed_credits=0)
    by_id["task-3"].update(progress=12)

    look(app, jobs)

    assert account.asked() == [""]
    assert (jobs[0].next_step, jobs[0].lease_owner) == (NextStep.DOWNLOAD, None)
    assert jobs[0].meshy_credits_used == 30
    assert jobs[0].task_expires_at is not None
    assert (jobs[1].status, jobs[1].meshy_credits_used) == ("failed", 0)
    assert "Out of luck" in (jobs[1].error_message or "")
    assert (jobs[3].status, jobs[3].progress) == ("processing", 12)
    assert jobs[4].status == "failed"
    assert {one.job_id for one in history()} >= {jobs[1].id, jobs[3].id, jobs[4].id}
    assert {jobs[2].id, jobs[5].id}.isdisjoint(one.job_id for one in history())


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [(401, "Invalid API key", "key"), (429, "RateLimitExceeded", "ratelimit"), (502, "", "asked again")],
)
def test_a_list_that_is_refused_lets_all_wait_and_ask_nothing_more(
    app: Flask, account: Account, status: int, message: str, words: str
) -> None:
    jobs = put_in_flight(account, 60)
    account.instead = raw(status, json.dumps({"message": message}).encode())

    look(app, jobs)

    assert account.asked() == [""]
    assert {(job.status, job.retry_count, job.snooze_count) for job in jobs} == {("processing", 0, 1)}
    assert all(words in (job.waiting_for or "").lower() for job in jobs)
    assert min(job.next_at for job in jobs) > utc_now()

    account.instead = None
    look(app, jobs)
    assert {job.waiting_for for job in jobs} == {None}


def test_a_job_canceled_meanwhile_stays_canceled(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 5)
    owner = claim_batch("me", jobs[0].account)
    assert owner is not None
    seen = polled_jobs(owner)
    service.cancel(jobs[0].id, make_user())

    write_progress(owner, [ProgressUpdate(job, 50, utc_now(), 0) for job in seen])

    db.session.expire_all()
    assert (jobs[0].status, jobs[0].progress) == ("canceled", 0)
    assert {job.progress for job in jobs[1:]} == {50}


def test_tasks_of_an_account_that_is_not_set_up_wait_with_a_sentence(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 6, account_of="another")
    with transaction() as session:
        session.execute(update(Job).values(next_at=utc_now().replace(year=utc_now().year - 1)))

    JobPoller(app).run_once()

    db.session.expire_all()
    assert account.asked() == []
    assert all("another Meshy account" in (job.waiting_for or "") for job in jobs)


def test_a_poller_leaves_jobs_to_the_one_that_has_their_engine(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 6, account_of="another")

    look(app, jobs)

    assert {job.waiting_for for job in jobs} == {None}
    assert accounts_to_bulk_poll(ReachableAccounts(["another"])) == ["another"]


def test_no_question_of_a_pass_reads_the_jobs_that_have_ended(app: Flask, account: Account) -> None:
    jobs = put_in_flight(account, 40)
    with transaction() as session:
        parts = [job.part_id for job in jobs]
        session.add_all(finished_job(parts[number % 40], id=new_id()) for number in range(3000))
    if db.engine.dialect.name == "postgresql":  # whose autovacuum does it by itself
        analyze()
    with transaction() as session:
        session.execute(update(Job).values(next_at=utc_now()))
    poller = JobPoller(app)

    with statements() as asked:
        poller.run_once()
    assert len(asked) < 40
    with statements() as more:
        queue.renew([f"{poller.id}:x"])
        queue.release(poller.id)

    about_jobs = [one for one in asked + more if "model_generation_jobs" in one[0]]
    assert len(about_jobs) > 8
    for sql, values in about_jobs:
        assert not reads_whole_table(sql, values), sql


@contextlib.contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What the database is asked inside the block, with its values."""
    noted: list[tuple[str, Any]] = []
    note = lambda _c, _cursor, sql, values, _context, _many: noted.append((sql, values))  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def analyze() -> None:
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))


def reads_whole_table(sql: str, values: Any) -> bool:
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        lines = [" ".join(map(str, row)) for row in connection.exec_driver_sql(explain + sql, values)]
        connection.rollback()
    if is_sqlite:
        scans = [line for line in lines if "SCAN model_generation_jobs" in line]
        return any("ix_model_generation_jobs_due" not in line for line in scans)
    return any("Seq Scan on model_generation_jobs" in line for line in lines)
