"""The keys of a photo's WebP files, which are made from the photo's own key."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KEY = re.compile(r"(parts/[^/]+)/webp/([^/]+)-(\d{1,4})\.webp")


def webp_key(storage_path: str, width: int) -> str:
    """The key of the stored photo's picture that is `width` pixels wide."""
    part, _photos, name = storage_path.rsplit("/", 2)
    return f"{part}/webp/{name.removesuffix('.jpg')}-{width}.webp"


def webp_keys(storage_path: str | None, widths: Sequence[int] | None) -> list[str]:
    """The keys of all of them; none of a photo that is still to be imported."""
    return [webp_key(storage_path, width) for width in widths or ()] if storage_path else []


def photo_and_width(key: str) -> tuple[str, int] | None:
    """The photo's key and the width that `key` was made from, or None for another kind of file."""
    found = _KEY.fullmatch(key)
    return (f"{found[1]}/photos/{found[2]}.jpg", int(found[3])) if found else None
