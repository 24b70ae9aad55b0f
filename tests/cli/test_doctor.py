"""`flask doctor`: a set-up that works, and what it says of one that does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

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
    assert " !  Jobs: The job poller has not run yet, so jobs are waiting." in output
    assert " !  Address: ACR3D_PUBLIC_URL is not set" in output


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
