"""Tasks that nobody can place, in the browser: their pictures come from us, and a click decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.models import Attempt, Job, UnmatchedTask
from acr3d.db.session import transaction
from acr3d.db.states import AttemptState
from acr3d.db.types import utc_now
from acr3d.jobs import service
from acr3d.orders import unmatched_actions
from acr3d.parts.parts import part_by_id
from tests.support.at_meshy import KEY, made
from tests.support.contract.checker import Contract
from tests.support.contract.server import Always, Handler, answer, prepared_server, raw
from tests.support.databases import close
from tests.support.factories import by_angle, make_part_with_photos, make_user, picture
from tests.support.site import Site, running_site
from tests.support.visits import Visitor

TASKS = ("one", "two", "unmatched")


@pytest.fixture(scope="module")
def meshy_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without a poller, and a Meshy that has three finished tasks."""
    instance = tmp_path_factory.mktemp("meshy") / "instance"
    with prepared_server(Contract()) as server:

        def give(handler: Handler) -> None:
            path = handler.seen.path
            if path.endswith(".png"):
                raw(200, picture(kind="PNG", size=(512, 512)))(handler)
                return
            tasks = [made(one, thumbnail_url=f"{server.base}/{one}.png?Signature=S") for one in TASKS]
            if handler.seen.query:
                answer(200, tasks if "page_num=1&" in handler.seen.query else [])(handler)
            else:
                answer(200, next(task for task in tasks if path.endswith(f"/{task['id']}")))(handler)

        server.answers = Always(give)
        environ = {"ACR3D_POLLER": "worker", "MESHY_API_KEY": KEY, "MESHY_API_BASE": server.base}
        with running_site(instance, environ) as site:
            yield site


@pytest.fixture(scope="module")
def beside(meshy_site: Site) -> Iterator[Flask]:
    """A second app on the site's instance folder, with what it has seen at Meshy."""
    app = create_app(settings.from_environment(meshy_site.environ))
    with app.app_context():
        unmatched_actions.scan_accounts()
    yield app
    close(app)


@pytest.fixture
def staff(visitor: Callable[..., Visitor], meshy_site: Site, beside: Flask) -> Visitor:
    return visitor(to=meshy_site, staff=True)


def unclear_job(app: Flask, sku: str) -> tuple[str, str]:
    """The ids of a part and its job, whose order could have made the tasks one and two."""
    with app.app_context():
        part = make_part_with_photos(sku)
        job = service.start(part.id, by_angle(part), "meshy", {}, make_user(f"{sku}@example.com"))
        attempt = Attempt(job_id=job.id, account=job.account, params_sha256="", state=AttemptState.UNKNOWN)
        attempt.sent_at = attempt.unknown_at = attempt.asked_at = utc_now()
        with transaction() as session:
            session.add(attempt)
            session.get_one(Job, job.id).waiting_for = "2 tasks could be this job's."
            for row in session.query(UnmatchedTask).where(UnmatchedTask.task_id.in_(("one", "two"))):
                row.maybe_job_id = job.id
        return part.id, job.id


def is_drawn(image: Locator) -> bool:
    """Whether the picture has come."""
    image.scroll_into_view_if_needed()
    drawn: bool = image.evaluate("async image => { await image.decode(); return image.naturalWidth > 0; }")
    return drawn


def task(page: Page, task_id: str) -> Locator:
    return page.locator(".unmatched-task").filter(has=page.get_by_text(task_id, exact=True))


def test_an_admin_looks_at_the_candidates_and_names_the_right_one(staff: Visitor, beside: Flask) -> None:
    part_id, _job_id = unclear_job(beside, "UNCLEAR")
    page = staff.open(f"/admin/parts/{part_id}")
    page.get_by_role("link", name="Choose the task").click()
    expect(page.locator(".unmatched-task")).to_have_count(2)
    assert all(is_drawn(image) for image in page.locator(".unmatched-task img").all())
    ordered = page.locator("#ordered-photos img")
    expect(ordered).to_have_count(3)
    assert all(is_drawn(image) for image in ordered.all())

    page.get_by_role("button", name="None of them").click()
    expect(page.get_by_role("heading", name="about 30 credits")).to_be_visible()
    page.get_by_role("button", name="Go back").click()
    task(page, "two").get_by_role("button", name="This one is ours").click()

    expect(page.get_by_text("The task now belongs to this job")).to_be_visible()
    expect(page.locator("#part-badge")).to_have_text("Sent to the engine")
    with beside.app_context():
        assert part_by_id(part_id).meshy_task_id == "two"


def test_an_unmatched_task_is_given_to_a_part_by_its_number(staff: Visitor, beside: Flask) -> None:
    staff.refusals = {400}
    with beside.app_context():
        make_part_with_photos("FOUND-1")
    page = staff.open("/admin/unmatched-tasks")
    unmatched = task(page, "unmatched")
    assert is_drawn(unmatched.get_by_role("img"))

    unmatched.get_by_label("Use it for the part").fill("FOUND-2")
    unmatched.get_by_role("button", name="Use").click()
    expect(page.locator("#toast")).to_contain_text("FOUND-2")
    unmatched.get_by_label("Use it for the part").fill("found-1")
    page.keyboard.press("Enter")

    expect(page.get_by_text("The task now belongs to this part")).to_be_visible()
    expect(page.locator("#part-badge")).to_have_text("Sent to the engine")
