"""An import's file, opened as it is to be read; and what was found, for people to check.

`Import.found` holds what was used (`encoding`, `delimiter`, `sheet`, `decimal`), the `sheets`, the `columns`
(`heading`, `field`, `samples`), and `warnings`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import Import
from acr3d.imports.plan import Planner
from acr3d.imports.spoilt import warnings
from acr3d.imports.table import Layout, Table, opened
from acr3d.storage.blobs import storage

_SAMPLES = 3
_SAMPLE_LENGTH = 60


@contextmanager
def opened_table(record: Import) -> Iterator[Table]:
    """The import's table, read as it asks for. Raises TableRefused."""
    asked = {name: record.layout.get(name) for name in ("encoding", "delimiter", "sheet")}
    file, mapping = storage().path(record.storage_path or ""), record.mapping
    with opened(file, Layout(**asked, columns=mapping or None)) as table:
        yield table


def planner_of(record: Import, table: Table) -> Planner:
    """Plans the rows as the import asks for. Raises InvalidInput without a SKU column."""
    return Planner(table, record.layout.get("decimal"), record.makes_categories)


def heading_key(table: Table) -> str:
    """Of the row of headings, in their order."""
    headings = "\n".join(one.heading.strip().casefold() for one in table.columns)
    return hashlib.sha256(headings.encode()).hexdigest()


def remembered_mapping(table: Table) -> Mapping[str, str | None]:
    """The newest mapping chosen for a table with these headings; empty without one."""
    key = heading_key(table)
    query = select(Import.mapping).where(Import.heading_key == key).order_by(Import.created_at.desc())
    return next((found for found in db.session.scalars(query.limit(20)) if found), {})


def facts(table: Table) -> dict[str, Any]:
    """What people should see before they import."""
    layout = table.layout
    samples = _samples(table)
    return {
        "encoding": layout.encoding,
        "delimiter": layout.delimiter,
        "sheet": layout.sheet,
        "sheets": list(table.sheets),
        "columns": [
            {"heading": one.heading, "field": one.field, "samples": samples.get(place, [])}
            for place, one in enumerate(table.columns)
        ],
        "warnings": [
            sentence
            for place, one in enumerate(table.columns)
            if one.field == "sku"
            for sentence in warnings(table.column(place), one.heading)
        ],
    }


def _samples(table: Table) -> dict[int, list[str]]:
    """The first values of each column."""
    found: dict[int, list[str]] = {}
    for place in range(len(table.columns)):
        cells = (str(cell)[:_SAMPLE_LENGTH] for _number, cell in islice(table.column(place), 20))
        found[place] = [cell for cell in cells if cell.strip()][:_SAMPLES]
    return found
