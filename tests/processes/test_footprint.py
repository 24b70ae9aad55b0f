"""What the running app needs: one cheap host must do."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.support.site import Site, running_site

pytestmark = pytest.mark.proof


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(resident_mb(int(child)) for child in children)


def test_after_two_hundred_requests_all_processes_together_stay_under_150_mb(tmp_path: Path) -> None:
    with running_site(tmp_path / "instance") as site:
        site.flask("demo")
        with httpx.Client(base_url=site.url) as customer:
            paths = _what_customers_open(customer)
            for number in range(200):
                assert customer.get(paths[number % len(paths)]).status_code == 200

        assert site.process is not None
        _wait_for_children(site.process.pid)
        assert resident_mb(site.process.pid) < 150


def _wait_for_children(pid: int) -> None:
    """Until the workers have no children: a check of the demo's photos ends by itself."""
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    end = time.monotonic() + 120
    while any(_has_children(worker) for worker in workers):
        assert time.monotonic() < end
        time.sleep(0.2)


def _has_children(pid: str) -> bool:
    return any(path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/children"))


def _what_customers_open(customer: httpx.Client) -> list[str]:
    parts = customer.get("/api/parts").json()["parts"]
    photos = [photo["url"] for part in parts for photo in part["photos"]]
    return ["/", "/?q=filter", *(f"/parts/{part['sku']}" for part in parts), *photos]


def test_told_to_end_it_ends_with_exit_code_0(tmp_path: Path) -> None:
    site = Site(tmp_path / "instance")
    site.prepare()
    site.start()

    assert site.stop() == 0
    assert not list((tmp_path / "instance" / "pollers").iterdir())
