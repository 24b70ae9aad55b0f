"""Why photos do not become a model, and why a model file is refused: what children say."""

from __future__ import annotations

from acr3d.messages.marker import N_

MODEL_TEXTS = {
    "angle.front": N_("front"),
    "angle.back": N_("back"),
    "angle.left": N_("left"),
    "angle.right": N_("right"),
    "angle.top": N_("top"),
    "angle.bottom": N_("bottom"),
    "edge.top": N_("at the top"),
    "edge.bottom": N_("at the bottom"),
    "edge.left": N_("on the left"),
    "edge.right": N_("on the right"),
    "enumeration": "%(first)s, %(next)s",
    # Carving. `angle` is the side that a photo shows.
    "carving.no_backdrop": N_(
        "The %(angle)s photo has no plain backdrop around the part, so the part cannot be separated from it. "
        "Take it again in front of a plain wall or sheet, with some space on all sides."
    ),
    "carving.no_object": N_(
        "No part was found in the %(angle)s photo: nothing in it stands out from the backdrop. "
        "Take it again in front of a plain backdrop that is clearly lighter or darker than the part."
    ),
    "carving.cropped": N_(
        "The part is cut off in the %(angle)s photo (%(edges)s), so its shape cannot be measured. "
        "Take it again with the whole part in the picture and some backdrop on all sides."
    ),
    "carving.contradiction": N_(
        "The photos do not match: no solid has all these outlines. "
        "Check that each photo has the right label and shows the same part the same way up."
    ),
    "carving.contradicting_photo": N_(
        "The %(angle)s photo does not match the others: no solid has all these outlines. Check that it has "
        "the right label, shows the same part, and is the right way up as seen from the %(angle)s."
    ),
    "carving.contradicting_pair": N_(
        "The %(one)s and %(other)s photos do not match: from opposite sides, a part's outlines are mirror "
        "images of each other. Check that both have the right label and show the same part. If they do, "
        "take them again from farther away."
    ),
    # What was doubtful about a model that was made nevertheless.
    "carving.doubt_turned": N_(
        "The %(angle)s photo was turned by %(degrees)s° counter-clockwise, because it then fits the others."
    ),
    "carving.doubt_left_out": N_(
        "The %(angle)s photo was left out, because all others fit each other without it."
    ),
    "carving.doubt_exchanged": N_(
        "The photos fit each other better with left and right exchanged. "
        "Check these labels: left is what you see on your left while you look at the front."
    ),
    "carving.unreadable": N_("The %(angle)s photo is not a readable JPEG or PNG. Upload it again."),
    "carving.bad_size": N_(
        "The %(angle)s photo is %(width)s × %(height)s pixels. It must be at least %(least)s pixels on each "
        "side and at most %(most)s megapixels. Upload it in another size or take a new one."
    ),
    "carving.too_many_pieces": N_(
        "The model's surface has too many small pieces for one texture. "
        "Generate it again with fewer triangles."
    ),
    "carving.interrupted": N_(
        "The work on this model was interrupted %(n)s times. Try other or smaller photos."
    ),
    # Model files. `what` names a glTF field and what is wrong with it, in English.
    "model_file.not_glb": N_("This is not a GLB file. Export the model as binary glTF (.glb)."),
    "model_file.old_version": N_("This is a GLB file of version %(version)s. Export the model as glTF 2.0."),
    "model_file.incomplete": N_(
        "The model file is incomplete: %(place)s refers to another file (%(uri)s). "
        "Export the model as one GLB file with everything included."
    ),
    "model_file.empty": N_("The model file contains no shapes. Generate or export the model again."),
    "model_file.damaged": N_(
        "The model file is damaged: %(what)s. It cannot be displayed. Generate or export the model again."
    ),
    "model_file.too_large": N_("The model file is too large: %(what)s. Generate or export a simpler model."),
    "model_file.unsupported": N_(
        "The model file uses a feature that browsers do not support: %(what)s. Export the model without it."
    ),
    "model_file.too_much_memory": N_(
        "The model file needs too much memory. Generate or export a simpler model."
    ),
    "model_file.too_slow": N_(
        "The model file takes too long to process. It may be damaged. Generate or export the model again."
    ),
}
