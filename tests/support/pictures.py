"""Pictures of every kind to upload, and what to expect of the photo made of one."""

from __future__ import annotations

import io
import struct
import zlib

import pillow_heif
import pytest
from PIL import Image, ImageDraw

from acr3d.photos import sanitize

RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 170, 60), (40, 60, 200), (220, 210, 40)


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


def in_scans(count: int) -> io.BytesIO:
    """A progressive JPEG of quarters whose last scan comes again until there are so many."""
    data = saved(quarters(), "JPEG", progressive=True, quality=95).getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return io.BytesIO(data[:-2] + last * (count - data.count(b"\xff\xda")) + data[-2:])


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
