"""QR codes as SVG inside the page: no request, no picture to store, sharp in print."""

from __future__ import annotations

import functools

import segno
from markupsafe import Markup


@functools.lru_cache(maxsize=256)  # a third of the work of a page; some 2 kB each
def qr_code(text: str) -> Markup:
    """The code for `text`, black on white with the margin that cameras need; its size is up to the page."""
    code = segno.make(text, error="m", micro=False)
    return Markup(  # noqa: S704  # segno writes modules, not the text
        code.svg_inline(border=4, omitsize=True, light="#fff", svgclass="qr", lineclass=None)
    )
