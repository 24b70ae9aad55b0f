"""A job of the built-in engine uses the outlines that are known, waits for them, and names bad photos."""

from __future__ import annotations

import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, Part
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import service
from acr3d.jobs.ordered_photos import ordered_with_outlines
from acr3d.jobs.queries import versions_of
from acr3d.parts.photos import add_photos
from acr3d.photos import sanitize
from acr3d.settings import Settings
from acr3d.worker.loop import JobPoller
from tests.jobs.test_builtin_job import run_to_the_end
from tests.support import fake_network
from tests.support.factories import by_angle, make_due, make_part, make_user
from tests.support.fake_network import FakeNetwork
from tests.support.photographed import STEEL, Mask, alpha_of, as_file, box, disc, in_clutter

BLOCK = {"front": box(200, 130, 400, 470), "right": box(200, 130, 400, 470), "top": box(130, 130, 470, 470)}


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """On one database: the engine takes most of the time."""
    return sqlite_config


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    return fake_network.install(monkeypatch, see_steel)


def see_steel(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return alpha_of(np.abs(pixels.astype(int) - STEEL).max(2) < 25)


def part_in_clutter(masks: dict[str, Mask]) -> Part:
    part = make_part()
    for angle, mask in masks.items():
        photo = sanitize.clean(as_file(in_clutter((mask, STEEL))))
        add_photos(part.id, [photo], {"angle_label": angle})
    return part


def check(app: Flask, part: Part) -> None:
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(check_due_at=utc_now()))
    JobPoller(app).run_once()
    db.session.expire_all()


@pytest.mark.proof
def test_photos_in_clutter_become_a_model_that_agrees_with_its_outlines(
    in_app: Flask, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = in_app.extensions["acr3d_settings"]
    monkeypatch.setitem(
        in_app.extensions, "acr3d_settings", type(config)(**vars(config) | {"agreement": True})
    )
    part = part_in_clutter(BLOCK)
    check(in_app, part)

    job = run_to_the_end(in_app, service.start(part.id, by_angle(part), "builtin", {}, make_user()))

    assert job.status == "complete", job.error_message
    [version] = versions_of(part.id)
    assert version.report["agreement"]["unmeasured"] == {}
    assert version.report["agreement"]["all"] > 0.9


def test_a_job_waits_while_outlines_are_looked_for_but_not_for_ever(
    in_app: Flask, network: FakeNetwork
) -> None:
    part = part_in_clutter(BLOCK)
    job = service.start(part.id, by_angle(part), "builtin", {}, make_user())
    with transaction() as session:
        session.execute(update(Part).values(check_due_at=utc_now().replace(year=2999)))

    JobPoller(in_app).run_once()
    db.session.expire_all()

    assert (job.status, job.waiting_for) == (
        "pending",
        "Waiting: the part is being looked for in the photos.",
    )
    with transaction() as session:
        session.execute(update(Job).values(created_at=utc_now().replace(year=2020)))
    make_due(job)
    JobPoller(in_app).run_once()
    db.session.expire_all()
    assert job.status != "pending"


def test_all_bad_photos_are_named_at_once_and_nothing_is_ordered(in_app: Flask, network: FakeNetwork) -> None:
    cut = box(200, 300, 400, 600)
    three = disc(300, 120, 60) | disc(300, 300, 60) | disc(300, 480, 60)
    part = part_in_clutter(BLOCK | {"right": cut, "top": three})
    check(in_app, part)

    job = run_to_the_end(in_app, service.start(part.id, by_angle(part), "builtin", {}, make_user()))

    assert job.status == "failed"
    assert "Photo “right”: the part runs out of the picture." in (job.error_message or "")
    assert "Photo “top” shows several parts." in (job.error_message or "")
    assert "“front”" not in (job.error_message or "")
    assert job.input_refused
    assert db.session.scalars(select(Attempt)).all() == []


def test_a_bad_photo_that_nobody_chose_is_left_out(in_app: Flask, network: FakeNetwork) -> None:
    part = part_in_clutter(BLOCK | {"left": box(200, 300, 400, 600)})
    check(in_app, part)
    chosen = {angle: image for angle, image in by_angle(part).items() if angle != "left"}
    job = service.start(part.id, chosen, "builtin", {"other_sides": True}, make_user())

    photos, outlines = ordered_with_outlines(job)

    assert {side for _jpeg, side in photos} == set(BLOCK)
    assert all(outline and outline.startswith(b"\x89PNG") for outline in outlines)
