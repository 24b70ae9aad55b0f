"""`flask parts import … --photos`: what is said of photos from a folder or a ZIP file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click
from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import ImportPhoto
from acr3d.imports import actions, photo_column, photo_files, photo_plan
from acr3d.imports.photo_files import PhotoFiles
from acr3d.imports.table import Table
from acr3d.parts.skus import look
from acr3d.storage.blobs import storage

_MOST_SHOWN = 50

Said = tuple[str, str, str, str]
"""Path, action, SKU, problem."""


def preview(place: Path | None, table: Table, more_skus: Iterable[str]) -> int:
    """Say which part each photo would go to; returns how many files would be left out."""
    present = photo_plan.known()
    for sku in more_skus:
        present.skus.setdefault(look(sku), sku)
    column = photo_column.read(table.rows(), present.skus)
    if place is None:
        planned = photo_plan.planned(None, column, present, {})
    else:
        with PhotoFiles(place) as source:
            planned = photo_plan.planned(source, column, present, {})
    said = [(one.path, one.action, one.sku, one.problem) for one in planned]
    for path, _action, sku, _problem in [one for one in said if one[1] == "added"][:_MOST_SHOWN]:
        click.echo(f"  {path} → {sku}")
    return _report(said)


def archive_of(place: Path) -> Path:
    """A ZIP file of these photos, for `actions.begin` to move. Raises InvalidInput."""
    if not place.is_dir():
        return actions.copied(place)
    with PhotoFiles(place) as source:
        for file in source.files():
            if file.problem:
                click.echo(f"  {file.path}: {file.problem}", err=True)
    archive = storage().temporary()
    photo_files.packed(place, archive)
    return archive


def report(import_id: str) -> int:
    """Say what became of the photos of an import; returns how many were left out."""
    query = select(ImportPhoto).where(ImportPhoto.import_id == import_id).order_by(ImportPhoto.number)
    return _report([(one.path, one.action, one.sku, one.problem) for one in db.session.scalars(query)])


def _report(said: list[Said]) -> int:
    if not said:
        return 0
    left_out = [(path, problem) for path, action, _sku, problem in said if action in ("unclear", "refused")]
    for path, problem in left_out[:_MOST_SHOWN]:
        click.echo(f"  {path}: {problem}", err=True)
    if len(left_out) > _MOST_SHOWN:
        click.echo(f"  … and {len(left_out) - _MOST_SHOWN} more.", err=True)
    counts = Counter(action for _path, action, _sku, _problem in said)
    click.echo(f"Photos: {counts['added']}. Present already: {counts['present']}. Left out: {len(left_out)}.")
    return len(left_out)
