"""Headers by which a client could pretend to be a proxy, against the real server."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.support.site import running_site

pytestmark = pytest.mark.proof

FORGED = {"SCRIPT_NAME": "/zzz", "PATH_INFO": "/admin/", "SCRIPT-NAME": "/zzz", "X-Forwarded-Proto": "https"}


def test_nobody_says_where_the_app_is_mounted_or_how_it_was_reached(tmp_path: Path) -> None:
    with running_site(tmp_path / "instance", {"ACR3D_POLLER": "worker"}) as site:
        plain = httpx.get(f"{site.url}/sitemap.xml")
        forged = httpx.get(f"{site.url}/sitemap.xml", headers=FORGED)

        assert (forged.status_code, forged.text) == (200, plain.text)
        assert f"{site.url}/" in httpx.get(f"{site.url}/robots.txt", headers=FORGED).text
