"""Pictures of a model from all sides, drawn by three.js in headless Chromium."""

from __future__ import annotations

import base64
import contextlib
import io
import math
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from bench.fidelity.compare import Picture
from tests.support.browser import chromium
from tests.support.requirements import NODE_MODULES

VIEWS = 24
_ORIGIN = "http://bench.invalid"
_PAGES = Path(__file__).parent


def directions(count: int) -> list[list[float]]:
    """Points spread evenly over a sphere (a Fibonacci spiral)."""
    golden = math.pi * (3 - math.sqrt(5))
    heights = [1 - 2 * (at + 0.5) / count for at in range(count)]
    rings = [math.sqrt(1 - y * y) for y in heights]
    return [
        [ring * math.cos(golden * at), y, ring * math.sin(golden * at)]
        for at, (y, ring) in enumerate(zip(heights, rings, strict=True))
    ]


class Studio:
    """Draws models one after the other, all framed as the first was."""

    def __init__(self, page: Page, views: int) -> None:
        self._page, self._directions = page, directions(views)
        self._frame: tuple[list[float], float] | None = None

    def pictures(self, model: Path) -> Iterator[Picture]:
        """RGBA pictures, 1024 × 1024, one for each direction."""
        box = self._page.evaluate("path => window.load(path)", f"/model{model.resolve()}")
        self._frame = self._frame or _sphere_around(box)
        for direction in self._directions:
            url = self._page.evaluate("given => window.view(...given)", [direction, *self._frame])
            yield np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def _sphere_around(box: dict[str, Any]) -> tuple[list[float], float]:
    low, high = np.array(box["low"]), np.array(box["high"])
    return ((low + high) / 2).tolist(), float(np.linalg.norm(high - low) / 2)


@contextlib.contextmanager
def studio(views: int = VIEWS) -> Iterator[Studio]:
    """A Studio in a browser that gets everything from this machine."""
    with chromium() as browser:
        yield Studio(open_page(browser, "page.html"), views)


def open_page(browser: Browser, name: str) -> Page:
    """One of the pages beside this file, ready; its `load` takes any file as `/model` and its path."""
    page = browser.new_page()
    page.route("**/*", _answer)
    page.goto(f"{_ORIGIN}/{name}")
    page.wait_for_function("window.ready === true", timeout=60_000)
    return page


def _answer(route: Route) -> None:
    path = route.request.url.removeprefix(_ORIGIN)
    if path.startswith("/model"):
        file = Path(path.removeprefix("/model"))
    elif path.startswith(("/three/", "/@google/")):
        file = NODE_MODULES / path[1:]
    else:
        file = _PAGES / path[1:]
        if not file.is_file():
            route.abort()
            return
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    route.fulfill(body=file.read_bytes(), content_type=kind)
