"""An address of its own for each language: `/de/parts/X` is German for everyone.

The address without a language (`/parts/X`) is in the reader's: the one to print, to link and to share. Links
on a page keep its language.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from acr3d.web.templating import LANGUAGES, absolute, offered_languages

_FOLLOWS_VISITORS = re.compile(r"utm_\w+|(fb|g|ms)clid").fullmatch


def install(app: Flask) -> None:
    """Add the addresses. Call it when the blueprint `public` is registered."""
    for rule in list(app.url_map.iter_rules()):
        if rule.endpoint.startswith("public."):
            app.add_url_rule(f"/<any({', '.join(LANGUAGES)}):lang>{rule.rule}", rule.endpoint)
    app.url_value_preprocessor(_take_language)
    app.url_defaults(_keep_language)


def page_url() -> str:
    """This page's canonical URL: absolute, and without what was added to follow visitors."""
    return _in_language(g.get("page_language"))


def language_urls() -> dict[str, str]:
    """This page's absolute URL in each language, and under `x-default` in the reader's."""
    return {one: _in_language(one) for one in offered_languages()} | {"x-default": _in_language(None)}


def leave_other_languages() -> ResponseReturnValue | None:
    """Lead from a language that is not offered any more to the page in the reader's."""
    if g.get("page_language", "") in ("", *offered_languages()):
        return None
    return redirect(_in_language(None))


def _in_language(language: str | None) -> str:
    path = url_for(request.endpoint or "", **(request.view_args or {}), lang=language)
    if request.view_args:
        return absolute(path)
    # A list, whose query says what is listed.
    asked = [(name, value) for name, value in request.args.items(True) if not _FOLLOWS_VISITORS(name)]
    return absolute(f"{path}?{urlencode(asked)}" if asked else path)


def _take_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and (language := values.pop("lang", None)):
        g.page_language = language


def _keep_language(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint.startswith("public.") and "page_language" in g:
        values.setdefault("lang", g.page_language)
