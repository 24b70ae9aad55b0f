"""A picture's EXIF orientation (EXIF 2.3, tag 0x0112), read as browsers read it: never from XMP."""

from __future__ import annotations

from PIL import ExifTags, Image

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a picture of each orientation upright; with 1, and anything else, it is upright already."""


def orientation(image: Image.Image) -> int:
    """The orientation; 1 when there is none, or the EXIF data is damaged. Takes XMP off the image."""
    forget_xmp(image)
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF raises anything; the picture itself is fine
        return 1


def forget_xmp(image: Image.Image) -> None:
    """Pillow takes the orientation from XMP where EXIF has none; other programs do not."""
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)
