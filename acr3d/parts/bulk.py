"""One change of many parts, written down so that it can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import BulkChange, Part, PartImage, User
from acr3d.db.session import transaction
from acr3d.db.types import is_id, utc_now
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.notify import wake
from acr3d.parts import angle_order, bin, categories
from acr3d.parts.filters import Filters
from acr3d.parts.photos import images_of_parts
from acr3d.parts.search import search

MOST = 500
"""Parts in one change, so that it is one short transaction."""
_Images = dict[str, list[PartImage]]
_FIELDS = {"publish": "is_published", "unpublish": "is_published", "category": "category_id"}


@dataclass
class Outcome:
    """How many parts were changed, and those left out with the reason."""

    change_id: str
    action: str
    done: int = 0
    left_out: list[tuple[Part, str]] = field(default_factory=list)


def matching(text: str, filters: Filters) -> list[str]:
    """The ids of all parts of a list. Raises InvalidInput if they are more than MOST."""
    page = search(text, filters, limit=MOST)
    if page.total > MOST:
        raise too_many(page.total)
    return [part.id for part in page.parts]


def too_many(count: int) -> InvalidInput:
    """The refusal of a change of `count` parts."""
    return InvalidInput(
        _(
            "These are %(count)s parts; one change takes up to %(most)s. Limit the list with a filter first.",
            count=count,
            most=MOST,
        )
    )


def change(action: str, part_ids: Sequence[str], actor: User, category: str = "") -> Outcome:
    """Do `action` (one of BULK_ACTIONS) to these parts, in one transaction.

    A part that is so already is left as it is; one that was deleted since is passed over. Raises
    InvalidInput for an unknown action or category, for no part at all, and for more than MOST.
    """
    if not part_ids:
        raise InvalidInput(_("Choose at least one part."))
    if len(part_ids) > MOST:
        raise too_many(len(part_ids))
    wanted = _wanted(action, category)
    with transaction() as session:
        record = BulkChange(action=action, made_by=actor.id, changes={})
        session.add(record)
        session.flush()
        outcome, changes = Outcome(record.id, action), {}
        parts = _locked(session, part_ids)
        images = _images(action, parts)
        for part in parts:
            try:
                before = _changed(session, part, action, wanted, images)
            except Conflict as reason:
                outcome.left_out.append((part, str(reason)))
                continue
            if before is not None:
                changes[part.id] = before
        record.changes = changes
        outcome.done = len(changes)
    wake()  # photos that are labelled now are checked
    return outcome


def undo(change_id: str) -> Outcome:
    """Give the parts back what they had, where nobody has changed it since.

    Raises Missing, and Conflict if it was undone before.
    """
    with transaction() as session:
        record = _to_undo(session, change_id)
        outcome = Outcome(record.id, record.action)
        changes = record.changes
        if record.action != "delete":
            _give_back(session, record, outcome)
            record.undone_at = utc_now()
    if record.action != "delete":
        wake()
        return outcome
    _restore(changes, outcome)  # in transactions of their own: broken off, the change can be undone again
    with transaction() as session:
        _to_undo(session, change_id).undone_at = utc_now()
    return outcome


def _to_undo(session: Session, change_id: str) -> BulkChange:
    record = session.get(BulkChange, change_id, with_for_update=True) if is_id(change_id) else None
    if record is None:
        raise Missing(_("This change is not known here."))
    if record.undone_at is not None:
        raise Conflict(_("This change has been undone already."))
    return record


def _give_back(session: Session, record: BulkChange, outcome: Outcome) -> None:
    parts = _locked(session, record.changes)
    images = _images(record.action, parts)
    for part in parts:
        if _is_given_back(part, record, images):
            outcome.done += 1
        else:
            outcome.left_out.append((part, _("It has been changed again since.")))


def _is_given_back(part: Part, record: BulkChange, images: _Images) -> bool:
    """False, and nothing is changed, where somebody else has changed it since."""
    was = record.changes[part.id]
    if record.action == "label":
        return angle_order.take_back(part, images[part.id], was["after"])
    name = _FIELDS[record.action]
    if getattr(part, name) != was["after"]:
        return False
    setattr(part, name, was["before"])
    part.revision += 1
    return True


def _wanted(action: str, category: str) -> Any:
    """The new value of the field that `action` changes."""
    if action == "category":
        return categories.by_path(category).id if category.strip() else None
    if action in ("publish", "unpublish", "label", "delete"):
        return action == "publish"
    raise InvalidInput(_("Choose what to do with these parts."))


def _images(action: str, parts: Sequence[Part]) -> _Images:
    """The photos of the locked parts, where `action` is about them."""
    return images_of_parts([part.id for part in parts]) if action == "label" else {}


def _changed(
    session: Session, part: Part, action: str, wanted: Any, images: _Images
) -> dict[str, Any] | None:
    """Change the part; what its field was, or None if that was `wanted` already. Raises Conflict."""
    if action == "delete":
        if bin.has_live_job(session, part.id):
            raise Conflict(_("A model of this part is being made. Cancel it first, then delete the part."))
        bin.put(part)
        return {}
    if action == "label":
        return angle_order.label_by_order(part, images[part.id])
    name = _FIELDS[action]
    before = getattr(part, name)
    if before == wanted:
        return None
    setattr(part, name, wanted)
    part.revision += 1
    return {"before": before, "after": wanted}


def _locked(session: Session, part_ids: Iterable[str]) -> list[Part]:
    """The present ones of these parts, in an order in which nobody waits for another in a circle."""
    known = [part_id for part_id in part_ids if is_id(part_id)]
    query = select(Part).where(Part.id.in_(known), Part.deleted_at.is_(None)).order_by(Part.id)
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def _restore(part_ids: Iterable[str], outcome: Outcome) -> None:
    for part_id in part_ids:
        try:
            bin.restore_part(part_id)
            outcome.done += 1
        except InvalidInput as reason:
            part = db.session.get(Part, part_id)
            if part is not None:
                outcome.left_out.append((part, str(reason)))
