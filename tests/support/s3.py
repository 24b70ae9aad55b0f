"""An S3 server: moto's, as a separate process. It checks SHA-256 sums, but no signatures and no limits."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx

from tests.support.site import free_port

PATIENCE = 60


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """Its address; the bucket `shop` is there and empty."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _make_bucket(address, server)
            yield address
        finally:
            server.kill()


def _make_bucket(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.put(f"{address}/shop").raise_for_status()
            return
        time.sleep(0.1)
    raise AssertionError("the S3 server did not start")


def environ(address: str) -> dict[str, str]:
    """The variables with which the app finds it."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return {"AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1"} | keys
