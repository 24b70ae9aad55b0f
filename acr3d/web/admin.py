"""What staff see."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.get("/")
def overview() -> ResponseReturnValue:
    return "soon"
