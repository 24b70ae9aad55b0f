"""The sentences for what a check found in photos: which photo, what is wrong, what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _


def advice_sentence(finding: dict[str, Any], names: Sequence[str], others: Sequence[str]) -> str:
    """The sentence for one finding of the report about the photos of these `names`.

    `others` are those of a swap that would explain the same.
    """
    code = finding["code"]
    if code == "swapped" and others:
        return str(
            _(
                "Two photos seem to have their sides mixed up: %(photos)s, or else %(others)s. "
                "Check which photo shows which side.",
                photos=_listed(names),
                others=_listed(others),
            )
        )
    if code == "cropped" and finding["sides"]:
        return str(
            _(
                "%(photo)s: the part, or something else, runs out of the picture (%(where)s). "
                "Take it again from farther away, with nothing but backdrop on all sides.",
                photo=names[0],
                where=_where(finding["sides"]),
            )
        )
    if code == "small":
        return str(
            _(
                "%(photo)s has only %(width)s × %(height)s pixels. "
                "Upload it in its original size, not a preview of it.",
                photo=names[0],
                width=finding["width"],
                height=finding["height"],
            )
        )
    return _plain(code, names)


def _plain(code: str, names: Sequence[str]) -> str:
    """The sentences that name photos only."""
    one, all_of_them = names[0], _listed(names)
    sentences = {
        "unreadable": _("%(photo)s cannot be read. Upload it again.", photo=one),
        "part_small": _("%(photo)s: the part is very small in it. Take it again from closer.", photo=one),
        "blurred": _(
            "%(photo)s is blurred. Take it again: rest the camera on something, and tap the part to focus.",
            photo=one,
        ),
        "cropped": _(
            "%(photo)s: the part is cut off. Take it again from farther away, with room on all sides.",
            photo=one,
        ),
        "backdrop_busy": _(
            "%(photo)s: the backdrop is too busy to tell the part from it. "
            "Take it again before a plain wall or a sheet of paper.",
            photo=one,
        ),
        "backdrop_uneven": _(
            "%(photo)s: the backdrop is much brighter in one place than in another. "
            "Light it more evenly if you can.",
            photo=one,
        ),
        "no_part": _(
            "%(photo)s: no part stands out from the backdrop. "
            "Take it again before a plain backdrop of another tone.",
            photo=one,
        ),
        "same_angle": _(
            "%(photos)s carry the same side. Give each photo its own side, or delete one.",
            photos=all_of_them,
        ),
        "swapped": _(
            "%(photos)s seem to have their sides mixed up. Swap the two, or check which shows which side.",
            photos=all_of_them,
        ),
        "turned": _(
            "%(photo)s seems to lie on its side or upside down. Turn it, or check which side it shows.",
            photo=one,
        ),
        "stranger": _(
            "%(photo)s does not fit the others; it may show another part. Check it, or take it again.",
            photo=one,
        ),
        "unlike": _(
            "%(photos)s show opposite sides but do not mirror each other. "
            "Check that both show this part, and which sides.",
            photos=all_of_them,
        ),
        "contradicts": _(
            "%(photos)s: their widths, heights and depths do not agree. "
            "Check that all photos show this part, and which sides.",
            photos=all_of_them,
        ),
    }
    return str(sentences[code])


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return str(_("%(several)s and %(last)s", several=", ".join(most), last=last)) if most else last


def _where(sides: Sequence[str]) -> str:
    words = {
        "top": _("at the top"),
        "bottom": _("at the bottom"),
        "left": _("on the left"),
        "right": _("on the right"),
    }
    return ", ".join(str(words[side]) for side in sides)
