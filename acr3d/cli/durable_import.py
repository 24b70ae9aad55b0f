"""An import on the command line, written down like one on the page: it survives a kill and can be undone."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import click
from sqlalchemy import select

from acr3d.cli import part_photos
from acr3d.db.extensions import db
from acr3d.db.models import Import, ImportPhoto, ImportRow
from acr3d.db.states import ImportState
from acr3d.imports import actions, queue
from acr3d.imports.queue import LEASE, Claim
from acr3d.imports.table import Layout
from acr3d.imports.work import work
from acr3d.tables.formulas import harmless

_MOST_SHOWN = 20


def import_file(
    file: Path,
    layout: Layout,
    sign: str | None,
    makes_categories: bool,
    problems: Path | None,
    photos: Path | None,
) -> int:
    """Import the file; returns the exit code. Raises InvalidInput, TableRefused."""
    said = {
        "encoding": layout.encoding,
        "delimiter": layout.delimiter,
        "sheet": layout.sheet,
        "decimal": sign,
    }
    record = actions.begin(
        actions.copied(file),
        file.name,
        None,
        photos=part_photos.archive_of(photos) if photos is not None else None,
        layout={name: value for name, value in said.items() if value},
        mapping=layout.columns,
        makes_categories=makes_categories,
        state=ImportState.IMPORTING,
        lease=LEASE,
    )
    import_id = record.id
    if record.due_at is not None:
        _work(Claim(import_id, record.due_at))
    record = db.session.get_one(Import, import_id, populate_existing=True)
    if record.problem:
        click.echo(record.problem, err=True)
    refused = _refused(import_id)
    for number, sku, problem in refused[:_MOST_SHOWN]:
        click.echo(f"  Row {number} ({sku}): {problem}", err=True)
    if len(refused) > _MOST_SHOWN and problems is None:
        click.echo(f"  … and {len(refused) - _MOST_SHOWN} more; --problems FILE lists all.", err=True)
    if problems is not None:
        write_problems(problems, refused)
    click.echo(". ".join(f"{name.title()}: {record.counts.get(name, 0)}" for name in _COUNTS) + ".")
    photos_left_out = part_photos.report(import_id)
    click.echo(f"Import {import_id}: “flask parts undo” with this ID undoes it.")
    if record.state != ImportState.DONE:
        return 2
    return 1 if refused or photos_left_out else 0


def undo_import(import_id: str) -> None:
    """Take the import back here, or let the poller go on that was quicker. Raises InvalidInput."""
    actions.take_back(import_id)
    claimed = queue.claim(import_id)
    if claimed is not None:
        work(claimed, Event())
    left = db.session.execute(
        select(ImportRow.number, ImportRow.sku, ImportRow.not_undone)
        .where(ImportRow.import_id == import_id, ImportRow.not_undone != "")
        .order_by(ImportRow.number)
    ).all()
    photos = db.session.execute(
        select(ImportPhoto.path, ImportPhoto.not_undone)
        .where(ImportPhoto.import_id == import_id, ImportPhoto.not_undone != "")
        .order_by(ImportPhoto.number)
    ).all()
    said = [f"Row {number} ({sku}): {why}" for number, sku, why in left]
    said += [f"{path}: {why}" for path, why in photos]
    for line in said[:_MOST_SHOWN]:
        click.echo(f"  {line}")
    click.echo(f"Undone. Left unchanged: {len(said)}.")


def write_problems(file: Path, refused: Sequence[tuple[int, str, str]]) -> None:
    """Write refused rows to a CSV file."""
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out)
        writer.writerow(("row", "sku", "problem"))
        writer.writerows((number, harmless(sku), problem) for number, sku, problem in refused)


_COUNTS = ("new", "changed", "unchanged", "refused")


def _work(claimed: Claim) -> None:
    with click.progressbar(length=1, label="Rows and photos") as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        work(claimed, Event(), show)


def _refused(import_id: str) -> list[tuple[int, str, str]]:
    query = select(ImportRow.number, ImportRow.sku, ImportRow.problem).where(
        ImportRow.import_id == import_id, ImportRow.action == "refused"
    )
    return [(row[0], row[1], row[2]) for row in db.session.execute(query.order_by(ImportRow.number))]
