"""The bin: deleted parts, which can be brought back for thirty days; then their files may go."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Job, Part
from acr3d.db.session import transaction
from acr3d.db.states import DAYS_IN_BIN, LIVE
from acr3d.db.types import is_id, utc_now
from acr3d.errors import Conflict, Missing
from acr3d.parts import sku_lookup
from acr3d.parts.parts import locked_part, one_sku_each
from acr3d.parts.skus import look
from acr3d.parts.stale import Seen

_MOST_SHOWN = 500


def delete_part(part_id: str, seen: Seen | None = None) -> Part:
    """Put a part into the bin and free its SKU; its files, jobs and ledger stay.

    Raises Missing, Stale, or Conflict while a model of the part is being made.
    """
    with transaction() as session:
        part = locked_part(session, part_id)
        if seen is not None:
            seen.check(part)
        if has_live_job(session, part_id):
            raise Conflict(_("A model of this part is being made. Cancel it first, then delete the part."))
        put(part)
    return part


def has_live_job(session: Session, part_id: str) -> bool:
    """Whether a model of the part is being made."""
    live = select(Job.id).where(Job.part_id == part_id, Job.status.in_(LIVE))
    return session.scalar(live.limit(1)) is not None


def put(part: Part) -> None:
    """Put a locked part into the bin, in the caller's transaction."""
    part.deleted_at = utc_now()
    part.sku_look = look(part.sku)
    part.revision += 1


def restore_part(part_id: str) -> Part:
    """Take a part out of the bin, with all that it had.

    Raises Missing for a part that is not in the bin, SkuInUse when another one has its SKU by now.
    """
    with one_sku_each(), transaction() as session, session.no_autoflush:
        query = select(Part).where(Part.id == part_id).with_for_update()
        part = session.scalar(query.execution_options(populate_existing=True)) if is_id(part_id) else None
        if part is None or not is_in_bin(part):
            raise Missing(
                _("This part is not in the bin. It may have been brought back, or removed for good.")
            )
        sku_lookup.claim(session, part)
        part.deleted_at = None
        part.revision += 1
    return part


def parts_in_bin() -> list[Part]:
    """The deleted parts that can be brought back, the last one first."""
    since = utc_now() - timedelta(days=DAYS_IN_BIN)
    query = select(Part).where(Part.deleted_at > since).order_by(Part.deleted_at.desc(), Part.id)
    return list(db.session.scalars(query.limit(_MOST_SHOWN)))


def part_in_bin(part_id: str) -> Part | None:
    """The part if it can be brought back."""
    part = db.session.get(Part, part_id) if is_id(part_id) else None
    return part if part is not None and is_in_bin(part) else None


def is_in_bin(part: Part) -> bool:
    """Whether the part is deleted and can be brought back."""
    return part.deleted_at is not None and part.deleted_at > utc_now() - timedelta(days=DAYS_IN_BIN)
