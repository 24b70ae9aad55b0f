"""What people are told about a spin capture: why it cannot be used, and what would make it better."""

from __future__ import annotations

from acr3d.messages.marker import N_

SPIN_TEXTS = {
    # A file cannot be read.
    "spin.not_a_video": N_(
        "“%(name)s” is not a video that can be read. Film in MP4, MOV or WebM (H.264, HEVC, VP9 or AV1)."
    ),
    "spin.video_broken": N_(
        "“%(name)s” is cut off or damaged: no picture in it can be read. Upload it again, or film again."
    ),
    "spin.video_too_large": N_(
        "“%(name)s” has %(width)s × %(height)s pixels, which is more than can be read. Film in 4K or 1080p."
    ),
    "spin.video_too_long": N_(
        "“%(name)s” lasts %(seconds)s seconds; at its size and frame rate, %(most)s can be read. Film two "
        "laps of about twenty seconds, in 1080p and without slow motion."
    ),
    "spin.photo_broken": N_("“%(name)s” is not a photo that can be read. Upload it again, or leave it out."),
    "spin.no_frames": N_("The capture holds no pictures. Film the part again."),
    # The capture cannot be used.
    "spin.no_sheet": N_(
        "The capture sheet cannot be seen, or is too blurred. Print it at 100 %%, lay the part in its blank "
        "middle, keep the whole sheet in the picture, and walk slowly in bright light."
    ),
    "spin.wrong_sheet": N_(
        "The markers are not those of the capture sheet. Print acr3d's own sheet at 100 %% and film the part "
        "on it."
    ),
    "spin.two_sheets": N_(
        "Both the A4 and the A3 sheet are in the pictures. Use one sheet, and take the other away."
    ),
    "spin.sheet_covered": N_(
        "Too few of the sheet's markers can be seen in most pictures. Lay the part in the blank middle (a "
        "large part on the A3 sheet), clear the markers, and keep the whole sheet in the picture."
    ),
    "spin.blurred": N_(
        "Nearly all pictures are blurred: %(sharp)s of %(n)s can be used. Film in brighter light, and walk "
        "more slowly."
    ),
    "spin.too_few": N_(
        "Sharp pictures of the sheet: %(n)s; at least %(fewest)s from all around are needed. "
        "Film again, all the way round."
    ),
    "spin.no_one_lens": N_(
        "The markers do not fit one flat sheet and one lens. Lay the sheet flat, film with one lens without "
        "zoom, and switch off the stabilization of pictures if it is strong."
    ),
    "spin.part_of_the_way": N_(
        "The pictures show the part from %(percent)s %% of the way round. Film again, and walk all the way "
        "round."
    ),
    "spin.nothing_on_sheet": N_(
        "No part can be seen on the sheet. Lay the part in its blank middle, and film again."
    ),
    "spin.runs_out": N_(
        "The part runs out of most pictures. Step back until the whole part and the sheet are in the "
        "picture, and film again."
    ),
    "spin.outlines_disagree": N_(
        "The part's outlines do not fit one solid. It may have been moved while it was filmed, or hardly "
        "stands out from the sheet and the table. Film again on a table of another colour, without touching "
        "part or sheet."
    ),
    "spin.too_ragged": N_(
        "The part's outlines are too ragged for a clean model. Film again in even, brighter light."
    ),
    # What would make it better.
    "spin.file_cut_off": N_(
        "“%(name)s” breaks off early; what could be read of it is used. If something is missing, upload it "
        "again."
    ),
    "spin.photo_left_out": N_("“%(name)s” cannot be read and is left out."),
    "spin.odd_size": N_(
        "Pictures left out: %(n)s. Their size is not that of the others, and a lens is known from at least "
        "%(fewest)s pictures."
    ),
    "spin.gap": N_("A stretch of the walk is missing: %(percent)s %% of the way round is covered."),
    "spin.one_lap": N_(
        "Only one lap was found. A second one, higher or lower than the first, shows what this one hides."
    ),
    "spin.not_from_above": N_(
        "No picture looks down on the part, so a flat top may come out domed. End the walk with a look from "
        "above."
    ),
    "spin.many_blurred": N_(
        "%(blurred)s of %(n)s pictures are blurred and were left out. Walk more slowly, or in brighter light."
    ),
    "spin.part_cut_off": N_(
        "In %(n)s pictures the middle of the sheet runs out of the picture. Step back, so that the whole "
        "part is in it."
    ),
    "spin.trust_the_print": N_("Sizes depend on the print: the line on the sheet must be 100 mm long."),
}
