"""Fetching a file from an address that somebody else chose: only from where it may come, only so large.

Such an address is an order to our server to open a connection. It is followed, redirects included, never
with a key, and never into a private network unless the operator has configured that origin. What arrives is
counted, not believed. Whoever wants a file says in `DownloadSpec` how it is judged and what a person is told.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import BinaryIO

import httpcore
import httpx

from acr3d.messages.message import Message, MessageError
from acr3d.net import guard

TransportFor = Callable[[str], httpx.BaseTransport | None]

_MAX_REDIRECTS = 5
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CHECKED_HEAD_BYTES = 16
_RETRYABLE_STATUSES = frozenset({408, 425, 429})
_RETRYABLE_ERRORS = (
    httpx.HTTPError,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
    guard.DeadlineExceeded,
)


class DownloadError(MessageError):
    """The file was not downloaded. Its message holds no address but a host."""


class DownloadInterrupted(DownloadError):
    """Cut off, too slow, or the host's own trouble: the same address may be tried again."""


class DownloadGone(DownloadError):
    """The address no longer leads to the file; a fresh one must be asked for."""


class DownloadRefused(DownloadError):
    """It lies where it may not, is too large, or is not what was wanted; another try would end so too."""


class DownloadStopped(DownloadError):
    """We are shutting down; the download is to be taken up again."""


def _accept_anything(*_what: object, **_more: object) -> None:
    """It is judged later, or elsewhere."""


@dataclass(frozen=True)
class DownloadSpec:
    """A kind of file: how large it may be, how it is judged, and what people are told when it does not come.

    The `if_…` messages say what happens next, or what to do.
    """

    max_bytes: int
    if_interrupted: Message
    if_gone: Message
    if_refused: Message
    if_too_large: Message
    check_head: Callable[[bytes], None] = _accept_anything
    """Given the first 16 bytes, or as many as have arrived; raises DownloadRefused."""
    check_whole: Callable[[bytes, int, bool], None] = _accept_anything
    """Given the first bytes, the size, and whether that size was announced; raises a DownloadError."""


@dataclass(frozen=True)
class DownloadedFile:
    """What was written: bytes, and their SHA-256 as hex."""

    size: int
    sha256: str


def origin_of(url: str) -> str:
    """Scheme, host and port of `url` in one spelling: lower case, the scheme's own port left out.

    Raises ValueError for what is not an http or https address.
    """
    return _origin(_parse_url(url))


def download_file(
    url: str,
    into: BinaryIO,
    wanted: DownloadSpec,
    *,
    allowed_origins: Collection[str] | None,
    private_origins: Collection[str] = (),
    transport_for: TransportFor | None = None,
    seconds: float = 900,
    stall_seconds: float = 30,
    stop: threading.Event | None = None,
    resolve: guard.Resolve = guard.resolve_host,
) -> DownloadedFile:
    """Write the file at `url` into the open file `into`, which holds rubbish after any error.

    `allowed_origins` are all the origins that it, or a redirect to it, may have; None stands for any. Those
    in `private_origins` may lead into a private network, no other may. `transport_for(origin)` may give an
    httpx transport to use for an origin, such as `httpx.WSGITransport` for the engine in this process: then
    no socket is opened. It takes at most `seconds` in all and `stall_seconds` of silence.

    Raises DownloadInterrupted, DownloadGone, DownloadRefused or DownloadStopped; OSError from `into`.
    """
    patience = guard.Deadline(seconds, stall_seconds, stop)
    allowed = None if allowed_origins is None else {origin_of(origin) for origin in allowed_origins}
    private = {_host_and_port(_parse_url(origin)) for origin in private_origins}
    try:
        with guard.GuardedTransport(patience, private, resolve) as guarded:
            response = _follow_redirects(url, wanted, allowed, transport_for or _no_transport, guarded)
            try:
                return _write_body(response, into, wanted, patience)
            finally:
                response.close()
    except guard.StopRequested:
        raise DownloadStopped(Message("download.stopping")) from None
    except guard.PrivateAddress:
        raise _refused(Message("download.private_network"), Message("download.allow_origin")) from None
    except _RETRYABLE_ERRORS:
        raise DownloadInterrupted(Message("download.interrupted", next=wanted.if_interrupted)) from None


def _follow_redirects(
    address: str,
    wanted: DownloadSpec,
    allowed: Collection[str] | None,
    transport_for: TransportFor,
    guarded: httpx.BaseTransport,
) -> httpx.Response:
    """The first answer that is not a redirect, when it is a success; every hop is judged like the first."""
    url: httpx.URL | None = None
    for _hop in range(_MAX_REDIRECTS + 1):
        url = _redirect_target(address, wanted, url)
        origin = _origin(url)
        if allowed is not None and origin not in allowed:
            why = Message("download.foreign_origin", origin=origin)
            raise _refused(why, Message("download.allow_origin"))
        transport = transport_for(origin) or guarded
        response = transport.handle_request(_get_request(url))
        if response.status_code not in (301, 302, 303, 307, 308):
            return _require_success(response, wanted)
        response.close()
        address = response.headers.get("Location", "")
    raise _refused(Message("download.redirects"), wanted.if_refused)


def _get_request(url: httpx.URL) -> httpx.Request:
    # Built by hand, not by a client: a client would log the signed address, and might add credentials.
    headers = {"Host": url.netloc.decode("ascii"), "Accept": "*/*", "Accept-Encoding": "identity"}
    return httpx.Request("GET", url, headers=headers)


def _require_success(response: httpx.Response, wanted: DownloadSpec) -> httpx.Response:
    status = response.status_code
    if status == 200:
        return response
    response.close()
    if status >= 500 or status in _RETRYABLE_STATUSES:
        raise DownloadInterrupted(Message("download.host_trouble", status=status, next=wanted.if_interrupted))
    if status >= 400:
        raise DownloadGone(Message("download.address_gone", status=status, next=wanted.if_gone))
    raise _refused(Message("download.odd_status", status=status), wanted.if_refused)


def _write_body(
    response: httpx.Response, into: BinaryIO, wanted: DownloadSpec, patience: guard.Deadline
) -> DownloadedFile:
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise _refused(Message("download.compressed"), wanted.if_refused)
    announced = _content_length(response)
    if announced is not None and announced > wanted.max_bytes:
        raise _too_large(wanted)
    head, size, digest = b"", 0, hashlib.sha256()
    for chunk in response.iter_raw():
        patience.check()
        size += len(chunk)
        if size > wanted.max_bytes:
            raise _too_large(wanted)
        if len(head) < _CHECKED_HEAD_BYTES:
            head = (head + chunk)[:_CHECKED_HEAD_BYTES]
            wanted.check_head(head)
        digest.update(chunk)
        into.write(chunk)
    if announced is not None and size != announced:
        raise DownloadInterrupted(Message("download.cut_off", next=wanted.if_interrupted))
    wanted.check_whole(head, size, announced is not None)
    return DownloadedFile(size, digest.hexdigest())


def _content_length(response: httpx.Response) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdigit() else None


def _refused(why: Message, what_next: Message) -> DownloadRefused:
    return DownloadRefused(Message("download.refused", why=why, next=what_next))


def _too_large(wanted: DownloadSpec) -> DownloadRefused:
    return _refused(Message("download.too_large", megabytes=wanted.max_bytes >> 20), wanted.if_too_large)


def _no_transport(_origin: str) -> None:
    """No origin is in this process."""


def _redirect_target(address: str, wanted: DownloadSpec, base: httpx.URL | None = None) -> httpx.URL:
    try:
        return _parse_url(str(base.join(address)) if base and address else address)
    except (ValueError, httpx.InvalidURL):
        raise _refused(Message("download.bad_address"), wanted.if_refused) from None


def _parse_url(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ValueError("not an address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise ValueError("not an http or https address")
    return parsed


def _origin(url: httpx.URL) -> str:
    host, port = _host_and_port(url)
    name = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{name}" + ("" if port == _DEFAULT_PORTS[url.scheme] else f":{port}")


def _host_and_port(url: httpx.URL) -> tuple[str, int]:
    return url.raw_host.decode("ascii"), url.port or _DEFAULT_PORTS[url.scheme]
