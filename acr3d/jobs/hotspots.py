"""Points of a model that an admin marks with a number, a title and a text."""

from __future__ import annotations

import math

from flask_babel import gettext as _

from acr3d.db.models import ModelVersion
from acr3d.db.session import transaction
from acr3d.errors import InvalidInput, Missing
from acr3d.foreign import one_line, storable
from acr3d.jobs import queries

MOST = 12
TITLE_LENGTH, TEXT_LENGTH = 60, 300
_MOST_METRES = 1_000
_DIGITS = 5  # hundredths of a millimetre


def add(version_id: str, title: str, text: str, position: str, normal: str) -> ModelVersion:
    """Mark a point of the model; `position` and `normal` are three numbers each, as the viewer gives them.

    Raises Missing or InvalidInput.
    """
    spot = {
        "title": one_line(storable(title), TITLE_LENGTH).strip(),
        "text": one_line(storable(text), TEXT_LENGTH).strip(),
        "position": _vector(position),
        "normal": _vector(normal),
    }
    if not spot["title"]:
        raise InvalidInput(_("A hotspot needs a title."))
    job_id = queries.version_by_id(version_id).job_id
    with transaction() as session:
        queries.locked_job(session, job_id)
        version = queries.version_by_id(version_id)
        if len(version.hotspots) >= MOST:
            raise InvalidInput(_("A model has at most %(n)s hotspots. Remove one first.", n=MOST))
        version.hotspots = [*version.hotspots, spot]
    return version


def remove(version_id: str, number: int) -> ModelVersion:
    """Remove the hotspot with this number, from 1; the ones behind it move up. Raises Missing."""
    job_id = queries.version_by_id(version_id).job_id
    with transaction() as session:
        queries.locked_job(session, job_id)
        version = queries.version_by_id(version_id)
        if not 1 <= number <= len(version.hotspots):
            raise Missing(_("There is no such hotspot. It may have been removed."))
        version.hotspots = [spot for at, spot in enumerate(version.hotspots, start=1) if at != number]
    return version


def _vector(text: str) -> list[float]:
    try:
        numbers = [float(word.removesuffix("m")) for word in text.split()]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or not all(math.isfinite(one) and abs(one) < _MOST_METRES for one in numbers):
        raise InvalidInput(_("Choose a point of the model first."))
    return [round(one, _DIGITS) for one in numbers]
