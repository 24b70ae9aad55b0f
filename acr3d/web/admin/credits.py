"""The credits page for staff: this month's budget, and spending by day, month, part and person."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d import settings
from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import EngineAccount
from acr3d.engines.registry import engines
from acr3d.messages.wording import worded
from acr3d.orders import circuit_breaker
from acr3d.web.admin.credit_chart import credit_chart

bp = Blueprint("credits", __name__)


@bp.get("/credits")
def index() -> ResponseReturnValue:
    config = settings.current()
    tables = [
        (_("By day"), _("Day"), spending.by_day()),
        (_("By month"), _("Month"), spending.by_month()),
        (_("By part this month"), _("Part"), spending.by_part()),
        (_("By person this month"), _("Person"), spending.by_user()),
    ]
    return render_template(
        "admin/credits.html",
        balances=_balances(),
        month=spending.this_month()[:7],
        counted=spending.counted(db.session()),
        budget=config.monthly_budget,
        user_limit=config.user_monthly_limit,
        tables=tables,
        chart=credit_chart(),
    )


def _balances() -> list[tuple[str, EngineAccount]]:
    """The paid engines whose balance is known, by name."""
    known = [(worded(one.wording.name), circuit_breaker.account_of(one.account)) for one in engines().paid()]
    return [(name, account) for name, account in known if account and account.balance is not None]
