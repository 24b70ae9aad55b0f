"""Which Host headers are answered, once `ACR3D_PUBLIC_URL` or `ACR3D_TRUSTED_HOSTS` says who we are.

Not by Flask's TRUSTED_HOSTS: that refuses before there is a request that an error page could be made for.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, abort, request
from flask_babel import gettext as _
from werkzeug.sansio.utils import host_is_trusted

from acr3d import settings

# Health checks and Prometheus on this machine ask for it by one of these.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def install(app: Flask) -> None:
    """Call this first: nothing else looks at a request for another site."""
    app.before_request(_refuse_other_names)


def _refuse_other_names() -> None:
    config = settings.current()
    ours = [*config.trusted_hosts, *([urlsplit(config.public_url).netloc] if config.public_url else [])]
    name = _without_port(request.host.lower())
    is_health_check = request.blueprint in ("health", "metrics") and name in _LOOPBACK
    if not name:
        abort(400, _("The address of this request has no valid host name."))
    if ours and not is_health_check and not host_is_trusted(name, ours):
        abort(400, _("This site does not answer to this name. If it should, add it to ACR3D_TRUSTED_HOSTS."))


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host
