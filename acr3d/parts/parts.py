"""Parts: create, change, delete, and look up by id or SKU. What a part consists of is in `fields`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Job, Part
from acr3d.db.session import transaction
from acr3d.db.states import LIVE
from acr3d.db.types import is_id, utc_now
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.parts import fields


def create_part(values: Mapping[str, object]) -> Part:
    """A new part with these values of its fields, and the defaults for the others.

    Raises InvalidInput for a value that cannot be used, Conflict for a SKU in use.
    """
    part = Part()
    fields.assign(part, {**fields.new_part_values(), **values})
    part.sku_key = sku_key(part.sku)
    with _sku_conflict(part.sku), transaction() as session:
        session.add(part)
    return part


def update_part(part_id: str, values: Mapping[str, object]) -> Part:
    """Change the given fields of a part; the others stay. Raises Missing, InvalidInput or Conflict."""
    with _sku_conflict(str(values.get("sku", ""))), transaction() as session:
        part = locked_part(session, part_id)
        fields.assign(part, values)
        part.sku_key = sku_key(part.sku)
        part.revision += 1
        session.flush()
    return part


def delete_part(part_id: str) -> None:
    """Take a part out of the catalogue and free its SKU; its files, jobs and ledger stay.

    Raises Missing, or Conflict while a model of the part is being made.
    """
    with transaction() as session:
        part = locked_part(session, part_id)
        if _has_live_job(session, part_id):
            raise Conflict(_("A model of this part is being made. Cancel it first, then delete the part."))
        part.deleted_at = utc_now()
        part.revision += 1


def part_by_id(part_id: str) -> Part:
    """The part for staff: published or not. Raises Missing."""
    part = db.session.get(Part, part_id) if is_id(part_id) else None
    if part is None or part.deleted_at is not None:
        raise Missing(_("There is no such part. It may have been deleted."))
    return part


def part_for_public(sku: str) -> Part:
    """The part for customers: only when it is published. Raises Missing."""
    wanted = present_parts().where(Part.sku_key == sku_key(sku), Part.is_published)
    part = db.session.scalar(wanted) if sku.isprintable() else None
    if part is None:
        raise Missing(_("There is no such part."))
    return part


def part_with_sku(sku: str) -> Part:
    """The part whose SKU somebody typed. Raises InvalidInput."""
    part = (
        db.session.scalar(present_parts().where(Part.sku_key == sku_key(sku))) if sku.isprintable() else None
    )
    if part is None:
        raise InvalidInput(_("There is no part with the SKU “%(sku)s”.", sku=sku[: fields.SKU_LENGTH]))
    return part


def sku_key(sku: str) -> str:
    """The SKU without case: what must be unique."""
    return sku.strip().casefold()


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


def _has_live_job(session: Session, part_id: str) -> bool:
    live = select(Job.id).where(Job.part_id == part_id, Job.status.in_(LIVE))
    return session.scalar(live.limit(1)) is not None


@contextmanager
def _sku_conflict(sku: str) -> Iterator[None]:
    """Turn the database's refusal of a second equal SKU into a sentence."""
    try:
        yield
    except IntegrityError as error:
        if "sku" not in str(error.orig):
            raise
        conflict = Conflict(_("The SKU “%(sku)s” is in use by another part.", sku=sku))
        conflict.field = "sku"
        raise conflict from error
