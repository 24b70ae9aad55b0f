"""After whole jobs with real processes, no secret stands anywhere but in the two files that keep one."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tests.support.contract.checker import Contract
from tests.support.contract.server import (
    Always,
    Answer,
    Handler,
    PreparedServer,
    answer,
    prepared_server,
    raw,
)
from tests.support.databases import BOTH
from tests.support.factories import box_glb, picture
from tests.support.postgres import Server
from tests.support.site import EMAIL, PASSWORD, Site, running_site

TASKS = "/openapi/v1/multi-image-to-3d"
KEY = "msy_TheKeyOfTheAccount0123456789abcdef"
SIGNATURE = "TheSignatureOfAnAddress"
WEBHOOK_PATH = "the-path-that-only-meshy-knows"
WEBHOOK_SECRET = "the secret that only meshy sends"
WRONG_PASSWORD = "wrong horse battery"
PATIENCE = 90


class Meshy:
    """Refuses the first order, fails at the second, makes the third; all with secrets in its words."""

    def __init__(self, server: PreparedServer) -> None:
        self.server = server
        self.orders = 0
        server.answers = Always(self._answer)

    def signed(self, name: str) -> str:
        return f"{self.server.base}/output/{name}?Expires=1&Signature={SIGNATURE}&Key-Pair-Id=K"

    def _answer(self, handler: Handler) -> None:
        method, path = handler.seen.method, handler.seen.path
        if path == "/output/model.glb":
            raw(200, box_glb())(handler)
        elif path == "/output/preview.png":
            raw(200, picture(kind="PNG"))(handler)
        elif path.startswith("/output/"):
            raw(403, f"no more {SIGNATURE}".encode())(handler)
        elif path.endswith("/balance"):
            answer(200, {"balance": 1000})(handler)
        elif method == "POST":
            self._order()(handler)
        elif path == TASKS:
            is_first = "page_num=1&" in f"{handler.seen.query}&"
            answer(200, self._tasks() if is_first else [])(handler)
        else:
            wanted = [task for task in self._tasks() if path.endswith(f"/{task['id']}")]
            (answer(200, wanted[0]) if wanted else answer(404, {"message": "Task not found"}))(handler)

    def _order(self) -> Answer:
        self.orders += 1
        if self.orders == 1:
            return answer(400, {"message": f"Bearer {KEY} may not read {self.signed('photo.jpg')}"})
        return answer(202, {"result": ["failing", "working"][self.orders - 2]})

    def _tasks(self) -> list[dict[str, object]]:
        made_at = int(time.time() * 1000) - 1000
        error = {"type": "server_error", "message": f"Could not write {self.signed('model.glb')} with {KEY}."}
        done = {"status": "SUCCEEDED", "progress": 100, "created_at": made_at, "consumed_credits": 30}
        works = {"model_urls": {"glb": self.signed("model.glb")}, "thumbnail_url": self.signed("preview.png")}
        ours = [
            {"id": "failing", "status": "FAILED", "task_error": error, "created_at": made_at},
            {"id": "working", **done, **works},
        ]
        unmatched = [
            {"id": "orphan", **done, **works},
            {"id": "without-preview", **done, "thumbnail_url": self.signed("gone.png")},
        ]
        return unmatched + ours[: max(0, self.orders - 1)]


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that is not there yet, or is empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/instance/acr3d.sqlite"
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"secrets_{uuid.uuid4().hex[:12]}"
    server.create(name)
    yield server.url(name)
    server.drop(name)


def test_no_secret_is_kept_shown_or_logged(database: str, tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    with prepared_server(Contract()) as server:
        Meshy(server)
        environ = {
            "DATABASE_URL": database,
            "MESHY_API_KEY": KEY,
            "MESHY_API_BASE": server.base,
            "ACR3D_WEBHOOK_PATH": WEBHOOK_PATH,
            "ACR3D_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        with running_site(instance, environ) as site:
            token = site.token()
            with _client(site) as browser, _client(site, Authorization=f"Bearer {token}") as program:
                _sign_in(browser)
                jobs = [_job_to_its_end(program, sku) for sku in ("REFUSED", "FAILING", "WORKING")]
                seen = _everything_shown(site, browser, program)
                cookies = {value for name, value in browser.cookies.items() if name == "session"}
            assert site.stop() == 0
    secret_key = (instance / "secret_key").read_text().strip()
    secrets = {KEY, SIGNATURE, "Signature=", WEBHOOK_PATH, WEBHOOK_SECRET, PASSWORD, WRONG_PASSWORD}
    secrets |= {token, secret_key} | cookies

    assert [job["status"] for job in jobs] == ["failed", "failed", "complete"]
    assert "may not read" in jobs[0]["error_message"]  # what Meshy said is told, without the secrets in it
    assert "Could not write" in jobs[1]["error_message"]
    places = seen | {"the log": site.log.read_text()} | _rows(database) | _files(instance)
    for secret in secrets:
        assert [name for name, text in places.items() if secret in text] == [], secret


def _job_to_its_end(program: httpx.Client, sku: str) -> dict[str, str]:
    part_id = program.post("/api/admin/parts", json={"sku": sku, "name": sku}).json()["id"]
    files = {f"image{place}": ("a.jpg", picture()) for place in range(2)}
    upload = program.post("/api/admin/3d-models/upload-images", data={"partId": part_id}, files=files).json()
    chosen = dict(zip(("front", "right"), (image["id"] for image in upload["images"]), strict=True))
    order = {"partId": part_id, "selectedAngles": chosen, "engine": "meshy"}
    assert program.post("/api/admin/3d-models/generate", json=order).status_code == 202
    end = time.monotonic() + PATIENCE
    while True:
        [job] = program.get(f"/api/admin/parts/{part_id}").json()["jobs"]
        if job["status"] in ("complete", "failed"):
            found: dict[str, str] = job
            return found
        assert time.monotonic() < end, job
        _tell(program, job["meshy_task_id"])
        time.sleep(0.2)


def _tell(program: httpx.Client, task_id: str | None) -> None:
    """Meshy's webhook, once right and twice wrong."""
    right = {"x-meshy-api-webhook-secret-key": WEBHOOK_SECRET}
    address = f"/webhooks/meshy/{WEBHOOK_PATH}"
    told = program.post(address, json={"id": task_id}, headers=right)
    assert (told.status_code, told.text) == (200, "")
    assert program.post(address, json={"id": task_id}).status_code == 404
    assert program.post(f"{address}x", json={}, headers=right).status_code == 404


def _everything_shown(site: Site, browser: httpx.Client, program: httpx.Client) -> dict[str, str]:
    """What pages and API answer, by address; refusals too."""
    unmatched = program.post("/api/admin/orphans/refresh").json()
    assert {one["task_id"] for one in unmatched} == {"orphan", "without-preview"}
    previews = [program.get(one["preview_url"]).status_code for one in unmatched]
    assert sorted(previews) == [200, 204]
    parts = [one["sku"] for one in program.get("/api/parts").json()["parts"]]
    part_ids = [part_id for (part_id,) in _query(site, "SELECT id FROM parts")]
    job_ids = [job_id for (job_id,) in _query(site, "SELECT id FROM model_generation_jobs")]
    addresses = [
        *("/", "/login", "/api/parts", "/admin/", "/admin/parts", "/admin/jobs", "/admin/unmatched-tasks"),
        "/admin/credits",
        *("/api/admin/orphans", "/livez", "/healthz", "/nowhere", f"/webhooks/meshy/{WEBHOOK_PATH}"),
        *(f"/parts/{sku}" for sku in parts),
        *(f"/admin/parts/{part_id}" for part_id in part_ids),
        *(f"/admin/jobs/{job_id}/candidates" for job_id in job_ids),
        *(f"/api/admin/parts/{part_id}{rest}" for part_id in part_ids for rest in ("", "/status")),
    ]
    shown = {}
    for address in addresses:
        reader = program if address.startswith("/api/") else browser
        given = reader.get(address)
        assert given.status_code in (200, 302, 404, 405), address
        headers = {name: value for name, value in given.headers.items() if name != "set-cookie"}
        shown[address] = given.text + json.dumps(headers)
    assert "3D" in shown["/parts/WORKING"]
    return shown


def _client(site: Site, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=site.url, timeout=60, headers=headers)


def _sign_in(browser: httpx.Client) -> None:
    """As somebody who mistypes the password first."""
    statuses = []
    for password in (WRONG_PASSWORD, PASSWORD):
        page = browser.get("/login").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"email": EMAIL, "password": password, "csrf_token": token}
        statuses.append(browser.post("/login", data=form).status_code)
    assert statuses[0] >= 400
    assert statuses[1] == 302


def _query(site: Site, statement: str) -> list[tuple[str, ...]]:
    engine = _engine(site.environ["DATABASE_URL"])
    with engine.connect() as connection:
        rows = [tuple(map(str, row)) for row in connection.execute(sa.text(statement))]
    engine.dispose()
    return rows


def _rows(database: str) -> dict[str, str]:
    """Every column of every row, as text, by table."""
    engine = _engine(database)
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        found = {
            f"the table {table.name}": str(connection.execute(sa.select(table)).all())
            for table in tables.sorted_tables
        }
    engine.dispose()
    assert "working" in found["the table generation_attempts"]
    return found


def _engine(database: str) -> sa.Engine:
    return sa.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))


def _files(instance: Path) -> dict[str, str]:
    """Everything that lies in the instance folder: models, databases, locks; not the secrets' own files."""
    own = {"secret_key", "webhook_path"}
    files = (path for path in instance.rglob("*") if path.is_file() and path.name not in own)
    return {str(path): path.read_bytes().decode("latin-1") for path in files}
