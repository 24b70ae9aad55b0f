"""Download a file from a URL that somebody else chose: from allowed origins only, and with limits.

Such a URL makes our server open a connection (server-side request forgery, SSRF). So it is requested, with
all redirects, without credentials and never in a private network, unless the operator has configured that
origin. The size is counted, not trusted. A `DownloadSpec` says how a kind of file is validated and how
failures are worded.
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
    """The file was not downloaded. The message contains no URL, at most an origin."""


class DownloadInterrupted(DownloadError):
    """Cut off, too slow, or a server error: the same URL may be tried again."""


class DownloadGone(DownloadError):
    """The URL is no longer valid; a new one is needed."""


class DownloadRefused(DownloadError):
    """The origin is not allowed, or the file is too large or invalid; trying again will not help."""


class DownloadStopped(DownloadError):
    """The server is shutting down; the download has to be repeated."""


def _accept_anything(*_what: object, **_more: object) -> None:
    """The default check, for files that are validated later."""


@dataclass(frozen=True)
class DownloadSpec:
    """A kind of file: its size limit, its validation, and what to tell the user if the download fails.

    The `if_…` messages say what happens next or what the user can do.
    """

    max_bytes: int
    if_interrupted: Message
    if_gone: Message
    if_refused: Message
    if_too_large: Message
    check_head: Callable[[bytes], None] = _accept_anything
    """Called with the first 16 bytes, or as many as have arrived; raises DownloadRefused."""
    check_whole: Callable[[bytes, int, bool], None] = _accept_anything
    """Called with the first bytes, the size, and whether that size was announced; raises a DownloadError."""


@dataclass(frozen=True)
class DownloadedFile:
    """What was written: the size in bytes and the SHA-256 in hex."""

    size: int
    sha256: str


def origin_of(url: str) -> str:
    """Scheme, host and port of `url`, normalized: lower case, without the scheme's default port.

    Raises ValueError if `url` is not an http or https URL.
    """
    return _origin(_parse_url(url))


def download_file(
    url: str,
    into: BinaryIO,
    spec: DownloadSpec,
    *,
    allowed_origins: Collection[str] | None,
    private_origins: Collection[str] = (),
    transport_for: TransportFor | None = None,
    seconds: float = 900,
    stall_seconds: float = 30,
    stop: threading.Event | None = None,
    resolve: guard.Resolve = guard.resolve_host,
) -> DownloadedFile:
    """Write the file at `url` into the open file `into`. After an error, the content of `into` is undefined.

    `allowed_origins`: the origins that the URL and all redirects may have; None allows any. Only
    `private_origins` may resolve to private addresses. `transport_for(origin)` may return an httpx transport
    for an origin, such as `httpx.WSGITransport` for the engine in this process; then no socket is opened.
    `seconds`: limit for the whole download. `stall_seconds`: limit for silence.

    Raises DownloadInterrupted, DownloadGone, DownloadRefused or DownloadStopped, and OSError from `into`.
    """
    deadline = guard.Deadline(seconds, stall_seconds, stop)
    allowed = None if allowed_origins is None else {origin_of(origin) for origin in allowed_origins}
    private = {_host_and_port(_parse_url(origin)) for origin in private_origins}
    try:
        with guard.GuardedTransport(deadline, private, resolve) as guarded:
            response = _follow_redirects(url, spec, allowed, transport_for or _no_transport, guarded)
            try:
                return _write_body(response, into, spec, deadline)
            finally:
                response.close()
    except guard.StopRequested:
        raise DownloadStopped(Message("download.stopping")) from None
    except guard.PrivateAddress:
        raise _refused(Message("download.private_network"), Message("download.allow_origin")) from None
    except _RETRYABLE_ERRORS:
        raise DownloadInterrupted(Message("download.interrupted", next=spec.if_interrupted)) from None


def _follow_redirects(
    address: str,
    spec: DownloadSpec,
    allowed: Collection[str] | None,
    transport_for: TransportFor,
    guarded: httpx.BaseTransport,
) -> httpx.Response:
    """The first response that is not a redirect, if it is successful. Every hop is checked like the first."""
    url: httpx.URL | None = None
    for _hop in range(_MAX_REDIRECTS + 1):
        url = _redirect_target(address, spec, url)
        origin = _origin(url)
        if allowed is not None and origin not in allowed:
            why = Message("download.foreign_origin", origin=origin)
            raise _refused(why, Message("download.allow_origin"))
        transport = transport_for(origin) or guarded
        response = transport.handle_request(_get_request(url))
        if response.status_code not in (301, 302, 303, 307, 308):
            return _require_success(response, spec)
        response.close()
        address = response.headers.get("Location", "")
    raise _refused(Message("download.redirects"), spec.if_refused)


def _get_request(url: httpx.URL) -> httpx.Request:
    # Built without a client, which would log the signed URL and might add credentials.
    headers = {"Host": url.netloc.decode("ascii"), "Accept": "*/*", "Accept-Encoding": "identity"}
    return httpx.Request("GET", url, headers=headers)


def _require_success(response: httpx.Response, spec: DownloadSpec) -> httpx.Response:
    status = response.status_code
    if status == 200:
        return response
    response.close()
    if status >= 500 or status in _RETRYABLE_STATUSES:
        raise DownloadInterrupted(Message("download.host_trouble", status=status, next=spec.if_interrupted))
    if status >= 400:
        raise DownloadGone(Message("download.address_gone", status=status, next=spec.if_gone))
    raise _refused(Message("download.odd_status", status=status), spec.if_refused)


def _write_body(
    response: httpx.Response, into: BinaryIO, spec: DownloadSpec, deadline: guard.Deadline
) -> DownloadedFile:
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise _refused(Message("download.compressed"), spec.if_refused)
    announced = _content_length(response)
    if announced is not None and announced > spec.max_bytes:
        raise _too_large(spec)
    head, size, digest = b"", 0, hashlib.sha256()
    for chunk in response.iter_raw():
        deadline.check()
        size += len(chunk)
        if size > spec.max_bytes:
            raise _too_large(spec)
        if len(head) < _CHECKED_HEAD_BYTES:
            head = (head + chunk)[:_CHECKED_HEAD_BYTES]
            spec.check_head(head)
        digest.update(chunk)
        into.write(chunk)
    if announced is not None and size != announced:
        raise DownloadInterrupted(Message("download.cut_off", next=spec.if_interrupted))
    spec.check_whole(head, size, announced is not None)
    return DownloadedFile(size, digest.hexdigest())


def _content_length(response: httpx.Response) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdigit() else None


def _refused(why: Message, what_next: Message) -> DownloadRefused:
    return DownloadRefused(Message("download.refused", why=why, next=what_next))


def _too_large(spec: DownloadSpec) -> DownloadRefused:
    return _refused(Message("download.too_large", megabytes=spec.max_bytes // 1_000_000), spec.if_too_large)


def _no_transport(_origin: str) -> None:
    """The default: no origin has a transport of its own."""


def _redirect_target(address: str, spec: DownloadSpec, base: httpx.URL | None = None) -> httpx.URL:
    try:
        return _parse_url(str(base.join(address)) if base and address else address)
    except (ValueError, httpx.InvalidURL):
        raise _refused(Message("download.bad_address"), spec.if_refused) from None


def _parse_url(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ValueError("not a URL") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise ValueError("not an http or https URL")
    return parsed


def _origin(url: httpx.URL) -> str:
    host, port = _host_and_port(url)
    name = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{name}" + ("" if port == _DEFAULT_PORTS[url.scheme] else f":{port}")


def _host_and_port(url: httpx.URL) -> tuple[str, int]:
    return url.raw_host.decode("ascii"), url.port or _DEFAULT_PORTS[url.scheme]
