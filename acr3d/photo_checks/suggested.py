"""Which of a part's photos make the best model."""

from __future__ import annotations

from collections.abc import Sequence

from acr3d.db.models import PartImage
from acr3d.photo_checks.inspection.best_photos import best_photos


def suggested(images: Sequence[PartImage], best: Sequence[PartImage] = ()) -> list[PartImage]:
    """Those that the photo check found `best`, else by their labels: the first of each angle, at most four
    along as many axes as there are.
    """
    if len(best) > 1:
        return list(best)
    first: dict[str, PartImage] = {}
    for image in images:
        if image.angle_label and image.storage_path:
            first.setdefault(image.angle_label, image)
    order = list(first)
    return [first[order[place]] for place in best_photos(dict(enumerate(order)), ())]
