"""Models of many parts: the price first, within the limits, stopped by a budget, and none ordered twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from unittest.mock import Mock

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from acr3d.batches import actions, choice, work
from acr3d.batches.summary import summary
from acr3d.db.extensions import db
from acr3d.db.models import Batch, BatchPart, Job, Part, User
from acr3d.db.session import transaction
from acr3d.db.states import ImportState, Status
from acr3d.errors import Conflict, InvalidInput
from acr3d.imports import actions as imports
from acr3d.imports import queue
from acr3d.imports.work import work as run_import
from acr3d.jobs import service
from acr3d.orders import engine_models
from acr3d.parts.photos import delete_photo
from acr3d.parts.sku_lookup import part_with_sku
from tests.support.at_meshy import KEY
from tests.support.factories import by_angle, make_part, make_part_with_photos, make_user, order_of


@pytest.fixture
def shop(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """Orders go to Meshy; no poller runs, so none is sent."""
    app = make_app(meshy_api_key=KEY, max_concurrent_tasks=2)
    with app.app_context():
        yield app


def prepared(user: User, count: int = 4) -> tuple[Batch, list[Part]]:
    parts = [make_part_with_photos(f"P-{number}") for number in range(count)]
    return actions.prepare([part.id for part in parts], user, "en"), parts


def start(batch: Batch, skips_doubtful: bool = False) -> int:
    actor = db.session.get_one(User, batch.created_by)
    price = actions.quote(batch, "meshy", {}, skips_doubtful, actor)
    actions.start(batch.id, "meshy", {}, actor, skips_doubtful=skips_doubtful, agreed=price.total)
    return price.each


def orders() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Job)) or 0


def end_jobs(status: Status, **facts: object) -> None:
    with transaction() as session:
        live = update(Job).where(Job.status == "pending")
        session.execute(live.values(status=status, next_step="none", **facts))


def state(batch: Batch) -> str:
    db.session.rollback()
    db.session.refresh(batch)
    return batch.state


def test_a_batch_shows_doubts_and_price_then_orders_as_far_as_the_limit_allows(shop: Flask) -> None:
    user = make_user()
    batch, _parts = prepared(user)
    bare = make_part("BARE")
    busy = make_part_with_photos("BUSY")
    service.start(busy.id, by_angle(busy), "builtin", {}, user)
    more = actions.prepare([bare.id, busy.id, "no-id"], user, "en")

    each = start(batch)
    work.order_due()
    first = orders()
    work.order_due()
    again = orders()
    end_jobs(Status.COMPLETE, meshy_credits_used=each)
    work.order_due()
    end_jobs(Status.FAILED, error_message="Broken")
    work.order_due()
    found = summary(batch)

    assert each > 0
    assert list(summary(more).left_out) == [
        "Fewer than two of its photos say which side they show.",
        "A model of it is being made already.",
    ]
    with pytest.raises(Conflict, match="There is no part left"):
        start(more)
    assert (first, again, orders()) == (3, 3, 5)  # one was ordered by hand
    assert state(batch) == "done"
    assert (found.made, found.failed.total(), found.credits) == (2, 2, 2 * each)
    with pytest.raises(Conflict, match="moved on"):
        actions.resume(batch.id)


def test_another_price_and_too_few_credits_order_nothing(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(meshy_api_key=KEY, monthly_budget=45)
    with app.app_context():
        user = make_user()
        batch, parts = prepared(user, 3)
        price = actions.quote(batch, "meshy", {}, False, user)
        with pytest.raises(Conflict, match="has changed"):
            actions.start(batch.id, "meshy", {}, user, skips_doubtful=False, agreed=1)
        monkeypatch.setattr(engine_models, "price", lambda *_arguments: 20)
        with pytest.raises(Conflict, match="more than the credits"):
            actions.start(batch.id, "meshy", {}, user, skips_doubtful=False, agreed=60)
        with pytest.raises(InvalidInput):
            actions.quote(batch, "meshy", {"colour": "red"}, False, user)
        work.order_due()
        none = orders()

        few = actions.prepare([part.id for part in parts[:2]], user, "en")
        start(few)
        monkeypatch.setattr(engine_models, "price", lambda *_arguments: 21)
        work.order_due()
        dearer = state(few), few.problem
        monkeypatch.setattr(engine_models, "price", lambda *_arguments: 20)
        elsewhere = parts[2]
        service.start(elsewhere.id, by_angle(elsewhere), "meshy", {}, user)
        actions.resume(few.id)
        work.order_due()

        assert price.left == 45
        assert none == 0
        assert dearer[0] == "paused"
        assert "costs more now" in dearer[1]
        assert orders() == 2
        assert state(few) == "paused"
        assert "of this month's budget of 45 only" in few.problem


def test_an_engine_that_is_gone_and_a_failure_pause_the_batch(
    shop: Flask, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, _parts = prepared(make_user(), 2)
    start(batch)
    with make_app(meshy_api_key="").app_context():  # a restart without the key
        work.order_due()
    gone = state(batch), batch.problem
    actions.resume(batch.id)
    monkeypatch.setattr(service, "start", Mock(side_effect=ZeroDivisionError))
    work.order_due()

    assert gone[0] == "paused"
    assert "“meshy” is not set up here" in gone[1]
    assert (state(batch), batch.problem) == ("paused", "Ordering failed. See the server's log.")
    assert summary(batch).waiting == 2
    assert orders() == 0


def test_no_part_is_ordered_twice_and_a_person_pauses_and_stops(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, parts = prepared(make_user())
    delete_photo(order_of(parts[0])[0])
    delete_photo(order_of(parts[0])[0])
    start(batch)
    ordered = service.start

    def ordered_by_another_poller_first(*arguments: object, **more: object) -> Job:
        monkeypatch.setattr(service, "start", ordered)
        with transaction() as session:
            second = select(BatchPart).where(BatchPart.part_id == parts[1].id)
            session.scalars(second).one().state = "ordered"
        return ordered(*arguments, **more)  # type: ignore[arg-type]

    work.order_due()  # leaves out the first, whose photos went after the preview, and orders the second
    end_jobs(Status.COMPLETE)
    with transaction() as session:
        session.execute(update(BatchPart).where(BatchPart.part_id == parts[1].id).values(state="waiting"))
    monkeypatch.setattr(service, "start", ordered_by_another_poller_first)
    before = orders()
    work.order_due()
    late = orders()
    actions.pause(batch.id)
    work.order_due()
    paused = orders()
    actions.resume(batch.id)
    actions.stop(batch.id)
    work.order_due()

    assert "Choose two to four photos" in next(iter(summary(batch).left_out))
    assert (before, late, paused, orders()) == (1, 1, 1, 1)
    assert state(batch) == "stopped"


def test_who_starts_it_orders_and_all_batches_share_the_limit_of_tasks_at_once(shop: Flask) -> None:
    asked, starter = make_user(), make_user("ben@example.com")
    batch, _parts = prepared(asked)
    other = actions.prepare([make_part_with_photos(f"Q-{number}").id for number in range(3)], asked, "en")
    for one in (batch, other):
        price = actions.quote(one, "meshy", {}, False, starter)
        actions.start(one.id, "meshy", {}, starter, skips_doubtful=False, agreed=price.total)

    work.order_due()
    work.order_due()

    jobs = db.session.scalars(select(Job)).all()
    assert {job.created_by for job in jobs} == {starter.id}
    assert [summary(one).ordered for one in (batch, other)] == [1, 1]


def test_parts_of_an_import_and_only_those_without_doubts(shop: Flask, tmp_path: Path) -> None:
    user = make_user()
    batch, parts = prepared(user, 2)
    with transaction() as session:
        session.execute(
            update(BatchPart).where(BatchPart.part_id == parts[0].id).values(doubts=["Too dark."])
        )

    assert actions.quote(batch, "meshy", {}, True, user).count == 1
    start(batch, skips_doubtful=True)
    work.order_due()

    assert orders() == 1
    assert summary(batch).left_out == {"Too dark.": 1}
    (tmp_path / "parts.csv").write_text("sku,name\nP-0,Other\nP-1,Bracket P-1\nP-9,New\n")
    file = imports.copied(tmp_path / "parts.csv")
    record = imports.begin(file, "parts.csv", user, state=ImportState.IMPORTING)
    while claimed := queue.claim():
        run_import(claimed, Event())
    assert choice.of_import(record.id) == [parts[0].id, part_with_sku("P-9").id]
