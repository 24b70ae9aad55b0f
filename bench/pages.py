"""Measure what a public part page costs, beside a Flask application that says hello.

    python -m bench.pages [--seconds 5] [--clients 4]

Both run on acr3d's server (`acr3d.server.worker`, 24 threads) without the poller, one after the other. Prints
for each row the requests a second, the server's processor time for one, and both as shares of hello: the page
made anew each time, the page as kept in memory, and 304 for those who have it. Then the server's memory,
before and after.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from flask import Flask

from tests.support.site import Site, free_port, running_site

SKU = "AL-0120-6PK"
_TICKS = os.sysconf("SC_CLK_TCK")

hello = Flask("hello")
hello.add_url_rule("/", "hello", lambda: "hello")


@dataclass(frozen=True)
class Cost:
    """Requests a second, and processor seconds of the server for one request."""

    rate: float
    processor: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder) / "instance", {"ACR3D_POLLER": "worker"}) as site,
    ):
        site.flask("demo")
        before, rows = _memory_mb(_worker(site)), []
        with _hello_server() as (port, process):
            rows.append(("hello", _cost(port, process, lambda: "/", "", options)))
        number = itertools.count()
        page, etag = f"/parts/{SKU}", httpx.get(f"{site.url}/parts/{SKU}", headers={"Accept-Encoding": "br"})
        measured: list[tuple[str, Callable[[], str], str]] = [
            ("part page, made anew", lambda: f"{page}?n={next(number)}", ""),
            ("part page, kept", lambda: page, ""),
            ("304", lambda: page, f"If-None-Match: {etag.headers['ETag']}\r\n"),
        ]
        for name, path, headers in measured:
            rows.append((name, _cost(site.port, _worker(site), path, headers, options)))
        base = rows[0][1]
        for name, cost in rows:
            shares = f"{cost.rate / base.rate:5.2f} {base.processor / cost.processor:5.2f}"
            print(f"{name:22} {cost.rate:7.0f}/s {cost.processor * 1000:6.2f} ms  {shares}")
        print(f"memory of the worker: {before:.0f} MB before, {_memory_mb(_worker(site)):.0f} MB after")


@contextmanager
def _hello_server() -> Iterator[tuple[int, int]]:
    port = free_port()
    words = [
        "-k",
        "acr3d.server.worker.LoopWorker",
        "-c",
        "/dev/null",
        "--threads",
        "24",
        "-b",
        f"127.0.0.1:{port}",
    ]
    server = subprocess.Popen([sys.executable, "-m", "gunicorn", *words, "bench.pages:hello"])
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield port, _child_of(server.pid)
    finally:
        server.terminate()
        server.wait()


def _cost(
    port: int, process: int, path: Callable[[], str], headers: str, options: argparse.Namespace
) -> Cost:
    counts: list[int] = []
    _ask(port, path, headers, 0.5, [])  # until everything is loaded
    begun, used = time.monotonic(), _processor_seconds(process)
    arguments = (port, path, headers, options.seconds, counts)
    clients = [threading.Thread(target=_ask, args=arguments) for _ in range(options.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    done = sum(counts)
    return Cost(done / (time.monotonic() - begun), (_processor_seconds(process) - used) / done)


def _ask(port: int, path: Callable[[], str], headers: str, seconds: float, counts: list[int]) -> None:
    """Ask again and again on one connection; nothing else than reading the answer costs the client time."""
    end, done = time.monotonic() + seconds, 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while time.monotonic() < end:
            asked = f"GET {path()} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: br\r\n{headers}\r\n"
            connection.sendall(asked.encode())
            head, _end, body = _read_until(connection, b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            left = int(length[1]) - len(body) if length and b" 304 " not in head[:20] else 0
            while left > 0:
                left -= len(_received(connection))
            assert head[9:12] in (b"200", b"304"), head
            done += 1
    counts.append(done)


def _read_until(connection: socket.socket, mark: bytes) -> tuple[bytes, bytes, bytes]:
    read = b""
    while mark not in read:
        read += _received(connection)
    return read.partition(mark)


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    assert piece, "the server closed the connection"
    return piece


def _worker(site: Site) -> int:
    assert site.process
    return _child_of(site.process.pid)


def _child_of(process: int) -> int:
    return int(Path(f"/proc/{process}/task/{process}/children").read_text().split()[0])


def _processor_seconds(process: int) -> float:
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS


def _memory_mb(process: int) -> float:
    rows = Path(f"/proc/{process}/smaps_rollup").read_text()
    found = re.search(r"Pss: +(\d+)", rows)
    return int(found[1]) / 1024 if found else 0


if __name__ == "__main__":
    main()
