"""What tests share: an app on each database, people who are signed in, and a server on a port."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import User
from acr3d.settings import Settings
from tests.support import children, speed
from tests.support.contract.checker import Contract
from tests.support.contract.server import PreparedServer, prepared_server
from tests.support.databases import EmptiedDatabase, close, migrated_file
from tests.support.factories import make_user
from tests.support.postgres import Server, postgres_server

pytest_plugins = ["tests.support.requirements"]
speed.use()

COARSE_GRID = 48


def pytest_collection_finish() -> None:
    """Hide what is loaded from the garbage collector, which took a fifth of the time to look at it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _remembered_children(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    own = tmp_path_factory.getbasetemp()
    children.remember_in((own if worker_id == "master" else own.parent) / "children")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def emptied_database(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> EmptiedDatabase:
    return EmptiedDatabase(postgres, tmp_path_factory.mktemp("postgres"))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated_file(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.needs("postgres"), pytest.mark.proof])]
)
def config(request: pytest.FixtureRequest) -> Settings:
    """Settings with an empty database of the present schema; in the proof also with PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_config")  # type: ignore[no-any-return]


@pytest.fixture
def sqlite_config(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    (tmp_path / "instance").mkdir()
    shutil.copyfile(migrated_sqlite, tmp_path / "instance" / "acr3d.sqlite")
    return _settings(tmp_path)


@pytest.fixture
def postgres_config(tmp_path: Path, emptied_database: EmptiedDatabase) -> Settings:
    return _settings(tmp_path, DATABASE_URL=emptied_database.url())


def _settings(folder: Path, **more: str) -> Settings:
    environ = {
        "ACR3D_INSTANCE": str(folder / "instance"),
        "ACR3D_ENGINE_GRID": str(COARSE_GRID),
        "ACR3D_POLL_SECONDS": "1",
        "ACR3D_AGREEMENT": "0",  # seconds a job; its own tests turn it on
        "ACR3D_CUTOUT": "0",  # an extra; its own tests turn it on
    }
    return settings.from_environment(environ | more)


@pytest.fixture
def make_app(config: Settings) -> Iterator[Callable[..., Flask]]:
    """Makes an app; keyword arguments change its settings."""
    made: list[Flask] = []

    def make(**changes: object) -> Flask:
        app = create_app(replace(config, **changes))  # type: ignore[arg-type]
        with app.app_context():
            speed.share_statements(db.engine)
        made.append(app)
        return app

    yield make
    for app in made:
        close(app)


@pytest.fixture
def meshy() -> Iterator[PreparedServer]:
    """A server in Meshy's place, which gives the answers that a test prepares and keeps to the contract."""
    with prepared_server(Contract()) as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """The app with its context pushed, for tests that call the domain directly."""
    with app.app_context():
        yield app


@pytest.fixture
def user(in_app: Flask) -> User:
    return make_user()
