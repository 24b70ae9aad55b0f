"""With a key that no HTTP client takes, no order counts as sent, so no job waits for its answer."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from acr3d.jobs import queries, service
from tests.support.at_meshy import step
from tests.support.contract.server import PreparedServer
from tests.support.factories import by_angle, make_part_with_photos, make_user


def test_nothing_counts_as_sent(make_app: Callable[..., Flask], meshy: PreparedServer) -> None:
    app = make_app(engine="meshy", meshy_api_key="msy_schlüssel", meshy_api_base=meshy.base)
    with app.app_context():
        part = make_part_with_photos()
        job = service.start(part.id, by_angle(part), None, {}, make_user())
        waiting = step(app, queries.job_by_id(job.id))

        assert queries.attempts_of(job.id) == []
        assert waiting.status == "pending"
        assert waiting.retry_count == 1
    assert meshy.requests == []
