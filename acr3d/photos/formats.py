"""The photo formats that can be uploaded: one table, for decoding, limits, the file dialog and refusals.

To add a format that Pillow reads, add its line to FORMATS. One that needs another decoder also gets that
decoder in `decode`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs")


@dataclass(frozen=True)
class PhotoFormat:
    """One format. `name` is what people, and Pillow, call it."""

    name: str
    matches: Callable[[bytes], bool]
    """Whether a file that begins with these bytes (SNIFFED_BYTES of them) claims to be one."""
    max_megapixels: int
    mime_types: tuple[str, ...]
    suffixes: tuple[str, ...]
    pillow_plugin: str | None
    """The module of PIL that reads it; None for what Pillow cannot read."""


SNIFFED_BYTES = 16

# The limits follow from memory per pixel (docs/decisions/0016-photos-memory.md): JPEG shrinks while it
# decodes, WebP needs 16 bytes, the others four or five.
FORMATS: tuple[PhotoFormat, ...] = (
    PhotoFormat(
        "JPEG",
        lambda head: head.startswith(b"\xff\xd8\xff"),
        max_megapixels=64,
        mime_types=("image/jpeg",),
        suffixes=(".jpg", ".jpeg"),
        pillow_plugin="JpegImagePlugin",
    ),
    PhotoFormat(
        "PNG",
        lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
        max_megapixels=40,
        mime_types=("image/png",),
        suffixes=(".png",),
        pillow_plugin="PngImagePlugin",
    ),
    PhotoFormat(
        "WebP",
        lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP",
        max_megapixels=13,
        mime_types=("image/webp",),
        suffixes=(".webp",),
        pillow_plugin="WebPImagePlugin",
    ),
    PhotoFormat(
        "HEIC",
        lambda head: head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS,
        max_megapixels=40,
        mime_types=("image/heic", "image/heif"),
        suffixes=(".heic", ".heif"),
        pillow_plugin=None,
    ),
)


def format_of(head: bytes) -> PhotoFormat | None:
    """The format that a file with this beginning claims to have; names and MIME types are not trusted."""
    return next((one for one in FORMATS if one.matches(head)), None)


def accept() -> str:
    """The `accept` attribute of a file dialog. Suffixes too: not every system knows each MIME type."""
    return ",".join(word for one in FORMATS for word in (*one.mime_types, *one.suffixes))


def all_but_last_and_last() -> tuple[str, str]:
    """The formats' names for a sentence: "JPEG, PNG, WebP" and "HEIC"."""
    *first, last = (one.name for one in FORMATS)
    return ", ".join(first), last


def tightest() -> PhotoFormat:
    """The format that allows the fewest pixels."""
    return min(FORMATS, key=lambda one: one.max_megapixels)
