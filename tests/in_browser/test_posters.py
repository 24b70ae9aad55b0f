"""The picture before the model, and the model's first frame: nothing jumps when it takes over."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from acr3d.jobs import model_files
from acr3d.parts.parts import create_part
from tests.support.by_hand import app_beside
from tests.support.factories import optimize_raw_model
from tests.support.optimize_glbs import Builder, add_sphere, sphere
from tests.support.render_glbs import add_box
from tests.support.site import Site, running_site
from tests.support.visits import LONG, Visitor, ask_for_3d, view_in_3d

SHAPES = {"block": (0.06, 0.04, 0.05), "board": (0.12, 0.008, 0.05), "rod": (0.008, 0.1, 0.008)}


@pytest.fixture(scope="module")
def drawn_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own without a poller: a pass here has no other test's jobs to move."""
    with running_site(tmp_path_factory.mktemp("drawn") / "instance", {"ACR3D_POLLER": "worker"}) as site:
        yield site


def glb(half: tuple[float, float, float]) -> bytes:
    made = Builder()
    made.data["materials"] = [{"pbrMetallicRoughness": {"metallicFactor": 0}}]
    add_box(made, half=half)
    across, up, deep = half
    add_box(made, (1.5 * across, 1.2 * up, deep), (across / 2, up / 5, deep / 2))  # so that it has a front
    return made.glb()


def publish_model(app: Flask, sku: str, half: tuple[float, float, float]) -> None:
    with app.app_context():
        optimize_raw_model(app, create_part({"sku": sku, "name": "Bracket"}), glb(half))


@pytest.mark.proof
@pytest.mark.parametrize(("shape", "phone"), [("block", False), ("board", True), ("rod", False)])
def test_the_first_frame_takes_the_posters_place(
    visitor: Callable[..., Visitor], drawn_site: Site, shape: str, phone: bool
) -> None:
    sku = f"POSTER-{shape}-{phone}"
    with app_beside(drawn_site) as app:
        publish_model(app, sku, SHAPES[shape])
    visit = visitor(to=drawn_site, phone=phone, reduced_motion=True)  # no hint that rocks the model

    page = visit.open(f"/parts/{sku}")
    poster = outline(bare(page))
    view_in_3d(page)
    frame = outline(bare(page))

    assert poster.any()
    assert (poster & frame).sum() / (poster | frame).sum() >= 0.95


def test_a_blocked_decoder_leaves_the_poster_and_a_sentence(
    visitor: Callable[..., Visitor], drawn_site: Site
) -> None:
    with app_beside(drawn_site) as app:
        publish_model(app, "NO-DECODER", SHAPES["block"])
    page = visitor(to=drawn_site).context.new_page()
    page.route("**/draco_*", lambda route: route.abort())
    page.goto("/parts/NO-DECODER")
    ask_for_3d(page)

    expect(page.get_by_text("The 3D model could not be loaded")).to_be_visible(timeout=LONG)
    expect(page.locator(".viewer-poster")).to_be_visible()
    expect(page.locator("model-viewer")).to_have_count(0)


def test_a_phone_loads_a_lighter_model_first_and_the_full_one_when_asked(
    visitor: Callable[..., Visitor], drawn_site: Site
) -> None:
    with app_beside(drawn_site) as app, app.app_context():
        optimize_raw_model(app, create_part({"sku": "HEAVY", "name": "Bracket"}), heavy_glb())
        assert model_files.catch_up(threading.Event())
    page = visitor(to=drawn_site, phone=True).context.new_page()
    page.goto("/parts/HEAVY")
    with page.expect_response("**/*.glb") as light:
        view_in_3d(page)
    with page.expect_response("**/*.glb") as full:
        page.get_by_role("button", name="Full detail").press("Enter")

    assert len(light.value.body()) < 0.8 * len(full.value.body())
    expect(page.locator("model-viewer")).to_have_js_property("loaded", True, timeout=LONG)
    expect(page.get_by_role("button", name="Full detail")).to_be_hidden()


def heavy_glb() -> bytes:
    """A rough ball of 210,000 triangles: more than phones are sent at first."""
    made = Builder()
    made.data["materials"] = [{"pbrMetallicRoughness": {"metallicFactor": 0}}]
    ball = sphere(rings=230)
    grain = np.random.default_rng(1).normal(scale=5e-5, size=ball["positions"].shape)
    add_sphere(made, ball | {"positions": (ball["positions"] + grain).astype(np.float32)}, material=0)
    return made.glb()


def bare(page: Page) -> Locator:
    """The picture, without the buttons and hints before it."""
    page.evaluate(
        "document.querySelectorAll('.viewer-picture > :not(img, model-viewer, template), .viewer-ar')"
        ".forEach(one => { one.style.visibility = 'hidden'; })"
    )
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator(".viewer-picture")


def outline(viewer: Locator) -> np.ndarray[Any, Any]:
    """Where the viewer is not as white as its ground; without its rim, which may share pixels with others."""
    with Image.open(io.BytesIO(viewer.screenshot(timeout=LONG))) as picture:
        return np.asarray(picture.convert("RGB")).min(2)[4:-4, 4:-4] < 225
