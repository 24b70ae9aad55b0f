"""Reads request bodies strictly: invalid input is rejected with a sentence."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from acr3d.errors import InvalidInput, Unavailable
from acr3d.messages.message import Message
from acr3d.messages.wording import worded
from acr3d.parts.conversion import Busy, converted_all
from acr3d.parts.photos import PHOTOS_PER_PART
from acr3d.parts.stale import Seen
from acr3d.photos.limits import MAX_FILE_BYTES, PhotoRefused
from acr3d.photos.photo import Photo
from acr3d.web import body_sizes

View = Callable[..., ResponseReturnValue]

JSON_BYTES = 256 * 1024
UPLOAD_BYTES = PHOTOS_PER_PART * MAX_FILE_BYTES + 1_000_000
_LONGEST_NUMBER = 30
_LONGEST_REVISION = 10


def json_object(known: dict[str, type | tuple[type, ...]], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body as an object whose keys are among `known`, with values of those types.

    Raises InvalidInput; responds with 413 or 415 if the body is too large or not JSON.
    """
    body = _json()
    if not isinstance(body, dict):
        raise InvalidInput(_("The request body must be a JSON object."))
    for name, value in body.items():
        if name not in known:
            raise InvalidInput(_("Unknown field: %(name)s.", name=name[:100]))
        if not _is_of(value, known[name]):
            raise InvalidInput(_("The field “%(name)s” has the wrong type.", name=name))
    for name in needed:
        if body.get(name) is None:
            raise InvalidInput(_("The field “%(name)s” is missing.", name=name))
    return body


def seen_revision(revision: int | None) -> Seen | None:
    """What the caller saw of a part: its revision from the body, or else from `If-Match`; None for neither.

    Raises InvalidInput for an `If-Match` that no part had.
    """
    sent = request.headers.get("If-Match", "*").strip()
    if revision is not None or sent == "*":
        return None if revision is None else Seen(revision)
    tag = sent.removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdigit() and len(tag) < _LONGEST_REVISION):
        raise InvalidInput(_('“If-Match” must be the ETag of a part, such as "3".'))
    return Seen(int(tag))


def json_ids() -> list[str]:
    """The body as a list of strings. Raises InvalidInput."""
    body = _json()
    if not isinstance(body, list) or not all(isinstance(one, str) for one in body):
        raise InvalidInput(_("The request body must be a JSON list of photo IDs."))
    return body


def uploaded_photos(names: list[str]) -> list[Photo]:
    """The clean photos of the form fields `names`, in that order. Raises InvalidInput if any is refused."""
    sent = [(name, file) for name in names for file in request.files.getlist(name)]
    if len({name for name, _file in sent}) < len(sent):
        raise InvalidInput(_("A form field was sent twice. Send each photo in its own field."))
    if not sent:
        raise InvalidInput(
            _("The request contains no photo. Send it in the field “%(name)s”.", name=names[0])
        )
    outcomes = _converted([file for _name, file in sent])
    return [
        _photo(name, outcome, len(sent) > 1) for (name, _file), outcome in zip(sent, outcomes, strict=True)
    ]


def file_names(names: list[str]) -> list[str]:
    """What the files in the form fields `names` are called at the sender, in the order of their photos."""
    return [file.filename or "" for name in names for file in request.files.getlist(name)]


def takes_photos(view: View) -> View:
    """Allow this view's requests the size of six photos; they must be forms."""

    @functools.wraps(view)
    def upload(**arguments: str) -> ResponseReturnValue:
        request.max_content_length = UPLOAD_BYTES
        request.max_form_parts = 4 * PHOTOS_PER_PART
        if request.mimetype != "multipart/form-data":
            abort(415, _("Send the photos as multipart/form-data."))
        return view(**arguments)

    body_sizes.allow(upload, UPLOAD_BYTES)
    return upload


def check_fields(files: set[str], fields: set[str]) -> None:
    """Raises InvalidInput for a form field that is not among these."""
    unknown = sorted(
        map(str, (set(request.files) - files) | (set(request.form) - fields))
    )  # a name may be None
    if unknown and unknown[0].startswith("image"):
        raise InvalidInput(_("You can send at most six photos, as image0 to image5."))
    if unknown:
        raise InvalidInput(_("Unknown field: %(name)s.", name=unknown[0][:100]))


def _converted(files: Sequence[FileStorage]) -> list[Photo | PhotoRefused]:
    with ExitStack() as stack:
        for file in files:
            stack.callback(file.close)
        try:
            return converted_all([cast(BinaryIO, file.stream) for file in files])  # spooled files
        except Busy as busy:
            raise Unavailable(worded(busy.message)) from busy


def _photo(name: str, outcome: Photo | PhotoRefused, is_one_of_many: bool) -> Photo:
    if isinstance(outcome, Photo):
        return outcome
    message = outcome.message
    raise InvalidInput(
        worded(Message("photo.named", name=name, reason=message) if is_one_of_many else message)
    )


def _json() -> Any:
    request.max_content_length = JSON_BYTES
    if request.mimetype != "application/json":
        abort(415, _("Send the request body as application/json."))
    try:
        body = json.loads(
            request.get_data(cache=False),
            object_pairs_hook=_object,
            parse_constant=_invalid_number,
            parse_float=_number,
            parse_int=_whole_number,
        )
        json.dumps(
            body, ensure_ascii=False
        ).encode()  # fails for half a surrogate pair, which only Python accepts as text
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The request body is not valid JSON.")) from error
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("duplicate key")
    return read


def _number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _invalid_number(text)


def _whole_number(text: str) -> int:
    return int(text) if len(text) <= _LONGEST_NUMBER else _invalid_number(text)


def _invalid_number(text: str) -> Any:
    raise ValueError(f"{text[:_LONGEST_NUMBER]} is not a valid number")


def _is_of(value: object, kinds: type | tuple[type, ...]) -> bool:
    """`isinstance`, except that booleans are not numbers."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
