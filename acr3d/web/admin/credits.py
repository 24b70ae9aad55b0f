"""The credits page for staff: this month's budget, and spending by month, part, person or day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from babel.dates import format_skeleton
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import format_date, get_locale
from flask_babel import gettext as _

from acr3d.billing import spending
from acr3d.billing.spending import Row
from acr3d.db.extensions import db
from acr3d.db.models import EngineAccount
from acr3d.engines.registry import engines
from acr3d.messages.wording import worded
from acr3d.orders import circuit_breaker
from acr3d.shop import options
from acr3d.tables.writing import csv_bytes
from acr3d.web.admin.credit_chart import credit_chart
from acr3d.web.exports import MEDIA_TYPES

bp = Blueprint("credits", __name__)
_BY = ("month", "part", "person", "day")
_MOST = 50
"""Rows on the page; the CSV file has all."""


@bp.get("/credits")
def index() -> ResponseReturnValue:
    config, (by, month) = options.current(), _asked()
    months = spending.by_month()
    rows = months if by == "month" else _rows(by, month)
    return render_template(
        "admin/credits.html",
        balances=_balances(),
        this_month=spending.this_month()[:7],
        counted=spending.counted(db.session()),
        budget=config.monthly_budget,
        user_limit=config.user_monthly_limit,
        chart=credit_chart(),
        by=by,
        names=_names(),
        month=month,
        months=list(dict.fromkeys([spending.this_month()[:7], *(row.name for row in months)])),
        rows=rows[:_MOST],
        left_out=max(len(rows) - _MOST, 0),
        shown=_shown,
        most=max((row.credits for row in rows), default=0),
        has_spent=bool(months),
    )


@bp.get("/credits.csv")
def table() -> ResponseReturnValue:
    by, month = _asked()
    name = f"credits-by-{by}.csv" if by == "month" else f"credits-{month}-by-{by}.csv"
    headers = {"Content-Disposition": f"attachment; filename={name}", "Content-Type": MEDIA_TYPES["csv"]}
    return Response(b"".join(_csv(by, _rows(by, month))), headers=headers)


def _csv(by: str, rows: list[Row]) -> Iterator[bytes]:
    cells = ({by: row.name, "spent": row.spent, "running": row.open, "orders": row.orders} for row in rows)
    return csv_bytes((by, "spent", "running", "orders"), cells)


def _asked() -> tuple[str, str]:
    """By what the address asks for sums, and of which month; what it does not know is as if left out."""
    by, month = request.args.get("by", ""), request.args.get("month", "")
    known = re.fullmatch(r"20\d{2}-(0[1-9]|1[0-2])", month, re.ASCII)
    return by if by in _BY else _BY[0], month if known else spending.this_month()[:7]


def _rows(by: str, month: str) -> list[Row]:
    if by == "month":
        return spending.by_month()
    sums: dict[str, Any] = {"part": spending.by_part, "person": spending.by_person, "day": spending.by_day}
    return list(sums[by](month))


def _shown(by: str, name: str) -> str:
    """What a row is called on the page."""
    if by == "day":
        return str(format_date(date.fromisoformat(name), "medium"))
    if by == "month":
        return str(format_skeleton("yMMMM", date.fromisoformat(f"{name}-01"), locale=get_locale()))
    return name or str(_("unknown"))


def _names() -> dict[str, tuple[str, str]]:
    """The word of the choice and of the column, by what sums are made."""
    return {
        "month": (_("By month"), _("Month")),
        "part": (_("By part"), _("Part")),
        "person": (_("By person"), _("Person")),
        "day": (_("By day"), _("Day")),
    }


def _balances() -> list[tuple[str, EngineAccount]]:
    """The paid engines whose balance is known, by name."""
    known = [(worded(one.wording.name), circuit_breaker.account_of(one.account)) for one in engines().paid()]
    return [(name, account) for name, account in known if account and account.balance is not None]
