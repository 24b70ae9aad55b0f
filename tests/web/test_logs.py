"""No password, token or key is written to any log."""

from __future__ import annotations

import io
import logging

import pytest
from flask import Flask

from acr3d.accounts import users
from acr3d.errors import Conflict
from tests.support.accounts import PASSWORD, bearer, browser, csrf_header, csrf_token, log_in
from tests.support.factories import make_part, picture


def test_nothing_secret_is_logged(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong, new = "wrong horse battery", "another good password"

    admin = browser(app)
    log_in(app.test_client(), "admin@example.com", wrong)
    program = bearer(app)
    with app.app_context():
        part_id = make_part().id
    for headers in (program, csrf_header(admin)):
        form = {"partId": part_id, "image0": (io.BytesIO(picture()), "a.jpg")}
        assert admin.post("/api/admin/3d-models/upload-images", data=form, headers=headers).status_code == 200
    bad = admin.post("/api/admin/parts", json={}, headers={"X-CSRFToken": "wrong"})
    form = {"current_password": PASSWORD, "new_password": new, "repeated_password": new}
    changed = admin.post("/account/password", data=form | {"csrf_token": csrf_token(admin)})
    cookie = admin.get_cookie("session")
    key = app.config["SECRET_KEY"]

    assert (bad.status_code, changed.status_code) == (400, 302)
    assert cookie is not None
    secrets = {PASSWORD, wrong, new, program["Authorization"].split()[1], cookie.value, key}
    logging.getLogger("acr3d").warning("a line of the log")
    assert "a line of the log" in caplog.text
    for secret in secrets:
        assert secret not in caplog.text


def test_a_refusal_of_the_database_does_not_tell_what_was_to_be_stored(in_app: Flask) -> None:
    users.create_user("anna@example.com", PASSWORD, "viewer")

    with pytest.raises(Conflict) as caught:
        users.create_user("anna@example.com", PASSWORD, "viewer")

    assert caught.value.__cause__ is not None
    assert "argon2id" not in str(caught.value.__cause__)


def test_settings_show_no_secret(app: Flask) -> None:
    config = app.extensions["acr3d_settings"]

    assert config.secret_key not in repr(config)
    assert config.database_url not in repr(config)
