"""`flask users …`."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskCliRunner

from acr3d.accounts import tokens, users
from acr3d.accounts.rights import Right
from acr3d.db.models import User
from tests.support.accounts import LOGIN, PASSWORD


def user(app: Flask, email: str) -> User:
    with app.app_context():
        return users.user_by_email(email)


def may_log_in(app: Flask, email: str, password: str) -> bool:
    with app.app_context():
        return users.authenticate(email, password) is not None


def token_works(app: Flask, token: str) -> bool:
    with app.app_context():
        return tokens.find_token(token) is not None


def test_create_with_a_password(app: Flask, runner: FlaskCliRunner) -> None:
    result = runner.invoke(
        args=["users", "create", "Anna@example.com", "--password", PASSWORD, "--role", "admin"]
    )

    assert result.exit_code == 0, result.output
    assert result.output == "Created anna@example.com (admin).\n"
    assert may_log_in(app, "anna@example.com", PASSWORD)
    assert not user(app, "anna@example.com").must_change_password


def test_create_without_a_password_prints_one_that_must_be_changed(
    app: Flask, runner: FlaskCliRunner
) -> None:
    result = runner.invoke(args=["users", "create", "ben@example.com"])

    assert result.exit_code == 0, result.output
    assert may_log_in(app, "ben@example.com", result.output.split()[-1])
    assert user(app, "ben@example.com").must_change_password
    assert user(app, "ben@example.com").role == "viewer"


def test_bad_input_is_a_sentence_and_an_exit_code(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["users", "create", "anna@example.com", "--password", PASSWORD])

    for args, sentence in (
        (["create", "anna"], "“anna” is not a valid email address."),
        (["create", "anna@example.com"], "There is already an account for anna@example.com."),
        (["create", "ben@example.com", "--password", "short"], "too short"),
        (["create", "ben@example.com", "--password", ""], "too short"),
        (["create", "ben@example.com", "--role", "owner"], "'owner' is not one of"),
        (["password", "ben@example.com"], "There is no account for ben@example.com."),
        (["disable", "ben@example.com"], "There is no account for ben@example.com."),
        (["enable", "ben@example.com"], "There is no account for ben@example.com."),
        (["token", "ben@example.com"], "There is no account for ben@example.com."),
        (["token", "anna@example.com", "--scope", "write"], "does not allow these scopes: write"),
        (["tokens", "ben@example.com"], "There is no account for ben@example.com."),
        (["revoke", "anna@example.com", "x"], "no token with the ID x"),
    ):
        result = runner.invoke(args=["users", *args])
        assert result.exit_code != 0, args
        assert sentence in result.output, args
        assert "Traceback" not in result.output


def test_an_account_is_logged_out_everywhere(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["users", "create", "anna@example.com", "--password", PASSWORD])
    session = user(app, "anna@example.com").get_id()

    result = runner.invoke(args=["users", "logout", "anna@example.com"])

    assert result.output == "Logged anna@example.com out everywhere.\n"
    assert may_log_in(app, "anna@example.com", PASSWORD)
    with app.app_context():
        assert users.user_of_session(session, LOGIN) is None


def test_a_new_password_is_printed_once_and_ends_sessions(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["users", "create", "anna@example.com", "--password", PASSWORD])
    session = user(app, "anna@example.com").get_id()

    result = runner.invoke(args=["users", "password", "anna@example.com"])

    assert result.exit_code == 0, result.output
    assert may_log_in(app, "anna@example.com", result.output.split()[-1])
    assert not may_log_in(app, "anna@example.com", PASSWORD)
    with app.app_context():
        assert users.user_of_session(session, LOGIN) is None


def test_disable_and_enable(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["users", "create", "anna@example.com", "--password", PASSWORD])

    assert runner.invoke(args=["users", "disable", "anna@example.com"]).exit_code == 0
    assert not may_log_in(app, "anna@example.com", PASSWORD)

    assert runner.invoke(args=["users", "enable", "anna@example.com"]).exit_code == 0
    assert may_log_in(app, "anna@example.com", PASSWORD)


def test_a_token_stands_alone_on_the_last_line_and_can_be_revoked(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["users", "create", "anna@example.com", "--password", PASSWORD, "--role", "admin"])

    made = [runner.invoke(args=["users", "token", "anna@example.com"]) for _ in range(2)]
    first, second = (result.output.splitlines()[-1] for result in made)
    assert token_works(app, first)
    assert token_works(app, second)

    listed = runner.invoke(args=["users", "tokens", "anna@example.com"]).output
    assert first not in listed
    assert len(listed.splitlines()) == 2
    assert listed.count("active") == 2
    first_id = made[0].output.split()[3]
    revoked = runner.invoke(args=["users", "revoke", "anna@example.com", first_id])
    assert revoked.output == "Revoked 1 API token.\n"
    assert not token_works(app, first)
    assert token_works(app, second)

    assert runner.invoke(args=["users", "revoke", "anna@example.com"]).exit_code == 0
    assert not token_works(app, second)


def test_a_token_may_have_fewer_scopes_than_its_account(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["users", "create", "anna@example.com", "--password", PASSWORD, "--role", "admin"])

    result = runner.invoke(args=["users", "token", "anna@example.com", "--scope", "read"])

    with app.app_context():
        record = tokens.find_token(result.output.splitlines()[-1])
        assert record is not None
        assert tokens.rights_of(record) == {Right.READ}


def test_the_first_admin_is_made_once(app: Flask, runner: FlaskCliRunner) -> None:
    first = runner.invoke(args=["users", "first"])
    second = runner.invoke(args=["users", "first"])

    assert first.exit_code == 0, first.output
    assert "Created admin account: admin@example.com" in first.output
    assert may_log_in(app, "admin@example.com", first.output.split()[-1])
    assert user(app, "admin@example.com").must_change_password
    assert second.exit_code == 0
    assert second.output == "An account already exists. Nothing was changed.\n"


def test_the_first_admin_comes_from_the_environment(make_app: Callable[..., Flask]) -> None:
    app = make_app(admin_email="boss@example.com", admin_password=PASSWORD)

    result = app.test_cli_runner().invoke(args=["users", "first"])

    assert result.output == "Created admin account: boss@example.com\n"
    assert may_log_in(app, "boss@example.com", PASSWORD)
    assert not user(app, "boss@example.com").must_change_password


def test_a_bad_first_admin_is_refused_and_none_is_made(make_app: Callable[..., Flask]) -> None:
    app = make_app(admin_email="boss@example.com", admin_password="short")

    result = app.test_cli_runner().invoke(args=["users", "first"])

    assert result.exit_code != 0
    assert "too short" in result.output
    with app.app_context():
        assert not users.has_users()
