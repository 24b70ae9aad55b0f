"""A download is limited in time, and a stop ends it."""

import threading
import time

import pytest

from acr3d.net.download import DownloadInterrupted, DownloadStopped
from tests.support.contract.server import Answer, Handler, PreparedServer, silent
from tests.support.downloads import download_from


def test_silence_is_limited(server: PreparedServer) -> None:
    server.answers = [silent]

    with pytest.raises(DownloadInterrupted):
        download_from(server, stall_seconds=0.1)


def _drip(handler: Handler) -> None:
    handler.send(200, {"content-length": "1000000"}, b"glTF")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x")


def _drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x: y\r\n")


@pytest.mark.parametrize("drip", [_drip, _drip_headers])
def test_a_slow_trickle_is_limited_in_total(server: PreparedServer, drip: Answer) -> None:
    server.answers = [drip]
    began = time.monotonic()

    with pytest.raises(DownloadInterrupted):
        download_from(server, seconds=0.4)

    assert time.monotonic() - began < 3


def test_a_stop_ends_a_waiting_download_quickly(server: PreparedServer) -> None:
    stop = threading.Event()

    def stop_and_be_silent(handler: Handler) -> None:
        stop.set()
        silent(handler)

    server.answers = [stop_and_be_silent]
    began = time.monotonic()

    with pytest.raises(DownloadStopped):
        download_from(server, stop=stop)

    assert time.monotonic() - began < 3
