"""Sides by the order of a part's photos, for the photos without one: as somebody walks around the part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from acr3d.db.models import Part, PartImage
from acr3d.parts.angles import angle_name
from acr3d.parts.photos import request_check

ORDER = ("front", "right", "back", "left", "top", "bottom")


def by_order(images: Sequence[PartImage]) -> dict[str, str]:
    """By the ID of each photo without a side: the next one of ORDER that no other photo has."""
    taken = {image.angle_label for image in images}
    free = [side for side in ORDER if side not in taken]
    unlabelled = [image.id for image in images if not image.angle_label]
    return dict(zip(unlabelled, free, strict=False))


def side_names(sides: Iterable[str] = ORDER) -> str:
    """The names of these sides for people, in one line."""
    return ", ".join(map(angle_name, sides))


def label_by_order(part: Part, images: Sequence[PartImage]) -> dict[str, Any] | None:
    """Label the photos of the locked part; what was given, None if every photo has a side. Then `wake`."""
    given = by_order(images)
    if not given:
        return None
    _set(part, images, given)
    return {"after": given}


def take_back(part: Part, images: Iterable[PartImage], given: dict[str, str]) -> bool:
    """Undo `label_by_order` of the locked part; False if one of these photos is gone or labelled again."""
    labelled = [image for image in images if image.angle_label and image.angle_label == given.get(image.id)]
    if len(labelled) != len(given):
        return False
    _set(part, labelled, dict.fromkeys(given))
    return True


def _set(part: Part, images: Iterable[PartImage], sides: dict[str, Any]) -> None:
    for image in images:
        if image.id in sides:
            image.angle_label = sides[image.id]
    part.revision += 1
    request_check(part)
