"""`flask parts …`: parts from a table, all parts as a table, the search index."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from flask.cli import AppGroup

from acr3d.cli import durable_import as durable
from acr3d.cli import part_photos
from acr3d.cli.durable_import import write_problems
from acr3d.errors import InvalidInput
from acr3d.imports import reading, run
from acr3d.imports.export import exported
from acr3d.imports.export_files import zipped
from acr3d.imports.headings import field_names
from acr3d.imports.plan import Action, Planned, Planner
from acr3d.imports.spoilt import warnings
from acr3d.imports.table import Layout, Table, opened
from acr3d.parts import search_index
from acr3d.tables.delimited import ENCODINGS
from acr3d.tables.limits import TableRefused
from acr3d.tables.writing import FORMATS

_MOST_SHOWN = 20
_DELIMITER_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SIGNS = {"point": ".", "comma": ","}

parts = AppGroup("parts", help="Import and export parts; work on all of them.")


@parts.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--photos",
    type=click.Path(exists=True, path_type=Path),
    help="A folder or ZIP file of photos, named by SKU: SKU_front.jpg, SKU-2.jpg, front/SKU.jpg, SKU/1.jpg.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--make-categories", is_flag=True, help="Make categories that there are not yet.")
@click.option("--all-or-nothing", is_flag=True, help="Import nothing if a row cannot be imported.")
@click.option(
    "--map",
    "mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSON file that gives fields to headings: {"Art. no.": "sku", "Notes": null}.',
)
@click.option("--encoding", type=click.Choice(ENCODINGS), help="Of a CSV file; found by looking otherwise.")
@click.option("--delimiter", type=click.Choice(list(_DELIMITER_NAMES)), help="Of a CSV file.")
@click.option("--sheet", help="Of a workbook; the first one otherwise.")
@click.option("--decimal", type=click.Choice(list(_SIGNS)), help="The decimal sign of numbers in text.")
@click.option(
    "--problems", type=click.Path(dir_okay=False, path_type=Path), help="Write refused rows to this CSV."
)
def import_command(
    file: Path,
    photos: Path | None,
    dry_run: bool,
    make_categories: bool,
    all_or_nothing: bool,
    mapping: Path | None,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
    decimal: str | None,
    problems: Path | None,
) -> None:
    """Make and change parts from FILE: CSV, XLSX, ODS, or JSON lines.

    Rows are matched with parts by the SKU. An empty cell leaves what the part has; the same file again
    changes nothing. An import that is killed goes on by itself while acr3d runs. Exits with 1 if a row was
    refused, with 2 if the file cannot be imported.
    """
    sign = _SIGNS.get(decimal or "")
    layout = Layout(encoding, _DELIMITER_NAMES.get(delimiter or ""), sheet, _mapping(mapping))
    with _sentences(), opened(file, layout) as table:
        if layout.columns is None and (remembered := reading.remembered_mapping(table)):
            layout = replace(layout, columns=remembered)
            table = table.mapped(remembered)
        _show(table)
        planner = Planner(table, sign, make_categories)
        if dry_run or all_or_nothing:
            refused = _report(run.preview(table, planner), table, problems, dry_run)
            if dry_run:
                refused += part_photos.preview(photos, table, planner.skus(table))
            if dry_run or refused:
                click.echo("Nothing was imported.")
                raise SystemExit(1 if refused else 0)
    with _sentences():
        code = durable.import_file(file, layout, sign, make_categories, problems, photos)
    raise SystemExit(code)


@parts.command("undo")
@click.argument("import_id")
def undo_command(import_id: str) -> None:
    """Take the import with this ID back, as far as nothing was changed since."""
    with _sentences():
        durable.undo_import(import_id)


@parts.command("export")
@click.option(
    "--format", "table_format", type=click.Choice([*FORMATS, "zip"]), help="By the file's name otherwise."
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_command(file: Path, table_format: str | None) -> None:
    """Write all parts to FILE, as CSV, XLSX or JSON lines; or as .zip, their photos and published models.

    `flask parts import` takes it back.
    """
    table_format = table_format or file.suffix.removeprefix(".").lower()
    if table_format not in (*FORMATS, "zip"):
        raise click.UsageError(
            f"Name the file .csv, .xlsx, .jsonl or .zip, or say --format; not {file.name}."
        )
    with file.open("wb") as out:
        for chunk in zipped() if table_format == "zip" else exported(table_format):
            out.write(chunk)
    click.echo(f"Exported to {file}.")


@parts.command("reindex")
def reindex() -> None:
    """Make the index of all lists and searches again.

    acr3d keeps it up to date by itself; this is for a database that other programs have changed.
    """
    click.echo(f"Indexed {search_index.reindex()} part(s).")


def _mapping(file: Path | None) -> dict[str, str | None] | None:
    if file is None:
        return None
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from error
    known = set(field_names())
    if not isinstance(said, dict) or not all(one is None or one in known for one in said.values()):
        raise click.UsageError(
            f"{file} must be an object that gives each heading one of: {', '.join(known)}, or null."
        )
    return said


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except (TableRefused, InvalidInput) as refusal:
        click.echo(str(refusal), err=True)
        raise SystemExit(2) from refusal


def _show(table: Table) -> None:
    names = {sign: name for name, sign in _DELIMITER_NAMES.items()}
    layout = table.layout
    read_as = [
        *([f"sheet “{layout.sheet}”"] if layout.sheet else []),
        *([layout.encoding.removesuffix("-sig")] if layout.encoding else []),
        *([f"delimiter {names[layout.delimiter]}"] if layout.delimiter else []),
    ]
    if read_as:
        click.echo(f"Read as: {', '.join(read_as)}.")
    for column in table.columns:
        click.echo(f"  {column.heading or '(no heading)'} → {column.field or 'left out'}")
    for place, column in enumerate(table.columns):
        if column.field == "sku":
            for sentence in warnings(table.column(place), column.heading):
                click.echo(f"Warning: {sentence}")


def _report(planned: Iterable[Planned], table: Table, problems: Path | None, with_changes: bool) -> int:
    """Say what becomes of the rows; returns how many were refused."""
    counts: Counter[Action] = Counter()
    refused: list[Planned] = []
    with click.progressbar(length=table.row_count, label="Rows") as bar:
        changed: list[Planned] = []
        for one in planned:
            bar.update(1)
            counts[one.action] += 1
            if one.action == Action.REFUSED:
                refused.append(one)
            elif with_changes and one.action == Action.CHANGED and len(changed) < _MOST_SHOWN:
                changed.append(one)
    for one in changed:
        for name, value in one.values.items():
            click.echo(f"  {one.sku}: {name}: {one.before[name]!s} → {value!s}")
    for one in refused[:_MOST_SHOWN]:
        click.echo(f"  Row {one.number} ({one.sku}): {one.problem}", err=True)
    if len(refused) > _MOST_SHOWN and problems is None:
        click.echo(f"  … and {len(refused) - _MOST_SHOWN} more; --problems FILE lists all.", err=True)
    if problems is not None:
        write_problems(problems, [(one.number, one.sku, one.problem) for one in refused])
    click.echo(
        f"New: {counts[Action.NEW]}. Changed: {counts[Action.CHANGED]}. Unchanged: "
        f"{counts[Action.UNCHANGED]}. Refused: {counts[Action.REFUSED]}."
    )
    return len(refused)
