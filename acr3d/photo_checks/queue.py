"""Which parts' photos are to be checked, and what the last check found.

A part waits for a check while `check_due_at` is set. A claim moves that time past the longest check, so that
no other poller claims it and a killed check is claimed again. A result holds for the photos and labels that
it was made of, in any order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from acr3d import settings
from acr3d.db.content_stamp import NOT_SHOWN
from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage, PhotoCheck
from acr3d.db.outage import best_effort
from acr3d.db.session import database_now, end_read, transaction
from acr3d.db.types import utc_now
from acr3d.notify import wake
from acr3d.outlines.finding import StoredPhoto
from acr3d.outlines.method import method
from acr3d.parts.photos import images_of
from acr3d.photo_checks.inspection import VERSION

LEASE = timedelta(minutes=8)
"""Longer than one child of a check, and the longest other heavy work of the host that it may wait for."""
MOST_TRIES = 3
RETRY_DELAY = timedelta(minutes=1)


@dataclass(frozen=True)
class ClaimedPhoto:
    """A photo to check, and its label."""

    content: StoredPhoto
    angle: str | None


@dataclass
class Claim:
    """The right to check one part's photos, in the report's order; `renew` moves `until`."""

    part_id: str
    until: datetime
    fingerprint: str
    photos: list[ClaimedPhoto]


def request_check_if_missing(part: Part, images: Sequence[PartImage]) -> None:
    """Request the check of photos that were uploaded before this version of the check."""
    if part.check_due_at is not None or not _checkable(images) or found_for(part, images) is not None:
        return
    with best_effort("request of a photo check"), transaction() as session:
        session.execute(
            update(Part)
            .where(Part.id == part.id, Part.check_due_at.is_(None))
            .values(
                check_due_at=utc_now(), updated_at=Part.updated_at
            )  # looking at a part does not change it
            .execution_options(**{NOT_SHOWN: True})
        )
    wake()


def next_due() -> datetime | None:
    """When the next part becomes due."""
    return db.session.scalar(select(func.min(Part.check_due_at)).where(Part.check_due_at.is_not(None)))


def due(before: datetime, count: int) -> list[str]:
    """The parts that have waited longest and were due `before`, at most `count`."""
    query = select(Part.id).where(_is_due(before)).order_by(Part.check_due_at).limit(count)
    found = list(db.session.scalars(query))
    end_read()
    return found


def claim(part_id: str | None = None) -> Claim | None:
    """Claim the part that has waited longest, or this one; None when it is not due."""
    with transaction() as session:
        now = database_now(session)
        is_due = _is_due(now)
        longest = select(Part.id).where(is_due).order_by(Part.check_due_at).limit(1)
        if part_id is not None:
            longest = longest.where(Part.id == part_id)
        until = now + LEASE
        found = session.scalar(
            update(Part)
            .where(Part.id.in_(longest.with_for_update(skip_locked=True)), is_due)
            .values(check_due_at=until, updated_at=Part.updated_at)  # nothing that people see changes
            .returning(Part.id)
            .execution_options(synchronize_session=False, **{NOT_SHOWN: True})
        )
        if found is None:
            return None
        images = images_of(found, session)
        photos = [
            ClaimedPhoto(StoredPhoto(image.sha256 or "", image.storage_path or ""), image.angle_label)
            for image in report_order(images)
        ]
        return Claim(found, until, fingerprint(images), photos)


def renew(claimed: Claim) -> None:
    """Keep the claim for one more child."""
    with transaction() as session:
        until = database_now(session) + LEASE
        _set_due(session, claimed, until)
    claimed.until = until


def store(claimed: Claim, report: dict[str, Any]) -> None:
    """Store what was found; the part waits no longer, unless its photos have changed since the claim."""
    with transaction() as session:
        _store(session, claimed, report)
        _set_due(session, claimed, None)


def mark_failed(claimed: Claim) -> None:
    """The check crashed: it is tried again a little later, at most MOST_TRIES times."""
    with transaction() as session:
        _locked(session, claimed.part_id)
        row = session.get(PhotoCheck, claimed.part_id)
        is_same = row is not None and row.fingerprint == claimed.fingerprint
        tries = 1 + (row.report.get("tries", 0) if row is not None and is_same else 0)
        _store(session, claimed, {"tries": tries})
        _set_due(session, claimed, utc_now() + RETRY_DELAY if tries < MOST_TRIES else None)


def release(claimed: Claim) -> None:
    """Let another poller check the part."""
    with transaction() as session:
        _set_due(session, claimed, utc_now())


def found_for(part: Part, images: Sequence[PartImage]) -> PhotoCheck | None:
    """The result for exactly these photos and labels; None when they were not checked yet."""
    row = db.session.get(PhotoCheck, part.id)
    return row if row is not None and row.fingerprint == fingerprint(images) else None


def report_order(images: Sequence[PartImage]) -> list[PartImage]:
    """The photos in the order of the report, which does not depend on their order on the page."""
    return sorted(_checkable(images), key=lambda image: (image.sha256 or "", image.angle_label or ""))


def fingerprint(images: Sequence[PartImage]) -> str:
    """Of the photos, their labels, how outlines are found here, and the version of the check."""
    photos = [[image.sha256, image.angle_label] for image in report_order(images)]
    facts = [VERSION, method(settings.current()), photos]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _is_due(now: datetime) -> ColumnElement[bool]:
    """A time too far ahead was written before the clock was set back."""
    return or_(Part.check_due_at <= now, Part.check_due_at > now + 2 * LEASE)


def _checkable(images: Sequence[PartImage]) -> list[PartImage]:
    return [image for image in images if image.storage_path]


def _locked(session: Session, part_id: str) -> Part:
    query = select(Part).where(Part.id == part_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _store(session: Session, claimed: Claim, report: dict[str, Any]) -> None:
    _locked(session, claimed.part_id)  # one after the other
    row = session.get(PhotoCheck, claimed.part_id)
    if row is None:
        row = PhotoCheck(part_id=claimed.part_id)
        session.add(row)
    row.fingerprint, row.report, row.checked_at = claimed.fingerprint, report, utc_now()


def _set_due(session: Session, claimed: Claim, due: datetime | None) -> None:
    session.execute(
        update(Part)
        .where(Part.id == claimed.part_id, Part.check_due_at == claimed.until)
        .values(check_due_at=due, updated_at=Part.updated_at)
        .execution_options(synchronize_session=False, **{NOT_SHOWN: True})
    )
