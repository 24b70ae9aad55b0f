"""Parts: create, change, and look up by id. What a part consists of is in `fields`, the bin in `bin`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.session import transaction
from acr3d.db.types import is_id
from acr3d.errors import Conflict, Missing
from acr3d.parts import fields, sku_lookup
from acr3d.parts.stale import Seen


def create_part(values: Mapping[str, object]) -> Part:
    """A new part with these values of its fields, and the defaults for the others.

    Raises InvalidInput for a value that cannot be used, SkuInUse for a SKU in use.
    """
    part = Part()
    fields.assign(part, {**fields.new_part_values(), **values})
    with one_sku_each(), transaction() as session, session.no_autoflush:
        sku_lookup.claim(session, part)
        session.add(part)
    return part


def update_part(part_id: str, values: Mapping[str, object], seen: Seen | None = None) -> Part:
    """Change the given fields of a part; the others stay.

    `seen`: what whoever sends them looked at. Raises Missing, InvalidInput, SkuInUse, or Stale.
    """
    with one_sku_each(), transaction() as session, session.no_autoflush:
        part = locked_part(session, part_id)
        if seen is not None:
            seen.check(part)
        before = part.sku
        fields.assign(part, values)
        if part.sku != before:
            sku_lookup.claim(session, part, former=before)
        part.revision += 1
        session.flush()
    return part


def parts_by_ids(part_ids: Sequence[str]) -> list[Part]:
    """The present ones of these parts."""
    query = select(Part).where(Part.id.in_(part_ids), Part.deleted_at.is_(None))
    return list(db.session.scalars(query))


def part_by_id(part_id: str) -> Part:
    """The part for staff: published or not. Raises Missing."""
    part = db.session.get(Part, part_id) if is_id(part_id) else None
    if part is None or part.deleted_at is not None:
        raise Missing(_("There is no such part. It may have been deleted."))
    return part


def locked_part(session: Session, part_id: str) -> Part:
    """The part, locked until the transaction ends, so that nobody else changes it. Raises Missing."""
    query = select(Part).where(Part.id == part_id, Part.deleted_at.is_(None)).with_for_update()
    part = session.scalar(query.execution_options(populate_existing=True)) if is_id(part_id) else None
    if part is None:
        raise Missing(_("There is no such part. It may have been deleted."))
    return part


def present_parts() -> Select[Part]:
    """All parts but the deleted ones."""
    return select(Part).where(Part.deleted_at.is_(None))


@contextmanager
def one_sku_each() -> Iterator[None]:
    """Turn the database's refusal of a second equal SKU, given at the same moment, into a sentence."""
    try:
        yield
    except IntegrityError as error:
        if "sku" not in str(error.orig):
            raise
        conflict = Conflict(_("Another part was given this SKU just now. Nothing was changed."))
        conflict.field = "sku"
        raise conflict from error
