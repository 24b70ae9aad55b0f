"""A further engine is one class and one line: nothing else of acr3d has to know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import httpx
import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.wrappers import Response

from acr3d.db.extensions import db
from acr3d.db.models import EngineAccount, Job
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.engines import errors, registry
from acr3d.engines.base import Capabilities, Order, Provider, Wording, account_fingerprint
from acr3d.engines.options import WholeNumber
from acr3d.engines.remote_task import IN_PROGRESS, SUCCEEDED, Task
from acr3d.jobs import queries, service
from acr3d.messages.message import Message
from acr3d.orders import resolve
from acr3d.parts.parts import part_by_id
from acr3d.settings import Settings
from tests.support.accounts import browser
from tests.support.at_meshy import step
from tests.support.factories import box_glb, by_angle, make_part_with_photos, make_user

BASE = "https://clay.example"


class ClayProvider(Provider):
    """An engine with the least that one can do: it takes named views, and makes every model a box."""

    name = "clay"
    capabilities = Capabilities(named_views=True, faces_front=True)
    wording = Wording(
        name=Message.plain("Clay"),
        subject=Message.plain("Clay"),
        hint=Message.plain("a box, at once"),
        key_setting="CLAY_KEY",
        address_setting="CLAY_BASE",
    )
    options: ClassVar = {
        "target_polycount": WholeNumber(label=Message.plain("Faces"), default=12, low=12, high=90)
    }
    max_photos = 6
    base = BASE
    account = account_fingerprint(BASE, "key")
    max_concurrent_tasks = 5
    poll_intervals = (1,)
    unknown_wait = 0
    clock_slack = 0
    allowed_origins = (BASE,)
    transport = httpx.WSGITransport(app=Response(box_glb(), content_type="model/gltf-binary"))

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.polls = 0
        self.problem: errors.EngineError | None = None

    @classmethod
    def from_settings(cls, config: Settings) -> Self | None:
        return cls()

    def create(self, order: Order, metadata: Mapping[str, str]) -> str:
        self.orders.append(order)
        if self.problem is not None:
            raise self.problem
        return f"clay-{len(self.orders)}"

    def get(self, task_id: str) -> Task:
        self.polls += 1
        if self.polls == 1:
            return Task(task_id, IN_PROGRESS, progress=40)
        return Task(task_id, SUCCEEDED, 100, glb_url=f"{BASE}/{task_id}.glb", consumed_credits=7)

    def price(self, config: Mapping[str, Any], model: str = "") -> int:
        return 7


@pytest.fixture
def app(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(registry, "ENGINES", [ClayProvider, *registry.ENGINES])
    return make_app()


@pytest.fixture
def clay(app: Flask) -> ClayProvider:
    provider = app.extensions["acr3d_engines"].default()
    assert isinstance(provider, ClayProvider)
    return provider


@pytest.fixture
def job(app: Flask, clay: ClayProvider) -> Job:
    with app.app_context():
        part = make_part_with_photos(angles=("front", "right", "back", "left", "top"))
        two = {angle: image for angle, image in by_angle(part).items() if angle in ("front", "top")}
        return service.start(part.id, two, None, {"other_sides": True}, make_user())


def test_a_job_goes_through_it_from_the_order_to_the_published_model(
    app: Flask, clay: ClayProvider, job: Job
) -> None:
    with app.app_context():
        statuses = [step(app, queries.job_by_id(job.id)).status for _step in range(5)]
        done = queries.job_by_id(job.id)

        assert statuses == ["submitted", "processing", "processing", "optimizing", "complete"]
        assert (done.engine, done.estimated_credits, done.meshy_credits_used) == ("clay", 7, 7)
        assert part_by_id(done.part_id).model_status == "complete"
    [order] = clay.orders
    assert [angle for _jpeg, angle in order.photos] == ["front", "top", "right", "back", "left"]
    assert order.options == {"target_polycount": 12}


def test_the_pages_offer_it(app: Flask, clay: ClayProvider, job: Job) -> None:
    admin = browser(app)
    with app.app_context():
        free_part = make_part_with_photos("FREE").id

    page = admin.get(f"/admin/parts/{free_part}").text
    assert "Clay, about 7 credits" in page
    assert "a box, at once" in page
    assert "Clay, Meshy options" not in page
    assert "Clay" in admin.get("/admin/jobs").text


def test_an_option_out_of_its_bounds_is_refused_before_anything_is_written(app: Flask) -> None:
    with app.app_context():
        part = make_part_with_photos()
        for config, says in (
            ({"target_polycount": 100}, "Faces must be between 12 and 90."),
            ({"enable_pbr": True}, "Unknown setting: enable_pbr."),
        ):
            with pytest.raises(service.InvalidInput) as refused:
                service.start(part.id, by_angle(part), "clay", config, make_user(f"{says[:3]}@example.com"))
            assert str(refused.value) == says


def test_without_a_balance_the_next_order_is_the_probe_of_the_breaker(
    app: Flask, clay: ClayProvider, job: Job
) -> None:
    clay.problem = errors.KeyRefused(Message.plain("No such key."), status=401)
    with app.app_context():
        waiting = step(app, queries.job_by_id(job.id), 2)
        assert (waiting.status, len(clay.orders)) == ("pending", 1)
        assert waiting.waiting_for == (
            "Clay refuses the API key, so orders wait. They continue when it accepts the key. If you set "
            "another CLAY_KEY, cancel the waiting jobs and start them again."
        )

        clay.problem = None
        with transaction() as session:
            session.execute(update(EngineAccount).values(probe_at=utc_now()))
        assert step(app, waiting).status == "submitted"
        assert len(clay.orders) == 2


def test_without_a_list_a_lost_answer_is_a_persons_decision_and_nothing_is_sent_again(
    app: Flask, clay: ClayProvider, job: Job
) -> None:
    admin = browser(app)
    clay.problem = errors.OutcomeUnknown(Message.plain("Cut off."))
    with app.app_context():
        asked = step(app, queries.job_by_id(job.id), 4)
        assert (asked.status, len(clay.orders)) == ("pending", 1)
        assert "the engine cannot list its tasks" in (asked.waiting_for or "")
        part_id = asked.part_id
    assert "Choose the task" in admin.get(f"/admin/parts/{part_id}").text

    with app.app_context():
        order = resolve.ambiguous_order(job.id)
        assert order.candidates == []

        clay.problem = None
        resolve.order_again(job.id, order.attempt.id, [], make_user("boss@example.com"))
        db.session.expire_all()
        assert step(app, queries.job_by_id(job.id)).status == "submitted"
        assert len(clay.orders) == 2


def test_a_lost_answer_is_not_sent_again_whatever_the_engine_calls_it(
    app: Flask, clay: ClayProvider, job: Job
) -> None:
    clay.problem = errors.Unanswered(Message.plain("Cut off."))
    with app.app_context():
        asked = step(app, queries.job_by_id(job.id), 4)
        assert (asked.status, len(clay.orders)) == ("pending", 1)
        assert "the engine cannot list its tasks" in (asked.waiting_for or "")


def test_words_that_no_database_takes_do_not_keep_a_refusal_from_being_written(
    app: Flask, clay: ClayProvider, job: Job
) -> None:
    clay.problem = errors.InputRefused(Message.plain("Bad \0 photo \ud800."), status=400)
    with app.app_context():
        failed = step(app, queries.job_by_id(job.id))
        assert (failed.status, failed.error_message, failed.input_refused) == (
            "failed",
            "Bad ? photo ?.",
            True,
        )


def test_a_canceled_jobs_lost_answer_is_told_in_its_history(app: Flask, clay: ClayProvider, job: Job) -> None:
    clay.problem = errors.OutcomeUnknown(Message.plain("Cut off."))
    with app.app_context():
        step(app, queries.job_by_id(job.id))
        service.cancel(job.id, make_user("boss@example.com"))
        ended = step(app, queries.job_by_id(job.id), 2)

        assert (ended.next_step, len(clay.orders)) == ("none", 1)
        assert "the engine cannot list its tasks" in " ".join(
            one.detail or "" for one in queries.events_of(job.id)
        )
