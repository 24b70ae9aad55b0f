"""Which of an engine's models orders go to: the one that an admin chose, else the environment's.

The choice belongs to the account and is kept in the database, so it takes effect without a restart in every
process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from acr3d.billing.engine_account import locked_account
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, CreditEntry, EngineAccount, Job
from acr3d.db.session import transaction
from acr3d.db.states import BreakerCause, Status
from acr3d.engines.base import EngineModel, Provider
from acr3d.engines.registry import engines
from acr3d.errors import Conflict, InvalidInput
from acr3d.messages.message import Message
from acr3d.orders import circuit_breaker
from acr3d.orders.attempts import IN_FLIGHT


def in_use(provider: Provider, session: Session | None = None) -> str:
    """The model that the next order goes to; empty for an engine that has no models to choose from."""
    account = circuit_breaker.account_of(provider.account, session) if provider.models else None
    return (account and account.model) or provider.default_model


def price(provider: Provider, config: Mapping[str, Any], session: Session | None = None) -> int:
    """The credits that an order would probably cost with the model in use."""
    return provider.price(config, in_use(provider, session))


def choices(provider: Provider) -> Sequence[EngineModel]:
    """The models that an admin may choose from, with the environment's, even if we do not know it."""
    if any(model.name == provider.default_model for model in provider.models):
        return provider.models
    is_retired = provider.default_model in provider.retired_models
    hint = Message("model.retired") if is_retired else Message("model.unknown")
    named = EngineModel(name=provider.default_model, hint=hint, is_leaving=is_retired)
    return [*provider.models, named]


def choose(engine: str, name: str, seen: str) -> None:
    """Let all further orders go to the model `name`, also those that wait; `seen` is the one shown before.

    Orders that wait because their model is retired continue, and the estimates of those that are not sent yet
    follow the new price. Raises InvalidInput for a model that cannot be chosen, and Conflict if somebody else
    has changed it since.
    """
    provider = engines().provider(engine)
    if provider is None or not provider.models:
        raise InvalidInput(_("The engine “%(name)s” is not set up here.", name=engine))
    if name in provider.retired_models or name not in {model.name for model in choices(provider)}:
        raise InvalidInput(_("“%(name)s” cannot be chosen. Choose one of the models below.", name=name))
    with transaction() as session:
        account = locked_account(session, provider.account, provider.name)
        if (account.model or provider.default_model) != seen:
            raise Conflict(_("Somebody else has chosen another model since. Look and decide again."))
        if name == seen and account.open_cause != BreakerCause.MODEL:
            return
        account.model = name
        account.leaving_since = account.leaving_link = None
        _reprice(session, provider, name)
        if account.open_cause == BreakerCause.MODEL and name != seen:
            circuit_breaker.end(session, account)


def note_retirement(provider: Provider) -> None:
    """Keep what the engine's answers said about its end, when that has changed."""
    found = provider.retirement()
    since, link = (found.since, found.link) if found else (None, None)
    account = circuit_breaker.account_of(provider.account)
    if account is None or (account.leaving_since, account.leaving_link) == (since, link):
        return
    db.session.rollback()
    with transaction() as session:
        account = locked_account(session, provider.account, provider.name)
        account.leaving_since, account.leaving_link = since, link


def _reprice(session: Session, provider: Provider, model: str) -> None:
    """Estimate again the price of orders that were not sent."""
    sent = select(Attempt.job_id).where(Attempt.account == provider.account, Attempt.state.in_(IN_FLIGHT))
    waiting = (Job.account == provider.account, Job.status == Status.PENDING, Job.id.not_in(sent))
    for job in session.scalars(select(Job).where(*waiting)):
        job.estimated_credits = provider.price(job.generation_config, model)
        unsent = (CreditEntry.job_id == job.id, CreditEntry.task_id.is_(None))
        session.execute(update(CreditEntry).where(*unsent).values(estimated=job.estimated_credits))


def waits_for_choice(account: EngineAccount | None) -> bool:
    """Whether orders wait until an admin chooses another model."""
    return account is not None and account.open_cause == BreakerCause.MODEL
