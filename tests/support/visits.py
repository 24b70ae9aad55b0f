"""A person at a browser: a page that remembers everything the browser complained of."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.support.site import EMAIL, PASSWORD, Site

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 "
    "Mobile Safari/537.36"
)
SHORT, LONG = 30_000, 150_000
"""Milliseconds: for what happens at once, and for a whole model: on a busy machine that draws in software."""

expect.set_options(timeout=SHORT)


def ask_for_3d(page: Page) -> None:
    """Ask for the live model by keyboard: a mouse on its way to the button may start it before the click."""
    page.get_by_role("button", name="View in 3D").press("Enter")


def view_in_3d(page: Page) -> None:
    """Ask for the live model, and wait until it is there."""
    ask_for_3d(page)
    expect(page.locator(".viewer")).to_have_attribute("data-state", "shown", timeout=LONG)


class Visitor:
    """One browser profile. `refusals` are the statuses that the test provokes; all else is a complaint."""

    def __init__(
        self,
        browser: Browser,
        site: Site,
        *,
        phone: bool = False,
        scripts: bool = True,
        android: bool = False,
        reduced_motion: bool = False,
    ) -> None:
        self.site = site
        self.complaints: list[str] = []
        self.refusals: set[int] = set()
        self.context: BrowserContext = browser.new_context(
            base_url=site.url,
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
            has_touch=phone,
            is_mobile=phone,
            java_script_enabled=scripts,
            locale="en-GB",
            user_agent=ANDROID if android else None,
            reduced_motion="reduce" if reduced_motion else None,
        )
        self.context.set_default_timeout(SHORT)

    def open(self, path: str) -> Page:
        """A new tab."""
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._look)
        page.goto(path)
        return page

    def sign_in(self) -> None:
        page = self.open("/login")
        page.get_by_label("Email address").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Overview").wait_for()
        page.close()

    def leave(self) -> None:
        """Close everything; fails when the browser had anything to complain of."""
        self.context.close()
        assert not self.complaints, self.complaints

    def _hear(self, message: ConsoleMessage) -> None:
        refused = re.search(r"status of (\d{3})", message.text)
        if refused and int(refused[1]) in self.refusals:
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(f"console: {message.text}")

    def _look(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and f"{parts.scheme}://{parts.netloc}" != self.site.url:
            self.complaints.append(f"foreign: {request.url}")
