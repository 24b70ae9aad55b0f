"""The badge and everything that follows a job, on pages that nobody reloads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from acr3d.db.states import Status
from tests.support.by_hand import finish, job_count, move, progress
from tests.support.site import Site
from tests.support.staff import add_photos, new_part, open_models, part_id, photo_file, set_side, tiles
from tests.support.visits import Visitor

REASON = "The photos do not show one part. Take them again in front of a plain wall."


@pytest.fixture
def staff(visitor: Callable[..., Visitor], still_site: Site) -> Visitor:
    return visitor(to=still_site, staff=True)


def ready_part(staff: Visitor, sku: str) -> Page:
    """A part with two labelled photos."""
    page = new_part(staff, sku)
    add_photos(page, photo_file("front.jpg"), photo_file("right.jpg", "tomato"))
    set_side(page, 1, "Front")
    set_side(page, 2, "Right")
    return page


def generate(page: Page) -> None:
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#part-badge")).to_have_text("Queued")


def test_the_badge_follows_a_job_until_it_fails_and_then_asks_no_more(staff: Visitor, engine: Flask) -> None:
    page = ready_part(staff, "LIVE-1")
    part = part_id(page)
    badge = page.locator("#part-badge")
    generate(page)

    move(engine, part, Status.SUBMITTED)
    expect(badge).to_have_text("Sent to the engine")
    move(engine, part, Status.PROCESSING)
    progress(engine, part, 40)
    expect(badge).to_have_text("Processing 40%")
    expect(page.get_by_role("progressbar", name="Progress")).to_have_attribute("value", "40")
    move(engine, part, Status.FAILED, REASON)
    expect(badge).to_have_text("Failed")
    expect(page.locator("#announce")).to_have_text("Cast bracket: Failed")
    expect(page.locator("#model-panel")).to_contain_text(REASON)

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4000)  # longer than the time between two looks
    assert asked == []

    page.get_by_role("button", name="Try again").click()
    expect(badge).to_have_text("Queued")
    with page.expect_request("**/live?**"):
        pass


def test_a_look_that_finds_nothing_new_is_answered_with_nothing(staff: Visitor) -> None:
    page = ready_part(staff, "LIVE-2")
    generate(page)
    page.locator("#cancel-job").focus()

    with page.expect_response("**/live?**") as answer:
        pass

    assert answer.value.status == 204
    expect(page.locator("#cancel-job")).to_be_focused()


def test_a_double_click_starts_one_job(staff: Visitor, engine: Flask) -> None:
    page = ready_part(staff, "LIVE-3")

    page.get_by_role("button", name="Generate").dblclick()

    expect(page.locator("#part-badge")).to_have_text("Queued")
    assert job_count(engine, part_id(page)) == 1


def test_a_job_is_canceled_after_a_question(staff: Visitor) -> None:
    page = ready_part(staff, "LIVE-4")
    generate(page)

    page.get_by_role("button", name="Cancel job").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()

    expect(page.locator("#part-badge")).to_have_text("No model")
    expect(page.locator("#model-title")).to_be_focused()
    expect(page.get_by_role("button", name="Generate")).to_be_visible()


def test_a_choice_that_cannot_be_is_explained_and_kept(staff: Visitor) -> None:
    staff.refusals = {400}
    page = ready_part(staff, "LIVE-5")
    add_photos(page, photo_file("other.jpg", "seagreen"))
    set_side(page, 3, "Front")
    expect(tiles(page).nth(0)).to_contain_text("Another photo has the same angle.")
    expect(tiles(page).nth(2)).to_contain_text("Another photo has the same angle.")
    third = page.get_by_label("Use photo 3 for the model")

    third.check()
    page.get_by_role("button", name="Generate").click()

    expect(page.get_by_role("alert").first).to_have_text(
        "Two selected photos have the same angle (Front). Change one of them."
    )
    expect(third).to_be_checked()
    expect(page.locator("#generate-now")).to_be_focused()  # the new copy of the button that was pressed


def test_a_new_model_waits_for_a_click_and_there_is_a_way_back(staff: Visitor, engine: Flask) -> None:
    page = ready_part(staff, "LIVE-6")
    part = part_id(page)
    generate(page)
    finish(engine, part, published=True)
    versions = page.locator("#versions .version")
    expect(versions).to_have_count(1)
    open_models(page)
    generate(page)
    finish(engine, part, published=False)
    expect(versions).to_have_count(2)
    expect(versions.first).to_contain_text("Waiting for review")

    versions.first.get_by_role("button", name="Publish").click()
    expect(versions.first).to_contain_text("Published")
    expect(page.locator("#announce")).to_have_text("Customers now see model 2.")
    versions.last.get_by_role("button", name="Publish again").click()

    expect(versions.last).to_contain_text("Published")
    expect(versions.first).to_contain_text("Replaced")


def test_the_list_of_parts_stays_fresh_by_itself(staff: Visitor, engine: Flask) -> None:
    page = ready_part(staff, "LIVE-7")
    part = part_id(page)
    generate(page)
    page.goto("/admin/parts?q=LIVE-7")
    state = page.locator(".part-row .state")
    expect(state).to_have_text("Queued")

    move(engine, part, Status.SUBMITTED)
    move(engine, part, Status.FAILED, REASON)

    expect(state).to_contain_text("Failed")
    expect(state).to_contain_text(REASON)


@pytest.mark.parametrize("address", ["/admin/", "/admin/jobs"])
def test_an_idle_window_notices_a_job_when_somebody_comes_back_to_it(
    staff: Visitor, engine: Flask, address: str
) -> None:
    page = ready_part(staff, f"LIVE-8{address.replace('/', '-')}")
    idle = staff.open(address)
    idle.get_by_role("link", name="Jobs").first.focus()
    generate(page)
    row = idle.locator("li, tr", has_text=f"LIVE-8{address.replace('/', '-')}")

    idle.evaluate("dispatchEvent(new Event('focus'))")
    expect(row).to_contain_text("Queued")
    expect(idle.get_by_role("link", name="Jobs").first).to_be_focused()
    row.get_by_role("button", name="Cancel job").click()
    move(engine, part_id(page), Status.SUBMITTED)
    idle.evaluate("dispatchEvent(new Event('focus'))")  # a question is open: what it is about stays
    idle.get_by_role("dialog").get_by_role("button", name="Cancel job").click()

    expect(idle.locator("#announce")).to_have_text("The job was canceled.")
    expect(row).to_have_count(0) if address == "/admin/" else expect(row).to_contain_text("Canceled")
