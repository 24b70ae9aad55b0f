"""How fast passwords may be tried, with a clock of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from acr3d.accounts.throttle import (
    FREE_TRIES,
    FREE_TRIES_PER_ADDRESS,
    LONGEST_QUEUE,
    LONGEST_WAIT,
    UNDER_ATTACK,
    LoginThrottle,
)

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(clock)


def wrong(throttle: LoginThrottle, account: str = "anna", address: str = HOME) -> int:
    """Send a wrong password; returns the seconds to wait, 0 when it was looked at."""
    return throttle.try_password(account, address, lambda: None)[0]


def right(throttle: LoginThrottle, account: str = "anna", address: str = HOME) -> int:
    """Send a right password; returns the seconds to wait, 0 when it let in."""
    wait, found = throttle.try_password(account, address, lambda: True)
    assert found is (None if wait else True)
    return wait


def fail(
    throttle: LoginThrottle, clock: Clock, times: int, account: str = "anna", address: str = HOME
) -> list[int]:
    """The waits that `times` wrong tries met, each sent as soon as it was allowed."""
    waits = []
    for _ in range(times):
        wait = wrong(throttle, account, address)
        waits.append(wait)
        if wait:
            clock.now += wait
            assert wrong(throttle, account, address) == 0
    return waits


def test_the_first_tries_are_free_then_each_waits_twice_as_long_up_to_a_minute(
    throttle: LoginThrottle, clock: Clock
) -> None:
    waits = fail(throttle, clock, FREE_TRIES + 9)

    assert waits == [0] * (FREE_TRIES + 1) + [2, 4, 8, 16, 32, 60, 60, 60]


def test_trying_while_held_does_not_make_it_longer(throttle: LoginThrottle, clock: Clock) -> None:
    fail(throttle, clock, FREE_TRIES + 1)

    waits = [wrong(throttle) for _ in range(50)]

    assert waits == [2] * 50


def test_a_stranger_elsewhere_never_makes_the_owner_wait(throttle: LoginThrottle, clock: Clock) -> None:
    for number in range(200):
        fail(throttle, clock, 3, address=f"198.51.100.{number}")

    assert wrong(throttle) == 0


def test_under_attack_every_fresh_address_has_one_guess_only(throttle: LoginThrottle, clock: Clock) -> None:
    for number in range(UNDER_ATTACK):
        assert wrong(throttle, "anna", f"198.51.100.{number}") == 0

    assert wrong(throttle) == 0
    assert wrong(throttle) == 2


def test_an_address_that_tries_many_accounts_is_slowed(throttle: LoginThrottle, clock: Clock) -> None:
    waits = [wrong(throttle, f"user{number}", HOME) for number in range(FREE_TRIES_PER_ADDRESS + 2)]

    assert waits == [0] * (FREE_TRIES_PER_ADDRESS + 1) + [2]
    assert wrong(throttle, "user0", ELSEWHERE) == 0


def test_a_right_password_gives_no_new_tries_for_other_accounts(
    throttle: LoginThrottle, clock: Clock
) -> None:
    for number in range(FREE_TRIES_PER_ADDRESS):
        wrong(throttle, f"user{number}", HOME)
    for _ in range(50):
        assert right(throttle, "mine", HOME) == 0

    assert wrong(throttle, "user0", HOME) == 0
    assert wrong(throttle, "user1", HOME) == 2
    assert right(throttle, "mine", HOME) == 2


def test_after_an_hour_all_is_forgotten(throttle: LoginThrottle, clock: Clock) -> None:
    fail(throttle, clock, FREE_TRIES + 6)

    clock.now += 3601

    assert fail(throttle, clock, FREE_TRIES) == [0] * FREE_TRIES


def test_nobody_ever_waits_longer_than_a_minute(throttle: LoginThrottle, clock: Clock) -> None:
    waits = fail(throttle, clock, 300)

    assert max(waits) == LONGEST_WAIT


def test_one_ipv6_subscriber_is_one_address(throttle: LoginThrottle, clock: Clock) -> None:
    for number in range(FREE_TRIES + 1):
        wrong(throttle, "anna", f"2001:db8:1:2::{number:x}")

    assert wrong(throttle, "anna", "2001:db8:1:2:ffff::1") == 2
    assert wrong(throttle, "anna", "2001:db8:1:3::1") == 0


def test_the_memory_of_tries_is_bounded(throttle: LoginThrottle, clock: Clock) -> None:
    for number in range(30_000):
        wrong(throttle, f"user{number}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")

    assert len(throttle._counts) <= 20_003


def test_a_right_password_is_counted_as_no_failure(throttle: LoginThrottle, clock: Clock) -> None:
    for _ in range(3):
        assert [wrong(throttle) for _ in range(FREE_TRIES)] == [0] * FREE_TRIES
        assert right(throttle) == 0


def test_right_passwords_sent_at_once_all_let_in(throttle: LoginThrottle) -> None:
    waits = at_once([right] * LONGEST_QUEUE, throttle)

    assert waits == [0] * LONGEST_QUEUE


def test_wrong_passwords_sent_at_once_are_counted_one_by_one(throttle: LoginThrottle) -> None:
    waits = at_once([wrong] * LONGEST_QUEUE, throttle)

    assert sorted(waits) == [0] * (FREE_TRIES + 1) + [2] * (LONGEST_QUEUE - FREE_TRIES - 1)


def test_who_finds_a_long_line_is_asked_to_come_back(throttle: LoginThrottle) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow() -> bool:
        begun.release()
        return go_on.wait(10)

    with ThreadPoolExecutor(LONGEST_QUEUE) as pool:
        standing = [pool.submit(throttle.try_password, f"user{n}", HOME, slow) for n in range(LONGEST_QUEUE)]
        begun.acquire()
        while throttle._queue.acquire(blocking=False):  # until all are waiting
            throttle._queue.release()
        assert right(throttle) == 1
        go_on.set()
        assert [one.result() for one in standing] == [(0, True)] * LONGEST_QUEUE
    assert right(throttle) == 0


def at_once(tries: list[Callable[[LoginThrottle], int]], throttle: LoginThrottle) -> list[int]:
    with ThreadPoolExecutor(len(tries)) as pool:
        return [one.result() for one in [pool.submit(attempt, throttle) for attempt in tries]]
