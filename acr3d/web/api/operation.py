"""What an API call takes and answers, declared once: that is checked, and shown in `/api/openapi.json`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from acr3d.web.api import request_body

View = Callable[..., ResponseReturnValue]
Kinds = Mapping[str, type | tuple[type, ...]]

JSON = "application/json"
FORM = "multipart/form-data"


@dataclass(frozen=True)
class Body:
    """A JSON object: its fields with their Python types, and those without which it is refused."""

    known: Kinds
    needed: tuple[str, ...] = ()
    is_optional: bool = False

    def read(self) -> dict[str, Any]:
        """The body of this request. Raises InvalidInput."""
        if self.is_optional and not request.content_length:
            return {}
        return request_body.json_object(dict(self.known), self.needed)


@dataclass(frozen=True)
class Operation:
    """What is known of a view. `status` is that of success; `answer` the media type, None for no content."""

    body: Body | None = None
    form: tuple[str, ...] = ()  # the fields of a multipart form; those named image… are files
    takes_list: bool = False
    takes_bytes: str = ""  # the media type of a body that is one piece of a file
    query: tuple[str, ...] = ()  # names of `list_request.PARAMETERS`
    status: int = 200
    answer: str | None = JSON
    may_be_none: bool = False  # answers 204 then


def operation(declared: Operation) -> Callable[[View], View]:
    """Declare a view's operation; a view that takes a JSON object is given it as `body`."""

    def declare(view: View) -> View:
        @functools.wraps(view)
        def checked(**arguments: Any) -> ResponseReturnValue:
            if declared.body is not None:
                arguments["body"] = declared.body.read()
            return view(**arguments)

        checked.operation = declared  # type: ignore[attr-defined]
        return checked

    return declare


def of(view: Callable[..., Any]) -> Operation:
    """What is declared of a view; what every view does if nothing is."""
    declared: Operation = getattr(view, "operation", Operation())
    return declared
