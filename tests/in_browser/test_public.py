"""The public pages as customers meet them: without scripts, on a phone, by keyboard, when things break."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from acr3d.accounts.users import user_by_email
from acr3d.jobs import service
from acr3d.parts.parts import create_part
from acr3d.parts.photos import add_photos, images_of
from tests.support.browser import launched
from tests.support.by_hand import finish
from tests.support.factories import photo
from tests.support.site import EMAIL, Site
from tests.support.visits import LONG, Visitor, ask_for_3d, view_in_3d

SKU = "PUB/1 ü"
ADDRESS = "/parts/PUB%2F1%20%C3%BC"


@pytest.fixture(scope="session")
def part_with_a_model(engine: Flask) -> str:
    """A published part with two photos and a model; its id."""
    with engine.app_context():
        fields = {
            "sku": SKU,
            "name": "Flanged sleeve",
            "description": "Turned from one piece.",
            "width_mm": 40,
        }
        part = create_part(fields)
        for angle, colour in (("front", "steelblue"), ("right", "tomato")):
            add_photos(part.id, [photo(colour)], {"angle_label": angle})
        chosen = {image.angle_label or "": image.id for image in images_of(part.id)}
        service.start(part.id, chosen, "builtin", {}, user_by_email(EMAIL))
    finish(engine, part.id, published=True)
    return part.id


@pytest.fixture
def customer(
    visitor: Callable[..., Visitor], still_site: Site, part_with_a_model: str
) -> Callable[..., Visitor]:
    return lambda **how: visitor(to=still_site, **how)


def test_a_part_is_readable_without_scripts(customer: Callable[..., Visitor]) -> None:
    page = customer(scripts=False).open(ADDRESS)

    expect(page.get_by_role("heading", name="Flanged sleeve")).to_be_visible()
    expect(page.get_by_text("Turned from one piece.")).to_be_visible()
    expect(page.locator("noscript p")).to_be_visible()
    assert page.locator(".viewer-poster").evaluate("image => image.complete && image.naturalWidth > 0")
    page.locator(".thumb[href='#photo-2']").click()
    expect(page.locator("#photo-2 img")).to_be_in_viewport()


def test_the_thumbnails_bring_up_their_pictures(customer: Callable[..., Visitor]) -> None:
    page = customer().open(ADDRESS)

    page.locator(".thumb[href='#photo-2']").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#photo-2 img")).to_be_in_viewport(ratio=0.9)
    expect(page.locator(".thumb[href='#photo-2']")).to_have_attribute("aria-current", "true")
    expect(page.locator(".thumb[aria-current]")).to_have_count(1)


def test_a_photo_is_enlarged_and_leafed_through_by_keyboard(customer: Callable[..., Visitor]) -> None:
    page = customer().open(ADDRESS + "#photo-1")

    page.locator("#photo-1 a").focus()
    page.keyboard.press("Enter")
    enlarged = page.get_by_role("dialog").locator("img")
    expect(enlarged).to_have_attribute("alt", "Flanged sleeve, front")
    page.keyboard.press("ArrowRight")
    expect(enlarged).to_have_attribute("alt", "Flanged sleeve, right")
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="Zoom")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#photo-2 a")).to_be_focused()


def test_the_viewer_is_loaded_only_when_asked_for_and_has_buttons_for_views(
    customer: Callable[..., Visitor],
) -> None:
    visit = customer(phone=True, reduced_motion=True)
    page = visit.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(ADDRESS)
    page.wait_for_load_state("networkidle")

    assert not [path for path in asked if path.endswith((".glb", ".wasm")) or "model-viewer" in path]
    expect(page.get_by_role("button", name="View in 3D")).to_have_text(re.compile(r"\d+(\.\d)? [kM]B"))
    view_in_3d(page)
    expect(page.get_by_role("button", name="Right")).to_be_visible()
    expect(page.get_by_role("button", name="Back", exact=True)).to_be_hidden()  # no photo shows it
    model = page.locator("model-viewer")
    assert not model.evaluate("model => model.autoRotate")
    press(page, "Right")
    page.wait_for_function(
        "Math.abs(document.querySelector('model-viewer').getCameraOrbit().theta - Math.PI / 2) < .01"
    )
    press(page, "Dimensions")
    expect(page.locator(".dimension", has_text="40 mm")).to_have_count(1)
    press(page, "Unit")
    expect(page.locator(".dimension", has_text="1.57 in")).to_have_count(1)


def press(page: Page, name: str) -> None:
    """By keyboard: a click waits for frames, which software draws slowly."""
    page.get_by_role("button", name=name).focus()
    page.keyboard.press("Enter")


LOSE_THE_CONTEXT = """
    const original = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (...how) {
      const context = original.apply(this, how);
      if (how[0].startsWith('webgl')) self.newestContext = context;
      return context;
    };
"""


@pytest.mark.parametrize("missing", ["**/*.glb", "**/model-viewer*"])
def test_a_file_that_does_not_come_leaves_the_poster_and_a_sentence(
    customer: Callable[..., Visitor], missing: str
) -> None:
    page = customer().context.new_page()
    page.route(missing, lambda route: route.abort())
    page.goto(ADDRESS)
    ask_for_3d(page)

    expect(page.get_by_text("The 3D model could not be loaded")).to_be_visible(timeout=LONG)
    assert_poster_stays(page)


def test_a_lost_context_leaves_the_poster_and_a_sentence(customer: Callable[..., Visitor]) -> None:
    visit = customer(phone=True)
    visit.context.add_init_script(LOSE_THE_CONTEXT)
    page = visit.open(ADDRESS)
    view_in_3d(page)
    page.evaluate("newestContext.getExtension('WEBGL_lose_context').loseContext()")

    expect(page.get_by_text("The browser ended the 3D view")).to_be_visible()
    assert_poster_stays(page)


def test_without_webgl_the_poster_stays_and_a_sentence_says_so(chromium: Browser, still_site: Site) -> None:
    with launched(chromium.browser_type, "--disable-3d-apis") as browser:
        page = Visitor(browser, still_site).open(ADDRESS)
        ask_for_3d(page)

        expect(page.get_by_text("This device cannot show 3D")).to_be_visible()
        assert_poster_stays(page)


def assert_poster_stays(page: Page) -> None:
    expect(page.locator(".viewer-poster")).to_be_visible()
    expect(page.locator("model-viewer")).to_have_count(0)


def test_the_viewer_can_be_embedded_alone(customer: Callable[..., Visitor]) -> None:
    page = customer(phone=True).open(ADDRESS.replace("/parts/", "/embed/"))

    view_in_3d(page)
    assert page.locator("model-viewer").evaluate("model => model.modelIsVisible")
    expect(page.get_by_role("link", name="Flanged sleeve")).to_be_visible()


def test_android_gets_a_link_to_scene_viewer_with_a_file_that_it_can_read(
    customer: Callable[..., Visitor],
) -> None:
    visit = customer(phone=True, android=True)
    # Where the browser has AR of its own, as this one may say, that one is offered.
    visit.context.add_init_script("Object.defineProperty(Navigator.prototype, 'xr', {value: undefined})")
    page = visit.open(ADDRESS)

    link = page.get_by_role("link", name="View in your room")
    expect(link).to_be_visible()
    expect(page.get_by_role("button", name="View in your room")).to_be_hidden()
    intent = urlsplit(link.get_attribute("href") or "")
    asked = parse_qs(intent.query)
    assert intent.scheme == "intent"
    assert asked["resizable"] == ["false"]
    assert asked["title"] == ["Flanged sleeve"]
    answer = page.request.get(asked["file"][0])
    model = answer.body()
    assert (answer.status, answer.headers["content-type"]) == (200, "model/gltf-binary")
    assert "extensionsRequired" not in json.loads(model[20 : 20 + struct.unpack_from("<I", model, 12)[0]])


def test_no_other_browser_is_sent_to_scene_viewer(customer: Callable[..., Visitor]) -> None:
    page = customer().open(ADDRESS)

    expect(page.get_by_role("button", name="View in 3D")).to_be_visible()
    expect(page.locator("[data-scene-viewer]")).to_be_hidden()


def test_lists_load_no_viewer_and_no_script(customer: Callable[..., Visitor]) -> None:
    visit = customer()
    page = visit.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))
    page.goto("/")

    expect(page.locator(".card", has_text="Flanged sleeve")).to_be_visible()
    assert "script" not in asked


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_no_page_is_wider_than_its_window(
    customer: Callable[..., Visitor], part_with_a_model: str, phone: bool
) -> None:
    visit = customer(staff=True, phone=phone)
    paths = ["/", ADDRESS, "/login", "/admin/", "/admin/parts", "/admin/parts/new", "/admin/jobs"]
    for path in [*paths, f"/admin/parts/{part_with_a_model}", "/account/password"]:
        page = visit.open(path)
        assert overflow(page) == 0, path
        page.close()


def test_the_first_tab_leads_past_the_header(customer: Callable[..., Visitor]) -> None:
    page = customer().open("/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#content")).to_be_focused()


def overflow(page: Page) -> int:
    """By how many pixels the page can be pushed sideways."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels
