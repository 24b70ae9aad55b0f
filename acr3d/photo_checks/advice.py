"""The sentences for the findings of a photo check: which photo, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from acr3d.outlines.finding import BROKEN, NO_MEMORY
from acr3d.parts.angles import guess_sentence


def advice_sentence(finding: dict[str, Any], names: Sequence[str], others: Sequence[str]) -> str:
    """The sentence for one finding of the report, about the photos with these `names`.

    `others` are the photos of another swap that would explain the finding as well.
    """
    code = finding["code"]
    if code == "swapped" and others:
        return str(
            _(
                "Two photos seem to have swapped angles: %(photos)s, or %(others)s. Check the angle of each.",
                photos=listed(names),
                others=listed(others),
            )
        )
    if code == "cropped":
        return str(
            _(
                "%(photo)s: the part runs out of the picture (%(where)s). Retake it with the whole part in "
                "the picture and space on all sides.",
                photo=names[0],
                where=_where(finding["sides"]),
            )
        )
    if code == "one_axis":
        return guess_sentence(finding["axis"])
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
    one, all_of_them = names[0], listed(names)
    sentences = {
        "unreadable": _("%(photo)s cannot be read. Upload it again.", photo=one),
        "part_small": _("%(photo)s: the part is very small. Retake the photo from closer up.", photo=one),
        "blurred": _(
            "%(photo)s is blurry. Retake it: rest the camera on something steady and tap the part to focus.",
            photo=one,
        ),
        "backdrop_busy": _(
            "%(photo)s: the background is too busy to make out the part. Retake the photo in front of "
            "a plain wall or a sheet of paper.",
            photo=one,
        ),
        "several_parts": _(
            "%(photo)s shows several parts. Retake the photo with this part alone.",
            photo=one,
        ),
        "scattered": _(
            "%(photo)s shows text or many small things. Replace it by a photo of the part.",
            photo=one,
        ),
        "person": _(
            "%(photo)s shows a person. Replace it by a photo of the part alone.",
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
        "exchanged": _(
            "Are left and right exchanged? %(photos)s fit the other photos better the other way round. Left "
            "and right are as you look at the front.",
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


def listed(names: Sequence[str]) -> str:
    """The names with “and” before the last; empty if there are none."""
    if not names:
        return ""
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


def left_out_name(word: str) -> str:
    """What an outline leaves out, for people."""
    names = {"shadow": _("a shadow"), "hand": _("a hand"), "object": _("another object")}
    return str(names[word])


def network_note(problem: str | None) -> str | None:
    """Why the outlines were found by colour alone, though a learned cut-out is installed."""
    notes = {
        NO_MEMORY: _(
            "The outlines were found by colour alone, because this server has too little free memory for the "
            "learned cut-out. Take photos in front of a plain background."
        ),
        BROKEN: _(
            "The outlines were found by colour alone, because the learned cut-out does not run on this "
            "server (see its log). Take photos in front of a plain background."
        ),
    }
    return str(notes[problem]) if problem in notes else None
