"""The real thing on a port: gunicorn with its poller, as the Procfile runs it, for browsers and for kills."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import httpx

from acr3d import settings
from acr3d.accounts import users
from acr3d.app import create_app
from tests.support.databases import close

ROOT = Path(__file__).parents[2]
EMAIL, PASSWORD = "anna@example.com", "correct horse battery"
_PATIENCE = 60


class Site:
    """One acr3d with an instance folder of its own. `start` it as often as you like."""

    def __init__(self, instance: Path, environ: dict[str, str] | None = None) -> None:
        self.instance = instance
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = {"ACR3D_INSTANCE": str(instance), "PORT": str(self.port)} | (environ or {})
        quiet = {
            name: value for name, value in os.environ.items() if not name.startswith(("ACR3D_", "MESHY_"))
        }
        usual = {"ACR3D_ENGINE_GRID": "48", "ACR3D_POLL_SECONDS": "1"}
        usual |= {"ACR3D_AGREEMENT": "0", "ACR3D_CUTOUT": "0"}
        self.environ = quiet | usual | given
        self.log = instance.with_suffix(".log")  # beside it, since what it lies on may be full
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Migrate, and make an admin who may sign in at once."""
        self.instance.mkdir(parents=True, exist_ok=True)
        app = create_app(settings.from_environment(self.environ))
        with app.app_context():
            flask_migrate.upgrade()
            users.create_user(EMAIL, PASSWORD, "admin")
        close(app)

    def flask(self, *words: str) -> str:
        """What a command prints; fails the test when it fails."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token(self) -> str:
        return self.flask("users", "token", EMAIL).split()[-1]

    def start(self) -> None:
        """Run gunicorn and wait until it serves."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_it_serves()

    def wait_until_it_serves(self) -> None:
        end = time.monotonic() + _PATIENCE
        without_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # quick to make, again and again
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/livez", timeout=2, verify=without_tls).status_code == 200:
                    return
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def kill_everything(self) -> None:
        """SIGKILL to the whole process group, as when the machine loses its power."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_worker(self) -> None:
        """SIGKILL to the worker alone; gunicorn starts another."""
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def workers(self) -> list[int]:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self) -> int:
        """SIGTERM, as a platform does it; returns the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(40)


@contextlib.contextmanager
def running_site(instance: Path, environ: dict[str, str] | None = None) -> Iterator[Site]:
    """A prepared site that serves while the block runs."""
    site = Site(instance, environ)
    site.prepare()
    site.start()
    try:
        yield site
    finally:
        site.kill_everything()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
