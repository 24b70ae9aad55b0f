"""An outline that was found before the inspection, as the parent process describes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acr3d.carving.photo_input import read_mask
from acr3d.outlines.extraction.find_outline import Outline


@dataclass(frozen=True)
class KnownOutline:
    """`by_colour`: nothing but the backdrop's colour told the part from it."""

    outline: Outline
    by_colour: bool = True


def read_known(described: dict[str, Any] | None) -> KnownOutline | None:
    """The outline in the form that `__main__` takes, its mask read."""
    if described is None:
        return None
    mask = read_mask(Path(described["mask"])) if described["mask"] else None
    marks = described.get("marks", [])  # outlines of earlier versions have none
    outline = Outline(mask, described["refusal"], described["sides"], described["left_out"], marks)
    return KnownOutline(outline, described["by_colour"])
