"""A film over a bad connection: it goes on by itself, and the page tells what became of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.support.captures import VIDEO
from tests.support.staff import new_part
from tests.support.visits import Visitor

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.needs("spin")]

FILM = VIDEO.ljust(5_000_000, b".")  # two pieces


def test_a_film_goes_on_after_a_lost_connection_and_the_page_tells_what_became_of_it(
    visitor: Callable[..., Visitor],
) -> None:
    staff = visitor(staff=True, phone=True)
    page = new_part(staff, "SPIN-1")
    sent: list[str] = []

    def lose_the_second(route: Route) -> None:
        sent.append(route.request.headers.get("upload-offset", route.request.method))
        if len(sent) == 2:
            route.abort("connectionfailed")
        else:
            route.continue_()

    page.route("**/files/*", lose_the_second)
    page.locator("input[data-capture][capture]").set_input_files(
        {"name": "spin.mp4", "mimeType": "video/mp4", "buffer": FILM}
    )
    expect(page.locator("#capture-upload")).to_contain_text("The upload resumes automatically.")

    expect(page.locator("#captures")).to_contain_text("Cannot be used", timeout=30_000)
    expect(page.locator("#captures .notice")).to_contain_text("“spin.mp4”")
    assert sent == ["0", "4194304", "HEAD", "4194304"]
    expect(page.locator("#capture-upload")).to_be_hidden()
    expect(page.get_by_label("Film the part")).to_be_focused()
    assert staff.complaints.pop() == "console: Failed to load resource: net::ERR_CONNECTION_FAILED"
