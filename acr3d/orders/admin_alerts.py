"""What admins must know before they order more: why orders wait, and what is running out."""

from __future__ import annotations

from flask_babel import gettext as _

from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import EngineAccount
from acr3d.db.states import BreakerCause
from acr3d.engines.base import Provider
from acr3d.engines.registry import engines
from acr3d.jobs import queries
from acr3d.messages.wording import worded
from acr3d.orders import circuit_breaker, disk_space, engine_models
from acr3d.shop import options


def for_admins() -> list[str]:
    """Sentences about the disk, the accounts that are set up now, and the budget."""
    said = [worded(disk_space.FULL)] if disk_space.is_short(db.session()) else []
    paid = engines().paid()
    for provider in paid:
        account = circuit_breaker.account_of(provider.account)
        if account is not None:
            said += filter(None, (about(account, provider) for about in (_waiting, _low_balance, _leaving)))
    return [*said, *filter(None, [_budget()])] if paid else said


def _waiting(account: EngineAccount, provider: Provider) -> str | None:
    """Why the account's orders wait, if that is worth a notice."""
    if account.open_cause in (None, BreakerCause.RATE):
        return None
    if account.open_cause != BreakerCause.FULL:
        return worded(
            circuit_breaker.message(
                BreakerCause(account.open_cause), account.engine, engine_models.in_use(provider)
            )
        )
    if queries.any_at_engine(account.fingerprint):
        return None  # full of our own tasks, as it should be
    return str(
        _(
            "%(engine)s says that the account's queue is full, but none of our tasks is in it. Other "
            "programs may use the account, or its plan may not include the API. Orders wait and are tried "
            "again.",
            engine=worded(provider.wording.name),
        )
    )


def _low_balance(account: EngineAccount, provider: Provider) -> str | None:
    if account.balance is None or account.open_cause == BreakerCause.CREDITS:
        return None
    if account.balance >= options.current().low_balance:
        return None
    return str(
        _(
            "The %(engine)s account has only %(n)s credits left. Top it up soon.",
            engine=worded(provider.wording.name),
            n=account.balance,
        )
    )


def _leaving(account: EngineAccount, provider: Provider) -> str | None:
    """What the engine has announced to take away."""
    if account.leaving_link is None or account.open_cause == BreakerCause.MODEL:
        return None
    words = {"engine": worded(provider.wording.name), "model": engine_models.in_use(provider)}
    if not account.leaving_link:
        return str(_("%(engine)s has announced that what we use will end. Model in use: %(model)s.") % words)
    sentence = _(
        "%(engine)s has announced that what we use will end: %(link)s. The model in use is %(model)s; others "
        "can be chosen in Settings."
    )
    return str(sentence % (words | {"link": account.leaving_link}))


def _budget() -> str | None:
    budget = options.current().monthly_budget
    if not budget or spending.counted(db.session()) < budget:
        return None
    sentence = _("This month's budget of %(n)s credits is used up. The next month begins at midnight UTC.")
    return str(sentence % {"n": budget})
