"""What is no photo is named, with what to do about it."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from acr3d.photos import limits
from tests.support.pictures import refusal

_MAKE, _PHOTOMETRIC, _DNG_VERSION, _COLOUR_FILTER_ARRAY = 271, 262, 50706, 32803


def boxes(brand: bytes, *compatible: bytes) -> bytes:
    content = b"ftyp" + brand + b"\0\0\0\0" + b"".join(compatible)
    return (len(content) + 4).to_bytes(4) + content + b"\0\0\1\0moov" + b"\0" * 500


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "content " * 30)
    return stream.getvalue()


def tiff(tags: dict[int, object]) -> bytes:
    directory = ImageFileDirectory_v2()
    for tag, value in tags.items():
        directory[tag] = value
    stream = io.BytesIO()
    directory.save(stream)
    return stream.getvalue() + b"\0" * 200


@pytest.mark.parametrize(
    ("content", "name", "advice"),
    [
        (b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 400, "Canon raw file (CR2)", "Export it as JPEG"),
        (boxes(b"crx ", b"crx ", b"isom"), "Canon raw file (CR3)", "Export it as JPEG"),
        (b"IIRO\x08\0\0\0" + b"\0" * 400, "raw file (Olympus ORF)", "Export it as JPEG"),
        (b"FUJIFILMCCD-RAW 0201" + b"\0" * 400, "Fujifilm raw file (RAF)", "Export it as JPEG"),
        (b"IIU\0\x18\0\0\0" + b"\0" * 400, "Panasonic raw file (RW2)", "Export it as JPEG"),
        (
            tiff({_MAKE: "NIKON CORPORATION", _PHOTOMETRIC: _COLOUR_FILTER_ARRAY}),
            "Nikon raw file (NEF)",
            "Export it as JPEG",
        ),
        (
            tiff({_MAKE: "SONY", _PHOTOMETRIC: _COLOUR_FILTER_ARRAY}),
            "Sony raw file (ARW)",
            "Export it as JPEG",
        ),
        (tiff({_MAKE: "Apple", _DNG_VERSION: b"\1\4\0\0"}), "raw file (DNG)", "Export it as JPEG"),
        (b"%PDF-1.7 " + b"x" * 400, "document (PDF)", "save that picture"),
        (zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "document (Word)", "save that"),
        (zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "document (Excel)", "save that"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "document (Office)", "save that picture"),
        (zipped("front.jpg", "back.jpg"), "archive (ZIP)", "Unpack it"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "(SVG)", "Upload photos of"),
        (b"\xef\xbb\xbf <!DOCTYPE html><script>alert(1)</script>", "web page (HTML)", "save the picture"),
        (boxes(b"isom", b"isom", b"avc1"), "video (MP4)", "still picture"),
        (boxes(b"qt  "), "video (QuickTime)", "still picture"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 400, "video (WebM", "still picture"),
        (b"RIFF\xff\0\0\0AVI LIST" + b"\0" * 400, "video (AVI)", "still picture"),
        (b"\xff\x0a" + b"\0" * 400, "in the format JPEG XL", "Save it as JPEG"),
        (b"8BPS\0\1" + b"\0" * 400, "in the format Photoshop", "Save it as JPEG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_named_with_a_way_out(content: bytes, name: str, advice: str) -> None:
    sentence = str(refusal(io.BytesIO(content)))

    assert name in sentence
    assert advice in sentence


def test_a_large_video_is_named_rather_than_measured() -> None:
    stream = io.BytesIO(boxes(b"isom"))
    stream.seek(limits.MAX_FILE_BYTES)
    stream.write(b"\0")

    assert refusal(stream).code == "photo.video"


def test_a_heic_photo_that_calls_itself_a_video_too_is_a_photo() -> None:
    """As phones write those with a short film inside."""
    limits.check_file(io.BytesIO(boxes(b"heic", b"mif1", b"heic", b"isom", b"mp42")))


def test_a_photo_that_speaks_of_other_files_is_a_photo() -> None:
    words = "<svg> <html> %PDF- PK\3\4 word/ ftypqt  "
    stream = io.BytesIO()
    Image.new("RGB", (300, 300)).save(stream, "JPEG", comment=words)

    limits.check_file(stream)
