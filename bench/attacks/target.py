"""The acr3d that is attacked: started as the Procfile does, on a free port of this host."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.support.site import EMAIL, PASSWORD, Site, running_site


class Target(contextlib.ExitStack):
    """A site that serves while the block runs; `another` starts more, with settings of their own."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __enter__(self) -> Target:
        self.site = self.another("instance")
        self.token = {"Authorization": f"Bearer {self.site.token()}"}
        return self

    def another(self, name: str, **environ: str) -> Site:
        return self.enter_context(running_site(self.folder / name, environ))

    def program(self) -> httpx.Client:
        """A client with an admin's token."""
        return httpx.Client(base_url=self.site.url, headers=self.token, timeout=60)

    def stranger(self) -> httpx.Client:
        return httpx.Client(base_url=self.site.url, timeout=60)

    def part(self, sku: str) -> str:
        """The id of a new part."""
        with self.program() as api:
            made = api.post("/api/admin/parts", json={"sku": sku, "name": sku})
            return str(made.raise_for_status().json()["id"])


def log_in(client: httpx.Client, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
    """Fill in the login form and send it."""
    form = {"email": email, "password": password, "csrf_token": csrf_token(client, "/login")}
    return client.post("/login", data=form)


def csrf_token(client: httpx.Client, page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert found, page
    return found[1]


@contextlib.contextmanager
def probed(site: Site, path: str = "/livez") -> Iterator[list[float]]:
    """Ask for `path` ten times a second while the block runs, and once more; the seconds each answer took.

    An unanswered one counts as 10 s or more.
    """
    taken: list[float] = []
    ended = threading.Event()

    def ask(client: httpx.Client) -> None:
        began = time.monotonic()
        try:
            client.get(path).raise_for_status()
            taken.append(time.monotonic() - began)
        except httpx.HTTPError:
            taken.append(10 + time.monotonic() - began)

    def probe() -> None:
        with httpx.Client(base_url=site.url, timeout=10) as client:
            while not ended.is_set():
                ask(client)
                ended.wait(0.1)
            ask(client)

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield taken
    finally:
        ended.set()
        thread.join()


def worst(taken: list[float]) -> str:
    return f"slowest of {len(taken)} probes {max(taken):.2f} s"


def statuses(answers: list[Any]) -> list[int]:
    return sorted({answer.status_code for answer in answers})
