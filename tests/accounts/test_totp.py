"""Codes of authenticator apps are those of RFC 6238."""

from __future__ import annotations

import base64

import pytest

from acr3d.accounts import totp

# RFC 6238, appendix B, SHA-1; the last six of its eight digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(SECRET, seconds // 30) == code
    assert totp.matching_step(SECRET, code, seconds, 0) == seconds // 30


def test_a_phones_clock_may_be_half_a_minute_off_and_no_more() -> None:
    code = totp.code_at(SECRET, 1000)

    assert [totp.matching_step(SECRET, code, step * 30, 0) for step in range(998, 1003)] == [
        *(None, 1000, 1000, 1000, None),
    ]


def test_a_code_that_was_used_and_older_ones_are_refused() -> None:
    for used in (1000, 1001):
        assert totp.matching_step(SECRET, totp.code_at(SECRET, 1000), 30_000, used) is None


def test_secrets_differ_and_the_apps_address_names_shop_and_person() -> None:
    assert len({totp.made_secret() for _time in range(20)}) == 20
    address = totp.address("ABC", "anna@example.com", "Korvin & Sons")
    assert (
        address
        == "otpauth://totp/Korvin%20%26%20Sons:anna%40example.com?secret=ABC&issuer=Korvin%20%26%20Sons"
    )
