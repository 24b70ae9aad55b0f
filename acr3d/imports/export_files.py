"""The photos and published models of parts as a ZIP file, made while it is sent: nothing is copied to disk.

A part's files are in a folder named by its SKU, in the names that an import of photos takes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion, Part, PartImage
from acr3d.db.session import end_read
from acr3d.db.states import VersionState
from acr3d.parts.parts import present_parts
from acr3d.storage.zipped import File, zipped_files

_BATCH = 100
# What a file name must not hold on Windows, which also drops a dot or blank at the end.
_UNNAMEABLE = re.compile(r'[%/\\:*?"<>|]|^\.|\.$|^ | $')


def zipped(part_ids: Sequence[str] | None = None) -> Iterator[bytes]:
    """The ZIP file, some bytes at a time. `part_ids`: only these parts. The same files give the same bytes.

    A file that storage does not give is named in `missing.txt`.
    """
    return zipped_files(_files(part_ids))


def _files(part_ids: Sequence[str] | None) -> Iterator[File]:
    if part_ids is None:
        part_ids = db.session.scalars(present_parts().with_only_columns(Part.id).order_by(Part.sku_key)).all()
    for start in range(0, len(part_ids), _BATCH):
        ids = part_ids[start : start + _BATCH]
        present = present_parts().with_only_columns(Part.id, Part.sku).where(Part.id.in_(ids))
        rows = db.session.execute(present)
        skus: dict[str, str] = {part_id: sku for part_id, sku in rows}  # noqa: C416 - rows are no pairs to mypy
        ids = [one for one in ids if one in skus]
        found = _photos(ids) + _models(ids)
        end_read()
        by_part: dict[str, list[File]] = {}
        for part_id, name, key in found:
            folder = _UNNAMEABLE.sub(lambda sign: quote(sign[0], safe="").replace(".", "%2E"), skus[part_id])
            by_part.setdefault(part_id, []).append((f"{folder}/{name}", key))
        for part_id in ids:
            yield from by_part.get(part_id, [])


def _photos(part_ids: Sequence[str]) -> list[tuple[str, str, str]]:
    query = select(
        PartImage.part_id, PartImage.display_order, PartImage.angle_label, PartImage.storage_path
    ).where(
        PartImage.part_id.in_(part_ids), PartImage.deleted_at.is_(None), PartImage.storage_path.is_not(None)
    )
    rows = db.session.execute(query.order_by(PartImage.part_id, PartImage.display_order))
    return [
        (part_id, f"{place + 1}{f'_{angle}' if angle else ''}.jpg", str(key))
        for part_id, place, angle, key in rows
    ]


def _models(part_ids: Sequence[str]) -> list[tuple[str, str, str]]:
    query = select(ModelVersion.part_id, ModelVersion.storage_path).where(
        ModelVersion.part_id.in_(part_ids), ModelVersion.state == VersionState.PUBLISHED
    )
    return [(part_id, "model.glb", key) for part_id, key in db.session.execute(query)]
