"""Which part has a SKU, or had it: among the present parts, those that were renamed, and the deleted ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask_babel import gettext as _
from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.sql.base import ExecutableOption

from acr3d.db.extensions import db
from acr3d.db.models import FormerSku, Part
from acr3d.errors import Conflict, Gone, InvalidInput, Missing
from acr3d.parts import fields
from acr3d.parts.skus import canonical, look

# What every page of a part shows, in the same statement.
_SHOWN = (joinedload(Part.category_row), joinedload(Part.number_rows))
_MOST_PAIRS = 10
"""So many pairs are shown at once; the next ones when these have been settled."""


class SkuInUse(Conflict):
    """Another part, `other`, has this SKU or one that looks the same."""

    field = "sku"

    def __init__(self, sku: str, other: Part) -> None:
        self.other = other
        said = {"sku": sku.strip(), "other": other.sku, "name": other.name}
        if canonical(sku) == canonical(other.sku):
            sentence = _("The SKU “%(sku)s” is in use by another part: “%(name)s” (%(other)s).", **said)
        else:
            sentence = _(
                "The SKU “%(sku)s” looks like “%(other)s” of the part “%(name)s”, but some letters are from "
                "another alphabet. Type them again, or choose another SKU.",
                **said,
            )
        super().__init__(sentence)


class Renamed(Exception):
    """The SKU belongs to a part that has another one now, `sku`."""

    def __init__(self, sku: str) -> None:
        super().__init__()
        self.sku = sku


def sku_key(sku: str) -> str:
    """The SKU without case."""
    return sku.strip().casefold()


def part_for_public(sku: str) -> Part:
    """The part for customers: only when it is published.

    Raises Renamed for a SKU that the part had before, Gone for the SKU of a deleted part, or Missing.
    """
    found = _with_sku(sku, _SHOWN) if sku.isprintable() else None
    if found is None and sku.isprintable():
        _raise_what_became_of(sku)
    if found is None or not found.is_published:
        raise Missing(_("There is no such part."))
    return found


def part_with_sku(sku: str) -> Part:
    """The part whose SKU, present or former, somebody typed. Raises InvalidInput."""
    found = (_with_sku(sku) or _renamed_from(sku)) if sku.isprintable() else None
    if found is None:
        raise InvalidInput(_("There is no part with the SKU “%(sku)s”.", sku=sku[: fields.SKU_LENGTH]))
    return found


def claim(session: Session, part: Part, former: str | None = None) -> None:
    """Give the part its SKU, and let the `former` one lead to it. Raises SkuInUse.

    A part that shares the look of its SKU with another one since before that was refused keeps it.
    """
    wanted = look(part.sku)
    part.sku_key = sku_key(part.sku)
    others = [one for one in _all_like(session, part.sku) if one.id != part.id]
    is_kept = former is not None and look(former) == wanted
    if others and not (is_kept and part.sku_look is None):
        raise SkuInUse(part.sku, others[0])
    part.sku_look = None if others else wanted
    session.execute(delete(FormerSku).where(FormerSku.sku_look == wanted))
    if former is not None and not is_kept:
        session.execute(delete(FormerSku).where(FormerSku.sku_look == look(former)))
        session.add(FormerSku(sku_look=look(former), sku=former, part_id=part.id))


def parts_by_look(session: Session, skus: Iterable[str], lock: bool = False) -> dict[str, Part]:
    """The present parts whose SKUs look like these, by that look. With `lock`, they stay as they are until
    the transaction ends.
    """
    wanted = {look(sku) for sku in skus}
    query = _present().where(or_(Part.sku_look.in_(wanted), Part.sku_look.is_(None)))
    query = query.order_by(Part.sku_look.is_not(None), Part.id)
    found = session.scalars(query.with_for_update() if lock else query)
    return {look(part.sku): part for part in found if look(part.sku) in wanted}


def claim_free(session: Session, parts: Sequence[Part]) -> None:
    """Give new parts their SKUs, which no present part looks like (`parts_by_look`), nor each other."""
    for part in parts:
        part.sku_key, part.sku_look = sku_key(part.sku), look(part.sku)
    session.execute(delete(FormerSku).where(FormerSku.sku_look.in_([part.sku_look for part in parts])))


def known_looks() -> set[str]:
    """The looks of all SKUs that were ever given, also to deleted parts."""
    return {look(sku) for sku in db.session.scalars(select(Part.sku).union_all(select(FormerSku.sku)))}


def pairs_that_look_equal() -> list[tuple[Part, Part]]:
    """Parts whose SKU looks like another part's, with that part; they are older than the rule."""
    # Sorted here: SQLite would read all parts in order rather than the few through their index.
    sharing = db.session.scalars(_present().where(Part.sku_look.is_(None))).all()
    found = []
    for part in sorted(sharing, key=lambda one: one.sku_key)[:_MOST_PAIRS]:
        others = [one for one in _all_like(db.session(), part.sku) if one.id != part.id]
        found += [(part, others[0])] if others else []
    return found


def _present() -> Select[Part]:
    return select(Part).where(Part.deleted_at.is_(None))


def _spelt_like(sku: str) -> Select[Part]:
    """Present parts whose SKU looks like `sku`, one that is written the same first."""
    is_like = or_(Part.sku_look == look(sku), Part.sku_key == sku_key(sku))
    return _present().where(is_like).order_by(Part.sku_key != sku_key(sku), Part.created_at)


def _all_like(session: Session, sku: str) -> list[Part]:
    """All present parts whose SKU looks like `sku`, those that share their look included."""
    sharing = session.scalars(_present().where(Part.sku_look.is_(None)))
    return [*session.scalars(_spelt_like(sku)), *(one for one in sharing if look(one.sku) == look(sku))]


def _with_sku(sku: str, load: Sequence[ExecutableOption] = ()) -> Part | None:
    return db.session.scalars(_spelt_like(sku).options(*load)).unique().first()


def _renamed_from(sku: str) -> Part | None:
    former = db.session.get(FormerSku, look(sku))
    return db.session.get(Part, former.part_id) if former else None


def _raise_what_became_of(sku: str) -> None:
    """Raises Renamed or Gone if a part had this SKU that customers could see."""
    part = _renamed_from(sku)
    if part is not None and part.deleted_at is None and part.is_published:
        raise Renamed(part.sku)
    if part is None:
        deleted = select(Part).where(Part.deleted_at.is_not(None), Part.sku_look == look(sku))
        part = db.session.scalar(deleted.order_by(Part.is_published.desc()).limit(1))
    if part is not None and part.deleted_at is not None and part.is_published:
        raise Gone(_("This part is no longer offered."))
