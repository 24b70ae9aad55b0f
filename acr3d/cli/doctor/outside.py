"""What acr3d works with on other machines: engines, and the address under which customers reach it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from acr3d.captures import installed
from acr3d.cli.doctor.finding import Finding, beware, broken, ok
from acr3d.engines.errors import EngineError
from acr3d.engines.registry import engines
from acr3d.jobs.webhook_hints import SECRET_HEADER
from acr3d.outlines.method import why_unavailable
from acr3d.settings import Settings
from acr3d.shop import options


def paid_engines(_config: Settings) -> Iterator[Finding]:
    """That each engine knows us, and its balance."""
    if not engines().paid():
        yield ok("Engine: the built-in one. Set MESHY_API_KEY to order models from Meshy.")
    for provider in engines().paid():
        try:
            credits = provider.balance()
        except EngineError as error:
            yield broken(f"Engine: {provider.wording.name} refuses or does not answer: {error}")
            continue
        low = credits < options.current().low_balance
        text = f"Engine: {provider.wording.name} knows the key; the balance is {credits} credits."
        yield beware(f"{text} Top it up.") if low else ok(text)


def cutout(config: Settings) -> Iterator[Finding]:
    """Whether parts are found on any background."""
    why = why_unavailable(config)
    yield beware(f"Cut-out: {why}") if why else ok("Cut-out: the network is ready.")


def spin_capture(_config: Settings) -> Iterator[Finding]:
    """Whether parts can be filmed."""
    if installed.is_installed():
        yield ok("Spin capture: PyAV and OpenCV are installed.")
    else:
        yield beware("Spin capture: it is not installed, so parts cannot be filmed. `make spin` installs it.")


def address(config: Settings) -> Iterator[Finding]:
    """That customers reach the server under its public address."""
    if not config.public_url:
        yield beware("Address: ACR3D_PUBLIC_URL is not set, so links that others read are guessed.")
        return
    if not config.is_https:
        yield beware("Address: ACR3D_PUBLIC_URL is no https:// address, so AR and passwords are not safe.")
    try:
        status = httpx.get(f"{config.public_url}/livez", timeout=5, follow_redirects=False).status_code
    except httpx.HTTPError as error:
        yield _no_answer(config.public_url, error)
        return
    if status == httpx.codes.OK:
        yield ok(f"Address: {config.public_url} answers.")
    else:
        yield broken(
            f"Address: {config.public_url}/livez answers {status}. Check the proxy and its host names."
        )


def _no_answer(address: str, error: httpx.HTTPError) -> Finding:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return broken(f"Address: browsers do not trust the certificate of {address}. Renew it in the proxy.")
    return beware(f"Address: {address} does not answer from here ({type(error).__name__}).")


def proxy(config: Settings) -> Iterator[Finding]:
    """Whether the number of proxies can be right; the log says so too, after ten requests."""
    if config.is_https and not config.proxy_count:
        yield broken(
            "Proxy: ACR3D_PUBLIC_URL is an https:// address, so a proxy is in front, but ACR3D_PROXY_COUNT "
            "is 0: all visitors share one login throttle. Set it to 1, or to the number of proxies."
        )
    elif config.proxy_count and not config.public_url:
        yield beware(
            "Proxy: ACR3D_PROXY_COUNT is set, but ACR3D_PUBLIC_URL is not, so any host name is answered."
        )


def webhook(config: Settings) -> Iterator[Finding]:
    """Whether Meshy can report changes: a call without a task, which changes nothing, must arrive."""
    if not config.meshy_api_key:
        return
    if not config.is_https or not config.webhook_secret:
        yield beware(
            "Webhook: not set up, so changes at Meshy are seen a little later. See “flask webhook url”."
        )
        return
    address = f"{config.public_url}/webhooks/meshy/{config.webhook_path}"
    try:
        answer = httpx.post(address, json={}, headers={SECRET_HEADER: config.webhook_secret}, timeout=5)
    except httpx.HTTPError as error:
        yield beware(f"Webhook: its address does not answer from here ({type(error).__name__}).")
        return
    if answer.status_code == httpx.codes.OK:
        yield ok("Webhook: a call to its address arrives.")
    else:
        yield broken(
            f"Webhook: its address answers {answer.status_code}, so Meshy turns it off. Let the proxy pass "
            "POST requests to /webhooks/ on."
        )
