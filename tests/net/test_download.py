"""Fetching a result: from where it may come, to the address that was checked, whole, and not too large."""

import hashlib
import io
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import httpcore
import httpx
import pytest

from acr3d.engines.glb_check import RAW_MODEL
from acr3d.net import guard
from acr3d.net.download import (
    DownloadedFile,
    DownloadError,
    DownloadGone,
    DownloadInterrupted,
    DownloadRefused,
    DownloadStopped,
    download_file,
    origin_of,
)
from tests.support.contract.checker import Contract
from tests.support.contract.server import (
    Answer,
    Handler,
    PreparedServer,
    cut_off,
    prepared_server,
    raw,
    silent,
)


def glb(size: int = 1000, *, magic: bytes = b"glTF", says: int | None = None, version: int = 2) -> bytes:
    return struct.pack("<4sII", magic, version, size if says is None else says) + bytes(size - 12)


@pytest.fixture
def server() -> Iterator[PreparedServer]:
    with prepared_server(Contract([])) as running:
        yield running


def take(
    server: PreparedServer, *, path: str = "/model.glb?Signature=SIGNED", **options: Any
) -> tuple[DownloadedFile, bytes]:
    """Fetch from the server as an origin that the operator has configured."""
    into = io.BytesIO()
    options = {"allowed_origins": [server.base], "private_origins": [server.base]} | options
    fetched = download_file(server.base + path, into, RAW_MODEL, **options)
    return fetched, into.getvalue()


def chunked(*chunks: bytes, ends: bool = True) -> Answer:
    """An answer without a length."""

    def give(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        handler.wfile.write(b"0\r\n\r\n" if ends else b"")
        handler.close_connection = True

    return give


# --- the good case ----------------------------------------------------------------------------


def test_a_model_is_fetched_whole_and_no_key_is_sent(server: PreparedServer) -> None:
    content = glb(300_000)
    server.answers = [raw(200, content)]

    fetched, written = take(server)

    assert written == content
    assert fetched == DownloadedFile(300_000, hashlib.sha256(content).hexdigest())
    [seen] = server.requests
    assert (seen.path, seen.query) == ("/model.glb", "Signature=SIGNED")
    assert "authorization" not in seen.headers
    assert "cookie" not in seen.headers
    assert seen.headers["accept-encoding"] == "identity"


def test_a_model_without_an_announced_length_is_fetched(server: PreparedServer) -> None:
    content = glb()
    server.answers = [chunked(content[:5], content[5:20], content[20:])]

    assert take(server)[1] == content


def test_redirects_between_allowed_places_are_followed(server: PreparedServer) -> None:
    content = glb()
    hops = [raw(status, b"", {"location": f"/hop{status}"}) for status in (301, 302, 303, 307, 308)]
    server.answers = [*hops, raw(200, content)]

    assert take(server)[1] == content
    assert [seen.path for seen in server.requests][-1] == "/hop308"
    assert not any("authorization" in seen.headers for seen in server.requests)


def test_an_engine_in_this_process_is_read_without_any_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    content = glb()

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


def test_an_engine_in_this_process_that_delivers_half_is_noticed() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "1000")])
        return [glb(1000)[:500]]

    with pytest.raises(DownloadInterrupted):
        download_file(
            "http://builtin.engine/model.glb",
            io.BytesIO(),
            RAW_MODEL,
            allowed_origins=["http://builtin.engine"],
            transport_for=lambda _origin: httpx.WSGITransport(app),
        )


# --- where a result may come from -------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://assets.meshy.ai/x.glb",
        "https://assets.meshy.ai:8443/x.glb",
        "https://assets.meshy.ai.evil.test/x.glb",
        "https://evil.test/assets.meshy.ai",
        "https://assets.meshy.ai@evil.test/x.glb",
        "https://user:pw@assets.meshy.ai/x.glb",
        "https://meshy.ai/x.glb",
        "file:///etc/passwd",
        "ftp://assets.meshy.ai/x.glb",
        "//assets.meshy.ai/x.glb",
        "https://",
        "",
        "not an address",
        "https://[::1/x",
    ],
)
def test_only_the_exact_origin_is_allowed(url: str) -> None:
    def no_lookup(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    with pytest.raises(DownloadRefused):
        download_file(
            url, io.BytesIO(), RAW_MODEL, allowed_origins=["https://assets.meshy.ai"], resolve=no_lookup
        )


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://Assets.Meshy.AI:443/x", "https://assets.meshy.ai"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)
def test_an_address_inside_a_network_is_no_public_one(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert guard.is_public(address)


def test_where_any_place_is_allowed_private_ones_are_not(server: PreparedServer) -> None:
    with pytest.raises(DownloadRefused, match="private network"):
        take(server, allowed_origins=None, private_origins=[])

    assert server.requests == []


def test_where_any_place_is_allowed_a_redirect_may_lead_to_another_but_not_inside(
    server: PreparedServer,
) -> None:
    elsewhere = server.base.replace("127.0.0.1", "photos.example.test")
    inside = server.base.replace("127.0.0.1", "inside.example.test")
    server.answers = [
        raw(302, b"", {"location": f"{elsewhere}/a.glb"}),
        raw(302, b"", {"location": f"{inside}/b.glb"}),
        raw(200, glb()),
    ]
    configured = [server.base, elsewhere]

    with pytest.raises(DownloadRefused, match="private network"):
        take(server, allowed_origins=None, private_origins=configured, resolve=lambda *_: ["127.0.0.1"])

    assert [seen.path for seen in server.requests] == ["/model.glb", "/a.glb"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1", "127.0.0.1"], ["93.184.216.34", "127.0.0.1"]])
def test_a_public_place_that_leads_into_a_private_network_is_not_even_dialled(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    def no_dial(*_: object, **__: object) -> None:
        raise AssertionError("it was dialled")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", no_dial)
    origins = ["https://assets.example.test"]

    with pytest.raises(DownloadRefused, match="private network"):
        download_file(
            f"{origins[0]}/x.glb",
            io.BytesIO(),
            RAW_MODEL,
            allowed_origins=origins,
            resolve=lambda *_: addresses,
        )


def test_only_a_configured_origin_may_be_private(server: PreparedServer) -> None:
    with pytest.raises(DownloadRefused, match="private network"):
        take(server, private_origins=["http://127.0.0.1:1"])

    assert server.requests == []


def test_a_name_is_looked_up_once_and_the_connection_goes_to_the_address_that_was_checked(
    server: PreparedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = iter([["93.184.216.34"], ["127.0.0.1"]])  # a name server that changes its mind
    dialled: list[str] = []

    def dial(_self: object, host: str, *_: object, **__: object) -> httpcore.NetworkStream:
        dialled.append(host)
        raise httpcore.ConnectError("no network in tests")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", dial)
    origin = server.base.replace("127.0.0.1", "assets.example.test")

    with pytest.raises(DownloadInterrupted):
        download_file(
            f"{origin}/x.glb",
            io.BytesIO(),
            RAW_MODEL,
            allowed_origins=[origin],
            resolve=lambda *_: next(lookups),
        )

    assert dialled == ["93.184.216.34"]
    assert next(lookups) == ["127.0.0.1"]


def test_a_connection_that_lands_elsewhere_than_dialled_is_refused(
    server: PreparedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_dial = httpcore.SyncBackend.connect_tcp

    def divert(self: httpcore.SyncBackend, _host: str, *rest: Any) -> httpcore.NetworkStream:
        return real_dial(self, "127.0.0.1", *rest)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", divert)
    origin = server.base.replace("127.0.0.1", "assets.example.test")

    with pytest.raises(DownloadRefused, match="private network"):
        download_file(
            f"{origin}/x.glb",
            io.BytesIO(),
            RAW_MODEL,
            allowed_origins=[origin],
            resolve=lambda *_: ["93.184.216.34"],
        )

    assert server.requests == []


def test_a_second_address_is_tried_when_the_first_does_not_answer(server: PreparedServer) -> None:
    server.answers = [raw(200, glb())]

    _, written = take(server, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])

    assert written == glb()


def test_a_redirect_to_a_place_that_is_not_allowed_is_refused(server: PreparedServer) -> None:
    server.answers = [raw(302, b"", {"location": "http://169.254.169.254/latest/meta-data"})]

    with pytest.raises(DownloadRefused, match=r"files may not come from http://169\.254\.169\.254"):
        take(server)


def test_a_redirect_to_an_allowed_name_that_leads_inside_is_refused(server: PreparedServer) -> None:
    inside = server.base.replace("127.0.0.1", "assets.example.test")
    server.answers = [raw(302, b"", {"location": f"{inside}/x.glb"})]

    with pytest.raises(DownloadRefused, match="private network"):
        take(server, allowed_origins=[server.base, inside], resolve=lambda *_: ["127.0.0.1"])

    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://[", "gopher://x"])
def test_a_redirect_to_no_web_address_is_refused(server: PreparedServer, location: str) -> None:
    server.answers = [raw(302, b"", {"location": location})]

    with pytest.raises(DownloadRefused):
        take(server)


def test_redirects_without_end_are_refused(server: PreparedServer) -> None:
    server.answers = [raw(302, b"", {"location": "/again"})] * 20

    with pytest.raises(DownloadRefused, match="redirects too often"):
        take(server)

    assert len(server.requests) == 6


# --- how much, and what -----------------------------------------------------------------------


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
    block = glb(65536)
    while True:
        handler.wfile.write(b"10000\r\n" + block + b"\r\n")


def test_a_packed_body_is_refused(server: PreparedServer) -> None:
    server.answers = [raw(200, b"\x1f\x8b", {"content-encoding": "gzip"})]

    with pytest.raises(DownloadRefused, match="compressed"):
        take(server)


@pytest.mark.parametrize(
    "answer",
    [
        raw(200, glb()[:700], {"content-length": "1000", "connection": "close"}),
        chunked(glb()[:700], ends=False),
        chunked(glb()[:700]),
        chunked(b"glT"),
        cut_off,
    ],
    ids=["announced", "chunk missing", "shorter than its header says", "three bytes", "no answer"],
)
def test_a_cut_off_file_may_be_tried_again(server: PreparedServer, answer: Answer) -> None:
    server.answers = [answer]

    with pytest.raises(DownloadInterrupted):
        take(server)


@pytest.mark.parametrize(
    "content",
    [
        b"<html>sign in</html>",
        glb(magic=b"PK\x03\x04"),
        glb(says=999),
        glb(says=1001),
        glb(version=1),
        b"glTF",
        b"",
    ],
)
def test_what_is_no_whole_glb_is_refused(server: PreparedServer, content: bytes) -> None:
    server.answers = [raw(200, content)]

    with pytest.raises(DownloadRefused, match="GLB"):
        take(server)


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
def test_a_status_says_what_to_do_next(
    server: PreparedServer, status: int, kind: type[DownloadError]
) -> None:
    server.answers = [raw(status, b"")]

    with pytest.raises(DownloadError, match=str(status)) as failed:
        take(server)

    assert type(failed.value) is kind


def test_a_full_disk_is_not_hidden(server: PreparedServer) -> None:
    server.answers = [raw(200, glb())]

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


# --- how long ---------------------------------------------------------------------------------


def test_silence_is_limited(server: PreparedServer) -> None:
    server.answers = [silent]

    with pytest.raises(DownloadInterrupted):
        take(server, stall_seconds=0.1)


def _drip(handler: Handler) -> None:
    handler.send(200, {"content-length": "1000000"}, b"glTF")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x")


def _drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x: y\r\n")


@pytest.mark.parametrize("drip", [_drip, _drip_headers])
def test_what_drips_in_is_limited_in_all(server: PreparedServer, drip: Answer) -> None:
    server.answers = [drip]
    began = time.monotonic()

    with pytest.raises(DownloadInterrupted):
        take(server, seconds=0.4)

    assert time.monotonic() - began < 3


def test_a_stop_ends_a_waiting_download_soon(server: PreparedServer) -> None:
    stop = threading.Event()

    def stop_and_be_silent(handler: Handler) -> None:
        stop.set()
        silent(handler)

    server.answers = [stop_and_be_silent]
    began = time.monotonic()

    with pytest.raises(DownloadStopped):
        take(server, stop=stop)

    assert time.monotonic() - began < 3


# --- what must not get out --------------------------------------------------------------------


def test_no_signed_address_stands_in_errors_or_logs(
    server: PreparedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed = "/model.glb?Signature=SIGNED"
    server.answers = [
        raw(302, b"", {"location": signed}),
        raw(200, glb()),
        raw(404, b""),
        raw(302, b"", {"location": f"http://evil.example.test{signed}"}),
        cut_off,
    ]
    said: list[str] = []

    take(server)
    for _ in range(3):
        with pytest.raises(DownloadError) as failed:
            take(server)
        said += [str(failed.value), repr(failed.value)]

    assert "SIGNED" not in "\n".join(said) + caplog.text
