"""Model downloads from a prepared server."""

import io
import struct
from typing import Any

from acr3d.engines.glb_check import RAW_MODEL
from acr3d.net.download import DownloadedFile, download_file
from tests.support.contract.server import Answer, Handler, PreparedServer


def glb_bytes(
    size: int = 1000, *, magic: bytes = b"glTF", declared_size: int | None = None, version: int = 2
) -> bytes:
    """A file with a GLB header and otherwise zeros."""
    declared = size if declared_size is None else declared_size
    return struct.pack("<4sII", magic, version, declared) + bytes(size - 12)


def download_from(
    server: PreparedServer, *, path: str = "/model.glb?Signature=SIGNED", **options: Any
) -> tuple[DownloadedFile, bytes]:
    """Download from the server as an origin that the operator has configured."""
    into = io.BytesIO()
    options = {"allowed_origins": [server.base], "private_origins": [server.base]} | options
    fetched = download_file(server.base + path, into, RAW_MODEL, **options)
    return fetched, into.getvalue()


def chunked(*chunks: bytes, ends: bool = True) -> Answer:
    """An answer without a Content-Length."""

    def give(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        handler.wfile.write(b"0\r\n\r\n" if ends else b"")
        handler.close_connection = True

    return give
