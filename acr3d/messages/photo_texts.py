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
    "photo.heic_too_many_pixels": N_(
        "The picture is %(width)s × %(height)s pixels, more than the %(most)s megapixels allowed for "
        "%(kind)s, so it was not added to the part. Set the phone to fewer pixels or to JPEG (iPhone: "
        "Settings › Camera › Formats › Most Compatible; Samsung: Camera › Settings › Advanced picture "
        "options), or save the photo smaller, and upload that."
    ),
    "photo.kind_progressive": N_("progressive JPEG"),
    "photo.kind_deep_heic": N_("HEIC of this depth and colour"),
    "photo.not_a_photo": N_(
        "This is not a %(formats)s or %(last)s picture, even if its name says so, so it was not added to the "
        "part. Save the photo as JPEG and upload that."
    ),
    "photo.animated": N_(
        "This %(kind)s file is an animation, but parts are shown and modelled from still photos, so it was "
        "not added. Save one of its pictures as JPEG or PNG and upload that."
    ),
    "photo.several_pages": N_(
        "This %(format)s file has several pages, so it is not clear which one is the photo, and it was not "
        "added to the part. Save the right page as JPEG and upload that."
    ),
    "photo.damaged": N_(
        "The picture is damaged or cut off and cannot be read to the end, so it was not added to the part. "
        "Copy it from the camera or phone once more and upload it again."
    ),
    "photo.too_many_scans": N_(
        "This progressive JPEG holds its picture in %(scans)s scans, more than the %(most)s allowed, so it "
        "was not added to the part. Save it as an ordinary JPEG and upload that."
    ),
    "photo.too_costly": N_(
        "Reading this picture takes more time or memory than a photo may need, so it was stopped and not "
        "added to the part. Save it as an ordinary JPEG and upload that."
    ),
    "photo.decoder_failed": N_(
        "The program that reads such pictures failed at this one, so it was not added to the part. Save it "
        "as an ordinary JPEG and upload that; if that fails too, the server log says more."
    ),
    "photo.busy": N_(
        "Too many photos are being read right now, so this one was not added to the part. Nothing is wrong "
        "with it: upload it again in a minute."
    ),
    "photo.unusual_jpeg": N_(
        "This JPEG is %(kind)s, and neither browsers nor acr3d can read that, so it was not added to the "
        "part. Export it as an ordinary JPEG (8 bits, baseline or progressive) and upload that."
    ),
    "photo.kind_twelve_bit": N_("12-bit"),
    "photo.kind_lossless": N_("lossless"),
    "photo.kind_hierarchical": N_("hierarchical"),
    "photo.kind_arithmetic": N_("arithmetically coded"),
    "photo.unusual_pixels": N_(
        "This %(format)s file holds numbers of 32 bits or Lab colours instead of a picture for the screen, "
        "so it was not added to the part. Export it as JPEG or with 8 bits in RGB and upload that."
    ),
    "photo.raw": N_(
        "This is a %(maker)s raw file (%(name)s), which holds the sensor's data and no finished picture, "
        "so it was not added to the part. Export it as JPEG and upload that."
    ),
    "photo.raw_of_any_camera": N_(
        "This is a camera's raw file (%(name)s), which holds the sensor's data and no finished picture, so "
        "it was not added to the part. Export it as JPEG and upload that."
    ),
    "photo.document": N_(
        "This is a document (%(name)s), so it was not added to the part. If the photo is in it, save that "
        "picture as JPEG and upload that."
    ),
    "photo.archive": N_(
        "This is an archive (%(name)s), so it was not added to the part. Unpack it and upload the photos "
        "that are in it."
    ),
    "photo.drawing": N_(
        "This is a drawing or a model (%(name)s) and no photo, so it was not added to the part. Upload "
        "photos of the part itself."
    ),
    "photo.web_page": N_(
        "This is a web page (%(name)s) and no picture, even if its name says so, so it was not added to "
        "the part. Open the page, save the picture on it and upload that."
    ),
    "photo.video": N_(
        "This is a video (%(name)s), but parts are shown and modelled from still photos, so it was not "
        "added. Save a still picture of it as JPEG, or take photos, and upload those."
    ),
    "photo.other_picture": N_(
        "This is a picture in the format %(name)s, which acr3d cannot read, so it was not added to the "
        "part. Save it as JPEG and upload that."
    ),
}
