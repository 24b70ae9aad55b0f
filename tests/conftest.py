"""What tests share: an app on each database, people who are signed in, and a server on a port."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.settings import Settings
from tests.support.contract.checker import Contract
from tests.support.contract.server import PreparedServer, prepared_server
from tests.support.postgres import Server, postgres_server

pytest_plugins = ["tests.support.requirements"]

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]
COARSE_GRID = 48


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of the present schema, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    _migrate(settings.from_environment({"ACR3D_INSTANCE": str(folder)}))
    return folder / "acr3d.sqlite"


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an empty PostgreSQL database of the present schema, to be copied."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    postgres.create(name)
    folder = tmp_path_factory.mktemp("postgres-template")
    _migrate(settings.from_environment({"ACR3D_INSTANCE": str(folder), "DATABASE_URL": postgres.url(name)}))
    return name


@pytest.fixture(params=BOTH)
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a fresh database of the present schema, once for each kind of database."""
    environ = {
        "ACR3D_INSTANCE": str(tmp_path / "instance"),
        "ACR3D_ENGINE_GRID": str(COARSE_GRID),
        "ACR3D_POLL_SECONDS": "1",
        "ACR3D_AGREEMENT": "0",  # seconds a job; its own tests turn it on
    }
    if request.param == "sqlite":
        (tmp_path / "instance").mkdir()
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "instance" / "acr3d.sqlite")
        yield settings.from_environment(environ)
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex[:12]}"
    server.create(name, template=request.getfixturevalue("migrated_postgres"))
    yield settings.from_environment(environ | {"DATABASE_URL": server.url(name)})
    server.drop(name)


@pytest.fixture
def make_app(config: Settings) -> Iterator[Callable[..., Flask]]:
    """Makes an app; keyword arguments change its settings."""
    made: list[Flask] = []

    def make(**changes: object) -> Flask:
        app = create_app(replace(config, **changes))  # type: ignore[arg-type]
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


def close(app: Flask) -> None:
    """Let go of the app's connections and threads."""
    poller = app.extensions.get("acr3d_poller")
    if poller is not None:
        poller.stop()
    with app.app_context():
        app.extensions["acr3d_engines"].stop(10)
        app.extensions["acr3d_engines"].close()
        db.session.remove()
        db.engine.dispose()


def _migrate(config: Settings) -> None:
    app = create_app(config)
    with app.app_context():
        flask_migrate.upgrade()
    close(app)
