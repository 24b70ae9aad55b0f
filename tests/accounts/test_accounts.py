"""Accounts, passwords and API tokens, apart from any page."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import update

from acr3d.accounts import passwords, tokens, users
from acr3d.accounts.rights import Right
from acr3d.db.extensions import db
from acr3d.db.models import ApiToken, User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.errors import Conflict, InvalidInput, Missing
from tests.support.accounts import LOGIN

EMAIL = "anna@example.com"
PASSWORD = "correct horse battery"


def make_anna(role: str = "admin") -> User:
    return users.create_user(EMAIL, PASSWORD, role)


def test_the_right_password_finds_the_user_however_the_address_is_typed(in_app: Flask) -> None:
    anna = make_anna()

    found = users.authenticate("  Anna@EXAMPLE.com ", PASSWORD)

    assert found is anna
    users.note_login(found)
    assert found.last_login_at is not None


def test_a_wrong_address_or_password_finds_nobody(in_app: Flask) -> None:
    make_anna()

    for password in ("wrong horse battery", "", "x" * 1_000_000):
        assert users.authenticate(EMAIL, password) is None
    for email in ("nobody@example.com", "no address", "an\x00na@example.com", ""):
        assert users.authenticate(email, PASSWORD) is None


def test_the_password_itself_is_not_in_the_database(in_app: Flask) -> None:
    anna = make_anna()

    assert anna.password_hash.startswith("$argon2id$")
    assert PASSWORD not in anna.password_hash


def test_an_unknown_address_costs_as_much_work_as_a_known_one(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_anna()
    checked: list[str] = []

    def verify(_hasher: PasswordHasher, kept: str, _password: str) -> bool:
        checked.append(kept)
        return False

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    users.authenticate(EMAIL, "wrong password")
    users.authenticate("nobody@example.com", "wrong password")
    users.authenticate("no address", "wrong password")

    costs = {re.match(r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$", kept)[0] for kept in checked}  # type: ignore[index]
    assert len(checked) == 3
    assert len(costs) == 1


def test_a_password_hashed_with_old_parameters_is_hashed_anew_at_login(in_app: Flask) -> None:
    anna = make_anna()
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with transaction():
        anna.password_hash = old

    users.authenticate(EMAIL, PASSWORD)

    assert anna.password_hash != old
    assert not passwords.is_outdated(anna.password_hash)
    assert users.authenticate(EMAIL, PASSWORD) is anna


def test_only_one_password_is_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0

    def slow_hash(_hasher: PasswordHasher, _password: str) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return "hash"

    monkeypatch.setattr(PasswordHasher, "hash", slow_hash)
    threads = [threading.Thread(target=passwords.hashed, args=(PASSWORD,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_weak_passwords_are_refused_with_the_reason(in_app: Flask) -> None:
    reasons = {
        "ninechars": "too short",
        "x" * 201: "too long",
        EMAIL.upper(): "cannot be your email address",
        "\udcff" * 12: "too short",
    }

    for password, reason in reasons.items():
        with pytest.raises(InvalidInput, match=reason):
            users.create_user(EMAIL, password, "viewer")
    assert not users.has_users()


def test_a_password_is_the_same_however_the_keyboard_composes_its_letters(in_app: Flask) -> None:
    anna = users.create_user(EMAIL, "\u00fcber m\u00fcde h\u00fchner", "viewer")

    assert users.authenticate(EMAIL, "u\u0308ber mu\u0308de hu\u0308hner") is anna


def test_what_is_no_address_is_refused(in_app: Flask) -> None:
    for email in ("", "anna", "@", "a b@example.com", "a@b@c", "a\r\nb@c.de", "x" * 250 + "@c.de"):
        with pytest.raises(InvalidInput, match="not a valid email address"):
            users.create_user(email, PASSWORD, "viewer")


def test_an_address_has_one_account(in_app: Flask) -> None:
    make_anna()

    with pytest.raises(Conflict, match="already an account"):
        users.create_user("ANNA@example.com", PASSWORD, "viewer")


def test_an_unknown_role_is_refused(in_app: Flask) -> None:
    with pytest.raises(InvalidInput, match="viewer, editor, admin"):
        users.create_user(EMAIL, PASSWORD, "owner")


def test_made_passwords_differ_and_keep_the_rules() -> None:
    made = {passwords.made() for _ in range(50)}

    assert len(made) == 50
    for password in made:
        passwords.check_rules(password, EMAIL)


def test_the_first_admin_gets_a_one_time_password_and_is_made_only_once(in_app: Flask) -> None:
    one_time = users.first_admin(EMAIL, "")
    again = users.first_admin("other@example.com", "")

    assert one_time is not None
    assert again is None
    admin = users.authenticate(EMAIL, one_time)
    assert admin is not None
    assert (admin.role, admin.must_change_password) == ("admin", True)
    with pytest.raises(Missing):
        users.user_by_email("other@example.com")


def test_the_first_admin_with_a_given_password_need_not_change_it(in_app: Flask) -> None:
    assert users.first_admin(EMAIL, PASSWORD) is None

    admin = users.authenticate(EMAIL, PASSWORD)
    assert admin is not None
    assert not admin.must_change_password


def test_a_new_password_ends_every_session(in_app: Flask) -> None:
    anna = make_anna()
    session = anna.get_id()

    users.change_password(anna, PASSWORD, "another good password")

    assert users.user_of_session(session, LOGIN) is None
    assert users.user_of_session(anna.get_id(), LOGIN) is anna
    assert users.authenticate(EMAIL, PASSWORD) is None
    assert users.authenticate(EMAIL, "another good password") is anna


def test_a_refused_change_of_password_changes_nothing(in_app: Flask) -> None:
    anna = make_anna()
    session = anna.get_id()

    for present, new, reason in (
        ("not the present one", "another good password", "current password is wrong"),
        (PASSWORD, PASSWORD, "must be different"),
        (PASSWORD, "short", "too short"),
    ):
        with pytest.raises(InvalidInput, match=reason):
            users.change_password(anna, present, new)

    assert users.user_of_session(session, LOGIN) is anna
    assert users.authenticate(EMAIL, PASSWORD) is anna


def test_a_reset_by_somebody_else_must_be_changed(in_app: Flask) -> None:
    anna = make_anna()

    users.reset_password(EMAIL, "one time password", one_time=True)
    assert anna.must_change_password

    users.change_password(anna, "one time password", "another good password")
    assert not anna.must_change_password


def test_a_one_time_password_runs_out(in_app: Flask) -> None:
    anna = make_anna()
    users.reset_password(EMAIL, "one time password", one_time=True)
    assert users.authenticate(EMAIL, "one time password") is anna
    with transaction():
        anna.password_expires_at = utc_now() - timedelta(seconds=1)

    for attempt in (
        lambda: users.authenticate(EMAIL, "one time password"),
        lambda: users.change_password(anna, "one time password", "another good password"),
    ):
        with pytest.raises(users.PasswordExpired, match="expired"):
            attempt()
    assert users.authenticate(EMAIL, "wrong password") is None

    users.reset_password(EMAIL, "another good password", one_time=False)
    assert users.authenticate(EMAIL, "another good password") is anna


@pytest.mark.parametrize(
    "easy", ["password12", "qwertzuiop1", "P@ssw0rd123", "anna@example.com1", "1234567890"]
)
def test_a_password_that_is_easily_guessed_is_refused(in_app: Flask, easy: str) -> None:
    with pytest.raises(InvalidInput, match="easy to guess"):
        users.create_user(EMAIL, easy, "viewer")


def test_what_concerns_security_is_logged_without_secrets(
    in_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "acr3d.security")
    make_anna()
    record, token = tokens.issue_token(EMAIL)
    users.reset_password(EMAIL, "one time password", one_time=True)
    users.change_password(users.user_by_email(EMAIL), "one time password", "another good password")
    tokens.revoke_tokens(EMAIL)
    users.log_out_everywhere(users.user_by_email(EMAIL))
    users.disable_user(EMAIL)
    users.enable_user(EMAIL)

    lines = [entry.getMessage() for entry in caplog.records if entry.name == "acr3d.security"]
    assert lines == [
        f"security.user_created user={EMAIL} role=admin",
        f"security.token_issued user={EMAIL} token={record.id} scopes=read,write,generate",
        f"security.password_reset user={EMAIL} one_time=True",
        f"security.password_changed user={EMAIL}",
        f"security.token_revoked user={EMAIL} token={record.id}",
        f"security.sessions_ended user={EMAIL}",
        f"security.user_disabled user={EMAIL}",
        f"security.user_enabled user={EMAIL}",
    ]
    assert not any(secret in caplog.text for secret in (token, PASSWORD, "one time password"))


def test_a_session_that_names_nobody_is_nobodys(in_app: Flask) -> None:
    for identity in ("", ":", "x", "x:y", "00000000-0000-0000-0000-000000000000:x", "\x00:"):
        assert users.user_of_session(identity, LOGIN) is None


def test_a_disabled_user_is_out_at_once_and_can_be_let_in_again(in_app: Flask) -> None:
    anna = make_anna()
    session = anna.get_id()
    _record, token = tokens.issue_token(EMAIL)

    users.disable_user(EMAIL)

    assert users.user_of_session(session, LOGIN) is None
    assert users.authenticate(EMAIL, PASSWORD) is None
    assert tokens.find_token(token) is None
    with pytest.raises(InvalidInput, match="disabled"):
        tokens.issue_token(EMAIL)

    users.enable_user(EMAIL)

    assert users.authenticate(EMAIL, PASSWORD) is anna
    assert tokens.find_token(token) is not None
    assert users.user_of_session(session, LOGIN) is None


def test_a_token_works_and_is_kept_as_a_hash_only(in_app: Flask) -> None:
    make_anna()

    record, token = tokens.issue_token(EMAIL)

    assert re.fullmatch(r"acr3d_[A-Za-z0-9_-]{43}", token)
    assert tokens.find_token(token) is record
    kept = db.session.execute(db.text("SELECT * FROM api_tokens")).one()
    assert token not in map(str, kept)


def test_what_is_no_token_finds_nothing(in_app: Flask) -> None:
    make_anna()
    tokens.issue_token(EMAIL)

    for token in ("", "acr3d_", "acr3d_" + "x" * 43, "acr3d_\udcff", "x" * 100_000):
        assert tokens.find_token(token) is None


def test_a_tokens_scopes_are_those_that_its_users_role_allows(in_app: Flask) -> None:
    make_anna("viewer")

    for beyond in (["write"], ["read", "generate"]):
        with pytest.raises(InvalidInput, match="does not allow"):
            tokens.issue_token(EMAIL, beyond)
    for none in ([], ["manage"]):
        with pytest.raises(InvalidInput, match="at least one of the scopes read, write, generate"):
            tokens.issue_token(EMAIL, none)

    assert tokens.issue_token(EMAIL)[0].scopes == "read"


def test_a_token_does_not_outlive_its_users_rights(in_app: Flask) -> None:
    anna = make_anna()
    record, _token = tokens.issue_token(EMAIL)
    assert tokens.rights_of(record) == set(Right)

    with transaction():
        anna.role = "viewer"

    assert tokens.rights_of(record) == {Right.READ}


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(in_app: Flask) -> None:
    make_anna()
    record, token = tokens.issue_token(EMAIL)
    assert record.last_used_at is None

    tokens.find_token(token)
    first = last_used(record)
    tokens.find_token(token)
    assert last_used(record) == first

    with transaction() as session:
        session.execute(update(ApiToken).values(last_used_at=utc_now() - timedelta(seconds=61)))
    tokens.find_token(token)
    assert last_used(record) >= first


def test_one_token_is_revoked_or_all_of_them(in_app: Flask) -> None:
    make_anna()
    (first, first_token), (_second, second_token), (_third, third_token) = (
        tokens.issue_token(EMAIL) for _ in range(3)
    )

    assert tokens.revoke_tokens(EMAIL, first.id) == 1
    assert tokens.find_token(first_token) is None
    assert tokens.find_token(second_token) is not None

    assert tokens.revoke_tokens(EMAIL) == 2
    assert tokens.find_token(second_token) is None
    assert tokens.find_token(third_token) is None
    assert tokens.revoke_tokens(EMAIL) == 0


def test_nobody_revokes_somebody_elses_token_by_its_id(in_app: Flask) -> None:
    make_anna()
    users.create_user("ben@example.com", PASSWORD, "admin")
    record, token = tokens.issue_token("ben@example.com")

    for token_id in (record.id, "no id"):
        with pytest.raises(Missing, match="no token"):
            tokens.revoke_tokens(EMAIL, token_id)

    assert tokens.find_token(token) is not None


def last_used(record: ApiToken) -> object:
    db.session.refresh(record)
    return record.last_used_at
