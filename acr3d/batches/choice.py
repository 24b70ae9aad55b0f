"""Which parts a batch is for, and what speaks against a model of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import select, union

from acr3d.db.extensions import db
from acr3d.db.models import ImportPhoto, ImportRow, Job, Part, PartImage, PhotoCheck
from acr3d.db.states import LIVE
from acr3d.jobs.service import FEWEST
from acr3d.parts.photos import images_of_parts
from acr3d.photo_checks.results import check_result
from acr3d.photo_checks.suggested import suggested

_AT_ONCE = 500


@dataclass(frozen=True)
class Looked:
    """The photos to order with by angle, doubts as sentences, and why no model can be made (or empty)."""

    selected: dict[str, str]
    doubts: list[str] = field(default_factory=list)
    problem: str = ""


def of_import(import_id: str) -> list[str]:
    """The present parts that an import made, changed or gave photos."""
    rows = select(ImportRow.part_id).where(
        ImportRow.import_id == import_id, ImportRow.part_id.is_not(None), ImportRow.part_revision > 0
    )
    photos = (
        select(PartImage.part_id)
        .join(ImportPhoto, ImportPhoto.image_id == PartImage.id)
        .where(ImportPhoto.import_id == import_id)
    )
    touched = union(rows, photos).subquery()
    present = select(Part.id).where(Part.id.in_(select(touched.c[0])), Part.deleted_at.is_(None))
    return list(db.session.scalars(present.order_by(Part.sku_key)))


def look(part: Part) -> Looked:
    """What is known of the part now, in the language in use."""
    return look_all([part])[part.id]


def look_all(parts: Sequence[Part]) -> dict[str, Looked]:
    """As `look`, by the parts' ids, in their order."""
    found: dict[str, Looked] = {}
    for start in range(0, len(parts), _AT_ONCE):
        some = parts[start : start + _AT_ONCE]
        ids = [part.id for part in some]
        images = images_of_parts(ids)
        # Held for the session, so that each part finds its own without a query.
        _checks = db.session.scalars(select(PhotoCheck).where(PhotoCheck.part_id.in_(ids))).all()
        live = set(db.session.scalars(select(Job.part_id).where(Job.part_id.in_(ids), Job.status.in_(LIVE))))
        found |= {part.id: _looked(part, images[part.id], part.id in live) for part in some}
    return found


def _looked(part: Part, images: list[PartImage], has_live_job: bool) -> Looked:
    check = check_result(part, images)
    selected = _by_angle(suggested(images, check.best))
    problem = ""
    if len(selected) < FEWEST:
        problem = _("Fewer than two of its photos say which side they show.")
    elif has_live_job:
        problem = _("A model of it is being made already.")
    doubts = [one.sentence for one in check.advice]
    if check.state == "waiting":
        doubts.insert(0, str(_("Its photos are still being checked.")))
    if part.model_3d_url:
        doubts.insert(0, str(_("It has a published model already.")))
    return Looked(selected, doubts, str(problem))


def _by_angle(images: Sequence[PartImage]) -> dict[str, str]:
    return {image.angle_label: image.id for image in images if image.angle_label}
