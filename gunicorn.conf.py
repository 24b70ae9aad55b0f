"""One process with threads: the job poller runs in it, and a slow client only occupies a thread."""

from __future__ import annotations

import logging
import os
from concurrent.futures import Future
from threading import Thread
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Waits for slow readers in the thread pool.

    gunicorn 27 closes a connection on its main loop and waits there up to two seconds until the client has
    read everything, so ten slow phones would block all other requests for seconds.
    """

    def finish_request(self, conn: TConn, handled: Future[object]) -> None:
        if handled.cancelled() or handled.exception() or handled.result():
            super().finish_request(conn, handled)
            return
        self.nr_conns -= 1
        self.tpool.submit(conn.close, graceful=True)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop the poller at once; open requests are served until `graceful_timeout`."""
        if self.alive:
            self.method_queue.defer(_start_stopping, self)
        super().handle_exit(sig, frame)


_port = os.environ.get("PORT", "5000")
bind = f"{os.environ.get('ACR3D_BIND', '127.0.0.1')}:{_port}"
workers = 1
worker_class = Worker
threads = 24
# Threads read slow uploads, so these do not stop the main loop from reporting that the worker is alive.
timeout = 120
graceful_timeout = 18
keepalive = 5
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
# No access log: URLs may contain signatures. The proxy or platform in front has its own log.
accesslog = None
errorlog = "-"
# No header of a client says where the app is mounted or how it was reached: proxies that ACR3D_PROXY_COUNT
# names are believed by the app itself (ProxyFix), and nobody else is.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
control_socket_disable = True  # acr3d does not use it


def post_worker_init(worker: Any) -> None:
    # Imported here to keep it out of the memory of gunicorn's master process, which reads this file too.
    from acr3d.backup import ephemeral_folder
    from acr3d.sandbox.protection import protection

    flask_app = worker.wsgi
    config = flask_app.extensions["acr3d_settings"]
    for warning in ephemeral_folder.warnings(config, ephemeral_folder.mount_table()):
        worker.log.warning(warning)
    worker.log.info(protection())
    _show_security_events(worker.log.error_log.handlers)
    if config.poller == "web":
        from acr3d.worker.loop import JobPoller

        poller = JobPoller(flask_app)
        flask_app.extensions["acr3d_poller"] = poller
        poller.start()


def _show_security_events(handlers: list[logging.Handler]) -> None:
    """Logins, failures, passwords, tokens: in the server's log, also where nothing is wrong."""
    events = logging.getLogger("acr3d.security")
    events.setLevel(logging.INFO)
    events.handlers = list(handlers)


def worker_exit(_server: Any, worker: Any) -> None:
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
