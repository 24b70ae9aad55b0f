"""Staff pages as requests and answers; what moves on them is tested in Chromium."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.models import Job, ModelVersion, Part, User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service, transitions
from acr3d.parts.parts import part_by_id, update_part
from acr3d.parts.photos import images_of
from acr3d.parts.sku_lookup import part_with_sku
from tests.support.accounts import browser, csrf_header, csrf_token
from tests.support.factories import (
    by_angle,
    finished_job,
    make_part,
    make_part_with_photos,
    make_user,
    order_of,
)

NO_SIZES = {"width_mm": "", "height_mm": "", "depth_mm": ""}
FIELDS = {"name": "Bracket", "sku": "BR-100", "description": ""} | NO_SIZES


def queued(part: Part, actor: User) -> str:
    """Start a job that nobody moves; its id."""
    photos = {angle: image for angle, image in by_angle(part).items() if angle in ("front", "right")}
    return service.start(part.id, photos, "builtin", {}, actor).id


def test_a_new_part_leads_to_its_page(admin: FlaskClient) -> None:
    form = FIELDS | {
        "width_mm": "12,5",
        "depth_mm": "12345.67",
        "is_published": "on",
        "csrf_token": csrf_token(admin),
    }

    answer = admin.post("/admin/parts", data=form, follow_redirects=True)

    assert "Part created. Now add its photos." in answer.text
    assert 'name="width_mm" value="12.5"' in answer.text
    assert 'name="depth_mm" value="12345.67"' in answer.text


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "  ", "“Name” must not be empty."),
        ("sku", "x" * 65, "“Part number (SKU)” is longer than 64 characters."),
        ("height_mm", "tall", "“Height”: “tall” cannot be read."),
        ("sku", "taken", "is in use by another part"),
    ],
)
def test_a_form_that_cannot_be_taken_keeps_what_was_typed(
    app: Flask, admin: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    with app.app_context():
        make_part("TAKEN")
    form = FIELDS | {"description": "Typed with care", "csrf_token": csrf_token(admin), field: typed}

    answer = admin.post("/admin/parts", data=form)

    assert answer.status_code in (400, 409)
    assert sentence in answer.text
    assert f'<a href="#{field}">' in answer.text  # the summary leads to the field
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true" aria-describedby="{field}-problem"', answer.text)
    assert "Typed with care" in answer.text


def test_a_change_is_saved_and_a_refused_one_is_not(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part_id = make_part("BR-100").id
    form = FIELDS | {"csrf_token": csrf_token(admin)}

    saved = admin.post(f"/admin/parts/{part_id}", data=form | {"name": "Better"}, follow_redirects=True)
    refused = admin.post(f"/admin/parts/{part_id}", data=form | {"name": ""})

    assert "Saved." in saved.text
    assert (refused.status_code, "“Name” must not be empty." in refused.text) == (400, True)
    with app.app_context():
        part = part_by_id(part_id)
        assert (part.name, part.is_published) == ("Better", False)


def test_a_deleted_part_is_gone_from_the_list(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part_id = make_part("BR-100").id

    answer = admin.post(f"/admin/parts/{part_id}/delete", headers=csrf_header(admin))

    assert answer.headers["HX-Redirect"] == "/admin/parts"
    page = admin.get("/admin/parts").text
    assert "“Bracket BR-100” was deleted." in page
    assert f'href="/admin/parts/{part_id}"' not in page
    assert admin.get(f"/admin/parts/{part_id}").status_code == 404


def test_the_order_is_taken_whole_or_answered_with_the_present_one(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()
        first, second, third = (image.id for image in images_of(part.id))
    address = f"/admin/parts/{part.id}/photos/order"

    taken = admin.post(address, data={"id": [third, first, second]}, headers=csrf_header(admin))
    stale = admin.post(address, data={"id": [first, second]}, headers=csrf_header(admin))

    assert (taken.status_code, shown(taken.text)) == (200, [third, first, second])
    assert (stale.status_code, shown(stale.text)) == (409, [third, first, second])
    assert "Someone else changed the photos." in stale.text


@pytest.mark.parametrize(
    ("there", "suggested"),
    [
        (("left", "back", "top", "right", "front"), ("front", "right", "top", "back")),
        (("left", "back", "bottom", "right", "front"), ("front", "right", "back", "bottom")),
    ],
)
def test_the_suggested_photos_are_the_four_that_say_most(
    app: Flask, admin: FlaskClient, there: tuple[str, ...], suggested: tuple[str, ...]
) -> None:
    with app.app_context():
        part = make_part_with_photos(angles=there)
        ids = by_angle(part)

    page = admin.get(f"/admin/parts/{part.id}").text

    chosen = set(re.findall(r'name="use" value="([^"]+)" checked', page))
    assert chosen == {ids[angle] for angle in suggested}


def test_every_place_that_asks_for_a_side_shows_what_the_sides_are(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        empty, part = make_part(sku="BR-200").id, make_part_with_photos().id

    before, after = (admin.get(f"/admin/parts/{one}").text for one in (empty, part))

    explained = "Left and right are as you look at the front."
    assert (before.count(explained), after.count(explained)) == (1, 1)
    assert 'class="setup"' in before
    assert 'class="setup"' not in after


@pytest.mark.parametrize(
    ("angles", "sentence"),
    [
        (("front",), "Choose two to four photos; so far: 1."),
        (("front", ""), "Choose an angle for every selected photo."),
        (("front", "front"), "Two selected photos have the same angle (Front)."),
    ],
)
def test_a_choice_that_makes_no_model_is_refused(
    app: Flask, admin: FlaskClient, angles: tuple[str, ...], sentence: str
) -> None:
    with app.app_context():
        part = make_part_with_photos(angles=angles)
        chosen = order_of(part)
    form = {"use": chosen, "engine": "builtin"}

    answer = admin.post(f"/admin/parts/{part.id}/generate", data=form, headers=csrf_header(admin))

    assert (answer.status_code, sentence in answer.text) == (400, True)
    with app.app_context():
        assert queries.jobs_of(part.id) == []


def test_a_second_generate_is_answered_with_the_job_that_runs(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()
        queued(part, make_user())
        ids = by_angle(part)
    form = {"use": list(ids.values()), "engine": "builtin"}

    answer = admin.post(f"/admin/parts/{part.id}/generate", data=form, headers=csrf_header(admin))

    assert answer.status_code == 409
    assert "A model of this part is already being made." in answer.text
    assert "Cancel job" in answer.text


def test_a_page_asks_only_while_something_moves(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()
        still = admin.get(f"/admin/parts/{part.id}").text
        job_id = queued(part, make_user())

    [address] = re.findall(
        r'hx-get="(/admin/parts/[^"]+/live[^"]+)"', admin.get(f"/admin/parts/{part.id}").text
    )
    nothing_new = admin.get(address)
    admin.post(f"/admin/jobs/{job_id}/cancel", headers=csrf_header(admin))
    ended = admin.get(address)

    assert "/live?" not in still
    assert (nothing_new.status_code, nothing_new.data) == (204, b"")
    assert "Canceled" in ended.text
    assert "/live?" not in ended.text


def test_the_lists_watch_the_jobs_that_move(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()
        job_id = queued(part, make_user())

    for path in ("/admin/", "/admin/parts", "/admin/jobs"):
        page = admin.get(path).text
        [address] = re.findall(r'data-poll hx-get="([^"]+)"', page)
        assert f'id="job-{job_id}"' in page
        assert admin.get(address.replace("&amp;", "&")).status_code == 204, path


def test_an_idle_list_of_parts_notices_a_new_job_and_a_published_model(
    app: Flask, admin: FlaskClient
) -> None:
    with app.app_context():
        part = make_part_with_photos()
    page = admin.get("/admin/parts").text
    [address] = [html.unescape(one) for one in re.findall(r'hx-get="(/admin/parts/live[^"]+)"', page)]
    before = admin.get(address)
    with app.app_context():
        job_id = queued(part, make_user())
        with transaction() as session:
            session.get_one(Part, part.id).model_3d_url = "/media/model.glb"

    after = admin.get(address).text

    assert before.status_code == 204
    assert f'id="job-{job_id}"' in after
    assert "has a published 3D model" in after
    assert 'hx-trigger="every 10s,' in after


def test_a_job_is_canceled_and_retried_from_a_list(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()
        job_id = queued(part, make_user())
    headers = csrf_header(admin) | {"HX-Request": "true"}
    in_list: dict[str, Any] = {"headers": headers, "data": {"back": "list"}}

    home = admin.get("/admin/").text
    canceled = admin.post(f"/admin/jobs/{job_id}/cancel", **in_list)
    again = admin.post(f"/admin/jobs/{job_id}/cancel", **in_list)
    with app.app_context(), transaction() as session:
        job = session.get_one(Job, job_id)
        job.status, job.next_step, job.error_message = "failed", "none", "The engine was out of reach."
    needed = admin.get("/admin/").text.partition('id="needs-you"')[2]
    retried = admin.post(f"/admin/jobs/{job_id}/retry", **in_list)

    assert f'hx-post="/admin/jobs/{job_id}/cancel"' in home
    assert "Canceled" in canceled.text
    assert (again.status_code, again.text) == (409, "This job has already ended; there is nothing to cancel.")
    assert "The engine was out of reach." in needed
    assert f'hx-post="/admin/jobs/{job_id}/retry"' in needed
    assert f'hx-post="/admin/jobs/{job_id}/cancel"' in retried.text
    assert retried.headers["HX-Trigger-After-Settle"] == "moved"  # the page asks at once


def test_jobs_are_listed_by_status(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        actor = make_user()
        queued(make_part_with_photos("RUNS-1"), actor)
        service.cancel(queued(make_part_with_photos("ENDED-1"), actor), actor)

    canceled = admin.get("/admin/jobs?status=canceled").text

    assert "ENDED-1" in canceled
    assert "RUNS-1" not in canceled
    assert "RUNS-1" in admin.get("/admin/jobs?status=nonsense").text


def test_a_viewer_looks_but_is_offered_no_change(app: Flask) -> None:
    with app.app_context():
        part = make_part_with_photos()

    viewer = browser(app, "viewer")
    page = viewer.get(f"/admin/parts/{part.id}").text

    assert "Bracket BR-100" in page
    for offer in ("hx-post", "hx-delete", "chooser", "data-move=", ">Save<"):
        assert offer not in page
    assert "New part" not in viewer.get("/admin/parts").text


def test_staff_read_that_no_poller_runs(admin: FlaskClient) -> None:
    assert "The job service has not run yet, so jobs are waiting." in admin.get("/admin/").text


def test_staff_read_which_results_are_about_to_be_lost(app: Flask, admin: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        for sku, hours in (("SOON", 5), ("LATER", 50), ("LOST", -1)):
            expires_at = utc_now() + timedelta(hours=hours)
            job = finished_job(make_part(sku).id, meshy_task_id=sku, task_expires_at=expires_at)
            job.status = "failed"
            session.add(job)

    page = admin.get("/admin/").text
    listed = page[page.index("Results expiring soon") :].partition("</section>")[0]

    assert re.findall(r"/admin/parts/([^#\"]+)#model-panel", listed) == [part_id(app, "SOON")]


def part_id(app: Flask, sku: str) -> str:
    with app.app_context():
        return part_with_sku(sku).id


@pytest.mark.parametrize(("ticked", "seen"), [({"other_sides": "on"}, 4), ({}, 2)])
def test_the_built_in_engine_looks_at_the_other_sides_where_that_is_ticked(
    app: Flask, admin: FlaskClient, ticked: dict[str, str], seen: int
) -> None:
    with app.app_context():
        part = make_part_with_photos(angles=("front", "right", "back", "top"))
        photos = by_angle(part)
    assert 'name="other_sides" checked' in admin.get(f"/admin/parts/{part.id}").text

    form: dict[str, str | list[str]] = {"engine": "builtin", "use": [photos["front"], photos["right"]]}
    form |= ticked
    answer = admin.post(f"/admin/parts/{part.id}/generate", data=form, headers=csrf_header(admin))

    assert answer.status_code == 200, answer.text
    with app.app_context():
        [job] = queries.jobs_of(part.id)
        assert len(job.selected_image_metadata) == seen


def test_the_price_stands_on_the_button_for_meshy(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()

    page = admin.get(f"/admin/parts/{part.id}").text

    assert "Built-in engine, free" in page
    assert "Meshy, about" not in page  # there is no key


def test_the_bar_says_what_comes_next_and_the_checklist_what_is_missing(
    app: Flask, admin: FlaskClient
) -> None:
    with app.app_context():
        empty = make_part("NEXT-1", is_published=False)
        unlabelled = make_part_with_photos("NEXT-2", ("", ""))
        ready = make_part_with_photos("NEXT-3", ("front", "right"))
        made = make_part_with_photos("NEXT-4", ("front", "right"))
        update_part(made.id, {"is_published": False, "width_mm": 20.0})
        version = model_of(made)
        ids = [part.id for part in (empty, unlabelled, ready, made)]
    address = f"/admin/parts/{ids[-1]}"

    steps = [step_of(admin, part_id) for part_id in ids]
    waiting = admin.get(address).text
    admin.post(f"/admin/versions/{version}/publish", headers=csrf_header(admin))
    steps.append(step_of(admin, ids[-1]))
    admin.post(f"{address}/publish", headers=csrf_header(admin))
    steps.append(step_of(admin, ids[-1]))

    assert steps == ["add_photos", "label", "generate", "review", "publish", "done"]
    assert "Model 1 is ready: review it." in waiting
    assert "Waiting for review" in waiting
    assert "Waiting for review" not in admin.get(address).text
    missing = [what for what, state in checks(admin.get(f"/admin/parts/{ids[0]}").text) if state == "missing"]
    assert missing == ["0 photos", "0 sides labelled", "No 3D model yet", "Customers cannot see the part yet"]
    assert {state for _what, state in checks(admin.get(address).text)} == {"done", "optional"}


def model_of(part: Part) -> str:
    """Give the part a draft; the model's id."""
    job = finished_job(part.id)
    version = ModelVersion(storage_path="m.glb", sha256="0" * 64, file_size_bytes=1, report={})
    with transaction() as session:
        session.add(job)
        session.flush()
        transitions.add_version(session, job, version)
    return version.id


def step_of(admin: FlaskClient, part_id: str) -> str:
    [step] = re.findall(r'id="next" data-step="([^"]+)"', admin.get(f"/admin/parts/{part_id}").text)
    return str(step)


def checks(page: str) -> list[tuple[str, str]]:
    """The checklist's lines with their states."""
    found = re.findall(r'<li class="is-(done|optional|missing)">.*?<a [^>]+>([^<]+)</a>', page, re.DOTALL)
    return [(what, state) for state, what in found]


def shown(page: str) -> list[str]:
    """The photos' ids in the order of the page."""
    return re.findall(r'class="tile" data-id="([^"]+)"', page)
