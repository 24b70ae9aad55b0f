"""The credits of the last days as bars, in the units of an SVG picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from babel.dates import format_skeleton
from flask_babel import get_locale

from acr3d.billing import spending
from acr3d.billing.ledger import day_of
from acr3d.db.types import utc_now

_DAYS = 31
_STEP, _HEIGHT = 10, 60


@dataclass(frozen=True)
class Bar:
    """One day; `is_open` while the cost of one of its orders is not known."""

    day: str
    credits: int
    is_open: bool
    x: int
    height: float
    width: int = _STEP - 2


@dataclass(frozen=True)
class Chart:
    """All days, the oldest first; empty when nothing was ordered in them."""

    bars: list[Bar] = field(default_factory=list)
    most: int = 0
    width: int = _DAYS * _STEP
    height: int = _HEIGHT


def credit_chart() -> Chart:
    """The last 31 days, those without orders included."""
    rows = {row.name: row for row in spending.by_day()}
    most = max((row.credits for row in rows.values()), default=0)
    if not most:
        return Chart()
    bars = []
    for place in range(_DAYS):
        day = day_of(utc_now() - timedelta(days=_DAYS - 1 - place))
        row = rows.get(day)
        credits = row.credits if row else 0
        height = round(_HEIGHT * credits / most, 1)
        bars.append(Bar(_shown(day), credits, bool(row and row.open), place * _STEP, height))
    return Chart(bars, most)


def _shown(day: str) -> str:
    """Day and month in the reader's language."""
    return str(format_skeleton("MMMd", date.fromisoformat(day), locale=get_locale()))
