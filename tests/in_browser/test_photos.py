"""Photos on a part's page: sending, sorting, replacing, deleting, and what happens when two do it at once."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.support.staff import add_photos, new_part, order, part_id, photo_file, press_move, set_side, tiles
from tests.support.visits import Visitor

COLOURS = ("tomato", "seagreen", "steelblue", "goldenrod")


def test_photos_keep_the_order_in_which_they_were_chosen(visitor: Callable[..., Visitor]) -> None:
    page = new_part(visitor(staff=True), "ORDER-1")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/upload-images", hold_the_first)
    sent = []
    page.on("response", lambda answer: sent.append(answer) if "upload-images" in answer.url else None)
    page.locator("#chooser").set_input_files([photo_file(f"{one}.jpg", one) for one in COLOURS])
    expect(page.locator(".upload.is-done")).to_have_count(3)  # the others went on meanwhile
    held[0].continue_()
    expect(tiles(page)).to_have_count(4)

    names = {answer.json()["images"][0]["id"]: _file_name(answer.request.post_data_buffer) for answer in sent}
    assert [names[id] for id in order(page)] == [f"{one}.jpg" for one in COLOURS]


def test_a_photo_chosen_while_the_page_still_loads_is_sent_all_the_same(
    visitor: Callable[..., Visitor],
) -> None:
    page = visitor(staff=True).open("/admin/parts/new")
    held: list[Route] = []
    page.route("**/uploads.js*", lambda route: held.append(route))
    page.get_by_label("Name").fill("Early bracket")
    page.get_by_label("Part number (SKU)").fill("EARLY-1")
    page.get_by_role("button", name="Create part").click(no_wait_after=True)

    page.locator("#chooser").set_input_files([photo_file("early.jpg")])
    held[0].continue_()

    expect(tiles(page)).to_have_count(1)


def test_a_photo_that_was_lost_on_its_way_can_be_sent_again(visitor: Callable[..., Visitor]) -> None:
    staff = visitor(staff=True)
    page = new_part(staff, "LOST-1")
    page.route("**/upload-images", lambda route: route.abort(), times=1)

    page.locator("#chooser").set_input_files([photo_file("lost.jpg")])
    row = page.locator("#uploads li")
    expect(row).to_contain_text("The connection was lost")
    row.get_by_role("button", name="Try again").click()

    expect(tiles(page)).to_have_count(1)
    expect(row).to_have_count(0)
    assert staff.complaints.pop() == "console: Failed to load resource: net::ERR_FAILED"


def test_a_camera_slot_labels_its_photo_and_takes_another_one_later(visitor: Callable[..., Visitor]) -> None:
    page = new_part(visitor(staff=True, phone=True), "SLOT-1")

    page.get_by_label("Left: add a photo").set_input_files([photo_file("left.jpg")])
    expect(tiles(page)).to_have_count(1)
    expect(tiles(page).get_by_label("Angle of photo 1")).to_have_value("left")
    [first] = order(page)

    page.get_by_label("Left: replace the photo").set_input_files([photo_file("again.jpg", "tomato")])
    expect(page.locator(f"[data-id='{first}']")).to_have_count(0)
    expect(tiles(page)).to_have_count(1)
    expect(tiles(page).get_by_label("Angle of photo 1")).to_have_value("left")


def test_dropped_files_are_added(visitor: Callable[..., Visitor]) -> None:
    page = new_part(visitor(staff=True), "DROP-1")
    file = photo_file("dropped.jpg")
    transfer = page.evaluate_handle(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
            return transfer;
        }""",
        [file["name"], list(file["buffer"])],
    )

    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})

    expect(tiles(page)).to_have_count(1)


def test_photos_are_sorted_with_the_keyboard_alone(visitor: Callable[..., Visitor]) -> None:
    page = new_part(visitor(staff=True), "KEYS-1")
    add_photos(page, *(photo_file(f"{one}.jpg", one) for one in COLOURS[:3]))
    first, second, third = order(page)

    page.locator(f"#later-{first}").focus()
    with page.expect_response("**/photos/order"):
        page.keyboard.press("Enter")
    with page.expect_response("**/photos/order"):
        page.keyboard.press("Enter")  # the focus stayed with the photo

    expect(page.locator("#announce")).to_have_text("Photo moved to position 3 of 3.")
    expect(page.locator(f"#later-{first}")).to_be_focused()
    expect(page.locator(f"#later-{first}")).to_have_attribute("aria-disabled", "true")
    assert order(page) == [second, third, first]
    expect(tiles(page).first).to_contain_text("Cover")


def test_deleting_asks_first(visitor: Callable[..., Visitor]) -> None:
    page = new_part(visitor(staff=True), "DEL-1")
    add_photos(page, *(photo_file(f"{one}.jpg", one) for one in COLOURS[:2]))
    _first, second = order(page)
    dialog = page.get_by_role("dialog")

    page.get_by_role("button", name="Delete photo 1").click()
    expect(dialog).to_contain_text("Delete photo 1?")
    expect(dialog.get_by_role("button", name="Go back")).to_be_focused()
    page.keyboard.press("Escape")
    expect(tiles(page)).to_have_count(2)

    page.get_by_role("button", name="Delete photo 1").click()
    dialog.get_by_role("button", name="Delete photo").click()
    expect(tiles(page)).to_have_count(1)
    assert order(page) == [second]


def test_the_focus_stays_among_the_photos_when_one_is_deleted_by_keyboard(
    visitor: Callable[..., Visitor],
) -> None:
    page = new_part(visitor(staff=True), "DEL-2")
    add_photos(page, *(photo_file(f"{one}.jpg", one) for one in COLOURS[:2]))

    for left in (1, 0):
        page.get_by_role("button", name="Delete photo 1").focus()
        page.keyboard.press("Enter")
        page.get_by_role("dialog").get_by_role("button", name="Delete photo").focus()
        page.keyboard.press("Enter")
        expect(tiles(page)).to_have_count(left)
        next_one = page.get_by_role("button", name="Delete photo 1") if left else page.locator("#chooser")
        expect(next_one).to_be_focused()


def test_two_tabs_sort_the_same_photos(visitor: Callable[..., Visitor]) -> None:
    staff = visitor(staff=True)
    one = new_part(staff, "TABS-1")
    add_photos(one, *(photo_file(f"{colour}.jpg", colour) for colour in COLOURS))
    a, b, c, d = order(one)
    other = staff.open(f"/admin/parts/{part_id(one)}")

    press_move(one, 1, "later")
    press_move(other, 4, "earlier")
    one.reload()
    assert order(one) == order(other) == [a, b, d, c]  # who came last decides, and both see it

    one.get_by_role("button", name="Delete photo 2").click()
    one.get_by_role("dialog").get_by_role("button", name="Delete photo").click()
    expect(tiles(one)).to_have_count(3)
    staff.refusals = {409}
    press_move(other, 1, "later")
    expect(other.get_by_role("alert").first).to_contain_text("Someone else changed the photos")
    assert order(other) == [a, d, c]


def test_words_and_sides_are_kept_as_soon_as_they_are_typed(visitor: Callable[..., Visitor]) -> None:
    page = new_part(visitor(staff=True), "WORDS-1")
    add_photos(page, photo_file("one.jpg"), photo_file("two.jpg", "tomato"))
    tile = tiles(page).first

    set_side(page, 1, "Top")
    expect(page.get_by_label("Top: replace the photo")).to_be_attached()  # the slots follow
    tile.locator("summary", has_text="Texts").click()
    tile.get_by_label("Caption").fill("With the new flange")
    with page.expect_response("**/labels"):
        page.keyboard.press("Tab")
    expect(tile.get_by_role("status")).to_have_text("Saved")

    page.reload()
    tile.locator("summary", has_text="Texts").click()
    expect(tile.get_by_label("Caption")).to_have_value("With the new flange")
    expect(tile.get_by_label("Angle of photo 1")).to_have_value("top")


def _file_name(body: bytes | None) -> str:
    """The file's name in a multipart body."""
    assert body is not None
    return body.partition(b'filename="')[2].partition(b'"')[0].decode()
