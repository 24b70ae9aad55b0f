"""What the kill tests share: a site and a poller that can be killed, jobs, and what must be left of them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from acr3d.db.models import Attempt, Job, JobEvent, ModelFile, ModelVersion, Part
from acr3d.db.states import LIVE
from acr3d.db.types import utc_now
from acr3d.storage.index import references
from tests.support.factories import picture
from tests.support.faults.control import EngineOnPort, engine_on_port
from tests.support.postgres import Server
from tests.support.site import ROOT, Site, running_site

PATIENCE = 120
_NO_TLS = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # reading the trusted certificates takes longer than a request
AGE = 2 * 3600  # seconds; the sweep leaves younger files alone


class Place:
    """A running acr3d, and the engine on a port that it takes for Meshy, if it does."""

    def __init__(self, site: Site, engine: EngineOnPort | None) -> None:
        self.site = site
        self._engine = engine
        self.token = site.token()
        url = site.environ.get("DATABASE_URL", f"sqlite:///{site.instance}/acr3d.sqlite")
        self.database = sa.create_engine(
            url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool
        )

    @property
    def engine(self) -> EngineOnPort:
        assert self._engine is not None, "this site's engine is inside"
        return self._engine

    @property
    def storage(self) -> Path:
        return self.site.instance / "storage"

    def api(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.site.url, headers=headers, timeout=30, verify=_NO_TLS)

    def start_job(self, sku: str = "", *, check_photos: bool = False) -> str:
        """A new part with three photos, and a job that makes its model; returns the part's id.

        Unless `check_photos`, a poller that starts later does not look at the photos: that takes seconds.
        """
        with self.api() as api:
            sku = sku or f"KILL-{uuid.uuid4().hex[:8]}"
            part = api.post("/api/admin/parts", json={"sku": sku, "name": f"Part {sku}"}).json()["id"]
            files = {f"image{number}": (f"{number}.jpg", picture(), "image/jpeg") for number in range(3)}
            uploaded = api.post("/api/admin/3d-models/upload-images", data={"partId": part}, files=files)
            sides = zip(("front", "right", "back"), uploaded.json()["images"], strict=True)
            angles = {side: image["id"] for side, image in sides}
            started = api.post(
                "/api/admin/3d-models/generate", json={"partId": part, "selectedAngles": angles}
            )
            assert started.status_code == 202, started.text
        if not check_photos:
            with self.database.begin() as connection:
                connection.execute(sa.update(Part).where(Part.id == part).values(check_due_at=None))
        return str(part)

    def until(self, part: str, *wanted: str, hurry: bool = True) -> dict[str, object]:
        """Wait until the part's job has one of these model statuses. `hurry`: let its waiting times pass."""
        end = time.monotonic() + PATIENCE
        while True:
            with self.api() as api:
                status: dict[str, object] = api.get(f"/api/admin/parts/{part}/status").json()
            if status["model_status"] in wanted:
                return status
            assert time.monotonic() < end, (status, self.history(part), self.site.log.read_text()[-3000:])
            if hurry:
                self.let_waits_pass()
            time.sleep(0.2)

    def let_waits_pass(self) -> None:
        """As if the time had come that jobs wait for."""
        now = utc_now()
        far = sa.and_(Job.next_at > now + timedelta(seconds=2), Job.status.in_(LIVE))
        with self.database.begin() as connection:
            connection.execute(sa.update(Job).where(far).values(next_at=now - timedelta(seconds=1)))

    @contextlib.contextmanager
    def nobody_writing(self) -> Iterator[None]:
        """No process is in the middle of a change to the jobs (SQLite: to anything) while the block runs."""
        with self.database.begin() as connection:
            connection.execute(sa.update(Job).values(next_at=Job.next_at))
            yield

    def let_leases_run_out(self) -> None:
        """As if nobody had renewed them for long."""
        past = utc_now() - timedelta(seconds=1)
        with self.database.begin() as connection:
            connection.execute(sa.update(Job).where(Job.lease_until.is_not(None)).values(lease_until=past))

    def live_jobs(self) -> dict[str, str]:
        """The status of every job that has not ended, by part."""
        with self.database.connect() as connection:
            rows = connection.execute(sa.select(Job.part_id, Job.status).where(Job.status.in_(LIVE))).all()
        return {row[0]: row[1] for row in rows}

    def end_states(self) -> dict[str, int]:
        """How many jobs there are in each status."""
        query = sa.select(Job.status, sa.func.count()).group_by(Job.status)
        with self.database.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def history(self, part: str) -> list[tuple[str, str | None]]:
        """(status, detail) of all that happened to the part's jobs, in order."""
        query = sa.select(JobEvent.to_status, JobEvent.detail).join(Job, Job.id == JobEvent.job_id)
        with self.database.connect() as connection:
            rows = connection.execute(query.where(Job.part_id == part).order_by(JobEvent.id)).all()
        return [(row[0], row[1]) for row in rows]

    def attempts(self, part: str) -> list[str]:
        """The states of the tries at ordering, in order."""
        query = sa.select(Attempt.state).join(Job, Job.id == Attempt.job_id).where(Job.part_id == part)
        with self.database.connect() as connection:
            return list(connection.scalars(query.order_by(Attempt.created_at)))

    def log_lines(self) -> list[str]:
        """What the site's processes have written into their log."""
        return self.site.log.read_text().splitlines()

    def wait_for_words(self, before: list[str], *words: str, part: str | None = None) -> None:
        """Until the log, which did not say so `before`, or the part's history says one of these."""
        end = time.monotonic() + PATIENCE
        while True:
            told = [detail or "" for _status, detail in self.history(part)] if part else []
            said = self.log_lines()[len(before) :] + told
            if any(word in line for line in said for word in words):
                return
            assert time.monotonic() < end, said[-50:]
            time.sleep(0.1)

    def temporary_files(self) -> list[str]:
        return sorted(path.name for path in self.incoming.iterdir())

    @property
    def incoming(self) -> Path:
        return self.storage / ".incoming"

    def check_complete(self, part: str) -> None:
        """The job is complete and has one model, and its history tells each stage once."""
        told = [status for status, _detail in self.history(part)]
        stages = [status for place, status in enumerate(told) if told[place - 1 : place] != [status]]
        assert stages == ["pending", "submitted", "processing", "optimizing", "complete"], self.history(part)
        query = sa.select(ModelVersion.state).where(ModelVersion.part_id == part)
        with self.database.connect() as connection:
            assert connection.scalars(query).all() == ["published"]
        self.check_nothing_lies_about()

    def check_nothing_lies_about(self) -> None:
        """No temporary file, no blob of nobody's, and no row without its blob."""
        left = self.temporary_files()
        assert left == [], left
        with self.database.connect() as connection:
            known = {one.key for one in references(connection)}
            # A killed check leaves its outline where the check that follows it finds the same one.
            checks = connection.scalars(sa.select(Part.id).where(Part.check_due_at.is_not(None))).all()
            formats = sa.select(ModelVersion.job_id, ModelFile.format).join(ModelFile)
            written = {(job, kind) for job, kind in connection.execute(formats)}
        files = [path for path in self.storage.rglob("*") if path.is_file()]
        stored = {
            path.relative_to(self.storage).as_posix() for path in files if ".incoming" not in path.parts
        }
        to_be_found = tuple(f"parts/{part}/outlines/" for part in checks)
        left = [key for key in stored - known if not key.startswith(to_be_found)]
        assert [key for key in left if not _is_written_again(key, written)] == []
        assert known - stored == set()

    def finish_photo_checks(self) -> None:
        """As if the claims of killed checks had run out."""
        waiting = sa.select(sa.func.count()).where(Part.check_due_at.is_not(None))
        with self.database.begin() as connection:
            left = connection.scalar(waiting)
            due = sa.update(Part).where(Part.check_due_at.is_not(None))
            connection.execute(due.values(check_due_at=utc_now(), updated_at=Part.updated_at))
        if not left:
            return
        with running_poller(self) as poller:
            end = time.monotonic() + PATIENCE
            while left:
                assert time.monotonic() < end, left
                time.sleep(0.2)
                with self.database.connect() as connection:
                    left = connection.scalar(waiting)
            assert poller.stop() == 0

    def check_sweep_finds_nothing(self) -> None:
        """The product's own look at the storage, once its files are old enough to be judged."""
        self.finish_photo_checks()
        old = time.time() - AGE
        for path in self.storage.rglob("*.*"):
            os.utime(path, (old, old))
        assert "No unused files older than an hour." in self.site.flask("sweep")


def _is_written_again(key: str, written: set[tuple[str, str]]) -> bool:
    """Whether a killed poller left a model's file whose row the next round writes with the same file."""
    found = re.fullmatch(r"parts/[^/]+/models/(.{36})-[0-9a-f]+\.(stl|usdz)", key)
    return found is not None and found.groups() not in written


class Poller:
    """`flask jobs work`, or where the site has those `flask worker`, in a process of its own; it may be one
    that kills itself at a point."""

    def __init__(
        self, place: Place, killed_at: str | None = None, environ: dict[str, str] | None = None
    ) -> None:
        command = ["worker"] if "ACR3D_WORKERS" in place.site.environ else ["jobs", "work"]
        program = ["tests.support.killed_at", killed_at] if killed_at else ["flask", "--app", "wsgi"]
        self._place, self._log_before = place, place.log_lines()
        with place.site.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *program, *command],
                cwd=ROOT,
                env=place.site.environ | (environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until_running(self) -> None:
        """Until it has begun to pass."""
        self._place.wait_for_words(self._log_before, "The job poller is running.")

    def wait_until_killed(self) -> None:
        """Until it has killed itself."""
        assert self.process.wait(PATIENCE) == -signal.SIGKILL

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, as a platform does it; returns the exit code."""
        self.process.terminate()
        return self.process.wait(40)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


def server_for(request: pytest.FixtureRequest) -> Server | None:
    """The database server of a fixture that has BOTH as its parameters."""
    return request.getfixturevalue("postgres") if request.param == "postgres" else None


@contextlib.contextmanager
def running_poller(
    place: Place, killed_at: str | None = None, environ: dict[str, str] | None = None
) -> Iterator[Poller]:
    poller = Poller(place, killed_at, environ)
    try:
        yield poller
    finally:
        poller.kill()


@contextlib.contextmanager
def running_place(
    folder: Path, server: Server | None, environ: dict[str, str] | None = None
) -> Iterator[Place]:
    """A site without a poller, on SQLite or on a PostgreSQL server, and an engine on a port."""
    given = {"ACR3D_POLLER": "worker", "ACR3D_UNKNOWN_WAIT_SECONDS": "1"} | (environ or {})
    with (
        database(server) as address,
        engine_on_port(folder / "engine") as engine,
        running_site(folder / "instance", engine.environ | address | given) as site,
    ):
        yield Place(site, engine)


@contextlib.contextmanager
def database(server: Server | None) -> Iterator[dict[str, str]]:
    """What tells a site of an empty database on the server; without one it makes its own file."""
    if server is None:
        yield {}
        return
    name = f"killed_{uuid.uuid4().hex[:8]}"
    server.create(name)
    yield {"DATABASE_URL": server.url(name)}
    server.drop(name)
