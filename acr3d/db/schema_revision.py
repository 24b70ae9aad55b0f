"""The schema revision of a database, and whether this version of acr3d knows it."""

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


def includes(revision: str, earlier: str) -> bool:
    """Whether a database of `revision` has been through the revision `earlier`."""
    return any(one.revision == earlier for one in _script().iterate_revisions(revision, "base"))


def is_newest(revision: str | None) -> bool:
    return revision in _script().get_heads()


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(current_app.extensions["migrate"].directory))
