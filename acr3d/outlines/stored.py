"""The stored outlines of photos: by the photo's content and the method that found it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import PartImage, PhotoOutline
from acr3d.db.session import transaction
from acr3d.outlines.method import COLOUR, OWN_ALPHA
from acr3d.storage.blobs import storage

_SETTLED = (OWN_ALPHA,)
"""What no automatic method improves on."""


def outlines_of(part_id: str, photos: Iterable[str]) -> dict[str, PhotoOutline]:
    """The best known outline of each of the `photos` (SHA-256) that has one."""
    query = select(PhotoOutline).where(PhotoOutline.part_id == part_id, PhotoOutline.sha256.in_(list(photos)))
    best: dict[str, PhotoOutline] = {}
    for row in sorted(db.session.scalars(query), key=_rank):
        best[row.sha256] = row
    return best


def without_outline(part_id: str, photos: Collection[str], method: str) -> list[str]:
    """Those of the `photos` (SHA-256) whose outline was not looked for by `method` yet."""
    known = outlines_of(part_id, photos)
    wanted = {*_SETTLED, method}
    return [sha256 for sha256 in photos if sha256 not in known or known[sha256].method not in wanted]


def is_known(image: PartImage, method: str) -> bool:
    """Whether the photo's outline was looked for by `method`, or is settled."""
    return image.sha256 is None or not without_outline(image.part_id, [image.sha256], method)


def store(part_id: str, sha256: str, method: str, mask: Path | None, facts: dict[str, Any]) -> None:
    """Keep what `method` found in the photo: a mask, which is moved away, or `facts["refusal"]`.

    What is known already stays as it is, since the same method finds the same.
    """
    key = mask_key(part_id, sha256, method) if mask else None
    try:
        with transaction() as session:
            session.add(_row(part_id, sha256, method, key, facts))
            session.flush()  # before the file: a database that is away must leave no file of nobody's
            if key and mask:
                storage().put(key, mask)
    except IntegrityError:
        return


def add_own(session: Session, image: PartImage) -> None:
    """Keep the cut-out's own alpha, stored under `own_key`, as the outline of a new photo."""
    known = select(PhotoOutline.id).where(
        PhotoOutline.part_id == image.part_id,
        PhotoOutline.sha256 == image.sha256,
        PhotoOutline.method == OWN_ALPHA,
    )
    if image.sha256 and session.scalar(known) is None:
        session.add(_row(image.part_id, image.sha256, OWN_ALPHA, own_key(image), {}))


def own_key(image: PartImage) -> str:
    """The key of the alpha that a cut-out brought with it."""
    return f"parts/{image.part_id}/outlines/{image.id}.png"


def mask_key(part_id: str, sha256: str, method: str) -> str:
    name = hashlib.sha256(f"{sha256} {method}".encode()).hexdigest()[:32]
    return f"parts/{part_id}/outlines/{name}.png"


def _row(part_id: str, sha256: str, method: str, key: str | None, facts: dict[str, Any]) -> PhotoOutline:
    kept = {name: facts.get(name, []) for name in ("sides", "left_out", "marks")}
    return PhotoOutline(
        part_id=part_id,
        sha256=sha256,
        method=method,
        storage_path=key,
        refusal=facts.get("refusal"),
        facts=kept,
    )


def _rank(row: PhotoOutline) -> tuple[bool, bool, Any]:
    """Settled outlines last, learned ones after those by colour alone, later ones after earlier ones."""
    return row.method in _SETTLED, row.method != COLOUR, row.created_at
