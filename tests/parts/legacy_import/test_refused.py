"""`flask photos fetch`: which pictures are not imported, and what is said about them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from flask import Flask

from acr3d.parts import remote_photos
from tests.support.adopted import adopt, fetch_photos, state_of_everything
from tests.support.contract.server import (
    Answer,
    Handler,
    PreparedServer,
    cut_off,
    raw,
    silent,
)
from tests.support.factories import picture


def bomb() -> bytes:
    """A PNG whose header promises 900 megapixels."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 1, 0, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"40000\r\n" + bytes(1 << 18) + b"\r\n")


@pytest.mark.parametrize(
    ("answer", "reason", "advice"),
    [
        (raw(200, b"<html>Sign in</html>"), "a web page (HTML)", "upload"),
        (raw(200, bomb()), "megapixels", "smaller"),
        (raw(200, picture()[:2000]), "damaged or cut off", "upload it again"),
        (raw(200, b""), "empty", "Choose it again"),
        (endless, "larger than 20 MB", "Save it smaller"),
        (raw(404, b""), "no longer valid (status 404)", "“Replace”"),
        (raw(204, b""), "status 204 instead of a file", "“Replace”"),
        (raw(503, b""), "a problem (status 503)", "Run the command again"),
        (raw(200, picture()[:99], {"content-length": "9999", "connection": "close"}), "interrupted", "again"),
        (cut_off, "interrupted", "Run the command again"),
        (silent, "took too long", "Run the command again"),
        (raw(302, b"", {"location": "file:///etc/passwd"}), "not a web address", "“Replace”"),
    ],
    ids=[
        *("page", "bomb", "half a picture", "nothing", "endless", "gone", "no content"),
        *("trouble", "cut off", "no answer", "silence", "redirect to a file"),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_sentence_and_changes_nothing(
    in_app: Flask,
    old_host: PreparedServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    reason: str,
    advice: str,
) -> None:
    monkeypatch.setattr(remote_photos, "STALL_SECONDS", 1)
    adopt("OF-1", f"{old_host.base}/filter.jpg?token=old")
    before = state_of_everything()
    old_host.answers = [answer]

    result = fetch_photos(in_app)

    host = old_host.base.removeprefix("http://")
    said = result.output.splitlines()[0]
    assert result.exit_code == 1
    assert said.startswith(f"OF-1: the picture at {host} was not imported. ")
    assert reason in said
    assert advice in said
    assert "token=old" not in result.output
    assert state_of_everything() == before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_picture_is_fetched_from_inside_our_network(
    in_app: Flask, inside: PreparedServer, host: str
) -> None:
    adopt("OF-1", inside.base.replace("127.0.0.1", host) + "/secret.jpg")
    before = state_of_everything()

    result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert f"OF-1: the picture at {host}:" in result.output
    assert "private network" in result.output
    assert "ACR3D_ASSET_ORIGINS" in result.output
    assert state_of_everything() == before


def test_a_redirect_into_our_network_is_not_followed(
    in_app: Flask, old_host: PreparedServer, inside: PreparedServer
) -> None:
    adopt("OF-1", f"{old_host.base}/filter.jpg")
    before = state_of_everything()
    old_host.answers = [raw(302, b"", {"location": f"{inside.base}/secret.jpg"})]

    result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert "private network" in result.output
    assert state_of_everything() == before


@pytest.mark.parametrize(
    "url",
    ["images/filter.jpg", "file:///etc/passwd", "ftp://example.com/a.jpg", "https://anna:pw@example.com/a"],
)
def test_what_is_no_address_of_the_web_is_said(in_app: Flask, url: str) -> None:
    adopt("OF-1", url)
    before = state_of_everything()

    result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert result.output.startswith("OF-1: the picture was not imported. ")
    assert "not a web address" in result.output
    assert url not in result.output
    assert state_of_everything() == before


def test_a_full_disk_is_said_and_the_picture_stays_to_be_imported(
    in_app: Flask, old_host: PreparedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt("OF-1", f"{old_host.base}/filter.jpg")
    before = state_of_everything()
    old_host.answers = [raw(200, picture())]

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert "run the command again" in result.output
    assert state_of_everything() == before
