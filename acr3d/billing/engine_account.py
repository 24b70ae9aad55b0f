"""The row of an account at an engine. Whoever orders, or counts what was ordered, locks it first."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from acr3d.db.models import EngineAccount
from acr3d.db.types import utc_now


def locked_account(session: Session, fingerprint: str, engine: str) -> EngineAccount:
    """The account, locked until the transaction ends; a new one gets its row.

    All accounts are locked together and in one order, because budgets and disks are shared by all of them.
    """
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = {"fingerprint": fingerprint, "engine": engine, "probe_at": utc_now(), "probes": 0}
    session.execute(dialect.insert(EngineAccount).values(new).on_conflict_do_nothing())
    held = select(EngineAccount).order_by(EngineAccount.fingerprint).with_for_update()
    accounts = session.scalars(held, execution_options={"populate_existing": True}).all()
    return next(account for account in accounts if account.fingerprint == fingerprint)
