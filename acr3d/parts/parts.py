"""What people do with parts: create, change, publish, delete, find."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage
from acr3d.db.session import transaction
from acr3d.db.types import is_id, utc_now
from acr3d.errors import Conflict, InvalidInput, Missing

PAGE_SIZE = 24
SKU_LENGTH = 64
NAME_LENGTH = 200
DESCRIPTION_LENGTH = 5000
SIZES = ("width_mm", "height_mm", "depth_mm")
FIELDS = ("sku", "name", "description", "is_published", *SIZES)


@dataclass(frozen=True)
class Page:
    """One page of parts, and where it stands among the others."""

    parts: list[Part]
    number: int
    count: int
    total: int
    query: str


def create_part(fields: dict[str, Any]) -> Part:
    """A new part from `fields` (see FIELDS; `sku` and `name` are needed).

    Raises Refused for a field that cannot be taken, Conflict for a SKU in use.
    """
    part = Part(is_published=True)
    _fill(part, {"sku": "", "name": ""} | fields)
    with _unique_sku(part.sku), transaction() as session:
        session.add(part)
    return part


def update_part(part_id: str, fields: dict[str, Any]) -> Part:
    """Change the given `fields` of a part; the others stay. Raises Missing, Refused or Conflict."""
    with _unique_sku(str(fields.get("sku", ""))), transaction() as session:
        part = locked_part(session, part_id)
        _fill(part, fields)
        part.revision += 1
        session.flush()
    return part


def delete_part(part_id: str) -> None:
    """Take a part out of the catalogue and free its SKU; its files, jobs and ledger stay.

    Raises Missing, or Conflict while a model of it is being made.
    """
    from acr3d.jobs.queries import live_job  # the one question that parts ask of jobs

    with transaction() as session:
        part = locked_part(session, part_id)
        if live_job(session, part_id):
            raise Conflict(_("A model of this part is being made. Cancel it first, then delete the part."))
        part.deleted_at = utc_now()
        part.revision += 1


def part_by_id(part_id: str) -> Part:
    """The part for people who may change it. Raises Missing."""
    part = db.session.get(Part, part_id) if is_id(part_id) else None
    if part is None or part.deleted_at is not None:
        raise Missing(_("There is no such part. It may have been deleted."))
    return part


def part_for_public(sku: str) -> Part:
    """The published part that customers may see. Raises Missing."""
    wanted = _visible().where(Part.sku_key == sku_key(sku), Part.is_published)
    part = db.session.scalar(wanted) if sku.isprintable() else None
    if part is None:
        raise Missing(_("There is no such part."))
    return part


def part_with_sku(sku: str) -> Part:
    """The part that somebody named by its SKU. Raises Refused."""
    part = db.session.scalar(_visible().where(Part.sku_key == sku_key(sku))) if sku.isprintable() else None
    if part is None:
        raise InvalidInput(_("There is no part with the SKU “%(sku)s”.", sku=sku[:SKU_LENGTH]))
    return part


def search(query: str, page: int, *, published_only: bool) -> Page:
    """Parts whose SKU, name or description hold every word of `query`, by name; pages count from 1."""
    wanted = [_holds(word) for word in query.replace("\x00", " ").split()]
    if published_only:
        wanted.append(Part.is_published.is_(True))
    found = _visible().where(*wanted)
    total = db.session.scalar(select(func.count()).select_from(found.subquery())) or 0
    count = max(1, math.ceil(total / PAGE_SIZE))
    number = min(max(1, page), count)
    ordered = found.order_by(func.lower(Part.name), Part.id)
    parts = db.session.scalars(ordered.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(list(parts), number, count, total, query)


def published_parts() -> list[Part]:
    """Every part that customers may see, for the site map."""
    return list(db.session.scalars(_visible().where(Part.is_published).order_by(Part.sku_key)))


def sku_key(sku: str) -> str:
    """The SKU without case: what must be unique."""
    return sku.strip().casefold()


def locked_part(session: Session, part_id: str) -> Part:
    """The part, held until the transaction ends, so that two people change it one after the other."""
    query = select(Part).where(Part.id == part_id, Part.deleted_at.is_(None)).with_for_update()
    part = session.scalar(query.execution_options(populate_existing=True)) if is_id(part_id) else None
    if part is None:
        raise Missing(_("There is no such part. It may have been deleted."))
    return part


def images_of(part_id: str, session: Session | None = None) -> list[PartImage]:
    """The part's photos in their order."""
    query = select(PartImage).where(PartImage.part_id == part_id, PartImage.deleted_at.is_(None))
    return list((session or db.session).scalars(query.order_by(PartImage.display_order)))


def _visible() -> Select[Part]:
    return select(Part).where(Part.deleted_at.is_(None))


def _holds(word: str) -> ColumnElement[bool]:
    columns = (Part.sku_key, func.lower(Part.name), func.lower(Part.description))
    spelt = (word.casefold(), word.lower(), word.lower())
    return or_(*(column.contains(text, autoescape=True) for column, text in zip(columns, spelt, strict=True)))


class _unique_sku:  # noqa: N801 - used like a function
    """Turns the database's refusal of a second equal SKU into a sentence."""

    def __init__(self, sku: str) -> None:
        self.sku = sku

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, IntegrityError) and "sku" in str(error.orig):
            conflict = Conflict(_("The SKU “%(sku)s” is in use by another part.", sku=self.sku))
            conflict.field = "sku"
            raise conflict from error


def _fill(part: Part, fields: dict[str, Any]) -> None:
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise InvalidInput(_("Unknown field: %(name)s.", name=unknown[0]))
    for name, value in fields.items():
        try:
            setattr(part, name, _READERS[name](value))
        except InvalidInput as refusal:
            refusal.field = name
            raise
    part.sku_key = sku_key(part.sku)


def _text(value: object, label: str, length: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(_("The %(field)s is missing.", field=label))
    text = value.strip()
    if len(text) > length:
        raise InvalidInput(_("The %(field)s is longer than %(n)s characters.", field=label, n=length))
    if not text.isprintable():
        raise InvalidInput(_("The %(field)s holds a character that cannot be printed.", field=label))
    return text


def _long_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidInput(_("The description must be plain text."))
    if len(value) > DESCRIPTION_LENGTH:
        raise InvalidInput(_("The description is longer than %(n)s characters.", n=DESCRIPTION_LENGTH))
    return value.replace("\r\n", "\n").strip() or None


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(_("“is_published” must be true or false."))
    return value


def _millimetres(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not 0.1 <= number <= 100_000:
        raise InvalidInput(_("A size must be a number of millimetres from 0.1 to 100000."))
    return number


def _sku(value: object) -> str:
    sku = _text(value, _("SKU"), SKU_LENGTH)
    if sku in (".", ".."):  # browsers take these for folders, however they are encoded
        raise InvalidInput(_("The SKU “%(sku)s” cannot be part of a web address.", sku=sku))
    return sku


_READERS: dict[str, Callable[[object], Any]] = {
    "sku": _sku,
    "name": lambda value: _text(value, _("name"), NAME_LENGTH),
    "description": _long_text,
    "is_published": _switch,
    **dict.fromkeys(SIZES, _millimetres),
}
