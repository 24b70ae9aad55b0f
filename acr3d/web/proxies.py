"""Whether `ACR3D_PROXY_COUNT` agrees with what the first requests show: one warning in the log if not."""

from __future__ import annotations

import logging

from flask import Flask, request

from acr3d import settings

_REQUESTS = 10

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    seen: list[int] = []

    def look() -> None:
        if len(seen) >= _REQUESTS or request.blueprint in ("health", "metrics"):  # these pass by the proxies
            return
        seen.append(len(request.access_route) if "X-Forwarded-For" in request.headers else 0)
        if len(seen) == _REQUESTS and (sentence := disagreement(settings.current().proxy_count, seen)):
            log.warning(sentence)

    app.before_request(look)


def disagreement(count: int, seen: list[int]) -> str | None:
    """A sentence if `count` proxies cannot be. `seen`: addresses in each request's `X-Forwarded-For`.

    A client can add addresses of its own, so only the least and the most of several requests say something.
    """
    if max(seen) < count:
        return (
            f"proxies.too_many: ACR3D_PROXY_COUNT is {count}, but the first requests came through "
            f"{max(seen)}: clients can choose the address that the login throttle counts. Correct it."
        )
    if min(seen) > count:
        return (
            f"proxies.too_few: ACR3D_PROXY_COUNT is {count}, but the first requests came through "
            f"{min(seen)}: all visitors share one address in the login throttle. Correct it."
        )
    return None
