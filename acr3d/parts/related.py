"""Parts to look at beside one: for the same vehicles, else behind it in its category."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, and_, literal, or_, select

from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion, Part, PartFitment, PartImage, PartSearch
from acr3d.db.states import VersionState
from acr3d.parts.categories import SEPARATOR

MOST = 6
_MOST_VEHICLES = 20
_CANDIDATES = 40
"""So many parts for the same vehicles are looked at: thousands may fit a popular one."""


@dataclass(frozen=True)
class RelatedPart:
    """A part as a list shows it: with its cover, or else its model's poster."""

    sku: str
    name: str
    model_3d_url: str | None
    cover: PartImage | None
    poster: str | None


def related_parts(part: Part) -> list[RelatedPart]:
    """At most MOST of them, those for the same vehicles first. One statement."""
    places = [one for one in (_for_same_vehicles(part), _beside(part)) if one is not None]
    if not places:
        return []
    union = places[0].union_all(*places[1:]).subquery()
    is_cover = and_(
        PartImage.part_id == Part.id, PartImage.deleted_at.is_(None), PartImage.display_order == 0
    )
    is_shown = and_(ModelVersion.part_id == Part.id, ModelVersion.state == VersionState.PUBLISHED)
    query = (
        select(Part.id, Part.sku, Part.name, Part.model_3d_url, PartImage, ModelVersion.poster_path)
        .join(union, union.c.part_id == Part.id)
        .outerjoin(PartImage, is_cover)
        .outerjoin(ModelVersion, is_shown)
        .where(Part.is_published.is_(True), Part.deleted_at.is_(None), Part.id != part.id)
        .order_by(union.c.place, Part.name, Part.id)
        .limit(2 * MOST + 1)  # a part may be there twice
    )
    found = {row[0]: RelatedPart(*row[1:]) for row in reversed(db.session.execute(query).all())}
    return list(reversed(found.values()))[:MOST]


def _for_same_vehicles(part: Part) -> Select[tuple[str, int]] | None:
    vehicles = {(row.make, row.model) for row in part.fitment_rows if row.model}
    if not vehicles:
        return None
    same = [
        and_(PartFitment.make == make, PartFitment.model == model)
        for make, model in sorted(vehicles)[:_MOST_VEHICLES]
    ]
    found = select(PartFitment.part_id).where(or_(*same), PartFitment.part_id != part.id)
    found = found.distinct().order_by(PartFitment.part_id).limit(_CANDIDATES)
    return select(found.subquery().c.part_id, literal(0).label("place"))


def _beside(part: Part) -> Select[tuple[str, int]] | None:
    """Those behind it in its category, by name."""
    if part.category_id is None or part.category is None:
        return None
    level = PartSearch.category_columns()[part.category.count(SEPARATOR)]
    here = select(PartSearch.name_key).where(PartSearch.part_id == part.id).scalar_subquery()
    found = select(PartSearch.part_id).where(
        level == part.category_id, PartSearch.name_key >= here, PartSearch.is_published.is_(True)
    )
    found = found.order_by(PartSearch.name_key).limit(MOST + 1)
    return select(found.subquery().c.part_id, literal(1).label("place"))
