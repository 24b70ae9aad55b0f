"""The OpenAPI 3.1 document of the whole JSON API, made from its routes and what their views declare.

It cannot name a route that is not there or leave one out, and a body's fields are those that are checked.
"""

from __future__ import annotations

import re
from types import NoneType
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue
from werkzeug.routing import Rule

from acr3d.accounts.rights import scope_for
from acr3d.web import list_request, shared_cache
from acr3d.web.api import operation
from acr3d.web.api.operation import FORM, JSON, Body, Operation
from acr3d.web.route_rights import needed
from acr3d.web.templating import absolute

_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
_FOR_ALL = {
    400: "What was sent cannot be used; nothing was changed.",
    404: "There is no such thing.",
    410: "The part was deleted.",
    500: "A fault of ours.",
    503: "The database or the storage does not answer, or the server is busy; try again.",
}
_FOR_STAFF = {
    401: "No valid token, and nobody is logged in.",
    403: "The account may not do that, or the token lacks the scope.",
    409: "It contradicts what is there now; nothing was changed.",
    413: "The body is too large.",
    415: "The body has another media type.",
}
_FOR_EVERYONE = {301: "The part has another SKU now.", 304: "Unchanged.", 429: "Too many requests; wait."}
_WITHOUT_BODY = (301, 304)
# Fields of forms that are files; those named image… are photos.
_FILES = {"table": "application/octet-stream", "photos": "application/zip", "folder": "image/*"}

bp = Blueprint("openapi", __name__)
shared_cache.install(bp)


@bp.get("/api/openapi.json")
def document() -> ResponseReturnValue:
    """This document."""
    return jsonify(described())


@bp.get("/api")
def page() -> ResponseReturnValue:
    """The document as a page to read."""
    return render_template("public/api.html", api=described())


def described() -> dict[str, Any]:
    """The document, for the running app."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda one: one.rule):
        if not rule.rule.startswith("/api/"):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(_PLACE.sub(r"{\1}", rule.rule), {})[method.lower()] = _operation(rule, method)
    return {
        "openapi": "3.1.0",
        "info": {"title": "acr3d", "version": "1"},
        "servers": [{"url": absolute("") or "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _object({"error": {"type": "string"}}, ["error"], is_open=True)},
        },
    }


def _operation(rule: Rule, method: str) -> dict[str, Any]:
    view = current_app.view_functions[rule.endpoint]
    declared = operation.of(view)
    is_for_staff = rule.rule.startswith("/api/admin/")
    summary = " ".join((view.__doc__ or rule.endpoint.partition(".")[2].replace("_", " ")).split())
    found: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": summary,
        "tags": ["staff" if is_for_staff else "everyone"],
        "parameters": [_place(name) for name in _PLACE.findall(rule.rule)] + _sent_beside(declared),
        "responses": _answers(declared, is_for_staff),
    }
    if is_for_staff:
        found["security"] = [{"token": [scope_for(needed(rule.endpoint, method))]}]
    if (body := _body(declared)) is not None:
        found["requestBody"] = body
    return found


def _place(name: str) -> dict[str, Any]:
    """A part of the path."""
    is_id = name.endswith("_id")
    schema = {"type": "string", "format": "uuid"} if is_id else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _sent_beside(declared: Operation) -> list[dict[str, Any]]:
    """What is sent in the address, or in a header, beside the body."""
    known = list_request.parameters()
    offset = {"name": "Upload-Offset", "in": "header", "required": True, "schema": {"type": "integer"}}
    query = [{"name": name, "in": "query", "schema": known[name]} for name in declared.query]
    return [*query, offset] if declared.takes_bytes else query


def _body(declared: Operation) -> dict[str, Any] | None:
    if declared.form:
        fields = {name: _form_field(name) for name in declared.form}
        return {"required": True, "content": {FORM: {"schema": _object(fields, [])}}}
    if declared.takes_bytes:
        return {"required": True, "content": {declared.takes_bytes: {"schema": {}}}}
    if declared.takes_list:
        schema = {"type": "array", "items": {"type": "string"}}
        return {"required": True, "content": {JSON: {"schema": schema}}}
    if declared.body is None:
        return None
    return {"required": not declared.body.is_optional, "content": {JSON: {"schema": _fields(declared.body)}}}


def _fields(body: Body) -> dict[str, Any]:
    return _object({name: _schema(kinds) for name, kinds in body.known.items()}, list(body.needed))


def _form_field(name: str) -> dict[str, Any]:
    if name in _FILES:
        return {"type": "string", "contentMediaType": _FILES[name]}
    is_photo = name.startswith("image")
    return {"type": "string", "contentMediaType": "image/*"} if is_photo else {"type": "string"}


def _schema(kinds: type | tuple[type, ...]) -> dict[str, Any]:
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    words = sorted({"null" if kind is NoneType else _TYPES[kind] for kind in kinds})
    if {"integer", "number"} <= set(words):
        words.remove("integer")
    return {"type": words[0] if len(words) == 1 else words}


def _object(properties: dict[str, Any], required: list[str], is_open: bool = False) -> dict[str, Any]:
    """`is_open`: it may have other fields, too."""
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": is_open,
    } | ({"required": required} if required else {})


def _answers(declared: Operation, is_for_staff: bool) -> dict[str, Any]:
    errors = _FOR_ALL | (_FOR_STAFF if is_for_staff else _FOR_EVERYONE)
    refused = {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
    answers: dict[str, Any] = {
        str(code): {"description": words} | ({} if code in _WITHOUT_BODY else refused)
        for code, words in errors.items()
    }
    if declared.answer is None:
        return answers | {str(declared.status): {"description": "Done."}}
    content: dict[str, Any] = {declared.answer: {"schema": {}} if declared.answer == JSON else {}}
    done = {str(declared.status): {"description": "Done.", "content": content}}
    if declared.may_be_none:
        done["204"] = {"description": "There is none."}
    return answers | done
