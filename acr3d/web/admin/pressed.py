"""What follows the press of a button on a page of staff: the change, its refusal as a note, and a page."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from acr3d.errors import InvalidInput, Missing

_MOST_DIGITS = 9


def go_to(address: str) -> ResponseReturnValue:
    """To the page; for htmx by a header."""
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": address}
    return redirect(address)


def done(change: Callable[[], None], address: str) -> ResponseReturnValue:
    """Make the change, and go to the page, which says why if it was refused. Raises Missing."""
    try:
        change()
    except Missing:
        raise
    except InvalidInput as problem:
        flash(str(problem), "error")
    return go_to(address)


def whole_number(name: str) -> int:
    """A form's field with a number that the page wrote there; -1 for anything else."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else -1
