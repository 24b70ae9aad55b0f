"""Warnings at the start: connections that can be overheard, and a number of proxies that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from acr3d.settings import Settings
from acr3d.start.warnings import warnings

pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("url", "address", "warned"),
    [
        ("", "0.0.0.0", True),
        ("", "::", True),
        ("http://parts.example.com", "0.0.0.0", True),
        ("https://parts.example.com", "0.0.0.0", False),
        ("", "127.0.0.1", False),
    ],
)
def test_all_addresses_without_https_are_warned_of(
    config: Settings, url: str, address: str, warned: bool
) -> None:
    told = [one for one in warnings(replace(config, public_url=url), [address]) if "ACR3D_BIND" in one]

    assert bool(told) == warned


@pytest.mark.parametrize(
    ("count", "forwarded", "word"),
    [
        (2, "198.51.100.1", "too_many"),
        (1, "", "too_many"),
        (0, "198.51.100.1", "too_few"),
        (1, "198.51.100.1", ""),
    ],
)
def test_the_first_requests_show_a_wrong_number_of_proxies(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture, count: int, forwarded: str, word: str
) -> None:
    client = make_app(proxy_count=count).test_client()
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    client.get("/livez")
    for _ in range(12):
        client.get("/login", headers=headers)

    assert [one.getMessage().split(":")[0] for one in caplog.records if "proxies." in one.getMessage()] == (
        [f"proxies.{word}"] if word else []
    )


def test_hsts_takes_subdomains_only_when_a_setting_says_so(make_app: Callable[..., Flask]) -> None:
    sent = [
        make_app(public_url="https://localhost", hsts_subdomains=chosen).test_client().get("/login").headers
        for chosen in (False, True)
    ]

    assert [one["Strict-Transport-Security"] for one in sent] == [
        "max-age=31536000",
        "max-age=31536000; includeSubDomains",
    ]
