"""The stored photo: upright, small enough, without metadata."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image, PngImagePlugin

from acr3d.photos import sanitize
from tests.support.pictures import DISPLAY_P3, assert_quarters, cleaned, heic, quarters, saved


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"])
def test_a_photo_of_any_usual_kind_is_kept_with_its_colours(kind: str) -> None:
    image = cleaned(saved(quarters(), kind, quality=95))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 480))
    assert_quarters(image)


def test_a_heic_photo_is_kept_with_its_colours() -> None:
    assert_quarters(cleaned(heic(quarters())))


def test_the_facts_are_those_of_the_stored_file() -> None:
    photo = sanitize.clean(saved(quarters((3000, 2250)), "JPEG"))
    image = Image.open(io.BytesIO(photo.jpeg))
    assert (photo.width_px, photo.height_px) == image.size == (2048, 1536)
    assert photo.sha256 == hashlib.sha256(photo.jpeg).hexdigest()
    assert photo.mime_type == "image/jpeg"
    assert_quarters(image)


def test_the_thumbnail_is_the_same_picture_within_480() -> None:
    thumbnail = Image.open(io.BytesIO(sanitize.clean(saved(quarters((1500, 3000)), "PNG")).thumbnail))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (240, 480))
    assert_quarters(thumbnail)


def test_the_photo_is_kept_as_webp_in_the_widths_that_pages_ask_for() -> None:
    webp = sanitize.clean(saved(quarters((3000, 1500)), "PNG")).webp
    assert [Image.open(io.BytesIO(data)).size for data in webp.values()] == [
        (480, 240),
        (960, 480),
        (1600, 800),
    ]
    assert list(webp) == [480, 960, 1600]
    for data in webp.values():
        assert_quarters(Image.open(io.BytesIO(data)))
        assert b"EXIF" not in data
        assert b"ICCP" not in data
    assert list(sanitize.clean(saved(quarters((300, 260)), "PNG")).webp) == [300]
    assert list(sanitize.clean(saved(quarters((500, 260)), "PNG")).webp) == [500]


@pytest.mark.parametrize("size", [(300, 270), (2048, 2048), (2049, 2000), (256, 4096)])
def test_a_photo_is_made_to_fit_and_never_enlarged(size: tuple[int, int]) -> None:
    scale = min(1.0, 2048 / max(size))
    image = cleaned(saved(quarters(size), "PNG"))
    assert image.size == tuple(round(side * scale) for side in size)
    assert_quarters(image)


def test_shrinking_in_strips_leaves_no_seams() -> None:
    slope = Image.linear_gradient("L").resize((3000, 3000), Image.Resampling.BICUBIC)
    image = cleaned(saved(slope, "PNG"))
    whole = slope.resize((2048, 2048), Image.Resampling.LANCZOS)
    column = [(image.getpixel((1024, y)), whole.getpixel((1024, y))) for y in range(2048)]
    assert max(abs(stored[0] - plain) for stored, plain in column) <= 2  # type: ignore[index, operator]


def test_the_stream_may_stand_anywhere_and_stays_open() -> None:
    stream = saved(quarters(), "JPEG")
    stream.seek(1000)
    sanitize.clean(stream)
    assert not stream.closed


def test_the_same_upload_gives_the_same_file() -> None:
    assert sanitize.clean(saved(quarters(), "PNG")) == sanitize.clean(saved(quarters(), "PNG"))


def test_a_phones_file_with_a_second_picture_gives_the_first() -> None:
    stream = saved(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (640, 480), "white")])
    assert_quarters(cleaned(stream))


LYING = {  # EXIF orientation: how a camera that notes it has laid the upright picture down
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_turned_photo_is_stored_upright(kind: str, orientation: int) -> None:
    lying = quarters().transpose(LYING[orientation])
    image = cleaned(saved(lying, kind, exif=with_orientation(orientation), quality=95))
    assert image.size == (640, 480)
    assert_quarters(image)


@pytest.mark.parametrize("orientation", LYING)
def test_a_turned_heic_photo_is_stored_upright(orientation: int) -> None:
    lying = quarters().transpose(LYING[orientation])
    image = cleaned(heic(lying, exif=with_orientation(orientation).tobytes()))
    assert image.size == (640, 480)
    assert_quarters(image)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_orientation_that_only_xmp_has_is_ignored(kind: str) -> None:
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    options: dict[str, object] = {"xmp": xmp.encode()}
    if kind == "PNG":
        options = {"pnginfo": PngImagePlugin.PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp)  # type: ignore[attr-defined]
    elif kind == "TIFF":
        options = {"tiffinfo": {700: xmp.encode()}}
    stream = saved(quarters(), kind, **options)
    assert b"Orientation" in stream.getvalue()

    image = cleaned(stream)

    assert image.size == (640, 480)
    assert_quarters(image)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_photo_with_damaged_exif_is_kept_as_it_lies() -> None:
    assert_quarters(
        cleaned(saved(quarters(), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff" + b"\xff" * 40))
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_no_metadata_is_kept(kind: str) -> None:
    exif = with_orientation(1)
    exif[0x010F], exif[0x0131] = "SECRETMAKE", "SECRETSOFTWARE"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 0.5), 29: "SECRETDATE"})
    exif.get_ifd(0x8769).update({0xA431: "SECRETSERIAL"})
    hidden = {"exif": exif.tobytes(), "xmp": b"<x:xmpmeta>SECRETXMP</x:xmpmeta>"}
    if kind == "HEIC":
        stream = heic(quarters(), **hidden)
    else:
        stream = saved(quarters(), kind, icc_profile=DISPLAY_P3, comment=b"SECRETCOMMENT", **hidden)
    assert b"SECRET" in stream.getvalue()

    photo = sanitize.clean(stream)

    for stored in (photo.jpeg, photo.thumbnail):
        assert segments(stored) <= {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
        assert not any(word in stored for word in (b"SECRET", b"Exif", b"xmp", b"ICC_PROFILE", b"48/"))
        assert Image.open(io.BytesIO(stored)).info.keys() <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
        }


def segments(jpeg: bytes) -> set[int]:
    """The markers up to the picture's data; JFIF is E0, all other metadata would be E1 to EF or FE."""
    found, at = set(), 2
    while 0xDA not in found:
        found.add(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return found
