"""Fetching a finished model: only from where results may come, only so large, only a whole GLB.

A result's address comes from outside, so it is an order to our server to open a connection. It is followed
to named origins only, redirects included, never with a key, and never into a private network unless the
operator has configured that origin. What arrives is counted, not believed.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import BinaryIO

import httpcore
import httpx

from acr3d.generation import network

MAX_BYTES = 200 << 20  # raw models of 35 to 90 MB have been seen
TransportFor = Callable[[str], httpx.BaseTransport | None]

_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}
_GLB_HEADER = struct.Struct("<4sII")  # magic, version, length of the whole file (glTF 2.0, chapter 4.4)
_ASK_AGAIN = frozenset({408, 425, 429})
_FAULTS = (
    httpx.HTTPError,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
    network.TooSlow,
)


class DownloadError(Exception):
    """The result was not fetched. `str()` is a sentence for a person and holds no address but a host."""


class DownloadInterrupted(DownloadError):
    """Cut off, too slow, or the host's own trouble: the same address may be tried again."""


class DownloadGone(DownloadError):
    """The address no longer leads to the file; a fresh one must be asked for."""


class DownloadRefused(DownloadError):
    """It lies where it may not, is too large, or is no GLB: another try would end the same way."""


class DownloadStopped(DownloadError):
    """We are shutting down; the download is to be taken up again."""


@dataclass(frozen=True)
class Fetched:
    """What was written: bytes, and their SHA-256 as hex."""

    size: int
    sha256: str


def origin_of(url: str) -> str:
    """Scheme, host and port of `url` in one spelling: lower case, the scheme's own port left out.

    Raises ValueError for what is not an http or https address.
    """
    return _origin(_parsed(url))


def fetch(
    url: str,
    into: BinaryIO,
    *,
    allowed_origins: Collection[str],
    private_origins: Collection[str] = (),
    transport_for: TransportFor | None = None,
    max_bytes: int = MAX_BYTES,
    seconds: float = 900,
    stall_seconds: float = 30,
    stop: threading.Event | None = None,
    resolve: network.Resolve = network.resolve,
) -> Fetched:
    """Write the GLB at `url` into the open file `into`, which holds rubbish after any error.

    `allowed_origins` are all the origins a result, or a redirect to it, may have; those that are also in
    `private_origins` may lead into a private network. `transport_for(origin)` may give an httpx transport to
    use for an origin, such as `httpx.WSGITransport` for the engine in this process: then no socket is opened.
    At most `max_bytes`, `seconds` in all and `stall_seconds` of silence.

    Raises DownloadInterrupted, DownloadGone, DownloadRefused or DownloadStopped; OSError from `into`.
    """
    patience = network.Patience(seconds, stall_seconds, stop)
    allowed = {origin_of(origin) for origin in allowed_origins}
    private = {_address(_parsed(origin)) for origin in private_origins}
    guarded = network.GuardedTransport(patience, private, resolve)
    try:
        with guarded:
            response = _follow(_target(url), allowed, transport_for or _no_transport, guarded)
            try:
                return _receive(response, into, max_bytes, patience)
            finally:
                response.close()
    except network.Stopped:
        raise DownloadStopped("The server is stopping; the model is fetched at the next start.") from None
    except network.AddressRefused:
        raise DownloadRefused(
            "The model was not fetched: its address leads into a private network. "
            "If that is meant, name its origin in ACR3D_ASSET_ORIGINS."
        ) from None
    except _FAULTS:
        raise DownloadInterrupted(
            "The download of the model broke off or took too long; it is tried again."
        ) from None


def _follow(
    url: httpx.URL, allowed: Collection[str], transport_for: TransportFor, guarded: httpx.BaseTransport
) -> httpx.Response:
    """The first answer that is not a redirect, when it is a success; every hop is judged like the first."""
    for _hop in range(_REDIRECTS + 1):
        origin = _origin(url)
        if origin not in allowed:
            raise DownloadRefused(
                f"The model was not fetched: {origin} is not a place that results may come from. "
                "If it is meant to be one, name it in ACR3D_ASSET_ORIGINS."
            )
        transport = transport_for(origin) or guarded
        response = transport.handle_request(_request(url))
        if response.status_code not in (301, 302, 303, 307, 308):
            return _success(response)
        response.close()
        url = _target(response.headers.get("Location", ""), url)
    raise DownloadRefused("The model was not fetched: its address leads on and on.")


def _request(url: httpx.URL) -> httpx.Request:
    # Built by hand, not by a client: a client would log the signed address, and might add credentials.
    headers = {"Host": url.netloc.decode("ascii"), "Accept": "*/*", "Accept-Encoding": "identity"}
    return httpx.Request("GET", url, headers=headers)


def _success(response: httpx.Response) -> httpx.Response:
    status = response.status_code
    if status == 200:
        return response
    response.close()
    if status >= 500 or status in _ASK_AGAIN:
        raise DownloadInterrupted(f"The place the model lies at has trouble (status {status}); tried again.")
    if status >= 400:
        raise DownloadGone(
            f"The model's address is no longer valid (status {status}); a fresh one is asked for."
        )
    raise DownloadRefused(
        f"The model was not fetched: it was answered with status {status} instead of a file."
    )


def _receive(response: httpx.Response, into: BinaryIO, max_bytes: int, patience: network.Patience) -> Fetched:
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise DownloadRefused(
            "The model was not fetched: it was sent packed although that was not asked for."
        )
    announced = _announced(response)
    if announced is not None and announced > max_bytes:
        raise _too_large(max_bytes)
    head, size, digest = b"", 0, hashlib.sha256()
    for chunk in response.iter_raw():
        patience.check()
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        if len(head) < _GLB_HEADER.size:
            head = (head + chunk)[: _GLB_HEADER.size]
            _check_magic(head)
        digest.update(chunk)
        into.write(chunk)
    _check_whole(head, size, announced)
    return Fetched(size, digest.hexdigest())


def _announced(response: httpx.Response) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdigit() else None


def _check_magic(head: bytes) -> None:
    if not head.startswith(b"glTF"[: len(head)]):
        raise DownloadRefused("What the engine delivered is not a GLB model; start the generation again.")


def _check_whole(head: bytes, size: int, announced: int | None) -> None:
    if announced is not None and size != announced:
        raise DownloadInterrupted("The download of the model was cut off; it is tried again.")
    length = 0
    if len(head) == _GLB_HEADER.size:
        _magic, version, length = _GLB_HEADER.unpack(head)
        if version == 2 and length == size:
            return
    if announced is None and size < max(length, _GLB_HEADER.size):
        raise DownloadInterrupted("The download of the model was cut off; it is tried again.")
    raise DownloadRefused("The GLB that the engine delivered is damaged; start the generation again.")


def _too_large(max_bytes: int) -> DownloadRefused:
    return DownloadRefused(
        f"The model was not fetched: it is larger than {max_bytes >> 20} MB. Ask for fewer triangles."
    )


def _no_transport(_origin: str) -> None:
    """No origin is in this process."""


def _target(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        return _parsed(str(base.join(url)) if base and url else url)
    except (ValueError, httpx.InvalidURL):
        raise DownloadRefused("The model was not fetched: its address is not one of the web.") from None


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ValueError("not an address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise ValueError("not an http or https address")
    return parsed


def _origin(url: httpx.URL) -> str:
    host, port = _address(url)
    name = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{name}" + ("" if port == _PORTS[url.scheme] else f":{port}")


def _address(url: httpx.URL) -> tuple[str, int]:
    return url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
