"""The system's Chromium, driven by Playwright, with WebGL drawn on the processor.

    with chromium() as browser:
        page = browser.new_page()

Playwright's own defaults already turn off Chromium's talk with the outside (component updates, sync, …).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserType, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--use-angle=swiftshader",  # WebGL 2 without a graphics card; the quickest of the ways tried
    "--ignore-gpu-blocklist",
    "--disable-quic",
)


def chromium_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def chromium_missing() -> str | None:
    """Why the tests have no browser, as a sentence; None when they have one."""
    return None if chromium_path() else f"None of {', '.join(NAMES)} is installed."


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; each test takes a context or page of its own from it."""
    with sync_playwright() as playwright, launched(playwright.chromium) as browser:
        yield browser


@contextlib.contextmanager
def launched(kind: BrowserType, *flags: str) -> Iterator[Browser]:
    """A browser of its own, with further flags."""
    browser = kind.launch(
        executable_path=chromium_path(),
        args=[*FLAGS, *flags],
        chromium_sandbox=os.geteuid() != 0,  # Chromium's sandbox does not work for root
    )
    try:
        yield browser
    finally:
        browser.close()
