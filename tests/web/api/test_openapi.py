"""The document of the whole API: valid, complete, and true of what the API takes and answers."""

from __future__ import annotations

import json
import re
from typing import Any

import openapi_spec_validator
import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.parts import fields
from tests import test_docs_api
from tests.support.accounts import bearer
from tests.support.factories import make_part


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found = answer.json
    assert found is not None
    return found


def test_it_is_valid_and_names_every_route(app: Flask, document: dict[str, Any]) -> None:
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.1")
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, calls in document["paths"].items() for method in calls} == routes
    for path, calls in document["paths"].items():
        for call in calls.values():
            assert ("security" in call) is path.startswith("/api/admin/"), path


def test_what_it_says_of_a_body_is_what_is_checked(
    app: Flask, client: FlaskClient, document: dict[str, Any]
) -> None:
    header = bearer(app)
    with app.app_context():
        part_id = make_part().id
    create = document["paths"]["/api/admin/parts"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert set(create["properties"]) == {field.name for field in fields.FIELDS}
    assert set(create["required"]) == set(fields.required_names())
    refused = 0
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            schema = (
                call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            )
            if "properties" not in schema:
                continue
            assert not schema["additionalProperties"]
            address = re.sub(r"\{\w+\}", part_id, path)
            for body in (
                {"unknown": 1},
                *({name: value_of_no_type(one)} for name, one in schema["properties"].items()),
            ):
                answer = client.open(address, method=method.upper(), json=body, headers=header)
                assert answer.status_code == 400, (method, path, body)
                refused += 1
    assert refused > 20


def schema_of(call: dict[str, Any]) -> dict[str, Any]:
    """The schema of the call's JSON body; empty without one."""
    content = call.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return found


def value_of_no_type(schema: dict[str, Any]) -> object:
    """A value of none of the schema's types."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    values: dict[str, object] = {"object": {}, "array": [], "boolean": True, "string": "x"}
    return next(value for kind, value in values.items() if kind not in kinds)


def test_the_examples_of_the_documentation_answer_as_it_says(app: Flask, document: dict[str, Any]) -> None:
    adapter = app.url_map.bind("localhost")
    examples = test_docs_api.BLOCK.finditer(test_docs_api.PAGE.read_text(encoding="utf-8"))
    for block in examples:
        if not block[1]:
            continue
        request, _, expected = block[1].partition("\n\n")
        line = test_docs_api.NAME.sub("00000000-0000-4000-8000-000000000000", request.partition("\n")[0])
        method, address = line.split(" ")
        path, _, query = address.partition("?")
        if not path.startswith("/api/"):
            continue
        rule, _values = adapter.match(path, method=method, return_rule=True)
        call = document["paths"][re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)][method.lower()]
        assert expected.split()[0] in call["responses"], line
        known = {one["name"] for one in call["parameters"] if one["in"] == "query"}
        assert {pair.partition("=")[0] for pair in query.split("&") if pair} <= known, line
        if request.count("\n") and request.partition("\n")[2].startswith("{"):
            schema = schema_of(call)
            assert set(json.loads(request.partition("\n")[2])) <= set(schema["properties"]), line


def test_it_can_be_read_as_a_page(client: FlaskClient) -> None:
    page = client.get("/api").text

    assert "POST /api/admin/3d-models/generate" in page
    assert "selectedAngles" in page
