"""The tree of categories for staff: add, rename, delete."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.errors import InvalidInput, Missing
from acr3d.parts import categories

bp = Blueprint("categories", __name__, url_prefix="/categories")


@bp.get("")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("")
def create() -> ResponseReturnValue:
    path = request.form.get("path", "")
    try:
        category = categories.create(path)
    except InvalidInput as problem:
        problem.field = "path"
        return _page(problem, path), problem.status
    flash(_("“%(name)s” was added.", name=category.path), "success")
    return redirect(url_for("admin.categories.index"))


@bp.post("/<category_id>")
def rename(category_id: str) -> ResponseReturnValue:
    try:
        categories.rename(category_id, request.form.get("name", ""))
    except Missing:
        raise
    except InvalidInput as problem:
        return _page(problem), problem.status
    flash(_("Saved."), "success")
    return redirect(url_for("admin.categories.index"))


@bp.post("/<category_id>/delete")
def delete(category_id: str) -> ResponseReturnValue:
    name = categories.by_id(category_id).path
    try:
        categories.delete(category_id)
    except Missing:
        raise
    except InvalidInput as problem:
        return _page(problem), problem.status
    flash(_("“%(name)s” was deleted.", name=name), "success")
    return redirect(url_for("admin.categories.index"))


def _page(problem: InvalidInput | None = None, typed: str = "") -> str:
    nodes = categories.tree(published_only=False)
    return render_template("admin/categories.html", nodes=nodes, problem=problem, typed=typed)
