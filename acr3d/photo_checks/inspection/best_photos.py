"""The photos that should make the best model: flawless ones first, and as many axes as there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

# Three axes and the other side of the first say more about a shape than four views around it.
PREFERRED_ORDER = ("front", "right", "top", "back", "left", "bottom")
MAX_PHOTOS = 4
_VIEWING_AXIS = {"front": 2, "back": 2, "right": 0, "left": 0, "top": 1, "bottom": 1}


def best_photos(angles: Mapping[int, str], flawed: Collection[int]) -> list[int]:
    """At most four of the photos {place: angle}; a flawed one only where its axis has no other."""
    ranked = sorted(angles, key=lambda place: (place in flawed, PREFERRED_ORDER.index(angles[place])))
    chosen: list[int] = []
    for place in ranked:
        if _VIEWING_AXIS[angles[place]] not in {_VIEWING_AXIS[angles[other]] for other in chosen}:
            chosen.append(place)
    for place in ranked:
        if len(chosen) < MAX_PHOTOS and place not in chosen and place not in flawed:
            chosen.append(place)
    return sorted(chosen, key=lambda place: PREFERRED_ORDER.index(angles[place]))
