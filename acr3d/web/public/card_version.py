"""What the address of a part's picture for links says, so that another picture has another address."""

from __future__ import annotations

from acr3d.clean_photos.shown import clean_of, wants_white
from acr3d.db.models import Part, PartImage


def card_version(part: Part, cover: PartImage | None) -> str:
    """The part's revision, and the cover's clean photo if that is shown: it comes and goes by itself."""
    clean = clean_of(cover) if cover and wants_white(cover) else None
    return f"{part.revision}-{clean.made_of[:8]}" if clean else str(part.revision)
