"""The tests' PostgreSQL: copies of a template, an outage on demand, and nothing left behind."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.support.postgres import Server, postgres_server


def rows(server: Server, dbname: str) -> list[tuple[int, ...]]:
    with psycopg.connect(server.url(dbname)) as connection:
        return connection.execute("SELECT number FROM kept").fetchall()


def fill(server: Server, dbname: str) -> None:
    server.create(dbname)
    with psycopg.connect(server.url(dbname)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")


def check_a_copy_and_an_outage(server: Server) -> None:
    fill(server, "template")
    server.create("copied", template="template")
    with psycopg.connect(server.url("copied")) as connection:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url("copied"))
    server.start()
    assert rows(server, "copied") == [(7,)]


@pytest.mark.needs("postgres")
def test_a_cluster_of_our_own_goes_away_with_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACR3D_TEST_POSTGRES", raising=False)
    with postgres_server() as server:
        folder = Path(parse_qs(urlsplit(server.url("any")).query)["host"][0])
        check_a_copy_and_an_outage(server)
        assert folder.is_dir()
    assert not folder.exists()


@pytest.mark.needs("postgres")
def test_on_a_given_server_only_our_own_databases_come_and_go(
    monkeypatch: pytest.MonkeyPatch, postgres: Server
) -> None:
    postgres.create("theirs")
    monkeypatch.setenv("ACR3D_TEST_POSTGRES", postgres.url("theirs"))
    with psycopg.connect(postgres.url("theirs"), autocommit=True) as connection:
        with postgres_server() as server:
            check_a_copy_and_an_outage(server)
            ours = {urlsplit(server.url(name)).path.strip("/") for name in ("template", "copied")}
        assert connection.execute("SELECT 1").fetchone() == (1,)  # theirs had no outage
        left = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    assert not ours & left
    postgres.drop("theirs")
