"""Sums of the ledger: in total, and by day, month, part and person. Days are UTC days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from acr3d.billing.ledger import day_of
from acr3d.db.extensions import db
from acr3d.db.models import CreditEntry, Job, Part, User
from acr3d.db.states import NextStep
from acr3d.db.types import utc_now

_DAYS = 31
_month: ColumnElement[str] = func.substr(CreditEntry.day, 1, 7)
_WAITS = Job.next_step.in_((NextStep.SUBMIT, NextStep.REVOKE))
_COUNTS = or_(CreditEntry.task_id.is_not(None), _WAITS)
_OPEN = case((CreditEntry.spent.is_(None), CreditEntry.estimated), else_=0)


@dataclass(frozen=True)
class Row:
    """One row of a table. `open` are the estimates of orders whose cost is not known yet."""

    name: str
    spent: int
    open: int
    orders: int

    @property
    def credits(self) -> int:
        """What counts: spent, and estimated for what runs."""
        return self.spent + self.open


def this_month() -> str:
    """The first day of the month that counts now, in UTC."""
    return f"{day_of(utc_now())[:7]}-01"


def counted(session: Session, user_id: str | None = None) -> int:
    """The credits that count against this month: spent, running, or waiting to be ordered."""
    takes = func.coalesce(CreditEntry.spent, CreditEntry.estimated)
    waits = and_(CreditEntry.task_id.is_(None), _WAITS)
    ordered = and_(CreditEntry.task_id.is_not(None), CreditEntry.day >= this_month())
    query = select(func.sum(takes)).join(Job, Job.id == CreditEntry.job_id).where(or_(waits, ordered))
    if user_id is not None:
        query = query.where(CreditEntry.user_id == user_id)
    return session.scalar(query) or 0


def by_day(month: str = "") -> list[Row]:
    """The days with orders, newest first: those of a month (`2026-11`), else the last 31."""
    since = CreditEntry.day >= day_of(utc_now() - timedelta(days=_DAYS - 1))
    return _rows(CreditEntry.day, _month == month if month else since, CreditEntry.day.desc())


def by_month() -> list[Row]:
    """All months with orders, newest first."""
    return _rows(_month, true(), _month.desc())


def by_part(month: str) -> list[Row]:
    """The month's parts, the most expensive first."""
    return _rows(Part.sku, _month == month)


def by_person(month: str) -> list[Row]:
    """The month's spending by person; the name is empty where it is not known who ordered."""
    return _rows(func.coalesce(User.email, ""), _month == month)


def _rows(name: Any, which: ColumnElement[bool], order: Any = None) -> list[Row]:
    spent, open_ = func.coalesce(func.sum(CreditEntry.spent), 0), func.sum(_OPEN)
    query = (
        select(name, spent, open_, func.count())
        .select_from(CreditEntry)
        .join(Job, Job.id == CreditEntry.job_id)
        .join(Part, Part.id == Job.part_id)
        .outerjoin(User, User.id == CreditEntry.user_id)
        .where(which, _COUNTS, or_(CreditEntry.estimated > 0, CreditEntry.spent > 0))
        .group_by(name)
        .order_by((spent + open_).desc() if order is None else order, name)
    )
    return [Row(*row) for row in db.session.execute(query)]
