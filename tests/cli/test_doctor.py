"""`flask doctor`: a set-up that works, and what it says of one that does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from flask import Flask
from sqlalchemy import text

from acr3d.captures import installed
from acr3d.cli.doctor import kernel_clock, machine, outside
from acr3d.db.extensions import db
from tests.support.contract.server import PreparedServer, answer


def said(app: Flask) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["doctor"])
    return result.exit_code, result.output


def test_a_new_set_up_works_and_reads_what_could_be_better(app: Flask) -> None:
    code, output = said(app)

    assert code == 0, output
    assert "its tables are up to date" in output
    assert "Storage: files can be written and read." in output
    assert "Engine: the built-in one." in output
    assert " !  Jobs: The job service has not run yet, so jobs are waiting." in output
    assert " !  Address: ACR3D_PUBLIC_URL is not set" in output


@pytest.mark.parametrize(
    ("is_there", "sentence"),
    [
        (True, "ok  Spin capture: PyAV and OpenCV are installed."),
        (False, " !  Spin capture: it is not installed, so parts cannot be filmed. `make spin` installs it."),
    ],
)
def test_whether_parts_can_be_filmed_is_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch, is_there: bool, sentence: str
) -> None:
    monkeypatch.setattr(installed, "is_installed", lambda: is_there)

    assert sentence in said(app)[1]


def test_what_does_not_work_is_named_and_the_exit_code_is_1(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = 'photo_checks'"))
        db.session.commit()
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=50_000_000))

    code, output = said(app)

    assert code == 1
    assert " ✗  Database: its tables are of another version. Run “flask db upgrade”." in output
    assert " ✗  Disk: 50 MB are free" in output


@pytest.mark.parametrize(
    ("status", "balance", "code", "sentence"),
    [
        (200, {"balance": 3}, 0, " !  Engine: Meshy knows the key; the balance is 3 credits. Top it up."),
        (401, {"message": "Invalid API key"}, 1, " ✗  Engine: Meshy refuses or does not answer"),
    ],
)
def test_an_engine_s_key_is_tried_for_free(
    make_app: Callable[..., Flask],
    meshy: PreparedServer,
    status: int,
    balance: dict[str, object],
    code: int,
    sentence: str,
) -> None:
    meshy.answers = [answer(status, balance)]

    exit_code, output = said(make_app(meshy_api_key="key", meshy_api_base=meshy.base))

    assert exit_code == code, output
    assert sentence in output
    assert "Webhook: not set up" in output


def test_a_public_address_that_does_not_answer_is_named(make_app: Callable[..., Flask]) -> None:
    code, output = said(make_app(public_url="http://127.0.0.1:9"))

    assert code == 0
    assert " !  Address: http://127.0.0.1:9 does not answer from here (ConnectError)." in output


def test_a_later_version_s_database_is_not_to_be_upgraded(app: Flask) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = 'of_next_year'"))
        db.session.commit()

    code, output = said(app)

    assert code == 1
    assert "a later version of acr3d has changed its tables (to of_next_year)" in output


@pytest.mark.parametrize(
    ("is_set", "sentence"),
    [(True, "ok  Clock: it is set by NTP."), (False, " !  Clock: nothing sets this machine's clock.")],
)
def test_a_clock_that_nothing_sets_is_named(
    app: Flask, monkeypatch: pytest.MonkeyPatch, is_set: bool, sentence: str
) -> None:
    monkeypatch.setattr(kernel_clock, "is_synchronized", lambda: is_set)

    assert sentence in said(app)[1]


def test_a_container_s_limit_counts_as_its_memory(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    whole.write_text("MemTotal: 16000000 kB\n")
    monkeypatch.setattr(machine, "MEMORY", whole)
    monkeypatch.setattr(machine, "MEMORY_LIMIT", limit)

    for allowed, sentence in (("max", "ok  Memory: 16,000 MB."), ("512000000", " !  Memory: 512 MB.")):
        limit.write_text(allowed)
        assert sentence in said(app)[1]


def test_what_set_up_could_not_install_is_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "can_write", lambda _format: False)

    assert " !  AR: OpenUSD is not installed" in said(app)[1]


def test_a_proxy_that_must_be_there_but_is_not_counted(make_app: Callable[..., Flask]) -> None:
    code, output = said(make_app(public_url="https://127.0.0.1:9"))

    assert code == 1
    assert "✗  Proxy: ACR3D_PUBLIC_URL is an https:// address" in output
    assert "Proxy:" not in said(make_app(public_url="https://127.0.0.1:9", proxy_count=1))[1]
    assert " !  Proxy: ACR3D_PROXY_COUNT is set, but" in said(make_app(proxy_count=1))[1]


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (200, "ok  Webhook: a call to its address arrives."),
        (405, " ✗  Webhook: its address answers 405, so Meshy turns it off."),
        (
            httpx.ConnectTimeout("slow"),
            " !  Webhook: its address does not answer from here (ConnectTimeout).",
        ),
        (
            httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired"),
            " ✗  Address: browsers do not trust the certificate of https://parts.example.com.",
        ),
    ],
)
def test_the_way_through_the_proxy_is_tried(
    make_app: Callable[..., Flask],
    meshy: PreparedServer,
    monkeypatch: pytest.MonkeyPatch,
    outcome: int | Exception,
    sentence: str,
) -> None:
    app = make_app(
        meshy_api_key="key",
        meshy_api_base=meshy.base,
        webhook_secret="known-to-meshy",
        public_url="https://parts.example.com",
        proxy_count=1,
    )
    meshy.answers = [answer(200, {"balance": 300})]

    def call(url: str, **sent: dict[str, str]) -> httpx.Response:
        assert url.startswith("https://parts.example.com/")
        if isinstance(outcome, Exception):
            raise outcome
        if "/webhooks/" not in url:
            return httpx.Response(200)
        path = url.removeprefix("https://parts.example.com")
        got = app.test_client().post(
            path, "https://parts.example.com", json=sent["json"], headers=sent["headers"]
        )
        return httpx.Response(got.status_code if outcome == 200 else outcome)

    monkeypatch.setattr(outside.httpx, "get", call)
    monkeypatch.setattr(outside.httpx, "post", call)

    assert sentence in said(app)[1]
