"""What a clean photo is. The work of making one is done in a child process, which imports the decoders."""

from __future__ import annotations

from dataclasses import dataclass, field

THUMBNAIL_SIDE = 480


@dataclass(frozen=True)
class Photo:
    """A picture ready to be stored and served. Size and hash are those of `jpeg`."""

    jpeg: bytes
    width_px: int
    height_px: int
    sha256: str
    thumbnail: bytes
    """A JPEG of the same picture within 480 × 480, for lists."""
    look: str
    """What it looks like (`photos.look`), to find the same picture in another size or quality."""
    mime_type: str = "image/jpeg"
    webp: dict[int, bytes] = field(default_factory=dict)
    """The picture in the widths that pages ask for (`photos.widths`)."""
    outline: bytes | None = None
    """Of a cut-out, whose background was transparent: a PNG that is white on the part, within 1024 × 1024."""
