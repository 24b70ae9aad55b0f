"""Which pollers are alive: a row for people and for sharing the rate limit, and a lock file for one host.

The kernel frees the lock when the process dies, so the host's next poller takes over a dead one's jobs at
once instead of when their leases run out.
"""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.models import Poller
from acr3d.db.outage import best_effort
from acr3d.db.session import database_now, transaction
from acr3d.jobs.queue import release
from acr3d.storage.blobs import storage

_SHORTEST_PATIENCE_SECONDS = 90
_ROW_KEPT = timedelta(days=1)


def patience() -> int:
    """Seconds after which a poller that begins no pass counts as gone, and one that ends none as failing."""
    return max(3 * settings.current().poll_seconds, _SHORTEST_PATIENCE_SECONDS)


def last_pass_at() -> datetime | None:
    """When any poller last ended a pass."""
    return db.session.scalar(select(func.max(Poller.last_pass_at)))


def count_alive() -> int:
    """How many pollers are alive, even if their passes fail."""
    session = db.session()
    return _count(session, database_now(session))


class Heartbeat:
    """One poller's sign of life. Every method needs the app's context."""

    def __init__(self, poller_id: str) -> None:
        self.id = poller_id
        self.is_written = False  # from then on others count us
        self._lock_file: IO[str] | None = None

    def begin(self) -> None:
        """Be alive from now on, and release what dead pollers of this host held."""
        folder = _folder()
        folder.mkdir(exist_ok=True)
        self._lock_file = (folder / self.id).open("w")
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        for path in folder.iterdir():
            if path.name != self.id and _is_dead(path):
                with best_effort("poller.begin"):  # otherwise their leases run out
                    release(path.name)
                    _forget(path.name)
                    path.unlink(missing_ok=True)
        storage().discard_leftovers()

    def begin_pass(self) -> int:
        """Write that we are alive; returns how many pollers are."""
        with transaction() as session:
            now = database_now(session)
            row = session.get(Poller, self.id)
            if row is None:
                session.execute(delete(Poller).where(Poller.seen_at < now - _ROW_KEPT))
                row = Poller(id=self.id, host=socket.gethostname(), pid=os.getpid())
                session.add(row)
            row.seen_at = now
            session.flush()
            count = _count(session, now)
        self.is_written = True
        return count

    def end_pass(self) -> None:
        """Write that a pass has ended: a poller whose passes all fail moves no job."""
        with transaction() as session:
            now = database_now(session)
            session.execute(update(Poller).where(Poller.id == self.id).values(last_pass_at=now))

    def end(self, *, for_good: bool = True) -> None:
        """Release every job. A single pass leaves its row, which says for a while that a poller ran."""
        try:
            release(self.id)
            if for_good:
                _forget(self.id)
            (_folder() / self.id).unlink(missing_ok=True)
        finally:  # if the database is away, the file stays and tells the next poller that we are dead
            if self._lock_file is not None:
                self._lock_file.close()


def _count(session: Session, now: datetime) -> int:
    recently = Poller.seen_at > now - timedelta(seconds=patience())
    return session.scalar(select(func.count()).select_from(Poller).where(recently)) or 0


def _forget(poller_id: str) -> None:
    with transaction() as session:
        session.execute(delete(Poller).where(Poller.id == poller_id))


def _folder() -> Path:
    return settings.current().instance / "pollers"


def _is_dead(path: Path) -> bool:
    """Whether the poller that held this lock file has ended, in whatever way."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
