"""Which schema a database has, and whether this version of acr3d knows it."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection


def revision_of(connection: Connection) -> str | None:
    """None for a database without acr3d's tables."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    try:
        return bool(_script().get_revision(revision))
    except CommandError:
        return False


def is_newest(revision: str | None) -> bool:
    return revision in _script().get_heads()


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(current_app.extensions["migrate"].directory))
