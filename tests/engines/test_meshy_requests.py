"""What Meshy's client sends."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from openapi_core import OpenAPI

from acr3d.engines import errors
from acr3d.engines.meshy.client import MeshyClient
from acr3d.engines.meshy.options import CreateOptions
from tests.engines.samples import DONE, FRONT, ID, KEY, RIGHT, TASKS
from tests.support.contract.server import (
    PreparedServer,
    answer,
    raw,
)


def test_our_description_of_the_contract_is_valid_openapi(description: Path) -> None:
    OpenAPI.from_file_path(str(description)).check_spec()


def test_create_sends_the_photos_front_first_and_everything_that_must_not_be_left_to_defaults(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [answer(202, {"result": ID})]

    task_id = client.create([FRONT, RIGHT], CreateOptions(texture_prompt="brushed steel"))

    assert task_id == ID
    [seen] = server.requests
    assert (seen.method, seen.path) == ("POST", TASKS)
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    pictures = [
        base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")) for uri in seen.json["image_urls"]
    ]
    assert pictures == [FRONT[0], RIGHT[0]]
    assert {name: value for name, value in seen.json.items() if name != "image_urls"} == {
        "ai_model": "meshy-7.1",
        "should_texture": True,
        "enable_pbr": True,
        "texture_resolution": "2k",
        "texture_prompt": "brushed steel",
        "image_enhancement": False,
        "should_remesh": True,
        "topology": "triangle",
        "target_polycount": 100_000,
        "target_formats": ["glb"],
    }


def test_only_the_built_in_engine_is_told_the_angles(server: PreparedServer) -> None:
    server.answers = [answer(202, {"result": ID})]

    with MeshyClient(server.base, KEY, sends_angles=True) as client:
        client.create([FRONT, RIGHT], CreateOptions())

    assert server.requests[0].json["image_angles"] == ["front", "right"]


def test_any_success_status_of_a_create_is_taken(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [raw(200, b'{"result": "some-id"}')]

    assert client.create([FRONT], CreateOptions()) == "some-id"


def test_get_list_delete_and_balance_ask_what_the_contract_says(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [
        answer(200, DONE),
        answer(200, [DONE, {"id": "b", "status": "PENDING"}]),
        raw(200, b""),
        answer(200, {"balance": 1234}),
    ]

    task = client.get(ID)
    page = client.list(3)
    client.delete(ID)
    balance = client.balance()

    assert (task.id, [each.id for each in page], balance) == (ID, [ID, "b"], 1234)
    assert [(seen.method, seen.path, seen.query) for seen in server.requests] == [
        ("GET", f"{TASKS}/{ID}", ""),
        ("GET", TASKS, "page_num=3&page_size=50&sort_by=-created_at"),
        ("DELETE", f"{TASKS}/{ID}", ""),
        ("GET", "/openapi/v1/balance", ""),
    ]


def test_an_id_cannot_lead_to_another_route(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [answer(404, {"message": "not found"})]

    with pytest.raises(errors.TaskNotFound):
        client.get("a/../../balance?x=1")

    assert server.requests[0].path == f"{TASKS}/a%2F..%2F..%2Fbalance%3Fx%3D1"


@pytest.mark.parametrize("count", [0, 5])
def test_no_or_too_many_photos_are_not_sent(server: PreparedServer, client: MeshyClient, count: int) -> None:
    with pytest.raises(ValueError, match="one to 4"):
        client.create([FRONT] * count, CreateOptions())

    assert server.requests == []


@pytest.mark.parametrize(
    "base", ["", "api.meshy.ai", "ftp://api.meshy.ai", "https://user:pw@api.meshy.ai", "https://a/?q=1"]
)
def test_a_base_that_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="MESHY_API_BASE"):
        MeshyClient(base, KEY)


@pytest.mark.parametrize("key", ["", "msy_a b", "msy_a\n", "msy_ä"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as refused:
        MeshyClient("https://api.meshy.ai", key)

    assert "msy_" not in str(refused.value)
