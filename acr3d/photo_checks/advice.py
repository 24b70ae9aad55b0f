"""The sentences for the findings of a photo check: which photo, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _


def advice_sentence(finding: dict[str, Any], names: Sequence[str], others: Sequence[str]) -> str:
    """The sentence for one finding of the report, about the photos with these `names`.

    `others` are the photos of another swap that would explain the finding as well.
    """
    code = finding["code"]
    if code == "swapped" and others:
        return str(
            _(
                "Two photos seem to have swapped angles: %(photos)s, or %(others)s. Check the angle of each.",
                photos=_listed(names),
                others=_listed(others),
            )
        )
    if code == "cropped" and finding["sides"]:
        return str(
            _(
                "%(photo)s: the part or another object is cut off (%(where)s). Retake the photo from "
                "farther away, with only background around the part.",
                photo=names[0],
                where=_where(finding["sides"]),
            )
        )
    if code == "small":
        return str(
            _(
                "%(photo)s has only %(width)s × %(height)s pixels. Upload the original file, not a preview.",
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
        "part_small": _("%(photo)s: the part is very small. Retake the photo from closer up.", photo=one),
        "blurred": _(
            "%(photo)s is blurry. Retake it: rest the camera on something steady and tap the part to focus.",
            photo=one,
        ),
        "cropped": _(
            "%(photo)s: the part is cut off. Retake the photo from farther away, with space on all sides.",
            photo=one,
        ),
        "backdrop_busy": _(
            "%(photo)s: the background is too busy to make out the part. Retake the photo in front of "
            "a plain wall or a sheet of paper.",
            photo=one,
        ),
        "backdrop_uneven": _(
            "%(photo)s: the background is unevenly lit. Light it more evenly if you can.",
            photo=one,
        ),
        "no_part": _(
            "%(photo)s: the part does not stand out from the background. Retake the photo in front of "
            "a plain background of a different shade.",
            photo=one,
        ),
        "same_angle": _(
            "%(photos)s have the same angle. Give each photo its own angle, or delete one.",
            photos=all_of_them,
        ),
        "swapped": _(
            "%(photos)s seem to have swapped angles. Swap them, or check the angle of each.",
            photos=all_of_them,
        ),
        "turned": _(
            "%(photo)s seems to be sideways or upside down. Rotate it, or check its angle.",
            photo=one,
        ),
        "stranger": _(
            "%(photo)s does not match the other photos; it may show a different part. Check it, or "
            "retake it.",
            photo=one,
        ),
        "unlike": _(
            "%(photos)s are opposite angles but do not mirror each other. Check that both show this "
            "part, and check their angles.",
            photos=all_of_them,
        ),
        "contradicts": _(
            "%(photos)s: the widths, heights and depths do not match. Check that all photos show this "
            "part, and check their angles.",
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
