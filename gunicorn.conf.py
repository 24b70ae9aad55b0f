"""One process with threads: the poller lives in it, and slow phones each hold only a thread."""

from __future__ import annotations

import os
from concurrent.futures import Future
from threading import Thread
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn 27 closes a connection on its loop and waits there, for two seconds, until the reader has read
    all: ten slow phones would hold every other request up for seconds. Let a thread of the pool wait instead.
    """

    def finish_request(self, conn: TConn, handled: Future[object]) -> None:
        if handled.cancelled() or handled.exception() or handled.result():
            super().finish_request(conn, handled)
            return
        self.nr_conns -= 1
        self.tpool.submit(conn.close, graceful=True)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Told to end: let the poller stop now, beside the readers that are still served for a while."""
        if self.alive:
            self.method_queue.defer(_begin_to_stop, self)
        super().handle_exit(sig, frame)


_port = os.environ.get("PORT", "5000")
bind = f"{os.environ.get('ACR3D_BIND', '127.0.0.1')}:{_port}"
workers = 1
worker_class = Worker
threads = 24
# Large uploads over slow lines are read by a thread, not by the loop that tells gunicorn we are alive.
timeout = 120
graceful_timeout = 18
keepalive = 5
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
# No access log: an address may hold a signature. The proxy in front, or the platform, keeps its own.
accesslog = None
errorlog = "-"
control_socket_disable = True  # one more socket that nobody here asks


def post_worker_init(worker: Any) -> None:
    # Not imported above: gunicorn's arbiter reads this file too, and needs none of it in its memory.
    from acr3d.backup import ephemeral_folder

    flask_app = worker.wsgi
    config = flask_app.extensions["acr3d_settings"]
    for sentence in ephemeral_folder.warnings(config, ephemeral_folder.mount_table()):
        worker.log.warning(sentence)
    if config.poller == "web":
        from acr3d.worker.loop import JobPoller

        poller = JobPoller(flask_app)
        flask_app.extensions["acr3d_poller"] = poller
        poller.start()


def worker_exit(_server: Any, worker: Any) -> None:
    stopping = _begin_to_stop(worker)
    if stopping is not None:
        stopping.join()


def _begin_to_stop(worker: Any) -> Thread | None:
    """The thread that stops the worker's poller, once; None where it has none."""
    extensions = worker.wsgi.extensions
    if "acr3d_stopping" not in extensions and (poller := extensions.get("acr3d_poller")) is not None:
        extensions["acr3d_stopping"] = Thread(target=poller.stop, name="acr3d-stop", daemon=True)
        extensions["acr3d_stopping"].start()
    return extensions.get("acr3d_stopping")
