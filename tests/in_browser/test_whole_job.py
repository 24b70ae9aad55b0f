"""The main job, as one person does it: photos of a part go in, and a customer turns the model around."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.staff import new_part, open_models, order, photo_file, press_move, set_side, tiles
from tests.support.visits import LONG, Visitor, view_in_3d

# One block, drawn from four sides: as wide, high and deep in each of them.
SIDES = {"Right": (600, 600), "Front": (1000, 600), "Top": (1000, 600), "Back": (1000, 600)}

# Keeps every announcement: a later one replaces it on the page.
HEAR = """
document.documentElement.dataset.heard = "";
new MutationObserver(() => {
  document.documentElement.dataset.heard += document.getElementById("announce").textContent.trim() + "; ";
}).observe(document.body, { childList: true, characterData: true, subtree: true });
"""


@pytest.mark.timeout(600)
def test_photos_become_a_model_that_a_customer_turns(visitor: Callable[..., Visitor]) -> None:
    page = upload_and_label(visitor(staff=True), "WHOLE/1", by_dragging=True)
    generate_and_wait(page)
    publish_the_part(page)
    turn_the_model(find_the_part(visitor(reduced_motion=True), "WHOLE/1"))


def test_so_begins_a_job_on_a_phone(visitor: Callable[..., Visitor]) -> None:
    """The model itself is no other one, and the viewer on a phone has tests of its own."""
    page = upload_and_label(visitor(staff=True, phone=True), "WHOLE/2", by_dragging=False)
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Cancel job").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
    expect(page.locator("#part-badge")).to_have_text("No model")


def upload_and_label(staff: Visitor, sku: str, *, by_dragging: bool) -> Page:
    page = new_part(staff, sku)
    staff.refusals = {400}  # the bad file

    drawn = [photo_file(f"{side}.jpg", size=size) for side, size in SIDES.items()]
    bad = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"these are only words"}
    page.locator("#chooser").set_input_files([*drawn[:2], bad, *drawn[2:]])
    expect(tiles(page)).to_have_count(4)
    expect(page.locator("#uploads li")).to_have_count(1)
    expect(page.locator("#uploads li")).to_contain_text("not a JPEG")

    bring_front_first(page, by_dragging=by_dragging)
    for place, side in enumerate(["Front", "Right", "Top", "Back"], start=1):
        set_side(page, place, side)
    return page


def bring_front_first(page: Page, *, by_dragging: bool) -> None:
    """The photo of the front came second."""
    right, front, *others = order(page)
    if by_dragging:
        with page.expect_response("**/photos/order"):
            tiles(page).nth(1).locator(".tile-photo").drag_to(tiles(page).nth(0).locator(".tile-photo"))
    else:
        press_move(page, 2, "earlier")
    expect(page.locator("#announce")).to_have_text("Photo moved to position 1 of 4.")
    page.reload()
    assert order(page) == [front, right, *others]


def generate_and_wait(page: Page) -> None:
    """The badge goes through the states without a reload, and is read out."""
    page.evaluate("window.sameDocument = true")
    page.evaluate(HEAR)
    badge = page.locator("#part-badge")
    page.get_by_role("button", name="Generate").click()
    expect(badge).to_have_text("Queued")
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    expect(badge).to_have_text("Complete", timeout=LONG)
    heard = re.compile("Cast bracket: Complete")  # the photo check may speak next
    expect(page.locator("html")).to_have_attribute("data-heard", heard)
    open_models(page)
    expect(page.locator("#versions")).to_contain_text("Published")
    view_in_3d(page)
    assert page.evaluate("window.sameDocument")


def publish_the_part(page: Page) -> None:
    """A part made with the form is shown to customers by the last click."""
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Customers can see the part now.")).to_be_visible()


def find_the_part(customer: Visitor, sku: str) -> Page:
    page = customer.open("/")
    page.get_by_label("Search for a part").fill(sku)
    page.get_by_role("button", name="Search").click()
    page.locator(".card", has_text=sku).get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Cast bracket")).to_be_visible()
    return page


def turn_the_model(page: Page) -> None:
    model = page.locator("model-viewer")
    view_in_3d(page)
    assert model.evaluate("model => model.modelIsVisible")
    expect(page.get_by_text("generated from photos").first).to_be_visible()
    before = model.evaluate("model => model.getCameraOrbit().theta")
    expect(model).to_be_focused()  # as the button was that asked for it
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => Math.abs(document.querySelector('model-viewer').getCameraOrbit().theta - before) > 0.1",
        arg=before,
        timeout=LONG,
    )
