"""`python -m acr3d.import_child`: go on with one import, as `acr3d.worker.import_process` asks on stdin.

Pages go before it: it is niced, and so are the children that convert its photos.
"""

from __future__ import annotations

import logging.config
import os
import pickle
import signal
import sys
import time
from dataclasses import replace
from threading import Event, Thread

from acr3d import logs
from acr3d.app import create_app
from acr3d.imports.work import work

_NICE = 5
_STOP_SECONDS = 20
"""Longer than a batch, or than the photos of a part, take to be written."""


def main() -> None:
    os.nice(_NICE)
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_signal: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which closes stdin
    config, claimed = pickle.load(sys.stdin.buffer)  # noqa: S301 - the server's own words
    Thread(target=_end_with_server, args=(stop,), daemon=True).start()
    if config.log == "json":
        logging.config.dictConfig(logs.config())
    app = create_app(replace(config, metrics=False))  # the server counts the work
    with app.app_context():
        work(claimed, stop)


def _end_with_server(stop: Event) -> None:
    while os.read(0, 1024):
        pass
    stop.set()
    time.sleep(_STOP_SECONDS)
    os._exit(1)  # something hangs; the import is taken again when its claim has run out


if __name__ == "__main__":
    main()
