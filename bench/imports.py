"""Measure imports: tables, photos, their memory, and pages while they run.

    python -m bench.imports [--parts 5000] [--photos 60] [--many 0] [--pages 150]

Starts acr3d, imports a CSV and an XLSX file of so many parts (preview and import by themselves), a ZIP file
of so many photos of 12 megapixels and 2 MB, and a CSV of `--many` parts. During the last two, one customer
opens the catalogue five times a second: at an address that nobody asked for before, so that the page is made
anew, and at its own, whose page is kept while the content stays the same. Prints a Markdown table: seconds,
processor seconds, photos a second, the most memory that the server and its children had together (PSS), and
the p95 of both pages before the import, meanwhile and, where that added parts, after it. The last line is the
machine's load before and after.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import xlsxwriter
from PIL import Image, ImageChops

from tests.support.site import Site, running_site

COLUMNS = ("sku", "name", "description", "brand", "oe", "width_mm", "price", "currency", "published")
_PHOTOS_PER_PART = 5
_PAGE_SECONDS = 0.2
_BASES = 8

Times = tuple[list[float], list[float]]
"""Milliseconds of pages that were made anew, and of kept ones."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", type=int, default=5000)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--pages", type=int, default=150)
    options = parser.parse_args()
    before = os.getloadavg()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder) / "instance", {"ACR3D_POLL_SECONDS": "30"}) as site,
        httpx.Client(
            base_url=site.url, headers={"Authorization": f"Bearer {site.token()}"}, timeout=600
        ) as api,
        httpx.Client(base_url=site.url, timeout=60) as customer,
    ):
        print("| what | figure |\n|---|---|")
        for name, table in (("CSV", _csv(options.parts, "C")), ("XLSX", _xlsx(options.parts, "X"))):
            with _measured(site) as measures:
                preview, written = _imported(api, name.lower(), table)
            words = f"preview {preview:.1f} s, import {written:.1f} s"
            print(f"| {name} of {options.parts} parts | {words}, {measures()} |", flush=True)
        _times(customer, 50)
        with _measured(site) as measures:
            idle = _times(customer, options.pages)
        print(f"| {options.pages} pages of the catalogue alone | {measures()} |", flush=True)
        if options.photos:
            _photos(site, api, customer, Path(folder) / "photos.zip", options.photos, idle)
        if options.many:
            _many(site, api, customer, options.many, idle)
            after = _times(customer, options.pages)
            print(f"| catalogue after it, p95 | anew {_p95(after[0]):.0f} ms, kept {_p95(after[1]):.1f} ms |")
    print(f"| load | {before[0]:.1f} before, {os.getloadavg()[0]:.1f} after |")


def _photos(
    site: Site, api: httpx.Client, customer: httpx.Client, archive: Path, count: int, idle: Times
) -> None:
    _zip(archive, count)
    with _measured(site) as measures:
        with archive.open("rb") as file:
            sent = api.post("/api/admin/imports", files={"photos": ("p.zip", file)}).raise_for_status()
        started = time.monotonic()
        times = _meanwhile(api, customer, f"/api/admin/imports/{sent.json()['importId']}")
        seconds = time.monotonic() - started
    size = archive.stat().st_size / 1e6
    print(f"| ZIP of {count} photos, {size:.0f} MB | {count / seconds:.2f} photos/s, {measures()} |")
    _compare(idle, times)


def _many(site: Site, api: httpx.Client, customer: httpx.Client, count: int, idle: Times) -> None:
    with _measured(site) as measures:
        files = {"table": ("parts.csv", _csv(count, "M"))}
        sent = api.post("/api/admin/imports", files=files).raise_for_status()
        started = time.monotonic()
        times = _meanwhile(api, customer, f"/api/admin/imports/{sent.json()['importId']}")
        seconds = time.monotonic() - started
    print(f"| CSV of {count} parts | import {seconds:.0f} s, {measures()} |")
    _compare(idle, times)


def _compare(idle: Times, meanwhile: Times) -> None:
    for kind, one, other in zip(("anew", "kept"), idle, meanwhile, strict=True):
        before, now = _p95(one), _p95(other)
        words = f"idle {before:.1f} ms, {now:.1f} ms ({now / before:.1f} ×) of {len(other)}"
        print(f"| catalogue meanwhile, {kind}, p95 | {words} |", flush=True)


def _meanwhile(api: httpx.Client, customer: httpx.Client, address: str) -> Times:
    """The catalogue's times until the import is done."""
    times: Times = [], []
    while _state(api, address) == "importing":
        for all_of_it, some in zip(times, _times(customer, 10), strict=True):
            all_of_it += some
    assert _state(api, address) == "done"
    return times


def _imported(api: httpx.Client, kind: str, table: bytes) -> tuple[float, float]:
    """Seconds of the preview and of the import."""
    files, started = {"table": (f"parts.{kind}", table)}, time.monotonic()
    sent = api.post("/api/admin/imports", files=files, data={"dryRun": "true"})
    address = f"/api/admin/imports/{sent.json()['importId']}"
    while _state(api, address) == "previewing":
        time.sleep(0.1)
    preview, begun = time.monotonic() - started, time.monotonic()
    api.post(f"{address}/apply").raise_for_status()
    while _state(api, address) == "importing":
        time.sleep(0.1)
    assert _state(api, address) == "done"
    return preview, time.monotonic() - begun


def _state(api: httpx.Client, address: str) -> str:
    return str(api.get(address).raise_for_status().json()["state"])


def _p95(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=20)[-1]


def _times(customer: httpx.Client, pages: int) -> Times:
    """Milliseconds of each page, one of both kinds every fifth of a second."""
    times: Times = [], []
    for _ in range(pages):
        started = time.perf_counter()
        for taken, params in zip(times, ({"n": str(time.time_ns())}, {}), strict=True):
            asked = time.perf_counter()
            customer.get("/", params=params).raise_for_status()
            taken.append((time.perf_counter() - asked) * 1000)
        time.sleep(max(0.0, _PAGE_SECONDS - (time.perf_counter() - started)))
    return times


def _rows(count: int, prefix: str) -> Iterator[list[str]]:
    for number in range(count):
        sku = f"{prefix}-{number:06}"
        yield [
            *(sku, f"Part {sku} of the bench", f"It is number {number}, and it fits.", "ACME"),
            *(f"1J0 615 {number:06}", f"{number % 500 + 1}", "12.50", "EUR", "yes"),
        ]


def _csv(count: int, prefix: str) -> bytes:
    lines = [",".join(COLUMNS), *(",".join(f'"{cell}"' for cell in row) for row in _rows(count, prefix))]
    return "\n".join(lines).encode()


def _xlsx(count: int, prefix: str) -> bytes:
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"constant_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate([list(COLUMNS), *_rows(count, prefix)]):
        sheet.write_row(number, 0, row)
    book.close()
    return data.getvalue()


def _zip(archive: Path, count: int) -> None:
    """Photos of 12 megapixels and about 2 MB, none the same: soft shapes under a sensor's noise."""
    bases = [_base() for _number in range(min(count, _BASES))]
    with zipfile.ZipFile(archive, "w") as packed:
        for number in range(count):
            turned = ImageChops.offset(bases[number % _BASES], 37 * number, 53 * number)
            photo = io.BytesIO()
            turned.save(photo, "JPEG", quality=90)
            name = f"C-{number // _PHOTOS_PER_PART:06}_{number % _PHOTOS_PER_PART + 1}.jpg"
            packed.writestr(name, photo.getvalue())


def _base() -> Image.Image:
    soft = [Image.effect_noise((64, 48), 90).resize((4000, 3000), Image.Resampling.BICUBIC) for _ in "RGB"]
    noise = Image.effect_noise((4000, 3000), 7).convert("RGB")
    return Image.blend(Image.merge("RGB", soft), noise, 0.4)


@contextmanager
def _measured(site: Site) -> Iterator[Callable[[], str]]:
    """What the server's processes took during the block: processor time, and the most memory together."""
    most, ended, begun = [0], threading.Event(), sum(map(_cpu_ticks, _processes(site)))

    def watch() -> None:
        while not ended.wait(0.1):
            most[0] = max(most[0], sum(map(_pss, _processes(site))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    ticks = [0]
    try:
        yield lambda: f"{ticks[0] / os.sysconf('SC_CLK_TCK'):.1f} s of processor, {most[0] // 1000} MB"
    finally:
        ended.set()
        watcher.join()
        ticks[0] = sum(map(_cpu_ticks, _processes(site))) - begun


def _processes(site: Site) -> Iterator[int]:
    """The server, its workers, and their children."""
    assert site.process is not None
    waiting = [site.process.pid]
    while waiting:
        process = waiting.pop()
        yield process
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())


def _cpu_ticks(process: int) -> int:
    """Of the process and its ended children."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15]))
    return 0


def _pss(process: int) -> int:
    """Kilobytes, with each process's share of common pages."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
