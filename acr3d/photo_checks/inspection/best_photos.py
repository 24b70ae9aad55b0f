"""Choose the photos that should give the best model: good ones first, along as many axes as possible."""

from __future__ import annotations

from collections.abc import Collection, Mapping

# Three axes and a second view along the first say more about a shape than four views around it.
PREFERRED_ORDER = ("front", "right", "top", "back", "left", "bottom")
MAX_PHOTOS = 4
_VIEWING_AXIS = {"front": 2, "back": 2, "right": 0, "left": 0, "top": 1, "bottom": 1}


def best_photos(angles: Mapping[int, str], flawed: Collection[int]) -> list[int]:
    """At most four of the photos {index: angle}; a flawed one only if no other shows its axis."""
    ranked = sorted(angles, key=lambda index: (index in flawed, PREFERRED_ORDER.index(angles[index])))
    chosen: list[int] = []
    for index in ranked:
        if _VIEWING_AXIS[angles[index]] not in {_VIEWING_AXIS[angles[other]] for other in chosen}:
            chosen.append(index)
    for index in ranked:
        if len(chosen) < MAX_PHOTOS and index not in chosen and index not in flawed:
            chosen.append(index)
    return sorted(chosen, key=lambda index: PREFERRED_ORDER.index(angles[index]))
