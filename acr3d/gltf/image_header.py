"""Format and size of an encoded image, read from its header without decoding it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from acr3d.gltf import limits
from acr3d.gltf.errors import damaged, too_large

_PNG = b"\x89PNG\r\n\x1a\n"
_KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n"
_ORIENTATION, _LYING = 0x0112, range(5, 9)
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True)
class ImageFacts:
    """An image's format (png, jpeg, webp, avif, ktx2, or unknown, which has no size) and size in pixels.

    The size is that of the upright picture: browsers follow a JPEG's EXIF orientation.
    `held_bytes_per_pixel`: memory that its decoder uses in addition to the picture itself.
    """

    format: str
    width: int
    height: int
    held_bytes_per_pixel: int = 0

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"


UNKNOWN = ImageFacts("unknown", 0, 0)


def read_image_header(content: bytes, place: str) -> ImageFacts:
    """Format and size of an encoded image. Raises BadModel for an invalid header or too many pixels."""
    facts = _sniff(content, place)
    if facts == UNKNOWN:
        return facts
    if facts.width < 1 or facts.height < 1:
        raise damaged(place, "has no pixels")
    if max(facts.width, facts.height) > limits.IMAGE_SIDE:
        raise too_large(place, f"is {facts.width} × {facts.height} pixels, over {limits.IMAGE_SIDE} a side")
    return facts


def png_bits(content: bytes) -> int:
    """Bits per channel of a PNG whose header was read."""
    return content[24]


def _sniff(content: bytes, place: str) -> ImageFacts:
    try:
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith(b"\xff\xd8"):
            return _jpeg(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
        if content.startswith(_KTX2):
            return ImageFacts("ktx2", *struct.unpack_from("<II", content, 20))
        if content[4:12] == b"ftypavif":
            return _avif(content)
    except (struct.error, IndexError, ValueError) as error:
        raise damaged(place, "has an invalid image header") from error
    return UNKNOWN


def _png(content: bytes) -> ImageFacts:
    width, height, _depth, colour = struct.unpack_from(">IIBB", content, 16)
    if content[12:16] != b"IHDR" or colour not in _PNG_CHANNELS:
        raise ValueError("no IHDR")
    # A palette picture is kept in memory beside the RGB one that it becomes.
    return ImageFacts("png", width, height, held_bytes_per_pixel=1 if colour == 3 else 0)


def _jpeg(content: bytes) -> ImageFacts:
    at, is_lying = 2, False
    while True:
        while content[at] == 0xFF and content[at + 1] == 0xFF:
            at += 1
        marker, length = content[at + 1], struct.unpack_from(">H", content, at + 2)[0]
        if content[at] != 0xFF or length < 2:
            raise ValueError("no marker")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, parts = struct.unpack_from(">HHB", content, at + 5)
            if is_lying:
                height, width = width, height
            # A progressive file's coefficients all stay in memory, two bytes each, until the last scan.
            return ImageFacts("jpeg", width, height, held_bytes_per_pixel=0 if marker < 0xC2 else 2 * parts)
        if marker == 0xE1 and content[at + 4 : at + 10] == b"Exif\0\0":
            is_lying = _exif_orientation(content[at + 10 : at + 2 + length]) in _LYING
        at += 2 + length


def _exif_orientation(content: bytes) -> int:
    """The orientation (1 to 8) in a TIFF block (EXIF 2.3, 4.6.4); 1 without any."""
    order = "<" if content[:2] == b"II" else ">"
    try:
        start = struct.unpack_from(order + "I", content, 4)[0]
        for number in range(struct.unpack_from(order + "H", content, start)[0]):
            tag, _, _, value = struct.unpack_from(order + "HHIH", content, start + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value)
    except struct.error:
        pass  # decoders ignore damaged metadata too
    return 1


def _webp(content: bytes) -> ImageFacts:
    kind = content[12:16]
    if kind == b"VP8X":
        low = int.from_bytes(content[24:27], "little"), int.from_bytes(content[27:30], "little")
        size = low[0] + 1, low[1] + 1
    elif kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        wide, high = struct.unpack_from("<HH", content, 26)
        size = wide & 0x3FFF, high & 0x3FFF
    else:
        raise ValueError("no frame")
    # Pillow decodes every WebP as an animation: two canvases beside the picture.
    return ImageFacts("webp", *size, held_bytes_per_pixel=8)


def _avif(content: bytes) -> ImageFacts:
    at = content.index(b"ispe")
    return ImageFacts("avif", *struct.unpack_from(">II", content, at + 8))
