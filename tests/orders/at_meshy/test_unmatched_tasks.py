"""Tasks at Meshy that belong to no order of ours: they are listed, given to a part, deleted or put aside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Job, Part, UnmatchedTask, User
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engines.meshy.client import MeshyClient
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.jobs import queries, review, service
from acr3d.orders import unmatched_actions
from acr3d.parts.parts import part_by_id
from tests.support.at_meshy import asked, created, creates, file, listing, made, missing_for_long, step
from tests.support.contract.server import PreparedServer, answer, cut_off, raw, raw_json
from tests.support.factories import box_glb, make_part_with_photos, picture

# --- unmatched tasks ---------------------------------------------------------------------


def swept(meshy: PreparedServer, *tasks: dict[str, object]) -> list[UnmatchedTask]:
    meshy.answers += listing(*tasks)
    return unmatched_actions.refresh()


def test_the_unmatched_tasks_are_the_tasks_that_no_order_of_ours_made(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [created("ours")]
    step(app, job)
    soon = int((utc_now() + timedelta(hours=1)).timestamp() * 1000)
    running = made("running", status="IN_PROGRESS", progress=40, expires_at=soon, texture_prompt="steel")

    found = swept(
        meshy, made("ours"), running, made("failed", status="FAILED"), made("gone", expires_at=1000)
    )

    [row] = found
    assert (row.task_id, row.status, row.progress, row.texture_prompt) == (
        "running",
        "IN_PROGRESS",
        40,
        "steel",
    )
    assert swept(meshy, made("ours")) == []
    assert db.session.scalars(select(UnmatchedTask)).all() == []


def test_an_unmatched_task_becomes_a_draft_of_the_part_it_is_given_to_and_costs_nothing(
    app: Flask, meshy: PreparedServer, part: Part, user: User
) -> None:
    [row] = swept(meshy, made("lost"))

    job = unmatched_actions.attach(row.id, part.id, user)
    finished = answer(200, made("lost", model_urls={"glb": f"{meshy.base}/model.glb"}))
    meshy.answers += [finished, finished, file(box_glb())]
    step(app, job, 3)

    assert (job.status, job.created_by, job.estimated_credits) == (Status.COMPLETE, user.id, 0)
    [version] = queries.versions_of(part.id)
    assert (version.state, part_by_id(part.id).model_3d_url) == ("draft", None)
    assert creates(meshy) == 0
    assert unmatched_actions.current_tasks() == []
    review.publish(version.id, user)
    assert part_by_id(part.id).model_3d_url


def test_an_unmatched_task_goes_to_one_part_only_however_many_people_try(
    app: Flask, meshy: PreparedServer, part: Part, user: User
) -> None:
    [row] = swept(meshy, made("lost"))
    others = [part, *(make_part_with_photos(f"OTHER-{n}") for n in range(3))]
    ids, unmatched_id, ready, said = [one.id for one in others], row.id, threading.Barrier(4), []

    def attach(part_id: str) -> None:
        with app.app_context():
            actor = db.session.scalars(select(User)).one()
            db.session.commit()
            ready.wait(30)
            try:
                unmatched_actions.attach(unmatched_id, part_id, actor)
                said.append("done")
            except Conflict as conflict:
                said.append(str(conflict))

    people = [threading.Thread(target=attach, args=(part_id,)) for part_id in ids]
    for person in people:
        person.start()
    for person in people:
        person.join()

    assert said.count("done") == 1
    assert len([one for one in said if "Somebody else has just handled" in one]) == 3


def test_an_attached_tasks_job_that_lost_its_task_cannot_be_ordered_without_photos(
    app: Flask, meshy: PreparedServer, part: Part, user: User
) -> None:
    [row] = swept(meshy, made("lost"))
    job = unmatched_actions.attach(row.id, part.id, user)
    meshy.answers += [answer(404, {"message": "Task not found"})] * 2
    step(app, job)
    missing_for_long(job)
    step(app, job)
    assert job.status == Status.FAILED

    with pytest.raises(Conflict, match="Generate the model from photos"):
        service.retry(job.id, user)


def test_a_part_with_a_job_and_an_unfinished_task_are_not_brought_together(
    app: Flask, meshy: PreparedServer, part: Part, job: Job, user: User
) -> None:
    rows = {row.task_id: row.id for row in swept(meshy, made("lost"), made("runs", status="IN_PROGRESS"))}
    other = make_part_with_photos("OTHER")

    with pytest.raises(Conflict, match="already being made"):
        unmatched_actions.attach(rows["lost"], part.id, user)
    with pytest.raises(Conflict, match="not finished"):
        unmatched_actions.attach(rows["runs"], other.id, user)
    with pytest.raises(Missing):
        unmatched_actions.attach(rows["lost"], "00000000-0000-4000-8000-000000000000", user)
    with pytest.raises(Missing):
        unmatched_actions.attach("00000000-0000-4000-8000-000000000000", other.id, user)


def test_a_task_that_may_be_an_unanswered_orders_is_not_given_away_or_deleted(
    app: Flask, meshy: PreparedServer, job: Job, user: User
) -> None:
    before = utc_now() - timedelta(minutes=10)
    meshy.answers += [cut_off]
    step(app, job)
    rows = {row.task_id: row.id for row in swept(meshy, made("new"), made("old", before))}

    with pytest.raises(Conflict, match="answer is still missing"):
        unmatched_actions.delete(rows["new"], user)
    unmatched_actions.dismiss(rows["old"], user)

    assert [row.task_id for row in unmatched_actions.current_tasks()] == ["new"]
    assert "DELETE" not in " ".join(asked(meshy))


def test_deleting_asks_meshy_and_a_running_task_stays_with_a_sentence(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    rows = {row.task_id: row.id for row in swept(meshy, made("a"), made("runs", status="IN_PROGRESS"))}
    meshy.answers += [raw(200, b""), answer(409, {"message": "Task is in progress"})]

    unmatched_actions.delete(rows["a"], user)
    with pytest.raises(Conflict, match="still working"):
        unmatched_actions.delete(rows["runs"], user)
    with pytest.raises(Conflict, match="just handled"):
        unmatched_actions.delete(rows["a"], user)

    assert asked(meshy)[-2:] == ["DELETE /a", "DELETE /runs"]
    assert [row.task_id for row in unmatched_actions.current_tasks()] == ["runs"]


class Died(BaseException):
    """What a killed process looks like to the request that it was busy with."""


def test_a_task_whose_deletion_was_cut_short_by_a_crash_is_listed_again(
    app: Flask, meshy: PreparedServer, part: Part, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    [row] = swept(meshy, made("lost"))

    def die(_client: MeshyClient, _task_id: str) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(MeshyClient, "delete", die)
        with pytest.raises(Died):
            unmatched_actions.delete(row.id, user)
    with pytest.raises(Conflict, match="just handled"):
        unmatched_actions.attach(row.id, part.id, user)
    assert swept(meshy, made("lost")) == []

    with transaction() as session:
        session.execute(update(UnmatchedTask).values(deleting_until=utc_now() - timedelta(seconds=1)))

    assert [row.task_id for row in unmatched_actions.current_tasks()] == ["lost"]
    assert unmatched_actions.attach(row.id, part.id, user).meshy_task_id == "lost"


def test_nobody_attaches_a_task_while_meshy_deletes_it(
    app: Flask, meshy: PreparedServer, part: Part, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    [row] = swept(meshy, made("lost"))
    said: list[str] = []

    def delete(_client: MeshyClient, _task_id: str) -> None:
        swept(meshy)  # the list no longer shows it, and the row outlives that
        with pytest.raises(Conflict) as refused:
            unmatched_actions.attach(row.id, part.id, user)
        said.append(str(refused.value))

    monkeypatch.setattr(MeshyClient, "delete", delete)
    unmatched_actions.delete(row.id, user)

    assert "just handled" in said[0]
    [kept] = db.session.scalars(select(UnmatchedTask)).all()
    assert kept.dismissed_by == user.id


def test_a_deletion_that_a_clock_far_ahead_began_does_not_hide_the_task(
    app: Flask, meshy: PreparedServer
) -> None:
    swept(meshy, made("lost"))
    with transaction() as session:
        session.execute(update(UnmatchedTask).values(deleting_until=utc_now() + timedelta(days=1)))

    assert [row.task_id for row in unmatched_actions.current_tasks()] == ["lost"]


def test_without_an_account_there_are_not_unmatched(make_app: Callable[..., Flask], user: User) -> None:
    alone = make_app()
    with alone.app_context():
        assert (unmatched_actions.current_tasks(), unmatched_actions.count_tasks()) == ([], 0)
        unmatched_actions.scan_accounts()
        with pytest.raises(InvalidInput, match="No paid engine"):
            unmatched_actions.refresh()


# --- previews ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_preview_is_fetched_with_a_fresh_address_and_made_a_small_jpeg(
    app: Flask, meshy: PreparedServer, kind: str
) -> None:
    signed = f"{meshy.base}/output/preview.png?Expires=1&Signature=SECRET"
    [row] = swept(meshy, made("lost", thumbnail_url=signed))
    meshy.answers += [answer(200, made("lost", thumbnail_url=signed)), raw(200, picture(kind=kind))]

    preview = unmatched_actions.preview(row.id)

    assert preview is not None
    assert preview.startswith(b"\xff\xd8\xff")
    assert "authorization" not in meshy.requests[-1].headers
    kept = str([vars(one) for one in db.session.scalars(select(UnmatchedTask))])
    assert "SECRET" not in kept


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/preview.png",
        "https://elsewhere.example/x.png",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_preview_from_elsewhere_is_not_fetched(app: Flask, meshy: PreparedServer, url: str) -> None:
    [row] = swept(meshy, made("lost", thumbnail_url="https://assets.meshy.ai/x.png"))
    meshy.answers += [answer(200, made("lost", thumbnail_url=url))]

    assert unmatched_actions.preview(row.id) is None


def test_a_preview_that_is_no_picture_or_too_large_is_none(app: Flask, meshy: PreparedServer) -> None:
    url = f"{meshy.base}/preview.png"
    [row] = swept(meshy, made("lost", thumbnail_url=url))
    for bad in (raw(200, b"<svg onload=alert(1)>"), raw(200, b"x" * (9 << 20)), raw(404, b""), cut_off):
        meshy.answers += [answer(200, made("lost", thumbnail_url=url)), bad]
        assert unmatched_actions.preview(row.id) is None
    meshy.answers += [raw_json(502, {"message": "x"})]
    assert unmatched_actions.preview(row.id) is None


def test_a_row_of_another_account_is_not_asked_about(app: Flask, meshy: PreparedServer, user: User) -> None:
    [row] = swept(meshy, made("lost", thumbnail_url="https://assets.meshy.ai/x.png"))
    with transaction() as session:
        session.execute(update(UnmatchedTask).values(account="another"))

    assert unmatched_actions.current_tasks() == []
    assert unmatched_actions.preview(row.id) is None
    with pytest.raises(Missing):
        unmatched_actions.delete(row.id, user)
