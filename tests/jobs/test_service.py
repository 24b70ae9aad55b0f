"""Generate: which choices are taken, which are refused, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from acr3d.db.models import Job, ModelVersion, User
from acr3d.db.session import transaction
from acr3d.db.states import NextStep, Status
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.jobs import queries, review, service
from acr3d.jobs.repeat_orders import AlreadyOrdered
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import images_of, reorder
from tests.support.accounts import bearer, browser, csrf_header
from tests.support.factories import by_angle, make_part, make_part_with_photos, make_user, order_of

SIX = ("front", "back", "left", "right", "top", "bottom")


def test_the_front_is_sent_first_and_the_rest_in_the_usual_order(user: User) -> None:
    part = make_part_with_photos(angles=("left", "back", "front", "right"))

    job = service.start(part.id, by_angle(part), "builtin", {}, user)

    assert [one["angle"] for one in job.selected_image_metadata] == ["front", "right", "back", "left"]
    assert part_by_id(part.id).model_status == "queued"
    assert {image.id for image in images_of(part.id) if image.is_selected_for_3d_generation} == set(
        job.selected_image_ids
    )


@pytest.mark.parametrize("level", ["web", "light", "full"])
def test_a_level_is_kept_with_the_job(user: User, level: str) -> None:
    part = make_part_with_photos()

    job = service.start(part.id, by_angle(part), "builtin", {"level": level}, user)

    assert job.generation_config == {"level": level}


def test_without_a_front_the_photo_shown_first_goes_first(user: User) -> None:
    part = make_part_with_photos(angles=("right", "top", "left"))
    right, top, left = order_of(part)
    reorder(part.id, [left, right, top])

    job = service.start(part.id, by_angle(part), "builtin", {}, user)

    assert [one["angle"] for one in job.selected_image_metadata] == ["left", "right", "top"]


def test_the_angle_of_the_choice_wins_and_leaves_the_photos_label_alone(user: User) -> None:
    part = make_part_with_photos(angles=("front", "right"))
    ids = by_angle(part)

    job = service.start(part.id, {"back": ids["front"], "top": ids["right"]}, "builtin", {}, user)

    assert {one["angle"]: one["id"] for one in job.selected_image_metadata} == {
        "back": ids["front"],
        "top": ids["right"],
    }
    assert by_angle(part) == ids


Choice = Callable[[dict[str, str], dict[str, str]], dict[str, str]]


@pytest.mark.parametrize(
    ("choose", "words"),
    [
        (lambda own, other: {}, "two to four"),
        (lambda own, other: {"front": own["front"]}, "two to four"),
        (lambda own, other: {angle: own[angle] for angle in SIX[:5]}, "two to four"),
        (lambda own, other: {"front": own["front"], "inside": own["back"]}, "no angle"),
        (lambda own, other: {"front": own["front"], "back": own["front"]}, "same photo"),
        (lambda own, other: {"front": own["front"], "back": other["front"]}, "not among this part"),
        (lambda own, other: {"front": own["front"], "back": "no id at all"}, "not among this part"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_and_changes_nothing(
    user: User, choose: Choice, words: str
) -> None:
    part, other = make_part_with_photos(angles=SIX), make_part_with_photos("OTHER", ("front",))

    with pytest.raises(InvalidInput, match=words):
        service.start(part.id, choose(by_angle(part), by_angle(other)), "builtin", {}, user)

    assert queries.jobs_of(part.id) == []
    assert part_by_id(part.id).model_status == "none"


@pytest.mark.parametrize(
    "asked_for",
    [
        {"target_polycount": 99},
        {"target_polycount": 300_001},
        {"target_polycount": "many"},
        {"target_polycount": True},
        {"enable_pbr": 1},
        {"texture_prompt": "x" * 601},
        {"texture_prompt": ["red"]},
        {"level": "huge"},
        {"ai_model": "meshy-4"},
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(user: User, asked_for: dict[str, Any]) -> None:
    part = make_part_with_photos()

    with pytest.raises(InvalidInput):
        service.start(part.id, by_angle(part), "builtin", asked_for, user)

    assert queries.jobs_of(part.id) == []


def test_an_engine_that_is_not_set_up_is_refused(user: User) -> None:
    part = make_part_with_photos()

    with pytest.raises(InvalidInput, match="meshy"):
        service.start(part.id, by_angle(part), "meshy", {}, user)


def test_with_a_key_meshy_is_the_default_and_its_price_is_told_before(
    make_app: Callable[..., Flask],
) -> None:
    with make_app(meshy_api_key="msy_test").app_context():
        part = make_part_with_photos()
        job = service.start(part.id, by_angle(part), None, {}, make_user())
        assert (job.engine, job.estimated_credits) == ("meshy", 30)

    with make_app(engine="builtin", meshy_api_key="msy_test").app_context():
        part = make_part_with_photos("OTHER")
        job = service.start(part.id, by_angle(part), None, {}, make_user("b@example.com"))
        assert (job.engine, job.estimated_credits) == ("builtin", 0)


def test_an_unknown_part_or_job_is_missing(user: User) -> None:
    for call in (
        lambda: service.start("nonsense", {}, "builtin", {}, user),
        lambda: service.cancel("nonsense", user),
        lambda: service.retry("00000000-0000-0000-0000-000000000000", user),
        lambda: review.publish("nonsense", user),
    ):
        with pytest.raises(Missing):
            call()


def test_a_canceled_job_is_over_and_frees_the_part(user: User) -> None:
    part = make_part_with_photos()
    job = service.start(part.id, by_angle(part), "builtin", {}, user)

    service.cancel(job.id, user)

    assert part_by_id(part.id).model_status == "none"
    with pytest.raises(Conflict, match="already ended"):
        service.cancel(job.id, user)
    with pytest.raises(Conflict, match="Only a failed job"):
        service.retry(job.id, user)
    assert service.start(part.id, by_angle(part), "builtin", {}, user).status == "pending"


def test_a_part_without_photos_asks_for_them(user: User) -> None:
    with pytest.raises(InvalidInput, match="two to four"):
        service.start(make_part().id, {}, "builtin", {}, user)


def test_a_draft_that_failed_at_another_hosts_engine_is_made_here_when_tried_again(user: User) -> None:
    part = make_part_with_photos()
    job = service.start(part.id, by_angle(part), "builtin", {}, user)
    here = (job.engine_base, job.account)
    elsewhere = {"engine_base": "http://elsewhere.builtin", "account": "elsewhere", "meshy_task_id": "theirs"}
    with transaction() as session:
        session.execute(
            update(Job).where(Job.id == job.id).values(status="failed", next_step="none", **elsewhere)
        )

    again = service.retry(job.id, user)

    assert (again.engine_base, again.account) == here
    assert (again.status, again.meshy_task_id) == ("pending", None)


def test_the_same_order_is_paid_for_twice_only_if_somebody_agrees(make_app: Callable[..., Flask]) -> None:
    app = make_app(meshy_api_key="msy_test")
    admin, client, headers = browser(app), app.test_client(), bearer(app)
    with app.app_context():
        user, part = make_user("b@example.com"), make_part_with_photos()
        photos, part_id = by_angle(part), part.id
        first = service.start(part.id, photos, "meshy", {"texture_prompt": "steel"}, user).id
        with transaction() as session:
            done = session.get_one(Job, first)
            done.status, done.next_step = Status.COMPLETE, NextStep.NONE
            facts = {"storage_path": "kept", "sha256": "0" * 64, "file_size_bytes": 1, "report": {}}
            session.add(ModelVersion(part_id=part.id, job_id=first, number=2, **facts))

        with pytest.raises(AlreadyOrdered, match="that model is version 2"):
            service.start(part.id, photos, "meshy", {"texture_prompt": "steel", "level": "light"}, user)
        assert queries.newest_job(part.id).id == first  # type: ignore[union-attr]

        for others, config in ((photos, {}), (dict(list(photos.items())[:2]), {"texture_prompt": "steel"})):
            service.cancel(service.start(part.id, others, "meshy", config, user).id, user)
        free = service.start(part.id, photos, "builtin", {"texture_prompt": "steel"}, user)
        service.cancel(free.id, user)

    body = {"partId": part_id, "selectedAngles": photos, "engine": "meshy"}
    body["config"] = {"texture_prompt": "steel"}
    refused = client.post("/api/admin/3d-models/generate", headers=headers, json=body)
    assert (refused.status_code, "Nothing was ordered" in refused.text) == (409, True)
    form: dict[str, Any] = {"use": list(photos.values()), "engine": "meshy", "texture_prompt": "steel"}
    form |= {"clean_photos": "on"}  # as the form is filled in
    form |= {f"angle-{image}": angle for angle, image in photos.items()}
    with app.app_context(), transaction() as session:
        # The form always says whether it wants PBR maps; this one has no tick for them.
        session.get_one(Job, first).generation_config = {"texture_prompt": "steel", "enable_pbr": False}
    header = csrf_header(admin) | {"HX-Request": "true"}
    asked = admin.post(f"/admin/parts/{part_id}/generate", headers=header, data=form)
    assert (asked.status_code, 'name="again"' in asked.text) == (409, True)
    agreed = admin.post(f"/admin/parts/{part_id}/generate", headers=header, data=form | {"again": "yes"})
    assert (agreed.status_code, 'name="again"' in agreed.text) == (200, False)
    with app.app_context():
        running = queries.newest_job(part_id)
        assert running is not None
        assert (running.status, running.engine) == (Status.PENDING, "meshy")
