"""The photo formats that can be uploaded: one table, for decoding, limits, the file dialog and refusals.

To add a format that Pillow reads, add its line to FORMATS. One that needs another decoder also gets that
decoder in `decode`. What people upload by mistake is named in `other_files`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_TIFF_STARTS = (b"II*\0", b"MM\0*")
_BMP_HEADER_BYTES = (12, 40, 52, 56, 64, 108, 124)


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


SNIFFED_BYTES = 4096


def brands(head: bytes) -> set[bytes]:
    """What a file of ISO boxes says it can be read as (ISO/IEC 14496-12, 4.3); empty for other files."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[: int.from_bytes(head[:4])]
    return {box[8:12]} | {box[at : at + 4] for at in range(16, len(box) - 3, 4)}


def _is_avif(head: bytes) -> bool:
    return bool(brands(head) & _AVIF_BRANDS)


def _is_heic(head: bytes) -> bool:
    return bool(brands(head) & _HEIC_BRANDS) and not _is_avif(head)  # "mif1" is any picture in boxes


def _is_tiff(head: bytes) -> bool:
    return head.startswith(_TIFF_STARTS) and head[8:10] != b"CR"  # as in Canon's CR2


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES


# The limits follow from memory per pixel (docs/decisions/0016-photos-memory.md): JPEG shrinks while it
# decodes, WebP needs 16 bytes, TIFF up to 12, AVIF 9, the others five or fewer.
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
        _is_heic,
        max_megapixels=50,
        mime_types=("image/heic", "image/heif"),
        suffixes=(".heic", ".heif"),
        pillow_plugin=None,
    ),
    PhotoFormat(
        "AVIF",
        _is_avif,
        max_megapixels=25,
        mime_types=("image/avif",),
        suffixes=(".avif",),
        pillow_plugin="AvifImagePlugin",
    ),
    PhotoFormat(
        "TIFF",
        _is_tiff,
        max_megapixels=20,
        mime_types=("image/tiff",),
        suffixes=(".tif", ".tiff"),
        pillow_plugin="TiffImagePlugin",
    ),
    PhotoFormat(
        "BMP",
        _is_bmp,
        max_megapixels=40,
        mime_types=("image/bmp",),
        suffixes=(".bmp",),
        pillow_plugin="BmpImagePlugin",
    ),
    PhotoFormat(
        "GIF",
        lambda head: head.startswith((b"GIF87a", b"GIF89a")),
        max_megapixels=40,
        mime_types=("image/gif",),
        suffixes=(".gif",),
        pillow_plugin="GifImagePlugin",
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
