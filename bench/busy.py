"""Measure how fast the catalogue answers one customer while jobs go through all their steps.

    python -m bench.busy [--jobs 20] [--pages 500]

Starts acr3d with the demo parts and the built-in engine, and prints the catalogue page's response times,
after 50 pages to warm up: while nothing else runs, while the jobs run (until the last has ended), and again
while nothing runs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.support.site import Site, running_site

_WARM_UP = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--pages", type=int, default=500)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder) / "instance", {"ACR3D_ENGINE_GRID": ""}) as site,
        httpx.Client(base_url=site.url, timeout=60) as customer,
    ):
        site.flask("demo")
        _read(customer, _WARM_UP)
        idle = _show("idle", _read(customer, options.pages))
        started = time.monotonic()
        ended = _start_jobs(site, options.jobs)
        busy = _show("busy", _read(customer, options.pages, until=ended))
        print(f"the jobs took {time.monotonic() - started:.0f} s")
        again = _show("idle again", _read(customer, options.pages))
        print(f"p95 busy / idle: {busy / ((idle + again) / 2):.2f}")


def _start_jobs(site: Site, count: int) -> Callable[[], bool]:
    """Create `count` parts with photos and a job each; the returned function says whether all have ended."""
    api = httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {site.token()}"}, timeout=60)
    photos = {
        path.stem.rpartition("-")[2]: path.read_bytes() for path in Path("demo/photos").glob("alternator-*")
    }
    chosen = ("front", "right", "back")
    files = {f"image{number}": photos[angle] for number, angle in enumerate(chosen)}
    parts = []
    for number in range(count):
        part = api.post("/api/admin/parts", json={"sku": f"BUSY-{number}", "name": "Busy"}).json()["id"]
        sent = api.post("/api/admin/3d-models/upload-images", data={"partId": part}, files=files).json()
        angles = {angle: image["id"] for angle, image in zip(chosen, sent["images"], strict=True)}
        body = {"partId": part, "selectedAngles": angles}
        api.post("/api/admin/3d-models/generate", json=body).raise_for_status()
        parts.append(part)

    def have_ended() -> bool:
        return all(
            api.get(f"/api/admin/parts/{part}/status").json()["model_status"] in ("complete", "failed")
            for part in parts
        )

    return have_ended


def _read(customer: httpx.Client, pages: int, until: Callable[[], bool] | None = None) -> list[float]:
    """Response times in milliseconds of at least `pages` pages, and of more until `until()` is true."""
    taken: list[float] = []
    while len(taken) < pages or (until and not until()):
        for _ in range(min(pages, 100)):
            started = time.perf_counter()
            customer.get("/").raise_for_status()
            taken.append((time.perf_counter() - started) * 1000)
            time.sleep(0.01)  # a reader, not a flood
    return taken


def _show(name: str, taken: list[float]) -> float:
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(
        f"{name:10} median {statistics.median(taken):5.1f} ms, p95 {p95:5.1f} ms, {len(taken)} pages",
        flush=True,
    )
    return p95


if __name__ == "__main__":
    main()
