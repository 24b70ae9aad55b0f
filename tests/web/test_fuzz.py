"""Any request to any address: none breaks the app; what only reads, or is refused, changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from acr3d.db.extensions import db
from acr3d.db.models import ModelVersion, Poller, UnmatchedTask
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import service
from tests.support.accounts import bearer, browser, csrf_header, log_in, make_account
from tests.support.databases import ON_BOTH
from tests.support.factories import by_angle, finished_job, make_part_with_photos, make_user, order_of
from tests.support.fuzz import Sent, requests
from tests.support.proof import IS_FULL, dose
from tests.support.routes import UNSAFE
from tests.support.table_contents import Contents, contents, differences, put_back

DOSES = {"sqlite": dose(5000, small=600), "postgresql": dose(2000, small=250)}
# What a reading request leaves: when a program was last seen, and that photos wait for their check.
SEEN = {"users.last_login_at", "api_tokens.last_used_at", "parts.check_due_at"}

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3000)]


@dataclass
class Site:
    """An app with one of everything; after each request its tables and files are as before."""

    app: Flask
    known: dict[str, str]
    image_ids: list[str]
    engine: Engine
    storage: Path
    cookies: dict[str, str]
    headers: dict[str, dict[str, str]]
    rows: Contents
    files: set[Path]

    def answer_to(self, sent: Sent) -> TestResponse:
        client = self.app.test_client()
        if sent.role in self.cookies:
            client.set_cookie("session", self.cookies[sent.role])
        own = dict(self.headers.get(sent.role, {}))
        if not sent.has_csrf_token:
            own.pop("X-CSRFToken", None)
        how = {name: value() if callable(value) else value for name, value in sent.how.items()}
        # As a server would give it: the client would take apart some of these paths itself.
        path = unquote_to_bytes(sent.path).decode("latin-1")
        how["environ_overrides"] = {"PATH_INFO": path, "REQUEST_URI": sent.path, "RAW_URI": sent.path}
        answer = client.open("/", method=sent.method, headers=own | sent.headers, **how)
        answer.get_data()
        answer.close()
        return answer

    def changes(self) -> set[str]:
        """What the last request has changed; puts it back."""
        changed = differences(self.rows, contents(self.engine))
        if changed:
            put_back(self.engine, self.rows, changed)
        came = self.stored() - self.files
        for file in came:
            file.unlink()
        return changed | {str(file.relative_to(self.storage)) for file in came}

    def stored(self) -> set[Path]:
        return {path for path in self.storage.rglob("*") if path.is_file()}


@pytest.fixture
def site(app: Flask) -> Site:
    known, image_ids = one_of_everything(app)
    cookies, headers = {}, {}
    for role, kind in (("viewer", "viewer"), ("admin", "admin")):
        cookies[role], headers[role] = logged_in(app, kind)
        headers[f"{role}'s program"] = bearer(app, kind)
    make_account(app, "admin", "newcomer@example.com", one_time=True)
    cookies["newcomer"], headers["newcomer"] = logged_in(app, "newcomer")
    cookies["nobody"], headers["nobody"] = logged_in(app, None)
    headers["forged"] = {"Authorization": "Bearer acr3d_forged"}
    with app.app_context():
        engine = db.engine
        storage = app.extensions["acr3d_settings"].storage_folder
    made = Site(app, known, image_ids, engine, storage, cookies, headers, contents(engine), set())
    made.files = made.stored()
    return made


def logged_in(app: Flask, who: str | None) -> tuple[str, dict[str, str]]:
    """The session's cookie and the header with its CSRF token."""
    client = browser(app, who) if who != "newcomer" else app.test_client()
    if who == "newcomer":
        log_in(client, "newcomer@example.com")
    token = csrf_header(client)
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value, token


def one_of_everything(app: Flask) -> tuple[dict[str, str], list[str]]:
    """What the places in the addresses can name, and the part's photos.

    The part's job is over; others failed, or wait.
    """
    with app.app_context():
        part, others = make_part_with_photos(), [make_part_with_photos(f"OTHER-{n}") for n in range(2)]
        job, failed = finished_job(part.id), finished_job(others[0].id)
        failed.status = "failed"
        waiting = service.start(others[1].id, by_angle(others[1]), "builtin", {}, make_user())
        with transaction() as session:
            session.add_all([job, failed])
            session.flush()
            key = f"parts/{part.id}/models/{job.id}.glb"
            version = ModelVersion(part_id=part.id, job_id=job.id, number=1, storage_path=key, report={})
            version.sha256, version.file_size_bytes = "0" * 64, 1
            task = UnmatchedTask(account="", task_id="a task", status="SUCCEEDED", progress=100)
            task.texture_prompt, task.has_thumbnail = "", True
            session.add_all([version, task, Poller(id="one", host="here", pid=1, last_pass_at=utc_now())])
        known = {
            "part_id": part.id,
            "image_id": order_of(part)[0],
            "job_id": job.id,
            "version_id": version.id,
            "unmatched_id": task.id,
            "sku": part.sku,
            "filename": "favicon.svg",
            "key": key,
            "given": app.extensions["acr3d_settings"].webhook_path,
            # These are tried in the place of others.
            "failed_job": failed.id,
            "waiting_job": waiting.id,
            "another_part": others[0].id,
        }
        return known, order_of(part)


def is_refused(sent: Sent, answer: TestResponse) -> bool:
    """Whether it must have left everything as it was: it only asked, or got a no."""
    asked = sent.method not in UNSAFE
    sent_away = answer.status_code == 302 and answer.location.startswith(("/login", "/account/password"))
    return asked or (sent_away and "/logout" not in sent.path) or answer.status_code >= 400


@ON_BOTH
def test_any_request(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=DOSES[site.engine.name],
        database=None,
        deadline=None,
        derandomize=not IS_FULL,
        suppress_health_check=list(HealthCheck),
    )
    @given(sent=requests(site.app, site.known, site.image_ids))
    def send(sent: Sent) -> None:
        caplog.clear()
        try:
            answer = site.answer_to(sent)
        finally:
            changed = site.changes()
        seen["changed" if changed - SEEN else "refused" if is_refused(sent, answer) else "accepted"] += 1
        allowed = {503} if sent.path.startswith("/healthz") else set()  # the poller's last pass is long ago
        assert answer.status_code < 500 or answer.status_code in allowed, (sent, caplog.text)
        assert not is_refused(sent, answer) or changed <= SEEN, (sent, answer.status, changed)

    send()

    assert min(seen["changed"], seen["refused"]) > 10, seen
