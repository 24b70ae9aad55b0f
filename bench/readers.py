"""Measure how fast the catalogue answers while slow phones download models.

    python -m bench.readers [--readers 10] [--speed 50] [--pages 200]

Starts acr3d with the demo parts, makes one model, lets `--readers` clients download its GLB at `--speed` kB/s
each, and prints the catalogue page's response times with and without them.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx

from tests.support.site import Site, running_site


def main() -> None:
    options = _options()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder) / "instance", {"ACR3D_ENGINE_GRID": ""}) as site,
    ):
        site.flask("demo")
        model = _make_model(site)
        print(f"catalogue alone:            {_times(site, options.pages)}")
        stop = threading.Event()
        readers = [
            threading.Thread(target=_draw, args=(site, model, options.speed * 1000, stop))
            for _ in range(options.readers)
        ]
        for reader in readers:
            reader.start()
        time.sleep(1)
        print(f"with {options.readers} readers at {options.speed} kB/s: {_times(site, options.pages)}")
        stop.set()
        for reader in readers:
            reader.join()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--speed", type=int, default=50, help="kB/s of each reader")
    parser.add_argument("--pages", type=int, default=200)
    return parser.parse_args()


def _make_model(site: Site) -> str:
    """The path of the part's model."""
    headers = {"Authorization": f"Bearer {site.token()}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=60) as api:
        created = api.post("/api/admin/parts", json={"sku": "BENCH", "name": "Bench"}).json()["id"]
        photos = sorted(Path("demo/photos").glob("alternator-*.jpg"))
        files = {f"image{number}": path.read_bytes() for number, path in enumerate(photos)}
        sent = api.post("/api/admin/3d-models/upload-images", data={"partId": created}, files=files).json()
        angles = {
            path.stem.rpartition("-")[2]: image["id"]
            for path, image in zip(photos, sent["images"], strict=True)
        }
        chosen = {angle: angles[angle] for angle in ("front", "right", "back", "top")}
        api.post("/api/admin/3d-models/generate", json={"partId": created, "selectedAngles": chosen})
        while (status := api.get(f"/api/admin/parts/{created}/status").json())["model_status"] != "complete":
            assert status["model_status"] != "failed", status
            time.sleep(0.5)
    return str(status["model_3d_url"])


def _draw(site: Site, path: str, bytes_a_second: int, stop: threading.Event) -> None:
    """Download the model again and again, slowly, through a small receive window."""
    while not stop.is_set():
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            line.connect(("127.0.0.1", site.port))
            line.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            while not stop.is_set() and (piece := line.recv(5000)):
                stop.wait(len(piece) / bytes_a_second)


def _times(site: Site, pages: int) -> str:
    taken = []
    with httpx.Client(base_url=site.url) as customer:
        for _ in range(pages):
            started = time.perf_counter()
            customer.get("/").raise_for_status()
            taken.append((time.perf_counter() - started) * 1000)
    p95 = statistics.quantiles(taken, n=20)[-1]
    return f"median {statistics.median(taken):.0f} ms, p95 {p95:.0f} ms over {pages} pages"


if __name__ == "__main__":
    main()
