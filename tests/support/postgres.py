"""A PostgreSQL server for the tests: the one named by ACR3D_TEST_POSTGRES, else a cluster of our own.

    with postgres_server() as server:
        server.create("template")
        server.create("one_test", template="template")
        engine = create_engine(server.url("one_test"))

Our own cluster lives in a temporary folder, speaks only through a socket in it and does without durability.
A keeper process ends it and removes the folder when we are done, however we end.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

DEBIAN_BINARIES = Path("/usr/lib/postgresql")
KEEPER = 'cat; "$0/pg_ctl" stop --silent --pgdata="$1/data" --mode=immediate; rm -rf "$1"'
OWN_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "listen_addresses": "",
}


class Server(Protocol):
    """A PostgreSQL server whose databases are ours."""

    def url(self, dbname: str) -> str: ...

    def create(self, dbname: str, template: str | None = None) -> None:
        """A new empty database, or a copy of `template`, to which nobody may be connected then."""

    def drop(self, dbname: str) -> None:
        """Remove the database if it is there, with all connections to it."""

    def stop(self) -> None:
        """Cut every connection to our databases and refuse new ones, as an outage does."""

    def start(self) -> None:
        """End the outage."""


@contextlib.contextmanager
def postgres_server() -> Iterator[Server]:
    given = os.environ.get("ACR3D_TEST_POSTGRES")
    with _given_server(given) if given else _own_cluster() as server:
        yield server


def postgres_missing() -> str | None:
    """Why the tests have no PostgreSQL, as a sentence; None when they have one."""
    if os.environ.get("ACR3D_TEST_POSTGRES"):
        return None
    if _binaries() is None:
        return "initdb and pg_ctl of PostgreSQL are not installed, and ACR3D_TEST_POSTGRES is not set."
    if os.geteuid() == 0 and not _user_exists("postgres"):
        return "PostgreSQL refuses to run as root, and there is no user postgres to run it as."
    return None


class _Databases:
    """Creating and dropping by name, through any address of the server."""

    def __init__(self, address: str, prefix: str = "") -> None:
        self._address = address
        self._prefix = prefix
        self._created: set[str] = set()

    def url(self, dbname: str) -> str:
        return urlunsplit(urlsplit(self._address)._replace(path=f"/{self._prefix}{dbname}"))

    def create(self, dbname: str, template: str | None = None) -> None:
        self._created.add(dbname)
        source = f"{self._prefix}{template}" if template else "template0"
        self._run("CREATE DATABASE {} TEMPLATE {}", self._name(dbname), sql.Identifier(source))

    def drop(self, dbname: str) -> None:
        self._created.discard(dbname)
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._name(dbname))

    def drop_all(self) -> None:
        for dbname in list(self._created):
            self.drop(dbname)

    def _name(self, dbname: str) -> sql.Identifier:
        return sql.Identifier(self._prefix + dbname)

    def _run(self, statement: str, *parts: sql.Composable) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*parts))


class _GivenServer(_Databases):
    """Somebody's server: our databases carry a prefix, and an outage shuts only them."""

    def stop(self) -> None:
        for dbname in self._created:
            self._run("ALTER DATABASE {} ALLOW_CONNECTIONS false", self._name(dbname))
            self._run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}",
                sql.Literal(self._prefix + dbname),
            )

    def start(self) -> None:
        for dbname in self._created:
            self._run("ALTER DATABASE {} ALLOW_CONNECTIONS true", self._name(dbname))


@contextlib.contextmanager
def _given_server(address: str) -> Iterator[Server]:
    server = _GivenServer(address, prefix=f"acr3d_test_{os.getpid()}_")
    try:
        yield server
    finally:
        server.drop_all()


class _OwnCluster(_Databases):
    def __init__(self, binaries: Path, folder: Path) -> None:
        super().__init__(f"postgresql://acr3d@/postgres?host={folder}")
        self._binaries = binaries
        self._folder = folder

    def initialise(self) -> None:
        self._run_program(
            "initdb", "--username=acr3d", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"
        )
        settings = OWN_SETTINGS | {"unix_socket_directories": str(self._folder)}
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self._folder / "data" / "postgresql.conf").open("a") as configuration:
            configuration.write(lines)

    def start(self) -> None:
        self._run_program("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}")

    def stop(self) -> None:
        self._run_program("pg_ctl", "stop", "--wait", "--mode=immediate")

    def _run_program(self, program: str, *args: str) -> None:
        # What it says goes to a file: the server would inherit a pipe and hold it open.
        with (self._folder / "said").open("wb") as said:
            finished = subprocess.run(
                [self._binaries / program, f"--pgdata={self._folder / 'data'}", *args],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                user=_user(),
                group=_user(),
            )
        if finished.returncode:
            raise RuntimeError(f"{program} failed: {(self._folder / 'said').read_text()[-2000:]}")


@contextlib.contextmanager
def _own_cluster() -> Iterator[Server]:
    binaries = _binaries()
    if binaries is None:
        raise RuntimeError(postgres_missing())
    # Not pytest's folder: a socket's path may have 107 bytes only, and the server's user must get there.
    folder = Path(tempfile.mkdtemp(prefix="acr3d-pg-"))
    if user := _user():
        shutil.chown(folder, user)
    with _kept(binaries, folder):
        cluster = _OwnCluster(binaries, folder)
        cluster.initialise()
        cluster.start()
        yield cluster


@contextlib.contextmanager
def _kept(binaries: Path, folder: Path) -> Iterator[None]:
    """A process that waits for us to close its stdin, or to die, and then clears the cluster away."""
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", KEEPER, str(binaries), str(folder)],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us, not for the keeper
        user=_user(),
        group=_user(),
    )
    try:
        yield
    finally:
        keeper.communicate()


def _binaries() -> Path | None:
    """The folder that has initdb and pg_ctl: on the PATH, else Debian's newest version."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).resolve().parent
    found = [path.parent for path in DEBIAN_BINARIES.glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _user() -> str | None:
    """Who runs the server, when that is not us: PostgreSQL refuses to run as root."""
    return "postgres" if os.geteuid() == 0 else None


def _user_exists(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False
