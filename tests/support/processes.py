"""acr3d's own processes on a test's database: the web server, and the poller by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from acr3d.settings import Settings
from tests.support.site import ROOT, free_port

COMMANDS = {
    "web": ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
    "worker": ["flask", "--app", "wsgi", "jobs", "work"],
}


class Process:
    """One running process in a group of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self.port = port

    def stop(self) -> int:
        """SIGTERM, as a platform does it; the exit code. A platform would kill it after this long."""
        self.process.terminate()
        return self.process.wait(20)


@contextlib.contextmanager
def running(kind: str, config: Settings, environ: Mapping[str, str]) -> Iterator[Process]:
    """A process of this kind (`COMMANDS`) on what `config` names, while the block runs."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("ACR3D_", "MESHY_"))}
    port = free_port()
    given = {
        "ACR3D_INSTANCE": str(config.instance),
        "DATABASE_URL": config.database_url,
        "ACR3D_STORAGE_URL": f"file://{config.storage_folder}",
        "ACR3D_POLL_SECONDS": "1",
        "ACR3D_POLLER": kind,
        "PORT": str(port),
    }
    log = config.instance / f"{kind}-{port}.log"
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[kind]],
            cwd=ROOT,
            env=quiet | given | environ,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield Process(process, log, port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
