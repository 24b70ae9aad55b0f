"""The monthly budget, and each person's monthly limit: an order that would exceed either is refused.

Spent, running and waiting orders count; refunded ones do not. Months are UTC months.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from acr3d.billing import spending
from acr3d.billing.engine_account import locked_account
from acr3d.engines.base import Provider
from acr3d.errors import Conflict
from acr3d.shop import options


class OverBudget(Conflict):
    """The month's budget, or the person's limit, does not allow the order."""


def left(session: Session, user_id: str) -> list[int]:
    """The credits left of the month's budget and of the person's limit, as far as there are such."""
    config, found = options.current(), list[int]()
    if config.monthly_budget:
        found.append(config.monthly_budget - spending.counted(session))
    if config.user_monthly_limit:
        found.append(config.user_monthly_limit - spending.counted(session, user_id))
    return found


def check(session: Session, provider: Provider, user_id: str, credits: int) -> None:
    """Raises OverBudget when `credits` more are too many. Concurrent orders are checked in turn."""
    config = options.current()
    if not credits or not (config.monthly_budget or config.user_monthly_limit):
        return
    locked_account(session, provider.account, provider.name)
    rest = config.monthly_budget - spending.counted(session)
    if config.monthly_budget and credits > rest:
        raise OverBudget(
            _(
                "This model takes about %(n)s credits, but of this month's budget of %(budget)s only "
                "%(left)s are left, so nothing was ordered. A new month begins at midnight UTC; an admin can "
                "raise the budget in Settings.",
                n=credits,
                budget=config.monthly_budget,
                left=max(rest, 0),
            )
        )
    own = config.user_monthly_limit - spending.counted(session, user_id)
    if config.user_monthly_limit and credits > own:
        raise OverBudget(
            _(
                "This model takes about %(n)s credits, but of your %(limit)s for this month only %(left)s "
                "are left, so nothing was ordered. A new month begins at midnight UTC; an admin can raise "
                "the limit in Settings.",
                n=credits,
                limit=config.user_monthly_limit,
                left=max(own, 0),
            )
        )
