"""What staff do on a part's page, said once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.support.factories import picture
from tests.support.visits import Visitor


def photo_file(name: str, colour: str = "steelblue", size: tuple[int, int] = (400, 300)) -> FilePayload:
    """A drawn block on white, as a file to be chosen."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": picture(colour, size)}


def new_part(visitor: Visitor, sku: str, name: str = "Cast bracket") -> Page:
    """Make a part through the form and stay on its page."""
    page = visitor.open("/admin/parts/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Part number (SKU)").fill(sku)
    page.get_by_role("button", name="Create part").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return page


def add_photos(page: Page, *files: FilePayload) -> None:
    """Choose all `files` at once and wait until they are all there."""
    before = tiles(page).count()
    page.locator("#chooser").set_input_files(list(files))
    expect(tiles(page)).to_have_count(before + len(files))
    expect(page.locator("#uploads li")).to_have_count(0)


def tiles(page: Page) -> Locator:
    return page.locator(".tile")


def order(page: Page) -> list[str]:
    """The photos' ids as they stand on the page."""
    ids: list[str] = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.dataset.id)")
    return ids


def press_move(page: Page, place: int, which: str) -> None:
    """Press the button that moves the photo at `place` (from 1), and wait until the order is kept."""
    with kept_order(page):
        page.get_by_role("button", name=f"Move photo {place} {which}").click()


@contextmanager
def kept_order(page: Page) -> Iterator[None]:
    """What the block does makes a new order; wait until it is kept and the page shows it."""
    with page.expect_response("**/photos/order"):
        yield
    expect(page.locator(".htmx-request, .htmx-settling")).to_have_count(0)


def set_side(page: Page, place: int, side: str) -> None:
    """Say which side the photo at `place` shows, and wait until it is saved."""
    tile = tiles(page).nth(place - 1)
    tile.get_by_label("Angle of photo").select_option(label=side)
    expect(tile.get_by_role("status")).to_have_text("Saved")


def open_models(page: Page) -> None:
    """Unfold the part's models and their reports."""
    page.locator("#models > summary").click()
    expect(page.locator("#models")).to_have_attribute("open", "")


def part_id(page: Page) -> str:
    return page.url.rsplit("/", 1)[1].partition("#")[0]
