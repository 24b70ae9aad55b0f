"""Measure how fast the catalogue answers while slow clients hold connections, and when those are closed.

    python -m bench.readers [--readers 10] [--speed 50] [--slow 200] [--pages 200] [--phone]

Starts acr3d with the demo parts and makes one model, whose file is then made 20 MB large. Prints the
catalogue page's response times alone, while `--readers` clients download the file at `--speed` kB/s each, and
while `--slow` connections, of the five kinds in `bench.slow_clients`, do not go on; then after how long each
kind was closed. `--phone` also downloads the whole file at `--speed`, which takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx

from bench.slow_clients import Crowd
from tests.support.site import Site, running_site

FILE_BYTES = 20_000_000


def main() -> None:
    options = _options()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder) / "instance", {"ACR3D_ENGINE_GRID": ""}) as site,
    ):
        site.flask("demo")
        file = _make_model(site)
        (site.instance / "storage" / file.removeprefix("/media/")).write_bytes(os.urandom(FILE_BYTES))
        print(f"catalogue alone:            {_times(site, options.pages)}")
        _with_readers(site, file, options)
        _with_slow_clients(site, file, options)
        if options.phone:
            begun = time.monotonic()
            received = _draw(site, file, options.speed * 1000)
            print(f"a phone: {received / 1e6:.1f} MB in {time.monotonic() - begun:.0f} s")


def _with_readers(site: Site, file: str, options: argparse.Namespace) -> None:
    stop = threading.Event()
    arguments = (site, file, options.speed * 1000, stop)
    readers = [threading.Thread(target=_draw, args=arguments) for _ in range(options.readers)]
    for reader in readers:
        reader.start()
    time.sleep(1)
    print(f"with {options.readers} readers at {options.speed} kB/s: {_times(site, options.pages)}")
    stop.set()
    for reader in readers:
        reader.join()


def _with_slow_clients(site: Site, file: str, options: argparse.Namespace) -> None:
    crowd = Crowd(site.port, options.slow, file)
    crowd.turn(1)
    print(f"with {crowd.open_count} slow connections: {_times(site, options.pages)}")
    print(f"{crowd.open_count} of them are still open")
    crowd.turn(60)
    for kind, seconds in crowd.closed_after.items():
        last = f"closed after at most {max(seconds):.0f} s" if seconds else "not closed"
        print(f"{kind}: {len(seconds)} {last}")
    print(f"open after a minute: {crowd.open_count}")
    crowd.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--speed", type=int, default=50, help="kB/s of each reader")
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--phone", action="store_true", help="download the whole file, too")
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


def _draw(site: Site, path: str, bytes_a_second: int, stop: threading.Event | None = None) -> int:
    """Download the file slowly, through a small receive window. Returns how many bytes came."""
    stop = stop or threading.Event()
    received = 0
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        line.connect(("127.0.0.1", site.port))
        line.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        while not stop.is_set() and (piece := line.recv(5000)):
            received += len(piece)
            stop.wait(len(piece) / bytes_a_second)
    return received


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
