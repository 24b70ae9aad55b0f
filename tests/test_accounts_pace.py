"""How fast passwords may be tried, with a clock of the test's own."""

from __future__ import annotations

import pytest

from acr3d.web.pace import FREE_TRIES, FREE_TRIES_PER_ADDRESS, LONGEST_WAIT, UNDER_ATTACK, Pace

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def fail(pace: Pace, clock: Clock, times: int, account: str = "anna", address: str = HOME) -> list[int]:
    """The waits that `times` wrong tries met, each sent as soon as it was allowed."""
    waits = []
    for _ in range(times):
        wait = pace.try_now(account, address)
        waits.append(wait)
        if wait:
            clock.now += wait
            assert pace.try_now(account, address) == 0
    return waits


def test_the_first_tries_are_free_then_each_waits_twice_as_long_up_to_a_minute(
    pace: Pace, clock: Clock
) -> None:
    waits = fail(pace, clock, FREE_TRIES + 9)

    assert waits == [0] * (FREE_TRIES + 1) + [2, 4, 8, 16, 32, 60, 60, 60]


def test_trying_while_held_does_not_make_it_longer(pace: Pace, clock: Clock) -> None:
    fail(pace, clock, FREE_TRIES + 1)

    waits = [pace.try_now("anna", HOME) for _ in range(50)]

    assert waits == [2] * 50


def test_a_stranger_elsewhere_never_makes_the_owner_wait(pace: Pace, clock: Clock) -> None:
    for number in range(200):
        fail(pace, clock, 3, address=f"198.51.100.{number}")

    assert pace.try_now("anna", HOME) == 0


def test_under_attack_every_fresh_address_has_one_guess_only(pace: Pace, clock: Clock) -> None:
    for number in range(UNDER_ATTACK):
        assert pace.try_now("anna", f"198.51.100.{number}") == 0

    assert pace.try_now("anna", HOME) == 0
    assert pace.try_now("anna", HOME) == 2


def test_an_address_that_tries_many_accounts_is_slowed(pace: Pace, clock: Clock) -> None:
    waits = [pace.try_now(f"user{number}", HOME) for number in range(FREE_TRIES_PER_ADDRESS + 2)]

    assert waits == [0] * (FREE_TRIES_PER_ADDRESS + 1) + [2]
    assert pace.try_now("user0", ELSEWHERE) == 0


def test_the_right_password_ends_the_wait_for_its_account_but_gives_no_fresh_tries_for_others(
    pace: Pace, clock: Clock
) -> None:
    for number in range(FREE_TRIES_PER_ADDRESS):
        pace.try_now(f"user{number}", HOME)
    pace.try_now("mine", HOME)
    pace.forgive("mine", HOME)

    assert pace.try_now("user0", HOME) == 0
    assert pace.try_now("user1", HOME) == 2


def test_after_an_hour_all_is_forgotten(pace: Pace, clock: Clock) -> None:
    fail(pace, clock, FREE_TRIES + 6)

    clock.now += 3601

    assert fail(pace, clock, FREE_TRIES) == [0] * FREE_TRIES


def test_nobody_ever_waits_longer_than_a_minute(pace: Pace, clock: Clock) -> None:
    waits = fail(pace, clock, 300)

    assert max(waits) == LONGEST_WAIT


def test_one_ipv6_subscriber_is_one_address(pace: Pace, clock: Clock) -> None:
    for number in range(FREE_TRIES + 1):
        pace.try_now("anna", f"2001:db8:1:2::{number:x}")

    assert pace.try_now("anna", "2001:db8:1:2:ffff::1") == 2
    assert pace.try_now("anna", "2001:db8:1:3::1") == 0


def test_the_memory_of_tries_is_bounded(pace: Pace, clock: Clock) -> None:
    for number in range(30_000):
        pace.try_now(f"user{number}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")

    assert len(pace._counts) <= 20_003
