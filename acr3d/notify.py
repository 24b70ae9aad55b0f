"""Telling the pollers that there is new work: the one in this process, and those in others.

Others are told by NOTIFY on PostgreSQL; on SQLite they look for themselves (`worker.listener`). A lost
message does no harm: every poller passes each `ACR3D_POLL_SECONDS` anyway.
"""

from __future__ import annotations

import logging

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from acr3d.db.extensions import db

CHANNEL = "acr3d_jobs"
TO_LEADER = "leader"

log = logging.getLogger("acr3d.poller")


def wake() -> None:
    """Let the pollers of all processes pass soon. The new work must be committed."""
    poller = current_app.extensions.get("acr3d_poller")
    if poller is not None:
        poller.wake()
    notify_others()


def notify_others(to: str = "") -> None:
    """Let the pollers of other processes, or the one that leads, pass soon. As `wake`."""
    if db.engine.dialect.name != "postgresql":
        return
    try:
        with db.engine.begin() as connection:
            connection.execute(select(func.pg_notify(CHANNEL, to)))
    except SQLAlchemyError as error:
        log.warning("poller.notify_failed %s", type(error).__name__)
