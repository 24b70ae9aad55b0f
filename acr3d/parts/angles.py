"""The names of the angles, the sides of a part that a photo can show."""

from __future__ import annotations

from flask_babel import gettext as _

from acr3d.db.models import ANGLES


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
