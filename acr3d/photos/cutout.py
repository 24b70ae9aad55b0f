"""A picture whose background is transparent: the part is cut out already, and the alpha is its outline."""

from __future__ import annotations

from PIL import Image, ImageOps

from acr3d.photos.convert import STORED_SIDE, Upright, fitted

_TRANSPARENT = 16  # of 255
_LEAST, _MOST = 0.02, 0.995  # share of transparent pixels: less are rounded corners, more is an empty picture
_MARGIN = 0.08  # around the part, as a share of its longer side


def with_margin(upright: Upright) -> Upright:
    """The picture with white space around the part, if it is a cut-out; without an alpha if it is none."""
    if upright.alpha is None or not _is_cutout(upright.alpha):
        return Upright(upright.image, None)
    box = upright.alpha.point(lambda value: 255 * (value > 127)).getbbox()
    if box is None:
        return Upright(upright.image, None)
    left, top, right, bottom = box
    margin = round(_MARGIN * max(right - left, bottom - top))
    width, height = upright.image.size
    missing = (left, top, width - right, height - bottom)
    border = tuple(max(0, margin - space) for space in missing)
    return _scaled(
        ImageOps.expand(upright.image, border, "white"),
        ImageOps.expand(upright.alpha, border, 0),
    )


def _is_cutout(alpha: Image.Image) -> bool:
    counts = alpha.histogram()
    return _LEAST < sum(counts[:_TRANSPARENT]) / sum(counts) < _MOST


def _scaled(image: Image.Image, alpha: Image.Image) -> Upright:
    size = fitted(image.size, STORED_SIDE)
    return Upright(*(one.resize(size, Image.Resampling.LANCZOS) for one in (image, alpha)))
