"""The angles: the sides of a part that a photo can show, and the axis each is seen along."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _

from acr3d.db.models import ANGLES

_VIEWING_AXIS = {
    "front": "depth",
    "back": "depth",
    "left": "width",
    "right": "width",
    "top": "height",
    "bottom": "height",
}


def viewing_axes(angles: Iterable[str]) -> set[str]:
    """The part's axes (width, height, depth) that photos from these sides look along."""
    return {_VIEWING_AXIS[angle] for angle in angles}


def guess_sentence(axis: str) -> str:
    """What it means for a model that all its photos look along this axis, and what to do."""
    sentences = {
        "width": _(
            "These photos look along the part's width only, so its width will be a guess. Add a photo from "
            "the front, back, top or bottom."
        ),
        "height": _(
            "These photos look along the part's height only, so its height will be a guess. Add a photo "
            "from the front, back, left or right."
        ),
        "depth": _(
            "These photos look along the part's depth only, so its depth will be a guess. Add a photo from "
            "the left, right, top or bottom."
        ),
    }
    return str(sentences[axis])


def angles() -> list[tuple[str, str]]:
    """Every side with its name."""
    return [(angle, angle_name(angle)) for angle in ANGLES]


def angle_name(angle: str | None) -> str:
    """The name of a side for people."""
    names = {
        "front": _("Front"),
        "back": _("Back"),
        "left": _("Left"),
        "right": _("Right"),
        "top": _("Top"),
        "bottom": _("Bottom"),
    }
    return names[angle] if angle else ""
