"""What becomes of a photo that somebody uploads: what is kept, what is refused and what is said."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageDraw

from acr3d.photos import file_headers, limits, sanitize

RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 170, 60), (40, 60, 200), (220, 210, 40)


# --- pictures to upload -----------------------------------------------------------------------


def quarters(size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Red top left, green top right, blue bottom left, yellow bottom right."""
    image = Image.new("RGB", size, RED)
    draw = ImageDraw.Draw(image)
    (width, height), (x, y) = size, (size[0] // 2, size[1] // 2)
    draw.rectangle((x, 0, width, y - 1), GREEN)
    draw.rectangle((0, y, x - 1, height), BLUE)
    draw.rectangle((x, y, width, height), YELLOW)
    return image


def saved(image: Image.Image, kind: str, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream


def heic(image: Image.Image, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=90, **options)
    return stream


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(size: tuple[int, int], depth: int, colour: int, row: bytes, *more: bytes) -> io.BytesIO:
    """A PNG of equal rows, for what Pillow cannot write: 16 bits a channel, and headers that are bombs."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    pixels = zlib.compress((b"\0" + row) * min(size[1], 4096))
    parts = [chunk(b"IHDR", header), *more, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def matrix_profile(
    red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...], gamma: float
) -> bytes:
    """An RGB profile (ICC.1:2001, matrix/TRC) from its colorants in XYZ under D50 and one gamma."""

    def fixed(values: tuple[float, ...]) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 79
    colours = {b"rXYZ": red, b"gXYZ": green, b"bXYZ": blue, b"wtpt": (0.9642, 1.0, 0.8249)}
    tags = {b"desc": name, b"cprt": b"text\0\0\0\0none", b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    tags |= {key: b"XYZ \0\0\0\0" + fixed(value) for key, value in colours.items()}
    table, data = struct.pack(">I", len(tags)), b""
    for key, value in tags.items():
        table += key + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(data), len(value))
        data += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", 128 + len(table + data), b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + fixed((0.9642, 1.0, 0.8249))
    return head.ljust(128, b"\0") + table + data


# Colorants adapted to D50 (Bradford); gamma 2.2 stands in for P3's sRGB curve.
DISPLAY_P3 = matrix_profile(
    (0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841), 2.2
)
ADOBE_RGB = matrix_profile((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446), 2.2)


# --- what is looked at ------------------------------------------------------------------------


def cleaned(stream: io.BytesIO) -> Image.Image:
    image = Image.open(io.BytesIO(sanitize.clean(stream).jpeg))
    image.load()
    return image


def refusal(stream: io.BytesIO) -> sanitize.PhotoRefused:
    with pytest.raises(sanitize.PhotoRefused) as caught:
        sanitize.clean(stream)
    assert len(str(caught.value)) > 80
    assert "not added" in str(caught.value) or "no photo to add" in str(caught.value)
    assert str(caught.value).endswith(".")
    return caught.value


def assert_colour(
    image: Image.Image, at: tuple[float, float], colour: tuple[int, ...], tolerance: int = 6
) -> None:
    point = (int(at[0] * (image.width - 1)), int(at[1] * (image.height - 1)))
    found = image.getpixel(point)
    assert isinstance(found, tuple)
    assert all(abs(a - b) <= tolerance for a, b in zip(found, colour, strict=True)), (at, found, colour)


def assert_quarters(image: Image.Image) -> None:
    assert_colour(image, (0.2, 0.2), RED)
    assert_colour(image, (0.8, 0.2), GREEN)
    assert_colour(image, (0.2, 0.8), BLUE)
    assert_colour(image, (0.8, 0.8), YELLOW)


# --- what is kept -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_of_any_usual_kind_is_kept_with_its_colours(kind: str) -> None:
    image = cleaned(saved(quarters(), kind, quality=95))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 480))
    assert_quarters(image)


def test_a_heic_photo_is_kept_with_its_colours() -> None:
    assert_quarters(cleaned(heic(quarters())))


def test_the_facts_are_those_of_the_stored_file() -> None:
    photo = sanitize.clean(saved(quarters((4000, 3000)), "JPEG"))
    image = Image.open(io.BytesIO(photo.jpeg))
    assert (photo.width_px, photo.height_px) == image.size == (2048, 1536)
    assert photo.sha256 == hashlib.sha256(photo.jpeg).hexdigest()
    assert photo.mime_type == "image/jpeg"
    assert_quarters(image)


def test_the_thumbnail_is_the_same_picture_within_480() -> None:
    thumbnail = Image.open(io.BytesIO(sanitize.clean(saved(quarters((1500, 3000)), "PNG")).thumbnail))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (240, 480))
    assert_quarters(thumbnail)


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


# --- upright, and nothing said about where and with what --------------------------------------


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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
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


# --- colours ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "stored", "seen"),
    [
        # By the primaries' matrices and the two curves; a colour outside sRGB ends at its edge.
        (DISPLAY_P3, (150, 120, 100), (157, 119, 97)),
        (DISPLAY_P3, (255, 0, 0), (255, 0, 0)),
        (ADOBE_RGB, (150, 120, 100), (162, 121, 99)),
        (ADOBE_RGB, (0, 255, 0), (0, 255, 0)),
        (DISPLAY_P3, (128, 128, 128), (129, 129, 129)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_wide_colour_profile_becomes_srgb(
    kind: str, profile: bytes, stored: tuple[int, ...], seen: tuple[int, ...]
) -> None:
    picture = saved(Image.new("RGB", (300, 300), stored), kind, icc_profile=profile, quality=100)
    assert_colour(cleaned(picture), (0.5, 0.5), seen, tolerance=3)


def test_a_heic_photo_in_display_p3_becomes_srgb() -> None:
    image = Image.new("RGB", (300, 300), (150, 120, 100))
    image.info["icc_profile"] = DISPLAY_P3
    assert_colour(cleaned(heic(image)), (0.5, 0.5), (157, 119, 97), tolerance=4)


@pytest.mark.parametrize("profile", [b"no profile at all", DISPLAY_P3[:200], b"\0" * 300])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    assert_quarters(cleaned(saved(quarters(), "JPEG", icc_profile=profile, quality=95)))


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert_quarters(cleaned(saved(quarters(), "JPEG", icc_profile=lab, quality=95)))


def test_a_cmyk_photo_without_a_profile_becomes_rgb() -> None:
    assert_quarters(cleaned(saved(quarters().convert("CMYK"), "JPEG", quality=95)))


def test_a_grey_photo_with_a_profile_for_coloured_ones_keeps_its_greys() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = cleaned(saved(Image.new("L", (300, 300), 90), "JPEG", icc_profile=srgb))
    assert_colour(image, (0.5, 0.5), (90, 90, 90), tolerance=2)


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_two_tone_and_palette_pictures_become_rgb(mode: str) -> None:
    image = Image.new("L", (300, 300), 0)
    image.paste(255, (150, 0, 300, 300))
    stored = cleaned(saved(image.convert(mode), "PNG"))
    assert_colour(stored, (0.2, 0.5), (0, 0, 0), tolerance=2)
    assert_colour(stored, (0.8, 0.5), (255, 255, 255), tolerance=2)


@pytest.mark.parametrize(
    ("colour", "channels", "seen"),
    [
        (0, [0x4000], (64, 64, 64)),
        (2, [0xC800, 0x1E00, 0x40FF], (200, 30, 64)),
        (4, [0x4000, 0xFFFF], (64, 64, 64)),
        (6, [0xC800, 0x1E00, 0x40FF, 0xFFFF], (200, 30, 64)),
        (6, [0xC800, 0x1E00, 0x40FF, 0x0000], (255, 255, 255)),
    ],
    ids=["grey", "rgb", "grey+alpha", "rgb+alpha", "transparent"],
)
def test_sixteen_bits_are_scaled_to_eight(colour: int, channels: list[int], seen: tuple[int, ...]) -> None:
    row = struct.pack(f">{len(channels)}H", *channels) * 300
    assert_colour(cleaned(png((300, 300), 16, colour, row)), (0.5, 0.5), seen, tolerance=2)


def test_a_ten_bit_heic_photo_is_scaled_to_eight() -> None:
    data = struct.pack("<3H", 200 << 8, 30 << 8, 64 << 8) * (300 * 300)
    stream = io.BytesIO()
    pillow_heif.from_bytes(mode="RGB;16", size=(300, 300), data=data).save(stream, quality=95)
    assert_colour(cleaned(stream), (0.5, 0.5), (200, 30, 64))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    image = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    image.paste((40, 40, 40, 255), (0, 0, 150, 300))
    stored = cleaned(saved(image.convert(mode), "PNG"))
    assert_colour(stored, (0.2, 0.5), (40, 40, 40))
    assert_colour(stored, (0.8, 0.5), (255, 255, 255))


def test_half_transparency_is_mixed_with_white() -> None:
    for stream in (
        saved(Image.new("RGBA", (300, 300), (200, 0, 0, 128)), "PNG"),
        saved(Image.new("RGBA", (300, 300), (200, 0, 0, 128)), "WEBP", lossless=True),
        heic(Image.new("RGBA", (300, 300), (200, 0, 0, 128))),
    ):
        assert_colour(cleaned(stream), (0.5, 0.5), (227, 127, 127))


def test_a_colour_marked_as_transparent_becomes_white() -> None:
    key = chunk(b"tRNS", struct.pack(">3H", 10, 20, 30))
    assert_colour(cleaned(png((300, 300), 8, 2, bytes((10, 20, 30)) * 300, key)), (0.5, 0.5), (255, 255, 255))


# --- what is refused --------------------------------------------------------------------------


def test_an_empty_file_is_refused() -> None:
    assert refusal(io.BytesIO()).code == "photo.empty"


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>" + b" " * 500,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7 " + b"x" * 400,
        b"\0\0\0\x1cftypavif" + b"\0" * 400,
        b"x",
    ],
    ids=["html", "svg", "pdf", "avif", "one byte"],
)
def test_what_is_no_photo_is_refused_whatever_its_name(content: bytes) -> None:
    assert refusal(io.BytesIO(content)).code == "photo.not_a_photo"


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "PPM"])
def test_other_kinds_of_picture_are_refused_with_a_way_out(kind: str) -> None:
    refused = refusal(saved(quarters(), kind))
    assert refused.code == "photo.not_a_photo"
    assert "JPEG" in str(refused)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(kind: str) -> None:
    frames = [Image.new("RGB", (300, 300), colour) for colour in (RED, GREEN, BLUE)]
    assert refusal(saved(frames[0], kind, save_all=True, append_images=frames[1:])).code == "photo.animated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIC", "HEIC in tiles"])
def test_a_cut_off_file_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((400, 400), 80)] * 3)
    if kind == "HEIC in tiles":
        monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 256)
    whole = (heic(noise) if kind.startswith("HEIC") else saved(noise, kind)).getvalue()
    for share in (0.02, 0.5, 0.95):
        assert refusal(io.BytesIO(whole[: int(len(whole) * share)])).code == "photo.damaged", share


@pytest.mark.parametrize(
    "start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic"]
)
def test_a_right_beginning_with_rubbish_behind_is_refused(start: bytes) -> None:
    assert refusal(io.BytesIO(start + bytes(range(256)) * 20)).code == "photo.damaged"


def test_a_file_over_twenty_megabytes_is_refused_unread() -> None:
    stream = saved(quarters(), "JPEG")
    stream.seek(limits.MAX_FILE_BYTES)
    stream.write(b"\0")
    refused = refusal(stream)
    assert refused.code == "photo.file_too_large"
    assert "20 MB" in str(refused)


@pytest.mark.parametrize("size", [(1, 1), (255, 1000), (1000, 255)])
def test_a_picture_too_small_to_show_a_part_is_refused(size: tuple[int, int]) -> None:
    refused = refusal(saved(Image.new("RGB", size), "PNG"))
    assert refused.code == "photo.too_small"
    assert f"{size[0]} × {size[1]}" in str(refused)


def test_a_strip_is_refused_as_it_would_show_nothing() -> None:
    refused = refusal(saved(Image.new("L", (20000, 256)), "PNG"))
    assert refused.code == "photo.too_narrow"
    assert "20000 × 256" in str(refused)


def test_a_bomb_is_refused_from_its_header() -> None:
    refused = refusal(png((30000, 30000), 1, 0, b"\0" * 3750))
    assert refused.code == "photo.size_unknown"
    assert "40 megapixels" in str(refused)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_too_where_pillow_only_warns() -> None:
    assert "10000 × 10000" in str(refusal(png((10000, 10000), 1, 0, b"\0" * 1250)))


@pytest.mark.parametrize(("kind", "megapixels"), limits.MEGAPIXELS.items())
def test_each_kind_has_its_limit_in_words(kind: str, megapixels: int) -> None:
    limits.check_size((8000, megapixels * 125), kind)
    with pytest.raises(sanitize.PhotoRefused, match=f"{megapixels} megapixels allowed for {kind}"):
        limits.check_size((8001, megapixels * 125), kind)


def test_a_large_progressive_jpeg_is_refused_where_a_plain_one_is_kept() -> None:
    grey = Image.new("RGB", (6800, 6800), (90, 90, 90))
    assert cleaned(saved(grey, "JPEG", subsampling=0)).size == (2048, 2048)
    refused = refusal(saved(grey, "JPEG", subsampling=0, progressive=True))
    assert refused.code == "photo.too_many_pixels"
    assert "progressive" in str(refused)


def test_a_jpeg_that_comes_component_by_component_counts_as_several_scans() -> None:
    frame = (
        b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 300, 300, 3) + bytes((1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1))
    )
    one_by_one = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0)
    together = b"\xff\xda" + struct.pack(">HB", 12, 3) + bytes((1, 0, 2, 0x11, 3, 0x11, 0, 63, 0))
    apart = file_headers.jpeg_layout(io.BytesIO(b"\xff\xd8" + frame + one_by_one))
    whole = file_headers.jpeg_layout(io.BytesIO(b"\xff\xd8" + frame + together))
    assert (apart.samples_per_pixel, apart.several_scans) == (1.5, True)
    assert (whole.samples_per_pixel, whole.several_scans) == (1.5, False)


def test_a_deep_heic_photo_may_hold_fewer_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECODER_BYTES", 400 * 400 * 7)
    assert cleaned(heic(quarters((400, 400)))).size == (400, 400)
    assert refusal(heic(quarters((400, 400)), chroma=444)).code == "photo.too_many_pixels"
    assert refusal(heic(quarters((400, 400)).convert("RGBA"))).code == "photo.too_many_pixels"


# --- memory -----------------------------------------------------------------------------------

EIGHT_AT_ONCE = """
import io, sys, threading
from acr3d.photos import sanitize as photos

def upload():
    with open(sys.argv[1], "rb") as stream:
        try:
            photos.clean(stream)
        except photos.PhotoRefused as refusal:
            refused.append(refusal)

refused = []
threads = [threading.Thread(target=upload) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(len(refused), int(status["VmHWM"].split()[0]) // 1000, int(status["VmRSS"].split()[0]) // 1000)
"""


@pytest.mark.parametrize("is_whole", [True, False])
def test_eight_uploads_at_once_hold_the_memory_of_one(tmp_path: Path, is_whole: bool) -> None:
    stream = png((4000, 3000), 8, 6, b"\x50\x60\x70\xff" * 4000)  # 48 MB of pixels each
    path = tmp_path / "photo.png"
    path.write_bytes(stream.getvalue() if is_whole else stream.getvalue()[:-3000])

    answer = subprocess.run(
        [sys.executable, "-c", EIGHT_AT_ONCE, str(path)], check=True, capture_output=True, text=True
    )

    refused, peak, afterwards = (int(number) for number in answer.stdout.split())
    assert refused == (0 if is_whole else 8)
    assert peak < 140
    assert afterwards < 60


def test_only_one_picture_is_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = [], []
    decode = sanitize.decoded

    def counted(stream: io.BytesIO) -> object:
        inside.append(stream)
        most.append(len(inside))
        pixels = decode(stream)
        inside.pop()
        return pixels

    monkeypatch.setattr(sanitize, "decoded", counted)
    threads = [
        threading.Thread(target=lambda: sanitize.clean(saved(quarters((1500, 1500)), "PNG")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 6
    assert max(most) == 1


def test_heic_costs_nothing_until_one_comes_and_numpy_never_loads() -> None:
    code = "import sys, acr3d.photos.sanitize; print('pillow_heif' in sys.modules, 'numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "False"]


# --- the demo parts ---------------------------------------------------------------------------

DEMO = Path(__file__).parents[2] / "demo"
DEMO_PARTS = json.loads((DEMO / "parts.json").read_text())


@pytest.mark.parametrize("part", DEMO_PARTS, ids=lambda part: part["sku"])
def test_every_demo_part_can_be_uploaded_whole(part: dict[str, Any]) -> None:
    assert part["name"]
    assert part["description"]
    assert (part["licence"], bool(part["author"])) == ("CC0-1.0", True)
    assert all(part["size_mm"][side] > 0 for side in ("width", "height", "depth"))
    assert [photo["angle"] for photo in part["photos"]] == ["front", "back", "left", "right", "top", "bottom"]
    for photo in part["photos"]:
        assert photo["alt"]
        with (DEMO / photo["file"]).open("rb") as stream:
            image = Image.open(io.BytesIO(sanitize.clean(stream).jpeg))
        assert min(image.size) >= 1000
        assert_colour(image, (0.01, 0.01), (255, 255, 255), tolerance=2)  # a plain backdrop, fit for carving


def test_the_demo_stays_small_and_lists_every_file_it_carries() -> None:
    listed = {photo["file"] for part in DEMO_PARTS for photo in part["photos"]}
    carried = {path.relative_to(DEMO).as_posix(): path.stat().st_size for path in DEMO.glob("photos/*")}
    assert listed == carried.keys()
    assert sum(carried.values()) < 3_000_000
    assert len({part["sku"].casefold() for part in DEMO_PARTS}) == len(DEMO_PARTS)
