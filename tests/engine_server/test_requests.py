"""The engine refuses what Meshy would refuse, with a message that names the mistake."""

import base64

import pytest

from acr3d.engines import errors
from tests.support.engine_server import KEY, TASKS, EngineHarness, has_ended, request_body

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
GIF = "data:image/gif;base64," + base64.b64encode(b"GIF89a").decode()
NO_PICTURE = "data:image/png;base64," + base64.b64encode(b"<svg/>").decode()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"image_urls": None}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": []}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": [PNG] * 5}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": PNG}, "image_urls must be a list of 1 to 4"),
        ({"image_urls": [PNG, "https://example.test/a.jpg"]}, r"image_urls\[1\] must be a data URI"),
        ({"image_urls": [5]}, r"image_urls\[0\] must be a data URI"),
        ({"image_urls": [GIF]}, r"image_urls\[0\] must be a data URI"),
        ({"image_urls": [NO_PICTURE]}, r"image_urls\[0\] is not a JPEG or PNG"),
        ({"image_urls": ["data:image/png;base64,%%%"]}, r"image_urls\[0\] is not valid base64"),
        ({"image_angles": ["front"]}, "image_angles must be a list with one angle for each image"),
        ({"image_angles": ["front", "front"]}, "image_angles must be different values"),
        ({"image_angles": ["front", "inside"]}, "image_angles must be different values"),
        ({"image_angles": ["front", ["left"]]}, "image_angles must be different values"),
        ({"image_outlines": [PNG, None, None]}, "image_outlines must be a list with one image or null"),
        ({"image_outlines": ["x", None]}, r"image_outlines\[0\] must be a data URI"),
        ({"input_task_id": "x"}, "input_task_id is not supported"),
        ({"ai_model": "meshy-5"}, "ai_model must be one of"),
        ({"target_polycount": 99}, "target_polycount must be a whole number from 100 to 300000"),
        ({"target_polycount": 300_001}, "target_polycount must be a whole number"),
        ({"target_polycount": "5000"}, "target_polycount must be a whole number"),
        ({"target_polycount": True}, "target_polycount must be a whole number"),
        ({"should_texture": "yes"}, "should_texture must be true or false"),
        ({"should_texture": False}, "enable_pbr is only supported when should_texture is true"),
        ({"texture_prompt": "x" * 801}, "texture_prompt must be text of at most 800"),
        ({"texture_resolution": "16k"}, "texture_resolution must be one of"),
        ({"topology": "hexagon"}, "topology must be one of"),
        ({"target_formats": []}, "target_formats must be a list of"),
        ({"target_formats": ["doc"]}, "target_formats must be a list of"),
        ({"target_formats": [{}]}, "target_formats must be a list of"),
        ({"target_formats": ["obj"]}, "target_formats must contain glb"),
        ({"decimation_mode": 5}, "decimation_mode must be a whole number from 1 to 4"),
        ({"texture_image_urls": [PNG], "texture_prompt": "x"}, "texture_image_urls cannot be sent"),
    ],
)
def test_an_invalid_parameter_is_named(
    harness: EngineHarness, changes: dict[str, object], names: str
) -> None:
    answer = harness.http.post(TASKS, json=request_body(**changes), headers=KEY)

    assert answer.status_code == 400
    with pytest.raises(AssertionError, match=names):
        raise AssertionError(answer.json()["message"])
    assert harness.client.list() == []


@pytest.mark.parametrize("content", [b"", b"[]", b"no", b'"text"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(harness: EngineHarness, content: bytes) -> None:
    answer = harness.http.post(TASKS, content=content, headers=KEY | {"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


def test_an_unknown_parameter_is_ignored_as_meshy_does(harness: EngineHarness) -> None:
    assert harness.unchecked.post(TASKS, json=request_body(colour="red")).status_code == 202


def test_a_key_is_required(harness: EngineHarness) -> None:
    some_id = harness.create()
    asked = [
        harness.http.post(TASKS, json=request_body()),
        harness.http.get(TASKS),
        harness.http.get(f"{TASKS}/{some_id}"),
        harness.http.delete(f"{TASKS}/{some_id}"),
        harness.http.get("/openapi/v1/balance"),
        harness.http.get(TASKS, headers={"Authorization": "Bearer "}),
        harness.http.get(TASKS, headers={"Authorization": "Basic abc"}),
    ]

    assert {answer.status_code for answer in asked} == {401}


def test_any_key_is_accepted_and_nothing_is_charged(harness: EngineHarness) -> None:
    before = harness.client.balance()

    harness.until(harness.create(), has_ended)

    assert harness.client.balance() == before > 0


def test_unknown_routes_tasks_and_ids_have_their_own_errors(harness: EngineHarness) -> None:
    unknown = "01999999-aaaa-7bbb-8ccc-dddddddddddd"

    no_route = harness.unchecked.get("/openapi/v2/x")

    assert (no_route.status_code, no_route.json()) == (404, {"message": "NoMatchingRoute"})
    with pytest.raises(errors.TaskNotFound):
        harness.client.get(unknown)
    with pytest.raises(errors.TaskNotFound):
        harness.client.delete(unknown)
    with pytest.raises(errors.InvalidRequest, match="Invalid ID"):
        harness.client.get("no-uuid")


def test_a_result_opens_only_with_its_own_url(harness: EngineHarness) -> None:
    task = harness.until(harness.create(), has_ended)
    other = harness.until(harness.create(), has_ended)
    assert task.glb_url is not None
    assert other.glb_url is not None
    path = task.glb_url.partition("?")[0]

    answers = [
        harness.http.get(path),
        harness.http.get(f"{path}?Signature="),
        harness.http.get(f"{path}?Signature=wrong"),
        harness.http.get(f"{path}?{other.glb_url.partition('?')[2]}"),
        harness.http.get("/results/..%2F..%2Ftasks.sqlite/model.glb?Signature=x"),
    ]

    assert [answer.status_code for answer in answers[:4]] == [403] * 4
    assert answers[4].status_code in (403, 404)


@pytest.mark.parametrize("kind", ["v2/text-to-3d", "v1/image-to-3d", "v1/remesh", "v1/print/analyze"])
def test_of_other_kinds_of_task_there_are_none(harness: EngineHarness, kind: str) -> None:
    url, nobody = f"/openapi/{kind}", "01999999-aaaa-7bbb-8ccc-dddddddddddd"
    ask = harness.unchecked

    assert (ask.get(url).status_code, ask.get(url).json()) == (200, [])
    assert (ask.get(f"{url}/{nobody}").status_code, ask.get(f"{url}/x").status_code) == (404, 400)
    assert "photos only" in ask.post(url, json={}).json()["message"]
    assert ask.get(url, headers={"Authorization": ""}).status_code == 401
