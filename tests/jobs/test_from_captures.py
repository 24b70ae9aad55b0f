"""A spin capture becomes a model in true millimetres by a job like any other: no photos, no credits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from acr3d import sandbox
from acr3d.captures.captures import positions_of
from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion, Part, User
from acr3d.engine_server import worker
from acr3d.engines.builtin.provider import BuiltinProvider
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.jobs import from_captures, queries, reoptimize, service
from acr3d.jobs.true_size import SizeState, true_size
from acr3d.messages.message import Message
from acr3d.parts.parts import part_by_id, update_part
from acr3d.web import labels
from tests.jobs.test_builtin_job import run_to_the_end
from tests.support.accounts import browser, csrf_header
from tests.support.captures import child, filmed, install, read_now
from tests.support.factories import box_glb, make_part, make_part_with_photos, make_user

SIZE_MM = [1000.0, 1000.0, 500.0]  # of box_glb
BUILT = {"size_mm": SIZE_MM, "sureness": 0.9, "frames_used": 2, "guessed": [], "notes": [], "seconds": 3.0}


class Builder:
    """In the place of the child that builds; the children of the optimizer are real."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.seen: list[list[str]] = []
        self.failures: list[Exception] = []

    def __call__(self, module: str, args: list[str], *more: Any, **how: Any) -> dict[str, Any]:
        if module != worker.SPIN:
            return self.real(module, args, *more, **how)
        if args[0] == "read":
            return child()(module, args, *more, **how)
        request = json.loads(Path(args[1]).read_text())
        self.requests.append(request)
        self.seen.append(sorted(_names(Path(request["positions"][0]))))
        if self.failures:
            raise self.failures.pop()
        Path(args[2]).write_bytes(box_glb())
        return BUILT

    real = staticmethod(sandbox.run)


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    made = Builder()
    install(monkeypatch)
    monkeypatch.setattr(sandbox, "run", made)
    both = replace(BuiltinProvider.capabilities, captures=2)
    monkeypatch.setattr(BuiltinProvider, "capabilities", both)
    return made


@pytest.fixture
def ready(in_app: Flask, user: User, builder: Builder) -> Part:
    """A part without photos, filmed in both positions."""
    part = make_part()
    for position in (1, 2):
        filmed(part.id, user, position)
        read_now(builder)
    return part


def capture_ids(part: Part) -> list[str]:
    return [one.ready.id for one in positions_of(part.id) if one.ready]


def newest(part: Part) -> ModelVersion:
    db.session.expire_all()
    return queries.versions_of(part.id)[0]


@pytest.fixture
def config(sqlite_config: Any) -> Any:
    return sqlite_config


def test_a_capture_becomes_a_published_model_of_true_size(
    in_app: Flask, user: User, ready: Part, builder: Builder
) -> None:
    job = from_captures.start(ready.id, capture_ids(ready), None, {"level": "full"}, user)
    assert (job.engine, job.estimated_credits, labels.job_engine(job)) == (
        "builtin",
        0,
        "Built-in engine, spin",
    )

    assert run_to_the_end(in_app, job).status == "complete", job.error

    [request] = builder.requests
    assert (len(request["positions"]), request["texture_size"], request["guess_hollows"]) == (2, 4096, True)
    assert builder.seen == [["capture.json", "frames/000.jpg", "frames/001.jpg"]]
    version = newest(ready)
    assert version.state == "published"
    size = true_size(version, part_by_id(ready.id))
    assert (size.state, size.is_true, size.sheet_printed_at) == (SizeState.MEASURED, True, None)
    assert labels.model_size_mm(size) == {"width": 1000, "height": 1000, "depth": 500}
    assert "AR shows it in true size" in labels.size_sentence(size)
    engine = in_app.extensions["acr3d_engines"].provider("builtin").app
    assert list(engine._tasks.folder(job.meshy_task_id).iterdir()) == [engine._tasks.model(job.meshy_task_id)]

    again = reoptimize.optimize_again(job.id, "light", "y90", user)
    run_to_the_end(in_app, again)
    turned = true_size(newest(ready), part_by_id(ready.id))
    assert [side.model_mm for side in turned.sides] == pytest.approx([500, 1000, 1000], abs=0.1)
    assert turned.is_true


@pytest.mark.parametrize(
    ("typed", "state", "printed_at"),
    [
        ({"width_mm": 1005, "height_mm": 1000, "depth_mm": 500}, SizeState.TRUE, None),
        ({"width_mm": 930, "height_mm": 930, "depth_mm": 465}, SizeState.TRUE, 93),
        ({"width_mm": 930}, SizeState.TRUE, 93),
        ({"width_mm": 1000, "height_mm": 1000, "depth_mm": 900}, SizeState.CONTRADICTED, None),
    ],
)
def test_typed_sizes_tell_at_what_scale_the_sheet_was_printed(
    in_app: Flask, user: User, ready: Part, typed: dict[str, float], state: SizeState, printed_at: int | None
) -> None:
    update_part(ready.id, typed)
    job = from_captures.start(ready.id, capture_ids(ready)[:1], "builtin", {}, user)
    run_to_the_end(in_app, job)

    size = true_size(newest(ready), part_by_id(ready.id))

    assert size.state is state
    assert (size.sheet_printed_at and round(size.sheet_printed_at)) == printed_at
    if printed_at:
        assert "the capture sheet was printed at 93%" in labels.size_sentence(size)


def test_a_failed_build_is_tried_again_from_the_kept_frames(
    in_app: Flask, user: User, ready: Part, builder: Builder
) -> None:
    builder.failures = [sandbox.ChildCrashed("it broke off")]
    job = from_captures.start(ready.id, capture_ids(ready), None, {}, user)
    failed = run_to_the_end(in_app, job)
    assert (failed.status, "If it fails again, film the part again." in str(failed.error)) == ("failed", True)

    service.retry(job.id, user)

    assert run_to_the_end(in_app, job).status == "complete"
    assert len(builder.requests) == 2


def test_a_refused_capture_is_filmed_again_and_no_photos_are_asked_for(
    in_app: Flask, user: User, ready: Part, builder: Builder
) -> None:
    builder.failures = [sandbox.ChildRefused(Message.plain("The outlines do not fit."), "inconsistent")]
    job = from_captures.start(ready.id, capture_ids(ready), None, {}, user)

    told = str(run_to_the_end(in_app, job).error)

    assert "The outlines do not fit." in told
    assert told.endswith("Film the part again, then generate from the new capture.")
    with pytest.raises(Conflict, match="would refuse this capture again"):
        service.retry(job.id, user)


def test_what_cannot_be_ordered_is_refused(
    in_app: Flask, user: User, ready: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = capture_ids(ready)
    other = make_part("OTHER")
    waiting = filmed(other.id, user)

    def refused(part: Part, chosen: list[str], error: type[Exception], why: str, **config: Any) -> None:
        with pytest.raises(error, match=why):
            from_captures.start(part.id, chosen, None, config, user)

    refused(ready, [], InvalidInput, "one capture of the part as it lies")
    refused(ready, [second], InvalidInput, "one capture of the part as it lies")
    refused(other, [first], Missing, "no such capture")
    refused(other, [waiting.id], Conflict, "not ready")
    refused(ready, ["x"], Missing, "no such capture")
    refused(ready, [first], InvalidInput, "Unknown setting", nonsense=1)
    with pytest.raises(InvalidInput, match="No engine"):
        from_captures.start(ready.id, [first], "meshy", {}, user)
    with monkeypatch.context() as patch:
        patch.setattr(BuiltinProvider, "capabilities", replace(BuiltinProvider.capabilities, captures=1))
        refused(ready, [first, second], InvalidInput, "No engine")
    from_captures.start(ready.id, [first], None, {}, user)
    refused(ready, [first], Conflict, "already being made")
    monkeypatch.setattr("acr3d.captures.installed.is_installed", lambda: False)
    refused(other, [waiting.id], Conflict, "make spin")


def test_the_page_leads_from_the_film_to_the_model(
    app: Flask, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        part, user = make_part(), make_user()
        for position in (1, 2):
            filmed(part.id, user, position)
            read_now(builder)
        ids = capture_ids(part)
    admin = browser(app)
    with monkeypatch.context() as patch:
        patch.setattr(BuiltinProvider, "capabilities", replace(BuiltinProvider.capabilities, captures=1))
        assert "capture-position" not in admin.get(f"/admin/parts/{part.id}").text

    page = admin.get(f"/admin/parts/{part.id}").text

    assert "capture-position" in page

    assert page.count("80% of the way round was seen.") == 4  # each a line, and the drawing's name
    assert "2 frames are used. 3 frames were blurred. 1 frame did not show the sheet." in page
    assert "Film the right side again." in page
    assert page.count('class="ring-gap"') == 2
    assert 'data-step="spin"' in page
    form, headers = {"capture": ids, "level": "web"}, csrf_header(admin) | {"HX-Request": "true"}
    address = f"/admin/parts/{part.id}/generate-from-captures"

    answer = admin.post(address, data=form, headers=headers)

    assert answer.status_code == 200
    assert "Built-in engine, spin" in answer.text
    assert 'id="spin-now"' not in answer.text
    assert admin.post(address, data=form, headers=headers).status_code == 409
    assert admin.post(f"/admin/captures/{ids[0]}/delete", headers=headers).status_code == 409
    told = admin.get(f"/api/admin/parts/{part.id}").json
    assert told is not None
    assert [one["captures"] for one in told["jobs"]] == [ids]


def test_an_open_page_hears_what_became_of_a_capture(in_app: Flask, user: User, builder: Builder) -> None:
    part, admin = make_part_with_photos(), browser(in_app)
    filmed(part.id, user)
    page = admin.get(f"/admin/parts/{part.id}").text
    live = page.split('hx-get="/admin/parts/')[1].split('"')[0].replace("&amp;", "&")
    assert "Waiting to be read" in page
    assert admin.get(f"/admin/parts/{live}").status_code == 204

    read_now(builder)

    told = admin.get(f"/admin/parts/{live}").text
    assert 'id="captures" hx-swap-oob="true"' in told
    assert "2 frames are used." in told
    assert "/live?" not in told  # nothing moves any more


def test_without_the_extra_the_page_says_what_installs_it(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acr3d.captures.installed.is_installed", lambda: False)

    page = browser(in_app).get(f"/admin/parts/{make_part().id}").text

    assert "“make spin” installs it" in page
    assert "data-capture " not in page
