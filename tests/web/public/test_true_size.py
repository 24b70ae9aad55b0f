"""AR insists on a model's size only while that is the part's: what the job does, and what customers get."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.models import ModelVersion, Part
from acr3d.db.session import transaction
from acr3d.jobs import publishing, queries, review, transitions
from acr3d.parts.parts import update_part
from acr3d.storage.blobs import storage
from tests.support.accounts import csrf_header
from tests.support.factories import box_glb, finished_job, make_part, make_user, optimize_raw_model

# box_glb() is 1 m wide and high, and half a metre deep.
SIZE: dict[str, Any] = {"width_mm": 100.0, "height_mm": 100.0, "depth_mm": 50.0}
PLACES = ("/parts/BR-100", "/embed/BR-100")

one_database = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


def optimized(app: Flask, part: Part) -> ModelVersion:
    optimize_raw_model(app, part, box_glb())
    return queries.versions_of(part.id)[0]


def document(version: ModelVersion) -> dict[str, Any]:
    with storage().open(version.storage_path) as file:
        content = file.read()
    found: dict[str, Any] = json.loads(content[20 : 20 + struct.unpack_from("<I", content, 12)[0]])
    return found


def scales(client: FlaskClient) -> list[str]:
    """What the part's page and its embedded one let AR do with the size."""
    pages = [client.get(place).text for place in PLACES]
    assert all(page.count("<model-viewer") == page.count('ar-scale="') == 1 for page in pages)
    return [page.split('ar-scale="')[1].split('"')[0] for page in pages]


@one_database
def test_a_job_makes_the_model_as_large_as_the_part(in_app: Flask, client: FlaskClient) -> None:
    part = make_part(**SIZE)

    version = optimized(in_app, part)

    report = version.report["optimizer"]
    assert report["size_m"] == pytest.approx([0.1, 0.1, 0.05], rel=1e-3)
    assert report["placed"]["scale"] == pytest.approx(0.1)
    assert report["placed"]["requested_mm"] == {"width": 100, "height": 100, "depth": 50}
    model = document(version)
    [root] = model["scenes"][0]["nodes"]
    assert model["nodes"][root]["scale"] == pytest.approx([0.1] * 3)
    assert scales(client) == ["fixed", "fixed"]
    assert "100 × 100 × 50" in client.get(PLACES[0]).text


@one_database
def test_a_model_that_was_made_before_the_sizes_were_known_is_not_in_true_size(
    in_app: Flask, client: FlaskClient
) -> None:
    part = make_part()

    version = optimized(in_app, part)
    before = scales(client)
    update_part(part.id, SIZE)

    assert version.report["optimizer"]["placed"] is None
    assert len(document(version)["nodes"]) == 1
    assert before == scales(client) == ["auto", "auto"]


@one_database
def test_an_odd_side_is_not_true_size_until_an_admin_says_so(
    app: Flask, client: FlaskClient, admin: FlaskClient
) -> None:
    with app.app_context():
        part = make_part(width_mm=100.0, height_mm=100.0, depth_mm=40.0)
        version = optimized(app, part)
        part_id, version_id, warnings = part.id, version.id, version.report["optimizer"]["warnings"]
        job_id = version.job_id
    assert (
        "The model's depth is 25 % more than the part's. Check the part's dimensions and the photos."
        in warnings
    )
    assert scales(client) == ["auto", "auto"]
    assert "contradict the part&#39;s sizes (depth 25% off)" in admin.get(f"/admin/parts/{part_id}").text

    address = f"/admin/versions/{version_id}/confirm-size"
    answers = [admin.post(address, headers=csrf_header(admin)).status_code for _ in range(2)]

    assert answers == [200, 409]  # there is nothing left to confirm
    assert scales(client) == ["fixed", "fixed"]
    with app.app_context():
        assert "model.size_confirmed" in [one.detail_code for one in queries.events_of(job_id)]
        update_part(part_id, {"depth_mm": 50.0})  # the word was about other sizes
    assert scales(client) == ["auto", "auto"]


def test_a_deviation_of_five_percent_is_still_true(in_app: Flask, client: FlaskClient) -> None:
    part = make_part(**SIZE)
    placed = {"requested_mm": {"width": 100, "height": 100, "depth": 50}}

    show(part, placed | {"deviation_percent": {"width": -5.0, "height": 0.0, "depth": 5.0}})
    assert scales(client) == ["fixed", "fixed"]
    show(part, placed | {"deviation_percent": {"width": 0.0, "height": 0.0, "depth": -5.01}})
    assert scales(client) == ["auto", "auto"]


def test_changed_sizes_let_the_customer_scale_until_they_are_back(in_app: Flask, client: FlaskClient) -> None:
    part = make_part(width_mm=78.8, depth_mm=12.345678901)
    show(part, {"requested_mm": {"width": 78.8, "height": None, "depth": 12.345678901}})

    seen = [scales(client)]
    for change in ({"height_mm": 5}, {"height_mm": None}, {"width_mm": 78.9}, {"width_mm": 78.8}):
        update_part(part.id, change)
        seen.append(scales(client))

    assert [first for first, _ in seen] == ["fixed", "auto", "fixed", "auto", "fixed"]
    assert [second for _, second in seen] == ["fixed", "auto", "fixed", "auto", "fixed"]


def test_only_the_published_model_counts(in_app: Flask, client: FlaskClient) -> None:
    part = make_part(**SIZE)
    placed = {"requested_mm": {"width": 100, "height": 100, "depth": 50}}
    show(part, None)
    draft = show(part, placed, is_published=False)

    before = scales(client)
    review.publish(draft.id, make_user())

    assert before == ["auto", "auto"]
    assert scales(client) == ["fixed", "fixed"]


def test_models_from_before_true_size_are_not_in_it(in_app: Flask, client: FlaskClient) -> None:
    part = make_part(**SIZE)
    version = show(part, None)
    with transaction():
        version.report = {}

    assert scales(client) == ["auto", "auto"]


def show(part: Part, placed: dict[str, Any] | None, *, is_published: bool = True) -> ModelVersion:
    """Give the part a model whose report says this of its size."""
    job = finished_job(part.id)
    version = ModelVersion(
        storage_path="parts/x/models/y.glb",
        sha256="0" * 64,
        file_size_bytes=1,
        report={"optimizer": {"placed": placed}, "engine": None},
    )
    with transaction() as session:
        session.add(job)
        session.flush()
        transitions.add_version(session, job, version)
        if is_published:
            publishing.publish(session, version, session.get_one(Part, part.id), by_user=None)
    return version
