"""What people upload instead of a photo, by its first bytes: named, so that they know what to do about it.

The signatures are those of the formats' own specifications; raw files in TIFF's clothes are in `tiff`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acr3d.messages.message import Message
from acr3d.photos.formats import SNIFFED_BYTES, brands

_RIFF_TYPE = slice(8, 12)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(beginnings)


def _has_brand(*some: bytes) -> Callable[[bytes], bool]:
    return lambda head: bool(brands(head) & set(some))


def _is_markup(*words: bytes) -> Callable[[bytes], bool]:
    """Text that begins with a tag, and has one of `words` near its beginning."""

    def matches(head: bytes) -> bool:
        text = head.removeprefix(_BYTE_ORDER_MARK).lstrip().lower()
        return text.startswith(b"<") and any(word in text for word in words)

    return matches


def _is_zip_with(*words: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(b"PK\3\4") and any(word in head for word in words)


@dataclass(frozen=True)
class OtherFile:
    """`message` names the file, by its format's proper name, and says what to do."""

    message: Message
    matches: Callable[[bytes], bool]


def _raw(maker: str, name: str) -> Message:
    return Message("photo.raw", maker=maker, name=name)


def _document(name: str) -> Message:
    return Message("photo.document", name=name)


def _archive(name: str) -> Message:
    return Message("photo.archive", name=name)


def _drawing(name: str) -> Message:
    return Message("photo.drawing", name=name)


def _video(name: str) -> Message:
    return Message("photo.video", name=name)


def _picture(name: str) -> Message:
    return Message("photo.other_picture", name=name)


# The first that matches counts: a Word document is a ZIP archive too.
OTHER_FILES: tuple[OtherFile, ...] = (
    OtherFile(_raw("Canon", "CR2"), lambda head: head[8:10] == b"CR" and head[:2] in (b"II", b"MM")),
    OtherFile(_raw("Canon", "CR3"), _has_brand(b"crx ")),
    OtherFile(_raw("Canon", "CRW"), lambda head: head[6:14] == b"HEAPCCDR"),
    OtherFile(Message("photo.raw_of_any_camera", name="Olympus ORF"), _starts(b"IIRO", b"IIRS", b"MMOR")),
    OtherFile(_raw("Fujifilm", "RAF"), _starts(b"FUJIFILMCCD-RAW")),
    OtherFile(_raw("Panasonic", "RW2"), _starts(b"IIU\0")),
    OtherFile(_raw("Sigma", "X3F"), _starts(b"FOVb")),
    OtherFile(_raw("Minolta", "MRW"), _starts(b"\0MRM")),
    OtherFile(_document("PDF"), _starts(b"%PDF-")),
    OtherFile(_document("PostScript"), _starts(b"%!PS", b"\xc5\xd0\xd3\xc6")),
    OtherFile(_document("Word"), _is_zip_with(b"word/")),
    OtherFile(_document("Excel"), _is_zip_with(b"xl/")),
    OtherFile(_document("PowerPoint"), _is_zip_with(b"ppt/")),
    OtherFile(_document("OpenDocument"), _is_zip_with(b"mimetypeapplication/vnd.oasis.opendocument")),
    OtherFile(_document("Office"), _is_zip_with(b"[Content_Types].xml")),
    OtherFile(_document("Office"), _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
    OtherFile(_document("RTF"), _starts(b"{\\rtf")),
    OtherFile(_archive("ZIP"), _starts(b"PK\3\4", b"PK\5\6")),
    OtherFile(_archive("RAR"), _starts(b"Rar!\x1a\7")),
    OtherFile(_archive("7z"), _starts(b"7z\xbc\xaf\x27\x1c")),
    OtherFile(_archive("gzip"), _starts(b"\x1f\x8b")),
    OtherFile(_drawing("SVG"), _is_markup(b"<svg")),
    OtherFile(_drawing("DWG"), _starts(b"AC10")),
    OtherFile(_drawing("STEP"), _starts(b"ISO-10303-21")),
    OtherFile(_drawing("glTF"), _starts(b"glTF")),
    OtherFile(
        Message("photo.web_page", name="HTML"), _is_markup(b"<html", b"<!doctype html", b"<head", b"<body")
    ),
    OtherFile(_video("QuickTime"), _has_brand(b"qt  ")),
    OtherFile(_video("QuickTime"), lambda head: head[4:8] in (b"moov", b"mdat", b"wide")),
    OtherFile(_video("3GP"), lambda head: any(one.startswith(b"3g") for one in brands(head))),
    OtherFile(
        _video("MP4"),
        _has_brand(b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV"),
    ),
    OtherFile(_video("WebM / Matroska"), _starts(b"\x1a\x45\xdf\xa3")),
    OtherFile(_video("AVI"), lambda head: head.startswith(b"RIFF") and head[_RIFF_TYPE] == b"AVI "),
    OtherFile(_video("MPEG"), _starts(b"\0\0\1\xba", b"\0\0\1\xb3")),
    OtherFile(_video("WMV"), _starts(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
    OtherFile(_picture("JPEG 2000"), _starts(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")),
    OtherFile(_picture("JPEG XL"), _starts(b"\0\0\0\x0cJXL ", b"\xff\x0a")),
    OtherFile(_picture("JPEG XR"), _starts(b"II\xbc")),
    OtherFile(_picture("Photoshop"), _starts(b"8BPS")),
    OtherFile(_picture("GIMP"), _starts(b"gimp xcf")),
    OtherFile(_picture("OpenEXR"), _starts(b"\x76\x2f\x31\x01")),
    OtherFile(_picture("BigTIFF"), _starts(b"II+\0", b"MM\0+")),
    OtherFile(_picture("ICO"), _starts(b"\0\0\1\0")),
)


def other_file(head: bytes) -> Message | None:
    """What a file with this beginning is, and what to do about it; None when nobody knows."""
    known = next((one for one in OTHER_FILES if one.matches(head[:SNIFFED_BYTES])), None)
    return known.message if known else None
