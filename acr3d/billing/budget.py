"""The monthly budget, and each person's monthly limit: an order that would exceed either is refused.

Spent, running and waiting orders count; refunded ones do not. Months are UTC months.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from acr3d import settings
from acr3d.billing import spending
from acr3d.billing.engine_account import locked_account
from acr3d.engines.base import Provider
from acr3d.errors import Conflict


def check(session: Session, provider: Provider, user_id: str, credits: int) -> None:
    """Raises Conflict when `credits` more are too many. Concurrent orders are checked in turn."""
    config = settings.current()
    if not credits or not (config.monthly_budget or config.user_monthly_limit):
        return
    locked_account(session, provider.account, provider.name)
    left = config.monthly_budget - spending.counted(session)
    if config.monthly_budget and credits > left:
        raise Conflict(
            _(
                "This model takes about %(n)s credits, but of this month's budget of %(budget)s only "
                "%(left)s are left, so nothing was ordered. A new month begins at midnight UTC; an admin can "
                "raise ACR3D_MONTHLY_BUDGET.",
                n=credits,
                budget=config.monthly_budget,
                left=max(left, 0),
            )
        )
    own = config.user_monthly_limit - spending.counted(session, user_id)
    if config.user_monthly_limit and credits > own:
        raise Conflict(
            _(
                "This model takes about %(n)s credits, but of your %(limit)s for this month only %(left)s "
                "are left, so nothing was ordered. A new month begins at midnight UTC; an admin can raise "
                "ACR3D_USER_MONTHLY_LIMIT.",
                n=credits,
                limit=config.user_monthly_limit,
                left=max(own, 0),
            )
        )
