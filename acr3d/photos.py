"""An untrusted upload becomes a clean JPEG and its facts.

Whatever picture comes in, what is stored is an upright sRGB JPEG of at most 2048 pixels a side, without
transparency and without any metadata. Pure: this module knows no database, no web framework and no numpy.

Memory is the hard part: a small file can unfold to hundreds of megabytes. So the sizes in a file's header are
judged before anything is decoded, one picture is decoded at a time in the whole process, and pixels are
flattened and shrunk in strips, so that a second full-size copy never exists. The figures behind the limits
are in docs/decisions/photos-memory.md; `bench/photos.py` measures them.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import io
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from PIL import (
    Image,
    ImageCms,
    JpegImagePlugin,  # noqa: F401 - named here so that Pillow does not load all its plugins to find them
    PngImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

MAX_FILE_BYTES = 20_000_000
MIN_SIDE = 256
MAX_RATIO = 16
"""Longest side over shortest. Beyond it a shrunk picture has too few pixels across to show a part."""
STORED_SIDE = 2048
THUMBNAIL_SIDE = 480
MEGAPIXELS = {"JPEG": 64, "PNG": 40, "HEIC": 40, "WEBP": 13}
"""What each kind may hold. JPEG shrinks while it decodes; WebP takes 16 bytes a pixel, four times the others."""

_JPEG_QUALITY = 90
_THUMBNAIL_QUALITY = 80
_JPEG_COEFFICIENT_BYTES = 200_000_000
_STRIP_ROWS = 256
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs")
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ICC_SPACE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}

_one_decode = threading.Lock()


@dataclass(frozen=True)
class Photo:
    """A picture fit to be stored and served; sizes and hash are those of `jpeg`."""

    jpeg: bytes
    width_px: int
    height_px: int
    sha256: str
    thumbnail: bytes
    """A JPEG of the same picture within 480 × 480, for lists."""
    mime_type: str = "image/jpeg"


class PhotoRefused(ValueError):
    """The upload is no photo we can keep. `str()` is a sentence for a person, `code` a word for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class _Pixels:
    """A decoded picture, handed out in horizontal strips so that no second whole copy is made."""

    size: tuple[int, int]
    rows: Callable[[int, int], Image.Image]
    """rows(first, end): that part of the picture, in any mode Pillow knows."""
    icc: bytes | None
    orientation: int


def clean(stream: BinaryIO) -> Photo:
    """Judge and convert one upload. `stream` is seekable; it is read from its beginning and left open.

    Hand over the upload's own (spooled) file rather than bytes: uploads that wait for their turn then cost no
    memory. Raises PhotoRefused. Blocks while another picture is being decoded.
    """
    _check_length(stream)
    with _one_decode:
        try:
            return _stored(_upright_srgb(_decoded(stream)))
        except PhotoRefused as refusal:
            _forget_frames(refusal)
            raise
        finally:
            _give_memory_back()


def _check_length(stream: BinaryIO) -> None:
    length = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if length == 0:
        raise PhotoRefused(
            "empty",
            "The file is empty, so there is no photo to add to the part. Choose it again; if it lies in a cloud "
            "folder, wait until it has been downloaded.",
        )
    if length > MAX_FILE_BYTES:
        raise PhotoRefused(
            "file_too_large",
            f"The file has {length / 1e6:.1f} MB, more than the {MAX_FILE_BYTES // 1_000_000} MB allowed, so it was "
            "not added to the part. Save the photo as JPEG or in a smaller size and upload that.",
        )


# --- decoding ---------------------------------------------------------------------------------


def _decoded(stream: BinaryIO) -> _Pixels:
    kind = _kind(stream.read(16))
    stream.seek(0)
    if kind is None:
        raise PhotoRefused(
            "not_a_photo",
            "This is not a JPEG, PNG, WebP or HEIC picture, whatever its name says, so it was not added to the part. "
            "Save the photo as JPEG and upload that.",
        )
    if kind == "HEIC":
        return _decoded_heic(stream)
    return _decoded_by_pillow(stream, kind)


def _kind(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "HEIC"
    return None


def _decoded_by_pillow(stream: BinaryIO, kind: str) -> _Pixels:
    with _reading(kind):
        image = Image.open(stream, formats=[kind])
    _check_size(image.size, kind)
    if kind == "JPEG":  # a phone's MPO is one too: the first of its pictures is the photo
        _check_jpeg_memory(stream, image.size)
        image.draft(None, _fitted(image.size, STORED_SIDE))
    elif getattr(image, "is_animated", False):
        raise PhotoRefused(
            "animated",
            "This file is an animation, and a part is shown and built from still photos, so it was not added. "
            "Save one of its pictures as JPEG or PNG and upload that.",
        )
    with _reading(kind):
        image.load()
    width = image.width
    return _Pixels(
        size=image.size,
        rows=lambda first, end: image.crop((0, first, width, end)),
        icc=image.info.get("icc_profile"),
        orientation=_orientation(image),
    )


def _decoded_heic(stream: BinaryIO) -> _Pixels:
    """The main picture of a HEIC file; the library has turned it upright (its EXIF orientation is a mere echo)."""
    import pillow_heif  # late: several MB of memory that many servers never need

    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    with _reading("HEIC"):
        container = pillow_heif.open_heif(stream, convert_hdr_to_8bit=True, remove_stride=False)
        picture = container[container.primary_index]
    _check_size(picture.size, "HEIC")
    with _reading("HEIC"):
        data, stride = picture.data, picture.stride
    (width, _), mode = picture.size, picture.mode

    def rows(first: int, end: int) -> Image.Image:
        part = data[first * stride : end * stride]
        return Image.frombuffer(mode, (width, end - first), part, "raw", mode, stride, 1)

    return _Pixels(picture.size, rows, picture.info.get("icc_profile"), orientation=1)


@contextlib.contextmanager
def _reading(kind: str) -> Iterator[None]:
    """Turn whatever a decoder throws at a hostile file into a refusal."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels("The picture has", kind) from None
    except Exception as error:
        raise PhotoRefused(
            "damaged",
            "The picture is damaged or cut off and cannot be read to its end, so it was not added to the part. Copy it "
            "from the camera or phone once more and upload it again.",
        ) from error


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF comes as any exception; the picture itself is fine
        return 1


# --- limits -----------------------------------------------------------------------------------


def _check_size(size: tuple[int, int], kind: str) -> None:
    measures = f"The picture is {size[0]} × {size[1]} pixels"
    if size[0] * size[1] > MEGAPIXELS[kind] * 1_000_000:
        raise _too_many_pixels(f"{measures},", kind)
    if min(size) < MIN_SIDE:
        raise PhotoRefused(
            "too_small",
            f"{measures}, too small to show a part (at least {MIN_SIDE} on each side), so it was not added. Upload the "
            "photo in its original size, not a preview of it.",
        )
    if max(size) > MAX_RATIO * min(size):
        raise PhotoRefused(
            "too_narrow",
            f"{measures}, a strip more than {MAX_RATIO} times as long as wide, so it was not added: shrunk to "
            f"{STORED_SIDE} pixels nothing of the part would be seen. Leave more room around the part when you crop.",
        )


def _too_many_pixels(start: str, kind: str) -> PhotoRefused:
    name = "WebP" if kind == "WEBP" else kind
    return PhotoRefused(
        "too_many_pixels",
        f"{start} more than the {MEGAPIXELS[kind]} megapixels allowed for {name}, so it was not added to the part. Save "
        f"it smaller ({STORED_SIDE * 2} pixels on the long side are plenty) or as an ordinary JPEG and upload that.",
    )


def _check_jpeg_memory(stream: BinaryIO, size: tuple[int, int]) -> None:
    """Refuse a JPEG in several scans that is too large: libjpeg holds all its coefficients, 2 bytes each."""
    position = stream.tell()
    samples, several_scans = _jpeg_layout(stream)
    stream.seek(position)
    if several_scans and size[0] * size[1] * samples * 2 > _JPEG_COEFFICIENT_BYTES:
        allowed = _JPEG_COEFFICIENT_BYTES / (samples * 2) / 1e6
        raise PhotoRefused(
            "too_many_pixels",
            f"The picture is {size[0]} × {size[1]} pixels in a progressive JPEG, of which this kind may have "
            f"{allowed:.0f} megapixels, so it was not added to the part. Save it without “progressive”, or smaller "
            f"({STORED_SIDE * 2} pixels on the long side are plenty), and upload that.",
        )


def _jpeg_layout(stream: BinaryIO) -> tuple[float, bool]:
    """Samples per pixel (1.5 for colour at 4:2:0), and whether they come in several scans (ITU-T T.81, B.2)."""
    samples, components, progressive = 3.0, 0, False
    stream.seek(2)
    with _reading("JPEG"):
        while True:
            marker = _next_marker(stream)
            (length,) = struct.unpack(">H", stream.read(2))
            segment = stream.read(length - 2)
            if marker in (0xC0, 0xC1, 0xC2):
                components, progressive = segment[5], marker == 0xC2
                areas = [(byte >> 4) * (byte & 15) for byte in segment[7 : 6 + 3 * components : 3]]
                samples = sum(areas) / max(areas)
            elif 0xC3 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
                raise ValueError("lossless, hierarchical or arithmetic coding, which no camera writes")
            elif marker == 0xDA:
                return samples, progressive or segment[0] < components


def _next_marker(stream: BinaryIO) -> int:
    byte = stream.read(1)
    while byte != b"\xff":
        byte = stream.read(1)
        if not byte:
            raise EOFError("a JPEG without a picture")
    while byte == b"\xff":
        byte = stream.read(1)
    return byte[0]


# --- converting -------------------------------------------------------------------------------


def _upright_srgb(pixels: _Pixels) -> Image.Image:
    image = _shrunk(pixels)
    if pixels.orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[pixels.orientation])
    return _in_srgb(image, pixels.icc)


def _shrunk(pixels: _Pixels) -> Image.Image:
    """Fit into 2048² by Lanczos, across strip by strip (rows do not meet there), then down at once."""
    width, height = pixels.size
    target = _fitted(pixels.size, STORED_SIDE)
    across: Image.Image | None = None
    for first in range(0, height, _STRIP_ROWS):
        end = min(first + _STRIP_ROWS, height)
        strip = _opaque(pixels.rows(first, end))
        strip = strip.resize((target[0], end - first), Image.Resampling.LANCZOS)
        if across is None:
            across = Image.new(strip.mode, (target[0], height))
        across.paste(strip, (0, first))
    assert across is not None, "a picture has rows"  # noqa: S101 - sizes were checked
    return across.resize(target, Image.Resampling.LANCZOS)


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _opaque(strip: Image.Image) -> Image.Image:
    """The strip as L, RGB or CMYK with 8 bits: no palette, transparency laid on white."""
    if strip.mode == "I;16":  # little-endian; Pillow's own conversion to L would clip instead of scale
        return Image.frombytes("L", strip.size, strip.tobytes()[1::2])
    if "transparency" in strip.info or strip.mode in ("RGBa", "La"):
        strip = strip.convert("LA" if strip.mode == "La" else "RGBA")
    if strip.mode in ("LA", "RGBA"):
        opaque = Image.new("L" if strip.mode == "LA" else "RGB", strip.size, "white")
        opaque.paste(strip.convert(opaque.mode), mask=strip.getchannel("A"))
        return opaque
    if strip.mode in _ICC_SPACE:
        return strip
    return strip.convert("L" if strip.mode == "1" else "RGB")


def _in_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Convert by the picture's own profile; without one, or with a broken or foreign one, by plain formulas."""
    if not icc:
        return image.convert("RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if space != _ICC_SPACE[image.mode]:
            return image.convert("RGB")
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            image.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return transform.apply(image)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB")


def _stored(image: Image.Image) -> Photo:
    jpeg = _jpeg(image, _JPEG_QUALITY)
    preview = image.resize(_fitted(image.size, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return Photo(
        jpeg=jpeg,
        width_px=image.width,
        height_px=image.height,
        sha256=hashlib.sha256(jpeg).hexdigest(),
        thumbnail=_jpeg(preview, _THUMBNAIL_QUALITY),
    )


def _jpeg(image: Image.Image, quality: int) -> bytes:
    image.info.clear()  # what is not there cannot be written: no profile, no EXIF, no comment
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


# --- memory -----------------------------------------------------------------------------------


def _forget_frames(error: BaseException | None) -> None:
    """An exception's frames would keep the decoded pixels alive after the next decode has begun."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _give_memory_back() -> None:
    """glibc keeps what was freed, once per thread; tell it to return that to the host (other libcs do by themselves)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
