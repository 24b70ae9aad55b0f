"""Compressing answers that hold no secret.

What a person's session or token is part of is sent as it is: who can measure the length of a compressed page
and have it repeat a word of theirs can guess its secrets (BREACH).
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Iterator

import brotli
from flask import Response
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

BROTLI, GZIP = "br", "gzip"
_PAGE_QUALITY = {BROTLI: 5, GZIP: 6}
_KEPT_QUALITY = {BROTLI: 9, GZIP: 9}  # what is compressed once
_GZIP_FORMAT = 31  # for zlib: a window of 32 KiB, with gzip's header
_BROTLI_WINDOW = (
    16  # log2 of bytes: a page fits in, and each thread keeps megabytes less than with the usual 22
)
_TOO_SMALL = 500  # bytes, which fit into one packet with or without


@functools.lru_cache(maxsize=256)
def best_coding(accept_encoding: str) -> str | None:
    """The content coding for a client that sends this `Accept-Encoding`; None for none."""
    accepted = parse_accept_header(accept_encoding, Accept)
    best = max((BROTLI, GZIP), key=accepted.quality)  # brotli if the client likes both alike
    return best if accepted.quality(best) > 0 else None


def compressed(content: bytes, coding: str) -> bytes:
    """`content` in `coding`, as small as is reasonable for what is kept."""
    return b"".join(_pieces([content], coding, _KEPT_QUALITY[coding]))


def compress(response: Response, coding: str | None) -> None:
    """Compress a text's body; one that is produced while it is sent stays so."""
    response.vary.add("Accept-Encoding")
    if coding is None or "Content-Encoding" in response.headers:
        return
    if response.is_streamed:
        response.response = _pieces(response.iter_encoded(), coding, _PAGE_QUALITY[coding])
        response.headers.pop("Content-Length", None)
    elif len(body := response.get_data()) >= _TOO_SMALL:
        response.set_data(b"".join(_pieces([body], coding, _PAGE_QUALITY[coding])))
    else:
        return
    response.headers["Content-Encoding"] = coding


def _pieces(content: Iterable[bytes], coding: str, quality: int) -> Iterator[bytes]:
    if coding == BROTLI:
        packer = brotli.Compressor(mode=brotli.MODE_TEXT, quality=quality, lgwin=_BROTLI_WINDOW)
        add, finish = packer.process, packer.finish
    else:
        deflate = zlib.compressobj(quality, wbits=_GZIP_FORMAT)
        add, finish = deflate.compress, deflate.flush
    for piece in content:
        if packed := add(piece):
            yield packed
    yield finish()
