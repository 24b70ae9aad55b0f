"""The database, its clock, and the poller that it hears of."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from acr3d.cli.doctor.finding import Finding, beware, broken, ok
from acr3d.db import schema_revision
from acr3d.db.extensions import db
from acr3d.db.session import database_now
from acr3d.db.types import utc_now
from acr3d.settings import Settings
from acr3d.worker.condition import poller_problem

_MOST_CLOCK_SECONDS = 5


def database(_config: Settings) -> Iterator[Finding]:
    """That it answers, has this version's tables, and the same time as this machine."""
    try:
        with db.engine.connect() as connection:
            revision = schema_revision.revision_of(connection)
        apart = abs((database_now(db.session()) - utc_now()).total_seconds())
    except SQLAlchemyError as error:
        yield broken(f"Database: it does not answer ({type(error).__name__}). Check DATABASE_URL.")
        return
    if revision and not schema_revision.is_known(revision):
        yield broken(
            f"Database: a later version of acr3d has changed its tables (to {revision}). Install it, "
            "or restore the backup from before the upgrade."
        )
    elif not schema_revision.is_newest(revision):
        yield broken("Database: its tables are of another version. Run “flask db upgrade”.")
    else:
        yield ok(f"Database: {db.engine.dialect.name} answers, and its tables are up to date.")
    if apart > _MOST_CLOCK_SECONDS:
        yield beware(
            f"Clock: {apart:.0f} s apart from the database's. Let both machines set their clocks (NTP)."
        )


def poller(_config: Settings) -> Iterator[Finding]:
    """That jobs are being worked on."""
    try:
        problem = poller_problem()
    except SQLAlchemyError:
        return  # the database check reports it
    yield beware(f"Jobs: {problem}") if problem else ok("Jobs: the job service is running.")
