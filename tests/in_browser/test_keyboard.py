"""Staff with a keyboard and nothing else: the main job from the login on, and the shortcuts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from tests.support.by_hand import finish
from tests.support.site import EMAIL, PASSWORD, Site
from tests.support.staff import kept_order, order, part_id, photo_file, tiles
from tests.support.visits import Visitor

MOUSE_EVENTS = """
addEventListener("DOMContentLoaded", () => {
  for (const kind of ["pointerdown", "mousedown", "touchstart", "dragstart"]) {
    addEventListener(kind, () => console.error(`a mouse was used: ${kind}`), true);
  }
});
"""
MOST_TABS = 120


@pytest.fixture
def staff(visitor: Callable[..., Visitor], still_site: Site) -> Visitor:
    """Not logged in; any use of a mouse is a complaint."""
    staff = visitor(to=still_site)
    staff.context.add_init_script(MOUSE_EVENTS)
    return staff


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus."""
    for _press in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached with Tab")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    reach(page, wanted)
    page.keyboard.press(key)


def write(page: Page, label: str, text: str) -> None:
    reach(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def test_the_main_job_needs_no_mouse(staff: Visitor, engine: Flask) -> None:
    page = staff.open("/login")
    write(page, "Email address", EMAIL)
    write(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()
    page.wait_for_load_state()  # scripts listen to keys from here on

    page.keyboard.press("n")
    page.get_by_role("heading", name="New part").wait_for()
    write(page, "Name", "Cast bracket")
    write(page, "Part number (SKU)", "KEYBOARD-1")
    page.keyboard.press("Enter")

    with page.expect_file_chooser() as chooser:
        press(page, page.locator("#chooser"))
    chooser.value.set_files([photo_file("one.jpg"), photo_file("front.jpg", "tomato")])
    expect(tiles(page)).to_have_count(2)
    one, front = order(page)

    reach(page, page.get_by_role("button", name="Move photo 2 earlier"))
    with kept_order(page):
        page.keyboard.press("Enter")
    assert order(page) == [front, one]

    reach(page, page.get_by_label("Angle of photo 2"))
    page.keyboard.type("Right")
    expect(tiles(page).nth(1).get_by_role("status")).to_have_text("Saved")

    press(page, page.locator("#generate-now"))
    expect(page.locator("#part-badge")).to_have_text("Queued")
    finish(engine, part_id(page), published=False)
    press(page, page.get_by_role("link", name="Review").first)
    press(page, page.get_by_role("button", name="Publish"))
    expect(page.get_by_text("Customers now see model 1.")).to_be_visible()
    press(page, page.get_by_role("button", name="Publish", exact=True))
    expect(page.get_by_text("Customers can see the part now.")).to_be_visible()


def test_shortcuts_are_shown_used_and_turned_off(visitor: Callable[..., Visitor], still_site: Site) -> None:
    page = visitor(to=still_site, staff=True).open("/admin/")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")

    page.keyboard.press("?")
    expect(dialog.get_by_role("link", name="Jobs")).to_be_visible()
    page.keyboard.press("n")  # not while a dialog is open
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.get_by_role("heading", name="Jobs", level=1).wait_for()
    page.keyboard.press("/")
    search = page.get_by_label("Search for a part")
    expect(search).to_be_focused()
    page.keyboard.type("n/?g p")  # text while one types
    expect(search).to_have_value("n/?g p")
    expect(dialog).to_be_hidden()

    page.locator("summary", has_text=EMAIL).press("Enter")
    page.get_by_role("button", name="Keyboard shortcuts").press("Enter")
    page.get_by_label("Use shortcuts in this browser").press("Space")
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("?")
    page.keyboard.press("n")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("heading", name="Parts", level=1)).to_be_visible()
