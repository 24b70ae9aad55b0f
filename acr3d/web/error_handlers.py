"""Error responses: JSON for the API, a sentence for htmx, a page for people."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from flask import Flask, Response, current_app, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException

from acr3d.db.outage import Outage, outage_of, report
from acr3d.errors import InvalidInput
from acr3d.parts.sku_lookup import Renamed
from acr3d.storage.blobs import StorageError
from acr3d.web.access import is_api, is_htmx, is_on_staff_page
from acr3d.web.route_rights import READING

_EXPIRED_FORM = 0
RETRY_SECONDS = 10

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InvalidInput, _invalid_input)
    app.register_error_handler(Renamed, _renamed)
    app.register_error_handler(StorageError, _storage_failed)
    for kind in (DBAPIError, PoolTimeout, OSError):
        app.register_error_handler(kind, _maybe_outage)


def _invalid_input(error: InvalidInput) -> ResponseReturnValue:
    return _answer(error.status, str(error))


def _renamed(error: Renamed) -> ResponseReturnValue:
    """To the same page of the part under its present SKU.

    Kept by browsers for an hour only: another part may be given the former SKU.
    """
    address = url_for(str(request.endpoint), **{**(request.view_args or {}), "sku": error.sku})
    asked = urlencode(list(request.args.items(multi=True)))
    response = redirect(f"{address}?{asked}" if asked else address, 301)
    response.headers["Cache-Control"] = "max-age=3600"
    return response


def _storage_failed(error: StorageError) -> ResponseReturnValue:
    log.error("storage: %s", error)
    return _answer(
        503, _("The file storage is not available right now. Nothing was changed. Try again soon.")
    )


def _maybe_outage(error: Exception) -> ResponseReturnValue:
    """503 when the database is away or the disk is full; anything else is a fault of ours."""
    outage = outage_of(error)
    if outage is None:
        raise error
    report(error, "request")
    if outage == Outage.FULL:
        return _answer(
            503, _("The server's disk is full, so nothing was changed. Reading still works. Try again later.")
        )
    return _answer(
        503,
        _("The database is not responding, so nothing can be shown or changed. Try again soon."),
        retry_seconds=RETRY_SECONDS,
    )


def _http_error(error: HTTPException) -> ResponseReturnValue:
    # Werkzeug takes any OSError while a body is read for a client that went away; the disk may be full.
    if isinstance(error.__context__, OSError) and outage_of(error.__context__):
        return _maybe_outage(error.__context__)
    if isinstance(error, RoutingException) or error.response is not None or (error.code or 500) < 400:
        return error
    response = _answer(error.code or 500, _sentence(error))
    for name, value in error.get_headers(request.environ):
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _answer(code: int, sentence: str, retry_seconds: int | None = None) -> Response:
    """`retry_seconds`: after so long the same request may succeed; a page loads itself again."""
    if is_api():
        response = jsonify(error=sentence)
    elif is_htmx():
        response = Response(sentence, mimetype="text/plain")
    else:
        response = _page(code, sentence, retry_seconds)
    response.status_code = code
    if retry_seconds is not None:
        response.headers["Retry-After"] = str(retry_seconds)
    if code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _page(code: int, sentence: str, retry_seconds: int | None) -> Response:
    """The error page; plain text if the page cannot be rendered.

    It is rendered without the variables of the request's area, which come from the database.
    """
    reload_seconds = retry_seconds if request.method in READING else None
    try:
        template = current_app.jinja_env.get_template("error.html")
        page = template.render(
            code=code,
            title=_title(code),
            sentence=sentence,
            reload_seconds=reload_seconds,
            is_staff=is_on_staff_page(),
        )
        return Response(page, mimetype="text/html")
    except Exception:
        log.exception("the error page could not be rendered")
        return Response(sentence, mimetype="text/plain")


def _title(code: int) -> str:
    titles: dict[int, str] = {
        401: _("Please log in"),
        403: _("Not allowed"),
        404: _("Not found"),
        410: _("No longer offered"),
        409: _("Changed by someone else"),
        413: _("Too large"),
        429: _("Too many requests"),
        503: _("Not available right now"),
    }
    otherwise: str = _("The request failed") if code < 500 else _("Something went wrong")
    return titles.get(code, otherwise)


def _sentence(error: HTTPException) -> str:
    """The error's own description, else the general sentence for its status code."""
    if isinstance(error, CSRFError):
        return _general_sentence(_EXPIRED_FORM)
    if error.description and error.description != type(error).description:
        return error.description
    return _general_sentence(error.code or 500)


def _general_sentence(code: int) -> str:
    sentences: dict[int, str] = {
        _EXPIRED_FORM: _("This form has expired, so nothing was changed. Reload the page and try again."),
        400: _("The server did not understand the request. Reload the page and try again."),
        401: _("You are not logged in. Log in, or send a valid API token."),
        403: _("Your account can view this but not change it. Ask an admin."),
        404: _("Nothing was found at this address. It may have been moved or deleted."),
        405: _("This address does not accept this kind of request."),
        409: _("Somebody else has changed this, so nothing was saved. Reload the page and try again."),
        413: _("The request is too large. A photo can be up to 20 MB, six together up to 120 MB."),
        415: _("This address does not accept this type of content."),
        416: _("The requested range is outside the file."),
        429: _("Too many requests. Wait a minute, then try again."),
        500: _("Something went wrong on our side. Nothing was changed. Try again later."),
    }
    return sentences.get(code, sentences[400] if code < 500 else sentences[500])
