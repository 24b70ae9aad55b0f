"""Reading what the API is sent, strictly: what cannot be meant is refused with a sentence."""

from __future__ import annotations

import json
import math
from contextlib import ExitStack
from typing import Any

from flask import abort, request
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from acr3d.errors import InvalidInput
from acr3d.messages.message import Message
from acr3d.messages.wording import worded
from acr3d.parts.photos import PHOTOS_PER_PART
from acr3d.photos.sanitize import Photo, PhotoRefused, clean

JSON_BYTES = 256 * 1024
UPLOAD_BYTES = PHOTOS_PER_PART * 20_000_000 + 1_000_000
_LONGEST_NUMBER = 30


def json_object(known: dict[str, type | tuple[type, ...]], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body as an object whose keys are among `known`, with values of those types.

    Raises Refused; answers 413 and 415 for a body that is too long or not JSON.
    """
    body = _json()
    if not isinstance(body, dict):
        raise InvalidInput(_("The body must be a JSON object."))
    for name, value in body.items():
        if name not in known:
            raise InvalidInput(_("Unknown field: %(name)s.", name=name[:100]))
        if not _is_of(value, known[name]):
            raise InvalidInput(_("The field “%(name)s” has a value of the wrong kind.", name=name))
    for name in needed:
        if body.get(name) is None:
            raise InvalidInput(_("The field “%(name)s” is missing.", name=name))
    return body


def json_ids() -> list[str]:
    """The body as a list of text. Raises Refused."""
    body = _json()
    if not isinstance(body, list) or not all(isinstance(one, str) for one in body):
        raise InvalidInput(_("The body must be a JSON list of photo ids."))
    return body


def uploaded_photos(names: list[str]) -> list[Photo]:
    """The clean photos of the parts `names` of the form, in that order. All or none: raises Refused."""
    sent = [(name, file) for name in names for file in request.files.getlist(name)]
    if len({name for name, _file in sent}) < len(sent):
        raise InvalidInput(_("A form part was sent twice. Send each photo under its own name."))
    if not sent:
        raise InvalidInput(_("There is no photo in the request. Send it as “%(name)s”.", name=names[0]))
    return [_clean(name, file, len(sent) > 1) for name, file in sent]


def begin_upload() -> None:
    """Let this request be as long as six photos. Before anything of its form is read."""
    request.max_content_length = UPLOAD_BYTES
    request.max_form_parts = 4 * PHOTOS_PER_PART
    if request.mimetype != "multipart/form-data":
        abort(415, _("Send the photos as multipart/form-data."))


def check_parts(files: set[str], fields: set[str]) -> None:
    """Raises Refused for a part of the form that is not among these."""
    unknown = sorted(
        map(str, (set(request.files) - files) | (set(request.form) - fields))
    )  # a name may be None
    if unknown and unknown[0].startswith("image"):
        raise InvalidInput(_("At most six photos can be sent, as image0 to image5."))
    if unknown:
        raise InvalidInput(_("Unknown field: %(name)s.", name=unknown[0][:100]))


def _clean(name: str, file: FileStorage, is_one_of_many: bool) -> Photo:
    with ExitStack() as stack:
        stack.callback(file.close)
        try:
            return clean(file.stream)  # type: ignore[arg-type]  # a spooled file: binary and seekable
        except PhotoRefused as refusal:
            message = refusal.message
            if is_one_of_many:
                message = Message("photo.named", name=name, reason=message)
            raise InvalidInput(worded(message)) from refusal


def _json() -> Any:
    request.max_content_length = JSON_BYTES
    if request.mimetype != "application/json":
        abort(415, _("Send the body as application/json."))
    try:
        body = json.loads(
            request.get_data(cache=False),
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_number,
            parse_int=_whole_number,
        )
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is text to Python only
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The body is not sound JSON.")) from error
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a key stands twice")
    return read


def _number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _whole_number(text: str) -> int:
    return int(text) if len(text) <= _LONGEST_NUMBER else _no_number(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text[:_LONGEST_NUMBER]} is no number that can be meant")


def _is_of(value: object, kinds: type | tuple[type, ...]) -> bool:
    """`isinstance`, but true and false are no numbers."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
