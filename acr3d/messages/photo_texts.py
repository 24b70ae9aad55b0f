"""Why an upload is not taken: what happened, what it means for the part, what to do next."""

from __future__ import annotations

from acr3d.messages.marker import N_

PHOTO_TEXTS = {
    "photo.named": "%(name)s: %(reason)s",
    "photo.empty": N_(
        "The file is empty, so there is no photo to add to the part. "
        "Choose it again; if it is in a cloud folder, wait until it has been downloaded."
    ),
    "photo.file_too_large": N_(
        "The file has %(megabytes)s MB, more than the %(most)s MB allowed, so it was not added to the part. "
        "Save the photo as JPEG or in a smaller size and upload that."
    ),
    "photo.too_small": N_(
        "The picture is %(width)s × %(height)s pixels, too small to show a part (at least %(least)s on each "
        "side), so it was not added. Upload the photo in its original size, not a preview of it."
    ),
    "photo.too_narrow": N_(
        "The picture is %(width)s × %(height)s pixels, more than %(most)s times as long as it is wide, so it "
        "was not added: scaled down, it would show nothing of the part. Leave more room around the part when "
        "you crop."
    ),
    "photo.too_many_pixels": N_(
        "The picture is %(width)s × %(height)s pixels, more than the %(most)s megapixels allowed for "
        "%(kind)s, so it was not added to the part. Save it smaller (4000 pixels on the long side are "
        "plenty) and upload that."
    ),
    "photo.size_unknown": N_(
        "The picture has more than the %(most)s megapixels allowed for %(kind)s, so it was not added to the "
        "part. Save it smaller (4000 pixels on the long side are plenty) and upload that."
    ),
    "photo.kind_progressive": N_("progressive JPEG"),
    "photo.kind_deep_heic": N_("HEIC of this depth and colour"),
    "photo.not_a_photo": N_(
        "This is not a %(formats)s or %(last)s picture, even if its name says so, so it was not added to the "
        "part. Save the photo as JPEG and upload that."
    ),
    "photo.animated": N_(
        "This file is an animation, but parts are shown and modelled from still photos, so it was not added. "
        "Save one of its pictures as JPEG or PNG and upload that."
    ),
    "photo.damaged": N_(
        "The picture is damaged or cut off and cannot be read to the end, so it was not added to the part. "
        "Copy it from the camera or phone once more and upload it again."
    ),
}
