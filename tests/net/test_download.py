"""A download is whole, validated and not too large; no signed URL leaks."""

import hashlib
import io
import logging
import socket
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from acr3d.engines.glb_check import RAW_MODEL
from acr3d.net.download import (
    DownloadedFile,
    DownloadError,
    DownloadGone,
    DownloadInterrupted,
    DownloadRefused,
    download_file,
)
from tests.support.contract.server import Answer, Handler, PreparedServer, cut_off, raw
from tests.support.downloads import chunked, download_from, glb_bytes


def test_a_model_is_downloaded_whole_and_no_key_is_sent(server: PreparedServer) -> None:
    content = glb_bytes(300_000)
    server.answers = [raw(200, content)]

    fetched, written = download_from(server)

    assert written == content
    assert fetched == DownloadedFile(300_000, hashlib.sha256(content).hexdigest())
    [seen] = server.requests
    assert (seen.path, seen.query) == ("/model.glb", "Signature=SIGNED")
    assert "authorization" not in seen.headers
    assert "cookie" not in seen.headers
    assert seen.headers["accept-encoding"] == "identity"


def test_a_model_without_an_announced_length_is_downloaded(server: PreparedServer) -> None:
    content = glb_bytes()
    server.answers = [chunked(content[:5], content[5:20], content[20:])]

    assert download_from(server)[1] == content


def test_redirects_between_allowed_origins_are_followed(server: PreparedServer) -> None:
    content = glb_bytes()
    hops = [raw(status, b"", {"location": f"/hop{status}"}) for status in (301, 302, 303, 307, 308)]
    server.answers = [*hops, raw(200, content)]

    assert download_from(server)[1] == content
    assert [seen.path for seen in server.requests][-1] == "/hop308"
    assert not any("authorization" in seen.headers for seen in server.requests)


def test_a_download_from_the_engine_in_this_process_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    content = glb_bytes()

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(len(content)))])
        return [content[:100], content[100:]]

    def no_socket(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", no_socket)
    transports = {"http://builtin.engine": httpx.WSGITransport(app)}
    into = io.BytesIO()

    download_file(
        "http://builtin.engine/results/x/model.glb",
        into,
        RAW_MODEL,
        allowed_origins=["http://builtin.engine"],
        transport_for=transports.get,
    )

    assert into.getvalue() == content


def test_a_truncated_download_from_the_engine_in_this_process_is_noticed() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "1000")])
        return [glb_bytes(1000)[:500]]

    with pytest.raises(DownloadInterrupted):
        download_file(
            "http://builtin.engine/model.glb",
            io.BytesIO(),
            RAW_MODEL,
            allowed_origins=["http://builtin.engine"],
            transport_for=lambda _origin: httpx.WSGITransport(app),
        )


def test_a_file_announced_too_large_is_refused_before_its_body(server: PreparedServer) -> None:
    server.answers = [raw(200, b"", {"content-length": str(1 << 40)})]
    into = io.BytesIO()

    with pytest.raises(DownloadRefused, match="larger than 1 MB"):
        download_file(
            f"{server.base}/x",
            into,
            replace(RAW_MODEL, max_bytes=1 << 20),
            allowed_origins=[server.base],
            private_origins=[server.base],
        )

    assert into.getvalue() == b""


def test_an_endless_body_ends_at_the_limit(server: PreparedServer) -> None:
    written = io.BytesIO()
    server.answers = [_endless]

    with pytest.raises(DownloadRefused, match="larger than 2 MB"):
        download_file(
            f"{server.base}/x",
            written,
            replace(RAW_MODEL, max_bytes=2 << 20),
            allowed_origins=[server.base],
            private_origins=[server.base],
        )

    assert len(written.getvalue()) <= 2 << 20


def _endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    block = glb_bytes(65536)
    while True:
        handler.wfile.write(b"10000\r\n" + block + b"\r\n")


def test_a_compressed_body_is_refused(server: PreparedServer) -> None:
    server.answers = [raw(200, b"\x1f\x8b", {"content-encoding": "gzip"})]

    with pytest.raises(DownloadRefused, match="compressed"):
        download_from(server)


@pytest.mark.parametrize(
    "answer",
    [
        raw(200, glb_bytes()[:700], {"content-length": "1000", "connection": "close"}),
        chunked(glb_bytes()[:700], ends=False),
        chunked(glb_bytes()[:700]),
        chunked(b"glT"),
        cut_off,
    ],
    ids=["announced", "chunk missing", "shorter than its header says", "three bytes", "no answer"],
)
def test_a_cut_off_file_may_be_tried_again(server: PreparedServer, answer: Answer) -> None:
    server.answers = [answer]

    with pytest.raises(DownloadInterrupted):
        download_from(server)


@pytest.mark.parametrize(
    "content",
    [
        b"<html>sign in</html>",
        glb_bytes(magic=b"PK\x03\x04"),
        glb_bytes(declared_size=999),
        glb_bytes(declared_size=1001),
        glb_bytes(version=1),
        b"glTF",
        b"",
    ],
)
def test_anything_but_a_whole_glb_is_refused(server: PreparedServer, content: bytes) -> None:
    server.answers = [raw(200, content)]

    with pytest.raises(DownloadRefused, match="GLB"):
        download_from(server)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, DownloadGone),
        (404, DownloadGone),
        (410, DownloadGone),
        (429, DownloadInterrupted),
        (500, DownloadInterrupted),
        (503, DownloadInterrupted),
        (204, DownloadRefused),
        (206, DownloadRefused),
    ],
)
def test_the_status_decides_whether_to_try_again(
    server: PreparedServer, status: int, kind: type[DownloadError]
) -> None:
    server.answers = [raw(status, b"")]

    with pytest.raises(DownloadError, match=str(status)) as failed:
        download_from(server)

    assert type(failed.value) is kind


def test_a_full_disk_is_not_hidden(server: PreparedServer) -> None:
    server.answers = [raw(200, glb_bytes())]

    class FullDisk(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        download_file(
            f"{server.base}/x",
            FullDisk(),
            RAW_MODEL,
            allowed_origins=[server.base],
            private_origins=[server.base],
        )


def test_no_signed_url_appears_in_errors_or_logs(
    server: PreparedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed = "/model.glb?Signature=SIGNED"
    server.answers = [
        raw(302, b"", {"location": signed}),
        raw(200, glb_bytes()),
        raw(404, b""),
        raw(302, b"", {"location": f"http://evil.example.test{signed}"}),
        cut_off,
    ]
    said: list[str] = []

    download_from(server)
    for _ in range(3):
        with pytest.raises(DownloadError) as failed:
            download_from(server)
        said += [str(failed.value), repr(failed.value)]

    assert "SIGNED" not in "\n".join(said) + caplog.text
