"""The examples for proxies agree with the server behind them."""

from __future__ import annotations

import re

from acr3d.server.limits import Limits
from acr3d.web.api.request_body import UPLOAD_BYTES
from tests.support.site import ROOT

NGINX = (ROOT / "deploy/nginx.conf").read_text()
CADDY = (ROOT / "deploy/Caddyfile").read_text()


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, pattern
    return int(found[1])


def test_a_proxy_takes_what_acr3d_takes() -> None:
    assert number(r"client_max_body_size (\d+)m;", NGINX) * 1024**2 > UPLOAD_BYTES
    assert number(r"max_size (\d+)MB", CADDY) * 1000**2 > UPLOAD_BYTES


def test_a_proxy_gives_up_a_kept_connection_before_acr3d_does() -> None:
    assert number(r"keepalive_timeout (\d+)s;", NGINX) < Limits().idle
    assert number(r"keepalive (\d+)s", CADDY) < Limits().idle


def test_a_proxy_waits_as_long_for_a_head_as_acr3d_does() -> None:
    assert number(r"client_header_timeout (\d+)s;", NGINX) == Limits().head
    assert number(r"read_header (\d+)s", CADDY) == Limits().head
