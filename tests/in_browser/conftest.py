"""Real Chromium before the real server; whatever the browser complains of fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.support.browser import chromium as launched
from tests.support.by_hand import app_beside
from tests.support.site import Site, running_site
from tests.support.visits import Visitor


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """acr3d as it runs, its poller included; shared, so each test makes parts of its own."""
    with running_site(tmp_path_factory.mktemp("site") / "instance") as site:
        yield site


@pytest.fixture(scope="session")
def still_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same without a poller: jobs stand still, and a test moves them by hand."""
    instance = tmp_path_factory.mktemp("still") / "instance"
    with running_site(instance, {"ACR3D_POLLER": "worker"}) as site:
        yield site


@pytest.fixture(scope="session")
def engine(still_site: Site) -> Iterator[Flask]:
    """Stands in for the poller of `still_site`: the test moves its jobs."""
    with app_beside(still_site) as app:
        yield app


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors of `site` (or of `to`); when the test ends, none of them may have a complaint."""
    visitors: list[Visitor] = []

    def make(*, to: Site = site, staff: bool = False, **how: bool) -> Visitor:
        visitors.append(Visitor(chromium, to, **how))
        if staff:
            visitors[-1].sign_in()
        return visitors[-1]

    yield make
    for one in visitors:
        one.leave()
