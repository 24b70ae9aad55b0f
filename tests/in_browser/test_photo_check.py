"""What the check of a part's photos says, by itself, on a page that nobody reloads."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.support.staff import add_photos, new_part, set_side, tiles
from tests.support.visits import Visitor

DEMO = Path(__file__).parents[2] / "demo" / "photos"
PATIENCE = 60_000  # milliseconds: another test's model may be in the making


def demo_file(name: str, cut: tuple[int, int, int, int] | None = None) -> FilePayload:
    with Image.open(DEMO / f"{name}.jpg") as image:
        buffer = io.BytesIO()
        image.crop(cut or (0, 0, *image.size)).save(buffer, "JPEG", quality=92)
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def checked(page: Page, sentence: str) -> None:
    expect(page.locator("#drop")).to_contain_text(sentence, timeout=PATIENCE)


def test_a_cut_off_photo_is_named_by_itself_and_no_longer_once_it_is_replaced(
    visitor: Callable[..., Visitor],
) -> None:
    page = new_part(visitor(staff=True), "CUT-1")
    expect(page.locator("#photo-check")).to_be_hidden()

    add_photos(page, demo_file("toy-car-front", cut=(500, 0, 1200, 1200)))
    checked(page, "Photo 1 (Front): the part runs out of the picture (on the left).")
    expect(tiles(page).first).to_contain_text("part not found")

    page.locator("input[data-replace]").first.set_input_files(demo_file("toy-car-front"))
    checked(page, "No problems found.")
    expect(tiles(page).locator(".tile-advice li")).to_have_count(0)
    expect(page.locator(".tile .outline path")).to_have_count(1)
    expect(page.locator("#announce")).to_contain_text("The photo check is finished.")

    add_photos(page, demo_file("toy-car-right", cut=(0, 150, 1200, 1050)))
    expect(page.locator(".tile .outline path")).to_have_count(2)
    for tile in tiles(page).all():
        assert tile.locator("svg.outline").bounding_box() == tile.locator(".tile-photo img").bounding_box()


def test_swapped_sides_are_named_until_somebody_puts_them_right(visitor: Callable[..., Visitor]) -> None:
    page = new_part(visitor(staff=True, phone=True), "SWAP-1")
    sides = {"front": "Right", "back": "Back", "left": "Left", "right": "Front", "top": "Top"}
    add_photos(page, *(demo_file(f"alternator-{side}") for side in sides))
    for place, side in enumerate(sides.values(), 1):
        set_side(page, place, side)

    checked(page, "Photo 1 (Right) and Photo 4 (Front) seem to have swapped angles.")

    set_side(page, 1, "Front")
    set_side(page, 4, "Right")
    checked(page, "No problems found.")
    checked(page, "Best photos for a model: Front, Right, Top, Back.")
    expect(tiles(page)).to_have_count(5)
