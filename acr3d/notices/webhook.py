"""Sends notices to the webhook of ACR3D_NOTICE_WEBHOOK: JSON, signed, only to public addresses.

The header `Acr3d-Signature: t=SECONDS,v1=HEX` holds the HMAC-SHA256 of `SECONDS.BODY` under the secret: who
receives it computes the same and refuses old times, so that nothing recorded can be sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import httpcore
import httpx

from acr3d import settings
from acr3d.net import guard
from acr3d.net.download import origin_of
from acr3d.notices import digest
from acr3d.notices.channel import SendingFailed
from acr3d.notices.listing import Told

HEADER = "Acr3d-Signature"
_SECONDS, _SILENCE = 15.0, 10.0
_MOST = 100
_NO_ANSWER = (httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


def payload(told: list[Told]) -> dict[str, Any]:
    """The notices, newest first, as the receiver gets them; `more`: how many were left out."""
    return {
        "notices": [_notice(one) for one in told[:_MOST]],
        "more": max(0, len(told) - _MOST),
    }


def test_payload() -> dict[str, Any]:
    return {"notices": [], "more": 0, "test": True}


def send(content: dict[str, Any]) -> None:
    """Raises SendingFailed unless the receiver answers 2xx. Redirects are not followed."""
    config = settings.current()
    body = json.dumps(content, ensure_ascii=False).encode()
    url = httpx.URL(config.notice_webhook)
    headers = {
        "Host": url.netloc.decode("ascii"),
        "Content-Type": "application/json",
        "User-Agent": "acr3d",
        HEADER: signature(body, int(time.time()), config.notice_webhook_secret),
    }
    request = httpx.Request("POST", url, headers=headers, content=body)
    deadline = guard.Deadline(_SECONDS, _SILENCE)
    try:
        with guard.GuardedTransport(deadline, _private_hosts(config.asset_origins)) as transport:
            response = transport.handle_request(request)
            response.close()
    except guard.PrivateAddress:
        raise SendingFailed(
            "the address is in a private network; ACR3D_ASSET_ORIGINS can allow its origin"
        ) from None
    except _NO_ANSWER as problem:
        raise SendingFailed(f"no answer ({type(problem).__name__})") from None
    except guard.DeadlineExceeded:
        raise SendingFailed("no answer in time") from None
    if not 200 <= response.status_code < 300:
        raise SendingFailed(f"the receiver answered {response.status_code}")


def signature(body: bytes, seconds: int, secret: str) -> str:
    """The header's value."""
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"


def _notice(one: Told) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": one.notice.id,
        "kind": one.notice.kind,
        "at": one.notice.at.isoformat(),
        "text": one.sentence,
    }
    if one.job is not None:
        part = one.job.part
        found["part"] = {"id": part.id, "sku": part.sku, "name": part.name, "url": digest.part_url(one)}
    return found


def _private_hosts(origins: tuple[str, ...]) -> set[tuple[str, int]]:
    urls = [httpx.URL(origin_of(one)) for one in origins]
    return {(url.host, url.port or {"http": 80, "https": 443}[url.scheme]) for url in urls}
