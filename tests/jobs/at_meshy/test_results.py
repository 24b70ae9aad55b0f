"""Fetching a finished model: what breaks off, what never comes, and what is no sound model."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from acr3d.db.models import Job, Part
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.storage.blobs import storage
from tests.support.at_meshy import created, creates, file, finished, step, task
from tests.support.contract.server import PreparedServer, answer, cut_off, raw
from tests.support.factories import box_glb

BAD_MODELS = sorted((Path(__file__).parents[4] / "shared/samples/bad").glob("*.glb"))


def test_a_download_that_breaks_off_is_fetched_again_with_a_fresh_address(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    half = raw(200, box_glb()[:900], {"content-length": str(len(box_glb())), "connection": "close"})
    meshy.answers += [created(), finished(meshy), finished(meshy), half, finished(meshy), cut_off]
    step(app, job, 4)
    assert (job.status, job.retry_count) == (Status.PROCESSING, 2)
    assert job.next_at > utc_now() + timedelta(seconds=60)

    meshy.answers += [finished(meshy), file(box_glb())]
    step(app, job, 2)

    assert (job.status, creates(meshy)) == (Status.COMPLETE, 1)
    assert list(storage().incoming.iterdir()) == []


def test_a_download_that_never_comes_fails_after_five_tries(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    meshy.answers += [created(), finished(meshy), *[finished(meshy), cut_off] * 5]

    step(app, job, 7)

    assert job.status == Status.FAILED
    assert "tried 5 times" in (job.error_message or "")
    assert not service.retry_pays(job)


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(b"<html>not found</html>", id="html"),
        pytest.param(box_glb()[:-40], id="cut-off"),
        pytest.param(box_glb().replace(b'"count": 36', b'"count": 99'), id="count-out-of-range"),
        *[pytest.param(path.read_bytes(), id=path.stem) for path in BAD_MODELS],
    ],
)
def test_a_result_that_is_no_sound_glb_fails_with_a_sentence_and_is_kept_if_it_is_whole(
    app: Flask, meshy: PreparedServer, part: Part, job: Job, spoilt: bytes
) -> None:
    files = set(storage().keys())
    meshy.answers += [created(), finished(meshy), finished(meshy), file(spoilt)]

    step(app, job, 4)

    assert job.status == Status.FAILED
    assert (job.error_message or "").endswith(".")
    assert "Traceback" not in (job.error_message or "")
    is_whole = int.from_bytes(spoilt[8:12], "little") == len(spoilt)  # as its header says
    assert [storage().path(key).read_bytes() for key in set(storage().keys()) - files] == [spoilt] * is_whole
    assert list(storage().incoming.iterdir()) == []
    assert queries.versions_of(part.id) == []


def test_a_result_elsewhere_than_at_the_known_places_is_not_fetched(
    app: Flask, meshy: PreparedServer, job: Job
) -> None:
    elsewhere = {"glb": "http://169.254.169.254/latest/model.glb"}
    succeeded = answer(200, task("SUCCEEDED", progress=100, model_urls=elsewhere))
    meshy.answers += [created(), succeeded, succeeded]

    step(app, job, 3)

    assert job.status == Status.FAILED
    assert "ACR3D_ASSET_ORIGINS" in (job.error_message or "")
