"""An import goes on in a process of its own: in the server's, pages would wait for Python's lock.

That process is `acr3d.import_child`, with the same settings. When its stdin closes, as when the server is
killed, it ends behind the rows that it is writing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import tempfile
from threading import Event
from typing import IO, cast

from flask import current_app

from acr3d import settings
from acr3d.imports import queue

_LOOK_SECONDS = 0.1

log = logging.getLogger("acr3d.poller")


def go_on(claimed: queue.Claim, stop: Event) -> None:
    """Go on with the import until it waits for a person, or `stop` is set."""
    process = subprocess.Popen(
        [sys.executable, "-m", "acr3d.import_child"],
        cwd=current_app.root_path,
        env=os.environ | {"TMPDIR": tempfile.gettempdir()},
        stdin=subprocess.PIPE,
    )
    stdin = cast(IO[bytes], process.stdin)
    with contextlib.suppress(BrokenPipeError):  # it has ended already; its exit code tells
        stdin.write(pickle.dumps((settings.current(), claimed)))
        stdin.flush()
    while process.poll() is None and not stop.wait(_LOOK_SECONDS):
        pass
    with contextlib.suppress(BrokenPipeError):
        stdin.close()
    if code := process.wait():
        log.error("import.process_failed import=%s exit=%s", claimed.import_id, code)
        queue.try_again(claimed.import_id)
