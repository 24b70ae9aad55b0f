"""The best frames of a capture as the part's photos, for engines that take photos."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from math import atan2, degrees, hypot
from typing import Any

from flask_babel import gettext as _

from acr3d.captures.captures import blobs_of, by_id
from acr3d.db.models import PartImage
from acr3d.db.states import CaptureState
from acr3d.errors import Conflict
from acr3d.foreign import Facts, number
from acr3d.parts.conversion import converted_all, taken
from acr3d.parts.photos import add_photos, images_of, set_angles
from acr3d.storage.blobs import storage

MOST = 4
_OFF_AXIS = 20.0
"""Degrees by which a frame may look past an axis and still show that side; engines take no more as level."""
_SIDES = {0.0: "right", 90.0: "back", 180.0: "left", 270.0: "front"}  # where the camera is, on the sheet


def add(capture_id: str) -> list[PartImage]:
    """Add the frames that show most to the part's photos, with a side where they look along an axis.

    Raises Missing, Conflict, InvalidInput when there is no room for them, and PhotoRefused.
    """
    capture = by_id(capture_id)
    if capture.state != CaptureState.READY:
        raise Conflict(_("The capture is not ready. Wait until it is read, or film the part again."))
    frames = {f"{one.number:03}.jpg": one for one in blobs_of(capture_id, "frame")}
    best = [name for name in Facts(capture.report).texts("best") if name in frames][:MOST]
    with ExitStack() as stack:
        files = [stack.enter_context(storage().open(frames[name].storage_path)) for name in best]
        photos = [taken(one) for one in converted_all(files)]
    present = images_of(capture.part_id)
    if {photo.sha256 for photo in photos} & {image.sha256 for image in present}:
        raise Conflict(_("These frames are among the part's photos already."))
    sides = _sides(capture_id)
    added = add_photos(capture.part_id, photos)
    taken_sides = {image.angle_label for image in present}
    angles: dict[str, str] = {}
    for image, name in zip(added, best, strict=True):
        side = sides.get(name)
        if side and side not in taken_sides | set(angles.values()):
            angles[image.id] = side
    if angles:
        set_angles(capture.part_id, angles)
    return added


def _sides(capture_id: str) -> dict[str, str]:
    """The side that each frame shows, of those that look along an axis."""
    [cameras] = blobs_of(capture_id, "cameras")
    with storage().open(cameras.storage_path) as file:
        facts = Facts(json.load(file))
    return {Facts(raw).text("file"): side for raw in facts.objects("frames") if (side := _side(raw))}


def _side(raw: Mapping[str, Any]) -> str | None:
    """The camera's place on the sheet, −Rᵀt (see `acr3d.spin.camera`)."""
    try:
        rotation, shift = raw["rotation"], raw["shift"]
        x, y, z = (-sum(rotation[row][axis] * shift[row] for row in range(3)) for axis in range(3))
    except (KeyError, IndexError, TypeError):
        return None
    if any(number(value) is None for value in (x, y, z)):
        return None
    elevation, azimuth = degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x)) % 360
    if elevation > 90 - _OFF_AXIS:
        return "top"
    if abs(elevation) > _OFF_AXIS:
        return None
    near = {abs((azimuth - at + 180) % 360 - 180): side for at, side in _SIDES.items()}
    return near[min(near)] if min(near) <= _OFF_AXIS else None
