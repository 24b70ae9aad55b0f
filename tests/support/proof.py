"""Heavy tests: `make test` leaves them out, `.ci/run` takes a small dose of them, `make proof` all.

    @pytest.mark.proof
    def test_no_kill_orders_twice(): kill_at_random(dose(7, small=2))

A test is marked when it starts several servers (all of tests/processes), when it runs an engine on a whole
set of photos and a cheaper test holds its promise in part, or when a number in it decides how hard it looks:
random kills, mutated files, hostile texts. The small dose holds the promise too; the full one finds the rare
case.
"""

from __future__ import annotations

import os

_DOSE = os.environ.get("ACR3D_PROOF", "small")
if _DOSE not in ("small", "full"):
    raise ValueError(f"ACR3D_PROOF must be small or full, not {_DOSE}.")
IS_FULL = _DOSE == "full"


def dose(full: int, *, small: int) -> int:
    """How many of them this run takes."""
    return full if IS_FULL else small
