"""`/metrics`: who may read it, what it says, and that dashboard and alerts ask for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from flask import Flask
from sqlalchemy import text

from acr3d import metrics
from acr3d.db.extensions import db
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.settings import Settings
from acr3d.start import measuring
from acr3d.worker.loop import JobPoller
from tests.support.contract.server import PreparedServer, answer
from tests.support.factories import finished_job, make_part
from tests.support.site import ROOT, Site

TOKEN = "a-long-secret-token"


@pytest.fixture
def config(sqlite_config: Settings) -> Iterator[Settings]:
    yield replace(sqlite_config, metrics=True)
    metrics.keep_in(None)


def figures(app: Flask) -> dict[str, float]:
    """Each sample by its name and labels as they are sent."""
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _space, value in lines}


def test_only_this_machine_and_those_with_the_token_may_read_it(make_app: Callable[..., Flask]) -> None:
    client = make_app(metrics_token=TOKEN, public_url="https://parts.example.com").test_client()
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}

    def status(environ: dict[str, str] | None = None, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get(
            "/metrics", "http://127.0.0.1:5000", headers=named, environ_overrides=environ
        ).status_code

    assert (status(), status(elsewhere, Authorization=f"Bearer {TOKEN}")) == (200, 200)
    assert status(elsewhere) == 404
    assert status(elsewhere, Authorization="Bearer something-else-of-length") == 404
    assert status(X_Forwarded_For="203.0.113.7") == 404  # through a proxy on this machine


def test_without_the_setting_there_is_no_such_address(make_app: Callable[..., Flask]) -> None:
    assert make_app(metrics=False, metrics_token=TOKEN).test_client().get("/metrics").status_code == 404


def test_it_tells_of_jobs_queues_requests_and_space(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        part = make_part("BR-1")
        waits = finished_job(part.id, raw_file_size_bytes=500, next_step="submit")
        waits.status = "pending"
        waits.created_at = waits.next_at = utc_now() - timedelta(minutes=10)
        session.add(waits)
    for path in ("/", "/", "/parts/nothing"):
        app.test_client().get(path)

    found = figures(app)

    assert found['acr3d_jobs{status="pending"}'] == found['acr3d_due{lane="request"}'] == 1
    assert 600 <= found['acr3d_due_seconds{lane="request"}'] < 700
    assert 600 <= found['acr3d_oldest_job_seconds{status="pending"}'] < 700
    assert found['acr3d_storage_bytes{kind="raw models"}'] == 500
    assert found["acr3d_database_up"] == 1
    assert found['acr3d_http_request_seconds_count{area="public",method="GET",status="4xx"}'] == 1
    twice = [
        found.get(f'acr3d_http_request_seconds_count{{area="{area}",method="GET",status="2xx"}}', 0)
        for area in ("public", "repeated")
    ]
    assert sum(twice) == 2


def test_it_tells_of_an_engine_s_answers_and_of_the_money(
    make_app: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make_app(meshy_api_key="key", meshy_api_base=meshy.base, monthly_budget=300)
    meshy.answers = [answer(200, {"balance": 3})]
    with app.app_context():
        engines().paid()[0].balance()

    found = figures(app)

    assert found['acr3d_engine_answers_total{answer="200",engine="Meshy",method="GET"}'] == 1
    assert (found["acr3d_credits_this_month"], found["acr3d_budget_left_credits"]) == (0, 300)


def test_a_database_that_is_away_is_said_and_the_rest_is_still_told(app: Flask) -> None:
    with app.app_context():
        db.session.execute(text("DROP TABLE pollers"))
        db.session.commit()

    found = figures(app)

    assert found["acr3d_database_up"] == 0
    assert found['acr3d_disk_free_bytes{folder="instance"}'] > 0
    assert not any(name.startswith("acr3d_jobs") for name in found)


def test_what_ended_processes_counted_stays_while_another_runs(config: Settings) -> None:
    folder = config.instance / "metrics"
    ours = measuring.begin(config)
    assert ours is not None
    ours.engine_answers.labels("Meshy", "GET", "200").inc()
    [own] = folder.iterdir()
    ended = own.with_name(re.sub(r"-\d+-(\d+)\.db", r"-999999999-\1.db", own.name))
    ended.write_bytes(own.read_bytes())

    again = measuring.begin(config)
    assert again is not None
    summed = next(iter(again.of_all_processes().collect())).samples[0].value
    own.unlink()
    measuring.begin(config)

    assert summed == 2
    assert list(folder.iterdir()) == []  # all have ended: it begins again


def test_a_poller_in_another_process_is_counted_too(app: Flask, config: Settings) -> None:
    with app.app_context(), transaction() as session:
        job = finished_job(make_part().id, next_step="optimize")
        job.status = "optimizing"
        session.add(job)
    Site(config.instance, {"ACR3D_METRICS": "1"}).flask("jobs", "run")

    assert figures(app)['acr3d_job_step_seconds_count{outcome="error",step="optimize"}'] == 1


def exposed_names(app: Flask) -> set[str]:
    """Every name that acr3d can send, also where nothing has happened yet."""
    kept = app.extensions["acr3d_metrics"]
    own = [kept.requests, kept.job_steps, kept.work, kept.engine_answers]
    described = {one.name: one.type for family in own for one in family.describe()}
    with app.app_context():
        described |= {one.name: one.type for one in app.extensions["acr3d_gauges"].collect()}
    endings = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}
    return {name + ending for name, kind in described.items() for ending in endings[kind]}


def test_dashboard_and_alerts_ask_for_figures_that_there_are(
    make_app: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make_app(meshy_api_key="key", meshy_api_base=meshy.base, monthly_budget=300)
    JobPoller(app)._guarded_pass()
    panels = json.loads((ROOT / "deploy/grafana.json").read_text())["panels"]
    [group] = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    asked += [rule["expr"] for rule in group["rules"]]

    names = exposed_names(app)
    wanted = set(re.findall(r"\bacr3d_[a-z0-9_]+", " ".join(asked)))

    assert wanted - names == set()
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in wanted}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in names} - shown == set()


def test_each_alert_says_what_it_means_and_what_to_do() -> None:
    [group] = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"]

    for rule in group["rules"]:
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
    scraped = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
    assert (scraped["rule_files"], scraped["scrape_configs"][0]["job_name"]) == (["alerts.yml"], "acr3d")
