"""Models of many parts for staff: doubts and the price first, then progress and a summary."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from acr3d.batches import actions, choice
from acr3d.batches.summary import parts_of, summary
from acr3d.db.models import Batch
from acr3d.db.states import BatchState
from acr3d.engines.registry import engines
from acr3d.errors import InvalidInput, Missing
from acr3d.imports.actions import by_id as import_by_id
from acr3d.parts import bulk
from acr3d.web import badges, list_request
from acr3d.web.access import actor
from acr3d.web.admin.generate_form import GenerateForm
from acr3d.web.admin.pressed import done, go_to, whole_number
from acr3d.web.templating import asked_query, language

bp = Blueprint("batches", __name__, url_prefix="/batches")

LIVE_SECONDS = 3


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template("admin/batches.html", batches=actions.newest(), state_badge=badges.batch_badge)


@bp.post("")
def create() -> ResponseReturnValue:
    """For the chosen parts (`part`), `all` of the list in the address, or those of an `import`."""
    if import_id := request.form.get("import", ""):
        chosen = choice.of_import(import_by_id(import_id).id)
    elif request.form.get("all") == "yes":
        chosen = bulk.matching(asked_query(), list_request.staff_filters())
    else:
        chosen = request.form.getlist("part")
    try:
        batch = actions.prepare(chosen, actor(), language())
    except InvalidInput as problem:
        if not import_id:
            raise
        flash(str(problem), "error")
        return redirect(url_for("admin.imports.show", import_id=import_id))
    return _to(batch.id)


@bp.get("/<batch_id>")
def show(batch_id: str) -> ResponseReturnValue:
    return _page(actions.by_id(batch_id), GenerateForm(), skips_doubtful=False)


@bp.get("/<batch_id>/live")
def live(batch_id: str) -> ResponseReturnValue:
    """The progress; a header that loads the page again when a person has to look."""
    batch = actions.by_id(batch_id)
    found = summary(batch)
    if not _moves(batch, found.in_work):
        return "", 200, {"HX-Refresh": "true"}
    return render_template("admin/_batch_progress.html", batch=batch, summary=found, **_progress(batch, True))


@bp.post("/<batch_id>/start")
def start(batch_id: str) -> ResponseReturnValue:
    """Order, if `agreed` is the total; else show the total of this choice."""
    batch = actions.by_id(batch_id)
    form, skips = GenerateForm.read(request.form, []), "skips_doubtful" in request.form
    try:
        engine = form.engine or engines().default().name
        actions.start(
            batch_id,
            engine,
            form.config(),
            actor(),
            skips_doubtful=skips,
            agreed=whole_number("agreed"),
        )
    except Missing:
        raise
    except InvalidInput as problem:
        if batch.state != BatchState.READY:
            flash(str(problem), "error")
            return _to(batch_id)
        return _page(batch, form, skips_doubtful=skips, problem=str(problem)), problem.status
    return _to(batch_id)


@bp.post("/<batch_id>/pause")
def pause(batch_id: str) -> ResponseReturnValue:
    return _done(batch_id, lambda: actions.pause(batch_id))


@bp.post("/<batch_id>/resume")
def resume(batch_id: str) -> ResponseReturnValue:
    return _done(batch_id, lambda: actions.resume(batch_id))


@bp.post("/<batch_id>/stop")
def stop(batch_id: str) -> ResponseReturnValue:
    return _done(batch_id, lambda: actions.stop(batch_id))


def _page(batch: Batch, form: GenerateForm, *, skips_doubtful: bool, problem: str = "") -> str:
    found = summary(batch)
    price = None
    if batch.state == BatchState.READY:
        try:
            engine = form.engine or engines().default().name
            price = actions.quote(batch, engine, form.config(), skips_doubtful, actor())
        except InvalidInput as refusal:
            problem = str(refusal)
    return render_template(
        "admin/batch.html",
        batch=batch,
        form=form,
        price=price,
        problem=problem or batch.problem,
        skips_doubtful=skips_doubtful,
        engines=engines().available(),
        summary=found,
        parts=parts_of(batch),
        **_progress(batch, _moves(batch, found.in_work)),
    )


def _progress(batch: Batch, moves: bool) -> dict[str, object]:
    url = url_for("admin.batches.live", batch_id=batch.id) if moves else None
    return {"live": {"url": url, "seconds": LIVE_SECONDS}, "badge_of_state": badges.batch_badge(batch.state)}


def _moves(batch: Batch, in_work: int) -> bool:
    return batch.state == BatchState.RUNNING or in_work > 0


def _done(batch_id: str, change: Callable[[], None]) -> ResponseReturnValue:
    return done(change, url_for("admin.batches.show", batch_id=batch_id))


def _to(batch_id: str) -> ResponseReturnValue:
    return go_to(url_for("admin.batches.show", batch_id=batch_id))
