"""The JSON API: for the scripts of our own pages, and with a bearer token for other programs.

Who may call what is decided in `access`, what a failure looks like in `error_handlers`.
"""

from __future__ import annotations

from flask import Flask

from acr3d.db.extensions import csrf
from acr3d.web.api import (
    captures,
    categories,
    imports,
    jobs,
    openapi,
    parts,
    photos,
    public,
    unmatched_tasks,
    versions,
)


def register(app: Flask) -> None:
    for area in (categories, parts, imports, photos, captures, jobs, versions, unmatched_tasks):
        csrf.exempt(area.bp)  # access checks the header instead, and only for callers without a token
        app.register_blueprint(area.bp)
    app.register_blueprint(public.bp)
    app.register_blueprint(openapi.bp)
