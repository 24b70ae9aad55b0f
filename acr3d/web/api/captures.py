"""The JSON API for spin captures: uploads in pieces, and what was understood of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.captures import captures, uploads
from acr3d.captures.limits import PIECE_BYTES
from acr3d.db.models import CaptureFile
from acr3d.errors import InvalidInput
from acr3d.parts.parts import part_by_id
from acr3d.web import body_sizes
from acr3d.web.access import actor
from acr3d.web.api import serializers
from acr3d.web.api.operation import Body, Operation, operation

OFFSET, LENGTH = "Upload-Offset", "Upload-Length"
PIECE_TYPE = "application/offset+octet-stream"
_BEGIN = Body({"position": int, "files": list}, needed=("files",))

bp = Blueprint("api_captures", __name__, url_prefix="/api/admin")


@bp.get("/parts/<part_id>/captures")
def listed(part_id: str) -> ResponseReturnValue:
    """The part's spin captures, the newest first."""
    part_by_id(part_id)
    return jsonify(captures=[serializers.capture_json(one) for one in captures.of_part(part_id)])


@bp.post("/parts/<part_id>/captures")
@operation(Operation(_BEGIN, status=201))
def begin(part_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    """Begin an upload, or go on with an unfinished one of the same `files`: a list of {name, size}."""
    capture = uploads.begin(part_id, body.get("position", 1), _named(body["files"]), actor())
    return jsonify(serializers.capture_json(capture)), 201


@bp.get("/captures/<capture_id>")
def show(capture_id: str) -> ResponseReturnValue:
    return jsonify(serializers.capture_json(captures.by_id(capture_id)))


@bp.delete("/captures/<capture_id>")
@operation(Operation(status=204, answer=None))
def remove(capture_id: str) -> ResponseReturnValue:
    captures.remove(capture_id)
    return "", 204


@bp.get("/captures/<capture_id>/files/<file_id>")
def offset(capture_id: str, file_id: str) -> ResponseReturnValue:
    """How far a file is: `offset`, and the header Upload-Offset, which HEAD gives too."""
    return _with_offset(uploads.file_by_id(capture_id, file_id))


@bp.patch("/captures/<capture_id>/files/<file_id>")
@operation(Operation(takes_bytes=PIECE_TYPE))
def append(capture_id: str, file_id: str) -> ResponseReturnValue:
    """Add the piece that begins at Upload-Offset, at most 4 MiB. A wrong offset is answered with 409 and the
    right one."""
    file = uploads.file_by_id(capture_id, file_id)
    if request.mimetype != PIECE_TYPE:
        abort(415)
    sent = request.headers.get(OFFSET, "")
    if not (sent.isascii() and sent.isdigit() and len(sent) < 12):
        raise InvalidInput(_("The header %(name)s must say where the piece begins.", name=OFFSET))
    try:
        return _with_offset(uploads.append(file.id, int(sent), request.get_data(cache=False)))
    except uploads.WrongOffset as wrong:
        answer = jsonify(error=str(wrong), offset=wrong.offset)
        answer.headers[OFFSET] = str(wrong.offset)
        return answer, wrong.status


body_sizes.allow(append, PIECE_BYTES)


def _with_offset(file: CaptureFile) -> Response:
    answer = jsonify(serializers.capture_file_json(file))
    answer.headers[OFFSET], answer.headers[LENGTH] = str(file.received_bytes), str(file.size_bytes)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _named(files: list[Any]) -> list[tuple[str, int]]:
    """Raises InvalidInput."""
    found = []
    for one in files:
        name, size = (one.get("name"), one.get("size")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not name or not isinstance(size, int) or isinstance(size, bool):
            raise InvalidInput(_("Each of the files must have a name and a size in bytes."))
        found.append((name, size))
    return found
