"""Migrations: up, down, adopting the earlier design's database, and refusing somebody else's."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskCliRunner

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import Base, Job, Part, PartImage, Poller, UnmatchedTask, User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import images_of
from acr3d.parts.sku_lookup import pairs_that_look_equal
from tests.support.databases import BOTH, close
from tests.support.factories import finished_job
from tests.support.postgres import Server

OLD_PARTS = {
    "sqlite": (
        "CREATE TABLE parts (id TEXT PRIMARY KEY, sku TEXT UNIQUE NOT NULL, name TEXT NOT NULL,"
        " description TEXT, image_url TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP, updated_at TEXT)"
    ),
    "postgresql": (
        "CREATE TABLE parts (id text PRIMARY KEY, sku varchar(80) UNIQUE NOT NULL, name varchar(200),"
        " description text, image_url text, created_at timestamp DEFAULT now(), updated_at timestamptz)"
    ),
}


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app whose database has no table at all."""
    environ = {"ACR3D_INSTANCE": str(tmp_path)}
    name = f"migrating_{uuid.uuid4().hex[:8]}"
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        server.create(name)
        environ["DATABASE_URL"] = server.url(name)
    app = create_app(settings.from_environment(environ))
    with app.app_context():
        yield app
    close(app)
    if request.param == "postgres":
        server.drop(name)


@pytest.fixture
def run(empty: Flask) -> Callable[..., Any]:
    runner: FlaskCliRunner = empty.test_cli_runner()
    return lambda *words: runner.invoke(args=["db", *words])


def columns() -> dict[str, set[str]]:
    inspector = sa.inspect(db.engine)
    return {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


def insert_old_part(**values: object) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with transaction() as session:
        session.execute(sa.text(f"INSERT INTO parts ({names}) VALUES ({marks})"), values)


def old_database(*rows: dict[str, object]) -> None:
    with transaction() as session:
        session.execute(sa.text(OLD_PARTS[db.engine.dialect.name]))
    for row in rows:
        insert_old_part(**row)


def test_a_fresh_database_gets_the_whole_schema(empty: Flask, run: Callable[..., Any]) -> None:
    assert run("upgrade").exit_code == 0

    found = columns()
    for table in Base.metadata.tables.values():
        assert found[table.name] == {column.name for column in table.columns}
    assert run("check").exit_code == 0


def test_going_down_and_up_again_keeps_the_parts_though_rows_hang_on_them(
    empty: Flask, run: Callable[..., Any]
) -> None:
    run("upgrade")
    with transaction() as session:
        part = Part(sku="A-1", sku_key="a-1", name="Bracket")
        session.add_all([part, User(email="a@example.com", password_hash="x", role="admin")])
        session.flush()
        session.add(PartImage(part_id=part.id, image_url="/media/x.jpg", display_order=0))

    down = run("downgrade", "old_parts")

    assert down.exit_code == 0, down.output
    assert columns()["parts"] == {
        "id", "sku", "name", "description", "image_url", "created_at", "updated_at",
    }  # fmt: skip
    assert run("upgrade").exit_code == 0
    db.session.expire_all()
    assert part_by_id(part.id).name == "Bracket"


def test_an_earlier_versions_pollers_and_put_aside_tasks_are_taken_over(
    empty: Flask, run: Callable[..., Any]
) -> None:
    run("upgrade")
    now = utc_now()
    task = {"status": "SUCCEEDED", "progress": 100, "texture_prompt": "", "has_thumbnail": False}
    with transaction() as session:
        session.add(Poller(id="one", host="here", pid=1, seen_at=now))
        session.add(UnmatchedTask(account="a", task_id="t", dismissed_at=now, is_deleted=True, **task))
    assert run("downgrade", "levels").exit_code == 0

    assert run("upgrade").exit_code == 0

    db.session.expire_all()
    poller, task = db.session.query(Poller).one(), db.session.query(UnmatchedTask).one()
    assert (poller.seen_at, poller.last_pass_at) == (now, now)
    assert (task.dismissed_at, task.is_deleted, task.deleting_until) == (now, False, None)


def test_skus_of_an_earlier_version_that_look_equal_are_listed_and_kept(
    empty: Flask, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    run("upgrade", "part_search")
    skus = ("OF-7", "OF\u20137", "ОF-7", "OF-8")  # the third with a Cyrillic О
    for number, sku in enumerate(skus):
        moment = f"2026-01-0{number + 1} 00:00:00.000000+00"
        columns = "id, sku, sku_key, name, is_published, model_status, revision, created_at, updated_at"
        with transaction() as session:
            row = {"id": str(uuid.uuid4()), "sku": sku, "key": sku.casefold(), "at": moment, "yes": True}
            values = ":id, :sku, :key, 'Filter', :yes, 'none', 1, :at, :at"
            session.execute(sa.text(f"INSERT INTO parts ({columns}) VALUES ({values})"), row)

    assert run("upgrade").exit_code == 0

    said = [one.getMessage() for one in caplog.records if "looks like" in one.getMessage()]
    kept = "looks like SKU “OF-7”; both are kept. Rename one of them."
    assert said == [f"SKU “{sku}” {kept}" for sku in skus[1:3]]
    assert {part.sku: part.sku_look for part in db.session.query(Part)} == {
        "OF-7": "OF-7", skus[1]: None, skus[2]: None, "OF-8": "OF-8",
    }  # fmt: skip
    assert {(part.sku, other.sku) for part, other in pairs_that_look_equal()} == {
        (skus[1], "OF-7"), (skus[2], "OF-7"),
    }  # fmt: skip
    assert run("check").exit_code == 0


JOBS_AND_EARLIER_FLAGS = {
    # status, next step, raw file refused: has_result, needs_cleanup
    ("pending", "submit", False): (False, False),
    ("submitted", "poll", False): (False, False),
    ("processing", "poll", False): (False, False),
    ("processing", "download", False): (True, False),
    ("optimizing", "optimize", False): (False, False),
    ("complete", "none", False): (False, False),
    ("failed", "none", False): (False, False),
    ("failed", "none", True): (True, False),
    ("canceled", "none", False): (False, False),
    ("canceled", "revoke", False): (False, True),
}


def test_an_earlier_versions_jobs_get_their_next_step(empty: Flask, run: Callable[..., Any]) -> None:
    run("upgrade")
    jobs = {add_job(*facts): facts for facts in JOBS_AND_EARLIER_FLAGS}
    assert run("downgrade", "under_way").exit_code == 0
    with db.engine.connect() as connection:
        flags = sa.text("SELECT id, has_result, needs_cleanup FROM model_generation_jobs")
        earlier = {str(row[0]): (row[1], row[2]) for row in connection.execute(flags)}
    assert earlier == {job_id: JOBS_AND_EARLIER_FLAGS[facts] for job_id, facts in jobs.items()}

    assert run("upgrade").exit_code == 0

    db.session.expire_all()
    found = {job.id: (job.status, job.next_step, job.raw_refused) for job in db.session.query(Job)}
    assert found == jobs


def test_the_database_refuses_a_next_step_that_does_not_go_with_the_status(
    empty: Flask, run: Callable[..., Any]
) -> None:
    run("upgrade")
    for status, next_step in (("pending", "poll"), ("complete", "optimize"), ("failed", "revoke")):
        with pytest.raises(sa.exc.IntegrityError, match="next_step"):
            add_job(status, next_step)
    with pytest.raises(sa.exc.IntegrityError):
        add_job("unheard of", "none")


def add_job(status: str, next_step: str, raw_refused: bool = False) -> str:
    """A job of a part of its own; its id."""
    with transaction() as session:
        sku = uuid.uuid4().hex
        part = Part(sku=sku, sku_key=sku, name="Bracket")
        session.add(part)
        session.flush()
        job = finished_job(part.id)
        job.status, job.next_step, job.raw_refused = status, next_step, raw_refused
        session.add(job)
    return job.id


def test_an_old_database_is_adopted_with_every_row(empty: Flask, run: Callable[..., Any]) -> None:
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    old_database(
        {
            "id": first,
            "sku": "OF-1",
            "name": "Filter",
            "image_url": "https://example.com/filter.jpg",
            "created_at": "2025-03-04T05:06:07",
            "updated_at": "2025-03-04T05:06:08+00:00",
        },
        {"id": second, "sku": "BD/2", "name": "Disc", "description": "Vented.", "image_url": ""},
    )

    assert run("stamp", "old_parts").exit_code == 0
    upgraded = run("upgrade")

    assert upgraded.exit_code == 0, upgraded.output
    adopted = part_by_id(first)
    assert (adopted.sku, adopted.sku_key, adopted.model_status) == ("OF-1", "of-1", "none")
    assert adopted.created_at.isoformat() == "2025-03-04T05:06:07+00:00"
    assert adopted.primary_image_url is None
    [picture] = images_of(first)
    assert (picture.image_url, picture.display_order) == ("https://example.com/filter.jpg", 0)
    assert picture.storage_path is None
    assert images_of(second) == []
    assert part_by_id(second).description == "Vented."
    assert run("check").exit_code == 0


def test_skus_that_differ_in_case_only_stop_the_adoption_and_change_nothing(
    empty: Flask, run: Callable[..., Any]
) -> None:
    rows = [{"id": str(uuid.uuid4()), "sku": sku, "name": "Filter"} for sku in ("of-1", "OF-1")]
    old_database(*rows)
    run("stamp", "old_parts")
    before = columns()

    refused = run("upgrade")

    assert refused.exit_code != 0
    assert columns() == before
    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM parts")) == 2


def test_a_database_that_has_other_tables_of_our_names_is_refused_with_one_line(
    empty: Flask, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    old_database()
    with transaction() as session:
        session.execute(sa.text("CREATE TABLE part_images (id integer PRIMARY KEY)"))
    run("stamp", "old_parts")

    refused = run("upgrade")

    assert refused.exit_code == 1
    [message] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "part_images" in message
    assert "\n" not in message
    assert columns()["part_images"] == {"id"}


def test_an_old_database_that_was_not_stamped_is_left_alone(empty: Flask, run: Callable[..., Any]) -> None:
    old_database()

    refused = run("upgrade")

    assert refused.exit_code == 1
    assert "sku_key" not in columns()["parts"]
