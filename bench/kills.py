"""Kill the poller again and again while jobs run, and check that each job was ordered exactly once.

    python -m bench.kills [--count 200] [--database sqlite|postgres] [--workers 0] [--jobs 3] [--seed 2026]

A real site, a real poller process, and the engine on a port, which counts its tasks. `--jobs` jobs run at any
time. Each SIGKILL comes at a random moment of the poller's work, and the poller is restarted at once. With
`--workers N` (on PostgreSQL), that many `flask worker` processes run instead, and each kill hits one of them.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.kills import Place, Poller, running_place
from tests.support.postgres import Server, postgres_server

UNKNOWN_WAIT = "5"  # longer than the engine takes to record an order whose sender has died
LONGEST_SECONDS = 5.0  # from a poller's first pass to its kill: about the time that a whole job takes
PATIENCE = 600


def main() -> None:
    options = _options()
    moments = random.Random(options.seed)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, _server(options.database) as server:
        environ = {"ACR3D_UNKNOWN_WAIT_SECONDS": UNKNOWN_WAIT}
        environ |= {"ACR3D_WORKERS": "procrastinate"} if options.workers else {}
        with running_place(Path(folder) / "bench", server, environ) as place:
            pollers = [Poller(place) for _ in range(options.workers or 1)]
            parts, stages = _kill(place, pollers, options, moments)
            _finish(place, pollers)
            seconds = time.monotonic() - started
            what = f"{options.workers} workers" if options.workers else "one poller"
            print(f"{options.database}, {what}: {options.count} kills, {len(parts)} jobs, {seconds:.0f} s")
            _report(place, parts, stages)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=3, help="in work at a time")
    parser.add_argument("--seed", type=int, default=2026)
    return parser.parse_args()


def _server(kind: str) -> contextlib.AbstractContextManager[Server | None]:
    return postgres_server() if kind == "postgres" else contextlib.nullcontext()


def _kill(
    place: Place, pollers: list[Poller], options: argparse.Namespace, moments: random.Random
) -> tuple[list[str], Counter[str]]:
    """The parts of the jobs that ran, and how many jobs were in which state when a poller was killed."""
    parts: list[str] = []
    stages: Counter[str] = Counter()
    for number in range(1, options.count + 1):
        live = place.live_jobs()
        parts += [place.start_job() for _ in range(options.jobs - len(live))]
        one = moments.randrange(len(pollers))
        pollers[one].wait_until_running()
        _wait(place, moments.uniform(0, LONGEST_SECONDS))
        pollers[one].kill()
        pollers[one] = Poller(place)
        stages.update(place.live_jobs().values())
        if number % 20 == 0:
            print(f"  {number} kills, {len(parts)} jobs, {place.engine.made()} tasks", flush=True)
    return parts, stages


def _wait(place: Place, seconds: float) -> None:
    """Wait for `seconds`; meanwhile end the waits of jobs that retry a step or reconcile an order."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))
        place.let_waits_pass()


def _finish(place: Place, pollers: list[Poller]) -> None:
    end = time.monotonic() + PATIENCE
    while place.live_jobs() and time.monotonic() < end:
        _wait(place, 1)
    for poller in pollers:
        poller.stop()


def _report(place: Place, parts: list[str], stages: Counter[str]) -> None:
    accepted = Counter(place.attempts(part).count("accepted") for part in parts)
    print(f"  killed while jobs were: {dict(stages)}")
    print(f"  tasks made by the engine: {place.engine.made()}; tasks per job: {dict(accepted)}")
    print(f"  attempts: {dict(Counter(state for part in parts for state in place.attempts(part)))}")
    print(f"  end states: {place.end_states()}")
    place.check_nothing_lies_about()
    place.check_sweep_finds_nothing()
    print("  temporary files: 0, stray files: 0")


if __name__ == "__main__":
    main()
