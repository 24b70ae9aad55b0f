"""The JSON API: making a model of a part."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from acr3d.db.models import Job
from acr3d.db.session import transaction
from tests.support.factories import by_angle, make_part, make_part_with_photos

GENERATE = "/api/admin/3d-models/generate"


@pytest.fixture
def part(app: Flask) -> dict[str, Any]:
    """A part with five labelled photos: its id, and the ids of its photos by angle."""
    with app.app_context():
        made = make_part_with_photos(angles=("front", "right", "back", "left", "top"))
        return {"id": made.id, "photos": by_angle(made)}


def test_generate_answers_at_once_with_a_job_in_the_queue(
    client: FlaskClient, admin: dict[str, str], part: dict[str, Any]
) -> None:
    chosen = {angle: part["photos"][angle] for angle in ("front", "right")}
    config = {"target_polycount": 20000, "enable_pbr": False, "texture_prompt": "steel", "level": "web"}

    answer = client.post(
        GENERATE,
        json={"partId": part["id"], "selectedAngles": chosen, "engine": "builtin", "config": config},
        headers=admin,
    )

    assert answer.status_code == 202
    assert answer.json is not None
    assert set(answer.json) == {"success", "jobId", "meshyTaskId", "message"}
    assert (answer.json["success"], answer.json["meshyTaskId"]) == (True, None)
    status = client.get(f"/api/admin/parts/{part['id']}/status", headers=admin).json
    assert status == {
        "model_status": "queued",
        "model_3d_url": None,
        "error": None,
        "progress": 0,
        "job_id": answer.json["jobId"],
    }
    [job] = client.get(f"/api/admin/parts/{part['id']}", headers=admin).json["jobs"]  # type: ignore[index]
    assert (job["id"], job["status"], job["engine"]) == (answer.json["jobId"], "pending", "builtin")
    assert {one["angle"]: one["id"] for one in job["selected"]} == chosen
    assert job["generation_config"] == config


def test_choices_that_cannot_be_are_refused(
    app: Flask, client: FlaskClient, admin: dict[str, str], part: dict[str, Any]
) -> None:
    with app.app_context():
        others = by_angle(make_part_with_photos("BR-200"))
    mine = part["photos"]
    two = {angle: mine[angle] for angle in ("front", "back")}
    sound = {"partId": part["id"], "selectedAngles": two}

    for body in (
        sound | {"selectedAngles": {}},
        sound | {"selectedAngles": {"front": mine["front"]}},
        sound | {"selectedAngles": mine},
        sound | {"selectedAngles": two | {"inside": mine["left"]}},
        sound | {"selectedAngles": {"front": mine["front"], "back": mine["front"]}},
        sound | {"selectedAngles": {"front": mine["front"], "back": others["back"]}},
        sound | {"selectedAngles": {"front": mine["front"], "back": 7}},
        sound | {"selectedAngles": [mine["front"], mine["back"]]},
        sound | {"engine": "meshy"},
        sound | {"engine": "other"},
        sound | {"engine": 1},
        sound | {"config": {"colour": "red"}},
        sound | {"config": {"target_polycount": "many"}},
        sound | {"config": {"texture_prompt": "\x00"}},
        sound | {"config": []},
        sound | {"more": 1},
        {"selectedAngles": two},
        {"partId": part["id"]},
    ):
        answer = client.post(GENERATE, json=body, headers=admin)
        assert answer.status_code == 400, body
        assert answer.json is not None
        assert answer.json["error"].endswith(".")
    missing = client.post(GENERATE, json=sound | {"partId": "x"}, headers=admin)
    assert missing.status_code == 404
    assert client.get(f"/api/admin/parts/{part['id']}", headers=admin).json["jobs"] == []  # type: ignore[index]


def test_one_model_at_a_time_which_can_be_canceled(
    client: FlaskClient, admin: dict[str, str], part: dict[str, Any]
) -> None:
    body = {"partId": part["id"], "selectedAngles": {a: part["photos"][a] for a in ("front", "back")}}
    first = client.post(GENERATE, json=body, headers=admin).json
    assert first is not None

    assert client.post(GENERATE, json=body, headers=admin).status_code == 409
    canceled = client.post(f"/api/admin/jobs/{first['jobId']}/cancel", headers=admin)
    assert canceled.status_code == 200
    assert canceled.json is not None
    assert (canceled.json["id"], canceled.json["status"]) == (first["jobId"], "canceled")

    assert client.post(f"/api/admin/jobs/{first['jobId']}/cancel", headers=admin).status_code == 409
    assert client.post(GENERATE, json=body, headers=admin).status_code == 202


def test_a_failed_job_can_be_tried_again(
    app: Flask, client: FlaskClient, admin: dict[str, str], part: dict[str, Any]
) -> None:
    body = {"partId": part["id"], "selectedAngles": {a: part["photos"][a] for a in ("front", "back")}}
    job_id = client.post(GENERATE, json=body, headers=admin).json["jobId"]  # type: ignore[index]
    assert client.post(f"/api/admin/jobs/{job_id}/retry", headers=admin).status_code == 409
    with app.app_context(), transaction() as session:
        failed = {"status": "failed", "next_step": "none", "error_message": "The photos are too dark."}
        session.execute(update(Job).values(failed))

    answer = client.post(f"/api/admin/jobs/{job_id}/retry", headers=admin)

    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["status"], answer.json["error_message"]) == ("pending", None)


def test_jobs_and_parts_that_are_not_there(app: Flask, client: FlaskClient, admin: dict[str, str]) -> None:
    with app.app_context():
        part_id = make_part("BR-300").id

    assert client.get("/api/admin/parts/x/status", headers=admin).status_code == 404
    assert client.post("/api/admin/jobs/x/cancel", headers=admin).status_code == 404
    assert client.post(f"/api/admin/jobs/{part_id}/retry", headers=admin).status_code == 404
    status = client.get(f"/api/admin/parts/{part_id}/status", headers=admin).json
    assert status is not None
    assert (status["model_status"], status["job_id"]) == ("none", None)
