"""What admins must know before they order more: why nothing is submitted, and what runs out."""

from __future__ import annotations

from flask_babel import gettext as _

from acr3d import settings
from acr3d.extensions import db
from acr3d.generation import lookups, pauses, room, spending
from acr3d.generation.engines import engines
from acr3d.generation.states import Pause
from acr3d.models import Account


def for_admins() -> list[str]:
    """Sentences about the disk, and about the account that is set up now; another's state is not its."""
    said = [room.sentence()] if room.is_short(db.session()) else []
    link = engines().link("meshy")
    if link is None:
        return said
    account = pauses.account_of(link.account)
    about_account = (_pause(account), _low_balance(account), _budget())
    return [*said, *(sentence for sentence in about_account if sentence)]


def _pause(account: Account | None) -> str | None:
    if account is None or account.pause in (None, Pause.RATE):
        return None
    if account.pause != Pause.FULL:
        return pauses.sentence(Pause(account.pause))
    if lookups.any_at_engine(account.fingerprint):
        return None  # as it should be: it is full of our own tasks
    return str(
        _(
            "Meshy says that the account's queue is full, though none of our tasks is in it: other programs "
            "may use the account, or its plan is without the API. Orders wait and are tried again."
        )
    )


def _low_balance(account: Account | None) -> str | None:
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
