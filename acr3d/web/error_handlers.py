"""What a refused or failed request is answered: JSON for the API, a sentence for htmx, a page for people."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException

from acr3d.errors import InvalidInput
from acr3d.storage.blobs import StorageError
from acr3d.web.access import is_api, is_htmx

_OUTDATED_FORM = 0

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _failed)
    app.register_error_handler(InvalidInput, _refused)
    app.register_error_handler(StorageError, _not_stored)


def _refused(refusal: InvalidInput) -> ResponseReturnValue:
    return _answer(refusal.status, str(refusal))


def _not_stored(error: StorageError) -> ResponseReturnValue:
    log.error("storage: %s", error)
    return _answer(503, _("The files cannot be reached at the moment. Nothing was changed; try again soon."))


def _failed(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, RoutingException) or error.response is not None or (error.code or 500) < 400:
        return error
    response = _answer(error.code or 500, _sentence(error))
    for name, value in error.get_headers(request.environ):
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _answer(code: int, sentence: str) -> Response:
    if is_api():
        response = jsonify(error=sentence)
    elif is_htmx():
        response = Response(sentence, mimetype="text/plain")
    else:
        response = _page(code, sentence)
    response.status_code = code
    if code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _page(code: int, sentence: str) -> Response:
    """The page says what happened even while what it is drawn with (a database, say) is away."""
    try:
        page = render_template("error.html", code=code, title=_title(code), sentence=sentence)
        return Response(page, mimetype="text/html")
    except Exception:
        log.exception("the page for an error could not be drawn")
        return Response(sentence, mimetype="text/plain")


def _title(code: int) -> str:
    titles: dict[int, str] = {
        401: _("Please log in"),
        403: _("Not allowed"),
        404: _("Not found"),
        409: _("It has changed meanwhile"),
        413: _("Too large"),
        429: _("Too many tries"),
    }
    otherwise: str = _("That did not work") if code < 500 else _("Something broke")
    return titles.get(code, otherwise)


def _sentence(error: HTTPException) -> str:
    """What the one who refused said, else what is true of every such refusal."""
    if isinstance(error, CSRFError):
        return _general_sentence(_OUTDATED_FORM)
    if error.description and error.description != type(error).description:
        return error.description
    return _general_sentence(error.code or 500)


def _general_sentence(code: int) -> str:
    sentences: dict[int, str] = {
        _OUTDATED_FORM: _("This form is outdated, so nothing was changed. Load the page anew and try again."),
        400: _("The request was not understood. Load the page anew and try again."),
        401: _("You are not logged in. Log in, or send a valid API token."),
        403: _("Your account may look at this but change nothing. An admin can."),
        404: _("There is nothing at this address. It may have been moved or deleted."),
        405: _("This address does not take such a request."),
        413: _("What was sent is too large. A photo may have up to 20 MB, six together up to 120 MB."),
        415: _("This address takes another kind of content."),
        416: _("The file has no such bytes."),
        429: _("Too many requests. Please wait a minute, then try again."),
        500: _("This is our fault. Nothing of yours was changed; please try again later."),
    }
    return sentences.get(code, sentences[400] if code < 500 else sentences[500])
