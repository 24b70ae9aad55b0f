"""A table's column of photos: the files and addresses that it lists for each part."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from flask_babel import gettext as _

from acr3d.errors import InvalidInput
from acr3d.imports.headings import PHOTOS
from acr3d.imports.plan import sku_in
from acr3d.parts.skus import look
from acr3d.tables.limits import Cell

MOST_LISTED = 100_000
# A comma may belong to an address: it separates before a space or another address, or after a file name.
_BETWEEN = re.compile(r"[\r\n|;\t]+|,(?=\s|https?://)|(?<=\.\w{3}),|(?<=\.\w{4}),", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


@dataclass
class PhotoColumn:
    """What the column lists. A name is a path or its last part, without case; each part keeps its order."""

    by_name: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """The SKUs that list a file of this name, and its place in their lists."""
    addresses: list[tuple[str, int, str]] = field(default_factory=list)
    """SKU, place, address."""

    def parts_of(self, path: str) -> list[tuple[str, int]]:
        """The SKUs that list the file with this path or name, each with the file's place."""
        keys = dict.fromkeys((_key(path), name_key(path)))
        return [one for key in keys for one in self.by_name.get(key, [])]

    def lists_name_of(self, path: str) -> bool:
        """Whether it lists a file of this name without its folder."""
        return _key(path) != name_key(path) and name_key(path) in self.by_name


def read(rows: Iterable[tuple[int, dict[str, Cell]]], skus: dict[str, str]) -> PhotoColumn:
    """The photos of the rows whose part there is or will be: `skus` by their looks.

    Raises InvalidInput for more than MOST_LISTED.
    """
    column, count = PhotoColumn(), 0
    for _number, cells in rows:
        sku = skus.get(look(sku_in(cells)))
        if sku is None:
            continue
        listed = _listed(cells.get(PHOTOS, ""))
        count += len(listed)
        if count > MOST_LISTED:
            raise InvalidInput(
                _("The table lists more than %(most)s photos. Import it in several parts.", most=MOST_LISTED)
            )
        for place, name in enumerate(listed):
            if _ADDRESS.match(name):
                column.addresses.append((sku, place, name))
            else:
                column.by_name.setdefault(_key(name), []).append((sku, place))
    return column


def _listed(cell: Cell) -> list[str]:
    if isinstance(cell, list):
        return [one for one in cell if isinstance(one, str) and one]
    names = (name.strip() for name in _BETWEEN.split(cell)) if isinstance(cell, str) else ()
    return list(dict.fromkeys(filter(None, names)))


def name_key(path: str) -> str:
    """Of the name without its folders."""
    return PurePosixPath(_key(path)).name


def _key(name: str) -> str:
    return name.replace("\\", "/").strip("/").casefold()
