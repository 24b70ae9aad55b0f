"""Why no outline of the part could be taken from a photo. `side` is the name of the side that it shows."""

from __future__ import annotations

from acr3d.messages.marker import N_

OUTLINE_TEXTS = {
    "outline.no_backdrop": N_(
        "Photo “%(side)s”: the part cannot be told from what is behind it. Retake it in front of a plain "
        "wall or sheet of paper."
    ),
    "outline.no_part": N_(
        "Photo “%(side)s”: no part stands out. Retake it in front of a plain background of a different shade."
    ),
    "outline.several_parts": N_("Photo “%(side)s” shows several parts. Retake it with this part alone."),
    "outline.scattered": N_(
        "Photo “%(side)s” shows text or many small things. Replace it by a photo of the part."
    ),
    "outline.person": N_("Photo “%(side)s” shows a person. Replace it by a photo of the part alone."),
    "outline.cropped": N_(
        "Photo “%(side)s”: the part runs out of the picture. Retake it with the whole part in the picture "
        "and space on all sides."
    ),
    "outline.unreadable": N_("Photo “%(side)s” cannot be read. Upload it again."),
    "outline.nothing_ordered": N_("%(reasons)s Nothing was ordered."),
    # Why an order waits.
    "outline.waits": N_("Waiting: the part is being looked for in the photos."),
}
