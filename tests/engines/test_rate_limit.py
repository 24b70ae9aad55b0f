"""Requests a second to one account: never more than Meshy's limit, whatever happens."""

from __future__ import annotations

import threading

import pytest

from acr3d.engines.meshy.client import MeshyClient
from acr3d.engines.rate_limit import OTHERS_PER_SECOND, POLLERS_PER_SECOND, RateLimiter
from tests.support.contract.checker import Contract
from tests.support.contract.server import answer, prepared_server

MESHYS_LIMIT = 20
WEB_HOSTS = 5


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def most_in_any_second(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 0.999 for moment in moments) for start in moments)


def times(limiter: RateLimiter, clock: Clock, count: int) -> list[float]:
    moments = []
    for _ in range(count):
        limiter.wait()
        moments.append(clock.now)
    return moments


@pytest.mark.parametrize("pollers", [1, 2, 3, 7, 15])
def test_so_many_pollers_and_five_web_hosts_stay_within_the_limit_in_every_second(pollers: int) -> None:
    moments = []
    for _ in range(pollers):
        clock = Clock()
        limiter = RateLimiter(OTHERS_PER_SECOND, clock, clock.sleep)
        limiter.share(pollers)
        moments += times(limiter, clock, 60)
    assert most_in_any_second(moments) <= POLLERS_PER_SECOND

    for _ in range(WEB_HOSTS):
        clock = Clock()
        moments += times(RateLimiter(OTHERS_PER_SECOND, clock, clock.sleep), clock, 60)
    assert most_in_any_second(moments) <= MESHYS_LIMIT


def test_a_rate_that_changes_on_the_way_is_kept_from_then_on() -> None:
    clock = Clock()
    limiter = RateLimiter(18, clock, clock.sleep)

    moments = times(limiter, clock, 30)
    limiter.share(9)
    slow = times(limiter, clock, 10)
    limiter.share(1)
    moments += slow + times(limiter, clock, 30)

    assert most_in_any_second(moments) <= 18
    assert most_in_any_second(slow) <= 2


def test_threads_at_once_share_one_limit() -> None:
    clock, moments, guard = Clock(), [], threading.Lock()

    def note(seconds: float) -> None:
        with guard:
            moments.append(clock.now + seconds)

    limiter = RateLimiter(18, clock, note)
    threads = [threading.Thread(target=lambda: [limiter.wait() for _ in range(20)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(moments) == 100 - 18
    assert most_in_any_second([clock.now] * 18 + moments) <= 18


def test_the_client_waits_before_every_request() -> None:
    clock = Clock()
    with prepared_server(Contract()) as server:
        server.answers += [answer(200, {"balance": 10})] * 5
        limiter = RateLimiter(2, clock, clock.sleep)
        with MeshyClient(server.base, "msy_test", rate_limiter=limiter) as client:
            for _ in range(5):
                client.balance()

    assert clock.now == 1002
