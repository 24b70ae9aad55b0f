"""The demo parts' photos."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from acr3d.photos import sanitize
from tests.support.pictures import assert_colour

DEMO = Path(__file__).parents[2] / "demo"
DEMO_PARTS = json.loads((DEMO / "parts.json").read_text())


@pytest.mark.parametrize("part", DEMO_PARTS, ids=lambda part: part["sku"])
def test_every_demo_part_can_be_uploaded_whole(part: dict[str, Any]) -> None:
    assert part["name"]
    assert part["description"]
    assert (part["licence"], bool(part["author"])) == ("CC0-1.0", True)
    assert all(part["size_mm"][side] > 0 for side in ("width", "height", "depth"))
    assert [photo["angle"] for photo in part["photos"]] == ["front", "back", "left", "right", "top", "bottom"]
    for photo in part["photos"]:
        assert photo["alt"]
        with (DEMO / photo["file"]).open("rb") as stream:
            image = Image.open(io.BytesIO(sanitize.clean(stream).jpeg))
        assert min(image.size) >= 1000
        assert_colour(image, (0.01, 0.01), (255, 255, 255), tolerance=2)  # a plain backdrop, fit for carving


def test_the_demo_stays_small_and_lists_every_file_it_carries() -> None:
    listed = {photo["file"] for part in DEMO_PARTS for photo in part["photos"]}
    carried = {path.relative_to(DEMO).as_posix(): path.stat().st_size for path in DEMO.glob("photos/*")}
    assert listed == carried.keys()
    assert sum(carried.values()) < 3_000_000
    assert len({part["sku"].casefold() for part in DEMO_PARTS}) == len(DEMO_PARTS)
