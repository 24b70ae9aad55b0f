"""Answers repeated requests for public pages without calling Flask.

The key is everything that such an answer depends on besides the content: the address and the headers that it
varies by. The content's stamp is read each time, so nothing here can be stale. Anything unclear is passed to
the application.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import is_entity_header

from acr3d.db.content_stamp import StampReader
from acr3d.db.extensions import db
from acr3d.settings import Settings
from acr3d.web.kept_pages import KeptPages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST = 1000
"""Answers that are known; each takes some two kilobytes."""
_LONGEST = 1000  # of what a request says: longer ones are not remembered
_VARIES_BY = ("HTTP_HOST", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE")
_STAMP = "acr3d.stamp"

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class _Answer:
    """What was answered while the content had this stamp."""

    stamp: str
    settings: Settings
    etag: str
    headers: Headers

    @property
    def has_body(self) -> bool:
        return any(name.lower() == "content-type" for name, _value in self.headers)

    @property
    def headers_without_body(self) -> Headers:
        return [one for one in self.headers if not is_entity_header(one[0])]


def may_repeat(stamp: str) -> None:
    """Say that the answer to this request, made from content with this stamp, is the same for everyone."""
    request.environ[_STAMP] = stamp


class RepeatedRequests:
    """The WSGI application around `app`, whose settings and kept pages it shares."""

    def __init__(self, app: Flask) -> None:
        self._inner: WSGIApplication = app.wsgi_app
        self._extensions = app.extensions
        self._pages: KeptPages = app.extensions["acr3d_kept_pages"]
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._lock = threading.Lock()
        with app.app_context():
            self._stamp = StampReader(db.engine)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        words = _words(environ)
        answer = self._answers.get(words) if words else None
        if answer is not None and self._is_good(answer):
            asked = environ.get("HTTP_IF_NONE_MATCH")
            if asked == answer.etag:
                start_response("304 NOT MODIFIED", answer.headers_without_body)
                return []
            is_whole = asked is None and answer.has_body
            page = self._pages.get(answer.etag.strip('"')) if is_whole else None
            if page is not None:
                start_response("200 OK", list(answer.headers))
                return [page.body]
        return self._inner(environ, self._learning(environ, words, start_response))

    def _is_good(self, answer: _Answer) -> bool:
        if answer.settings is not self._extensions["acr3d_settings"]:
            return False
        try:
            return self._stamp.read() == answer.stamp
        except (SQLAlchemyError, self._stamp.Error):  # the application says what is wrong
            return False

    def _learning(
        self, environ: WSGIEnvironment, words: str | None, start_response: StartResponse
    ) -> StartResponse:
        def start(status: str, headers: Headers, *error: object) -> object:
            if words and _STAMP in environ and status[:3] in ("200", "304"):
                self._learn(words, environ[_STAMP], list(headers))
            return start_response(status, headers, *error)  # type: ignore[arg-type]

        return start if words else start_response  # type: ignore[return-value]

    def _learn(self, words: str, stamp: str, headers: Headers) -> None:
        etag = dict(headers).get("ETag")
        if etag is None:
            return
        answer = _Answer(stamp, self._extensions["acr3d_settings"], etag, headers)
        with self._lock:
            self._answers[words] = answer
            self._answers.move_to_end(words)
            if len(self._answers) > MOST:
                self._answers.popitem(last=False)


def _words(environ: WSGIEnvironment) -> str | None:
    """What the request says, as far as an answer could depend on it; None if it is no plain GET."""
    if environ["REQUEST_METHOD"] != "GET" or "HTTP_RANGE" in environ:
        return None
    said = (environ["wsgi.url_scheme"], environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
    words = "\n".join([*said, *(environ.get(name, "") for name in _VARIES_BY)])
    return words if len(words) <= _LONGEST else None
