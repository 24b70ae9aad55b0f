"""One process with threads: the job poller runs in it too. Its connections are served by `acr3d/server/`."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
from threading import Thread
from typing import Any

from acr3d import logs
from acr3d.server.worker import LoopWorker

_SWITCH_SECONDS = 0.0005


class Worker(LoopWorker):
    """Tells the loop about proxies, and stops the poller as soon as the worker is told to stop."""

    def run(self) -> None:
        # For bodies that arrive: /tmp may be in memory.
        tempfile.tempdir = str(self.wsgi.extensions["acr3d_storage"].temporary().parent)
        # A page asks for Python's lock after each query. Python's 5 ms each time make it wait while a table
        # is exported in another thread.
        sys.setswitchinterval(_SWITCH_SECONDS)
        super().run()

    def has_proxy(self) -> bool:
        return bool(self.wsgi.extensions["acr3d_settings"].proxy_count)

    def begin_stop(self) -> None:
        _start_stopping(self)


os.umask(0o077)  # what acr3d keeps and logs is nobody else's
umask = 0o007  # of a Unix socket, which a proxy in acr3d's group may use
_port = os.environ.get("PORT", "5000")
bind = f"{os.environ.get('ACR3D_BIND', '127.0.0.1')}:{_port}"
workers = 1
worker_class = Worker
threads = 24
timeout = 120
graceful_timeout = 18
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
# No access log: URLs may contain signatures. The proxy or platform in front has its own log.
accesslog = None
errorlog = "-"
if os.environ.get("ACR3D_LOG", "").strip() == "json":
    logconfig_dict = logs.config()
control_socket_disable = True  # acr3d does not use it


def post_worker_init(worker: Any) -> None:
    # Imported here to keep it out of the memory of gunicorn's master process, which reads this file too.
    from acr3d.sandbox.protection import protection
    from acr3d.start import private_files
    from acr3d.start.warnings import warnings

    flask_app = worker.wsgi
    config = flask_app.extensions["acr3d_settings"]
    addresses = [str(one.getsockname()[0]) for one in worker.sockets if one.sock.family != socket.AF_UNIX]
    for warning in [*private_files.make_private(config), *warnings(config, addresses)]:
        worker.log.warning(warning)
    worker.log.info(protection())
    _show_security_events(worker.log.error_log.handlers)
    from acr3d.notices import watch

    flask_app.extensions["acr3d_notices_stop"] = watch.start(flask_app)
    if config.poller == "web":
        from acr3d.worker.loop import JobPoller

        poller = JobPoller(flask_app)
        flask_app.extensions["acr3d_poller"] = poller
        poller.start()


def _show_security_events(handlers: list[logging.Handler]) -> None:
    """Logins, failures, passwords, tokens: in the server's log, also where nothing is wrong."""
    events = logging.getLogger("acr3d.security")
    events.setLevel(logging.INFO)
    events.handlers, events.propagate = list(handlers), False


def worker_exit(_server: Any, worker: Any) -> None:
    if hasattr(worker, "wsgi") and (stop := worker.wsgi.extensions.get("acr3d_notices_stop")) is not None:
        stop.set()
    stopping = _start_stopping(worker)
    if stopping is not None:
        stopping.join()


def _start_stopping(worker: Any) -> Thread | None:
    """Start the thread that stops the worker's poller, once. None if there is no poller."""
    if not hasattr(worker, "wsgi"):  # a bad setting stopped it before it had an app
        return None
    extensions = worker.wsgi.extensions
    if "acr3d_stopping" not in extensions and (poller := extensions.get("acr3d_poller")) is not None:
        extensions["acr3d_stopping"] = Thread(target=poller.stop, name="acr3d-stop", daemon=True)
        extensions["acr3d_stopping"].start()
    return extensions.get("acr3d_stopping")
