"""What a poller, or the command line, does with a claimed import: some rows a transaction, in their order;
then the photos.

Each transaction writes the parts, what became of their rows, and how far the import is: whatever ends it in
between, it goes on behind the last row that was written, and no row is written twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Event
from typing import Any

from flask_babel import force_locale, gettext
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from acr3d.db import change_log, content_stamp
from acr3d.db.extensions import db
from acr3d.db.models import Import, ImportRow, Part, User
from acr3d.db.session import database_now, end_read
from acr3d.db.states import WORKING, ImportState
from acr3d.errors import InvalidInput
from acr3d.imports import photo_work, reading, run
from acr3d.imports.plan import Action, Planned, Planner, Row
from acr3d.imports.queue import Claim, LostClaim, holding
from acr3d.imports.table import Table
from acr3d.imports.undo import undo
from acr3d.messages.wording import worded
from acr3d.parts import categories
from acr3d.storage.blobs import StorageError, discard
from acr3d.tables.limits import TableRefused

log = logging.getLogger("acr3d.poller")

Progress = Callable[[int, int], None]
"""Is told how many rows are done, and of how many."""


def work(claimed: Claim, stop: Event, progress: Progress = lambda _done, _total: None) -> None:
    """Go on with the import until it waits for a person, or `stop` is set."""
    record = db.session.get_one(Import, claimed.import_id)
    with force_locale(record.language), change_log.acting_as(_person(record)):
        try:
            _work(record, claimed, stop, progress)
        except LostClaim:
            return
        except (TableRefused, InvalidInput) as refusal:
            # What is written can still be undone only while the import is not read in another way.
            is_begun = record.rows_done or record.photos_done
            _end(claimed, ImportState.STOPPED if is_begun else ImportState.REFUSED, str(refusal))
        except StorageError as refusal:
            _end(claimed, ImportState.STOPPED, worded(refusal.message))
        except SQLAlchemyError:
            raise  # the database is away: the claim runs out, and the import is taken again
        except Exception:
            log.exception("import.failed import=%s", claimed.import_id)
            _end(
                claimed, ImportState.STOPPED, gettext("The import ended with a fault; see the server's log.")
            )
        else:
            if stop.is_set():
                _release(claimed)


def _person(record: Import) -> str:
    """Who asked for the import; empty on the command line."""
    user = db.session.get(User, record.created_by) if record.created_by else None
    return user.email if user else ""


def _work(record: Import, claimed: Claim, stop: Event, progress: Progress) -> None:
    if record.state == ImportState.UNDOING:
        return undo(claimed, stop)
    is_preview = record.state == ImportState.PREVIEWING
    if record.storage_path is None:
        photo_work.plan(claimed, record, None)
    elif record.photo_count is None or record.rows_done < record.row_count:
        with reading.opened_table(record) as table:
            if not record.found:
                table = _described(record, claimed, table)
            _rows(record, claimed, table, stop, progress)
            if not stop.is_set():
                photo_work.plan(claimed, record, table)
    if not is_preview:
        total = record.row_count + (record.photo_count or 0)
        photo_work.bring(claimed, record, stop, lambda done: progress(record.row_count + done, total))
    if not stop.is_set():
        _end(claimed, ImportState.READY if is_preview else ImportState.DONE)
    return None


def _rows(record: Import, claimed: Claim, table: Table, stop: Event, progress: Progress) -> None:
    is_preview = record.state == ImportState.PREVIEWING
    done, total = record.rows_done, record.row_count
    planner = reading.planner_of(record, table)
    end_read()
    for rows in _rest(table, planner, done):
        if stop.is_set():
            return
        if not is_preview:
            _make_categories(claimed, planner.missing_categories(rows))
        done = _one_batch(claimed, planner, rows, is_preview)
        progress(done, total)


def _make_categories(claimed: Claim, paths: list[str]) -> None:
    """Each in a transaction of its own, noted before it is made, so that undoing knows it."""
    if not paths:
        return
    with holding(claimed) as (_session, record):
        record.made_categories = list(dict.fromkeys([*record.made_categories, *paths]))
    for path in paths:
        with suppress(InvalidInput):  # its row is refused in its turn, unless somebody made it just now
            categories.create(path)


def _described(record: Import, claimed: Claim, table: Table) -> Table:
    """The table with the mapping that is remembered, and what was found written down."""
    key = record.heading_key or reading.heading_key(table)
    asked = record.mapping or reading.remembered_mapping(table)
    table = table.mapped(asked) if asked and not record.mapping else table
    found = reading.facts(table)
    total = sum(1 for _row in table.rows())
    with holding(claimed) as (_session, row):
        row.heading_key, row.mapping, row.found, row.row_count = key, dict(asked), found, total
    # Only now: without a column of SKUs this raises, and a person must see the columns to choose one.
    sign = reading.planner_of(record, table).sign
    with holding(claimed) as (_session, row):
        row.found = found | {"decimal": sign}
    return table


def _rest(table: Table, planner: Planner, done: int) -> Iterator[list[Row]]:
    """The rows behind the first `done` ones."""
    for rows in run.batches(table):
        if done:
            planner.remember(rows[:done])
        if rest := rows[done:]:
            yield rest
        done = max(0, done - len(rows))


def _one_batch(claimed: Claim, planner: Planner, rows: Sequence[Row], is_preview: bool) -> int:
    """Returns how many rows are done by now. Raises LostClaim, also where a refused row stops the import."""
    try:
        return _transaction(claimed, planner, rows, is_preview)
    except IntegrityError:  # another person gave one of these SKUs to a part in the meantime
        done = 0
        for row in rows:
            done = _alone(claimed, planner, row)
        return done


def _alone(claimed: Claim, planner: Planner, row: Row) -> int:
    try:
        return _transaction(claimed, planner, [row])
    except (InvalidInput, IntegrityError):
        return _transaction(claimed, planner, [row], refused=planner.refused_meanwhile(row))


def _transaction(
    claimed: Claim,
    planner: Planner,
    rows: Sequence[Row],
    is_preview: bool = False,
    refused: Planned | None = None,
) -> int:
    """Plan these rows, or take the one as `refused`; write the parts unless it is a preview."""
    with holding(claimed) as (session, record), session.no_autoflush:
        planned = [refused] if refused else planner.plan(session, rows, lock=not is_preview)
        written: dict[int, Part] = {}
        if not is_preview:
            planned = _up_to_refused(planned, record)
            written = run.write(session, planned)
        session.flush()
        _write_down(session, record, planned, written)
        done = record.rows_done
        stops = record.due_at is None
        if stops:
            content_stamp.changed(session)
    if stops:
        raise LostClaim
    return done


def _up_to_refused(planned: list[Planned], record: Import) -> list[Planned]:
    """The rows to write now: none behind a refused one, if that stops the import."""
    place = next((at for at, one in enumerate(planned) if one.action == Action.REFUSED), None)
    if place is None or not record.stops_at_refused:
        return planned
    record.state, record.due_at = ImportState.STOPPED, None
    record.problem = gettext(
        "Row %(row)s was refused: %(why)s", row=planned[place].number, why=planned[place].problem
    )
    return planned[: place + 1]


def _write_down(
    session: Session, record: Import, planned: Sequence[Planned], written: dict[int, Part]
) -> None:
    numbers = [one.number for one in planned]
    session.execute(
        delete(ImportRow).where(ImportRow.import_id == record.id, ImportRow.number.in_(numbers)),
        execution_options={"synchronize_session": False},
    )
    session.execute(insert(ImportRow), [_as_row(record.id, one, written.get(one.number)) for one in planned])
    counts = dict.fromkeys(Action, 0) | record.counts
    for one in planned:
        counts[one.action] += 1
    record.counts = {str(action): count for action, count in counts.items()}
    record.rows_done += len(planned)


def _as_row(import_id: str, one: Planned, part: Part | None) -> dict[str, Any]:
    """`part`: what was written; None in a preview, whose rows have no revision to undo."""
    known = part or one.part
    return {
        "import_id": import_id,
        "number": one.number,
        "sku": one.sku[:200],
        "action": one.action,
        "part_id": known.id if known is not None else None,
        "part_revision": part.revision if part is not None else 0,
        "before": dict(one.before),
        "after": dict(one.values),
        "problem": one.problem,
    }


def _end(claimed: Claim, state: ImportState, problem: str = "") -> None:
    photos = None
    with holding(claimed) as (session, record):
        if record.state == ImportState.IMPORTING:
            content_stamp.changed(session)
        record.state, record.due_at, record.problem = state, None, problem
        if state == ImportState.DONE:
            photo_work.check_now(session, record)
            photos, record.photos_path = record.photos_path, None  # large, and no longer needed
    if photos is not None:
        discard([photos])


def _release(claimed: Claim) -> None:
    """Let another poller go on."""
    with holding(claimed) as (session, record):
        if record.state in WORKING:
            record.due_at = database_now(session)
