"""What admins must know before they order more: why nothing is submitted, and what runs out."""

from __future__ import annotations

from flask_babel import gettext as _

from acr3d import settings
from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import EngineAccount
from acr3d.db.states import Pause
from acr3d.engines.providers import engines
from acr3d.jobs import queries
from acr3d.messages.wording import worded
from acr3d.orders import circuit_breaker, disk_space


def for_admins() -> list[str]:
    """Sentences about the disk, and about the account that is set up now; another's state is not its."""
    said = [worded(disk_space.FULL)] if disk_space.is_short(db.session()) else []
    provider = engines().provider("meshy")
    if provider is None:
        return said
    account = circuit_breaker.account_of(provider.account)
    about_account = (_pause(account), _low_balance(account), _budget())
    return [*said, *(sentence for sentence in about_account if sentence)]


def _pause(account: EngineAccount | None) -> str | None:
    if account is None or account.pause in (None, Pause.RATE):
        return None
    if account.pause != Pause.FULL:
        return worded(circuit_breaker.message(Pause(account.pause)))
    if queries.any_at_engine(account.fingerprint):
        return None  # as it should be: it is full of our own tasks
    return str(
        _(
            "Meshy says that the account's queue is full, though none of our tasks is in it: other programs "
            "may use the account, or its plan is without the API. Orders wait and are tried again."
        )
    )


def _low_balance(account: EngineAccount | None) -> str | None:
    if account is None or account.balance is None or account.pause == Pause.CREDITS:
        return None
    if account.balance >= settings.current().low_balance:
        return None
    return str(_("The Meshy account has only %(n)s credits left. Top it up soon.", n=account.balance))


def _budget() -> str | None:
    budget = settings.current().monthly_budget
    if not budget or spending.counted(db.session()) < budget:
        return None
    sentence = _("This month's budget of %(n)s credits is used up; a new month begins at midnight UTC.")
    return str(sentence % {"n": budget})
