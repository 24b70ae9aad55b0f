"""A download connects only to allowed origins, and to the addresses that were checked."""

import io
from typing import Any

import httpcore
import pytest

from acr3d.engines.glb_check import RAW_MODEL
from acr3d.net import guard
from acr3d.net.download import DownloadInterrupted, DownloadRefused, download_file, origin_of
from tests.support.contract.server import PreparedServer, raw
from tests.support.downloads import download_from, glb_bytes


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
        "fec0::1",
        "::8.8.8.8",
        "::ffff:0:8.8.8.8",
        "64:ff9b:1::8.8.8.8",
        "192.0.0.8",
        "192.0.0.170",
        "192.88.99.1",
        "::ffff:192.0.0.8",
        "3fff::1",
        "5f00::1",
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_internet_addresses_are_public(address: str) -> None:
    assert guard.is_public(address)


def test_private_addresses_are_refused_even_if_any_origin_is_allowed(server: PreparedServer) -> None:
    with pytest.raises(DownloadRefused, match="private network"):
        download_from(server, allowed_origins=None, private_origins=[])

    assert server.requests == []


def test_if_any_origin_is_allowed_redirects_may_change_it_but_not_lead_to_private_addresses(
    server: PreparedServer,
) -> None:
    elsewhere = server.base.replace("127.0.0.1", "photos.example.test")
    inside = server.base.replace("127.0.0.1", "inside.example.test")
    server.answers = [
        raw(302, b"", {"location": f"{elsewhere}/a.glb"}),
        raw(302, b"", {"location": f"{inside}/b.glb"}),
        raw(200, glb_bytes()),
    ]
    configured = [server.base, elsewhere]

    with pytest.raises(DownloadRefused, match="private network"):
        download_from(
            server, allowed_origins=None, private_origins=configured, resolve=lambda *_: ["127.0.0.1"]
        )

    assert [seen.path for seen in server.requests] == ["/model.glb", "/a.glb"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1", "127.0.0.1"], ["93.184.216.34", "127.0.0.1"]])
def test_a_host_with_a_private_address_is_not_even_connected_to(
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
        download_from(server, private_origins=["http://127.0.0.1:1"])

    assert server.requests == []


def test_a_host_is_resolved_once_and_the_connection_goes_to_the_checked_address(
    server: PreparedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = iter([["93.184.216.34"], ["127.0.0.1"]])  # DNS rebinding
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


def test_a_connection_to_another_peer_than_intended_is_refused(
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
    server.answers = [raw(200, glb_bytes())]

    _, written = download_from(server, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])

    assert written == glb_bytes()


def test_a_redirect_to_an_origin_that_is_not_allowed_is_refused(server: PreparedServer) -> None:
    server.answers = [raw(302, b"", {"location": "http://169.254.169.254/latest/meta-data"})]

    with pytest.raises(DownloadRefused, match=r"169\.254\.169\.254 is not an allowed source"):
        download_from(server)


def test_a_redirect_to_an_allowed_host_with_a_private_address_is_refused(server: PreparedServer) -> None:
    inside = server.base.replace("127.0.0.1", "assets.example.test")
    server.answers = [raw(302, b"", {"location": f"{inside}/x.glb"})]

    with pytest.raises(DownloadRefused, match="private network"):
        download_from(server, allowed_origins=[server.base, inside], resolve=lambda *_: ["127.0.0.1"])

    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://[", "gopher://x"])
def test_a_redirect_to_anything_but_http_is_refused(server: PreparedServer, location: str) -> None:
    server.answers = [raw(302, b"", {"location": location})]

    with pytest.raises(DownloadRefused):
        download_from(server)


def test_redirects_without_end_are_refused(server: PreparedServer) -> None:
    server.answers = [raw(302, b"", {"location": "/again"})] * 20

    with pytest.raises(DownloadRefused, match="redirects too often"):
        download_from(server)

    assert len(server.requests) == 6
