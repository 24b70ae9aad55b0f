"""Heavy tests: a small dose in every run, the whole of it by `make proof`.

    @pytest.mark.proof
    def test_no_kill_orders_twice(): kill_at_random(dose(7, small=2))

A test is marked when one number in it decides how hard it looks: random kills, mutated files, hostile texts.
Its promise is held by the small dose too; the full one finds the rare case.
"""

from __future__ import annotations

import os

IS_FULL = os.environ.get("ACR3D_PROOF") == "full"


def dose(full: int, *, small: int) -> int:
    """How many of them this run takes."""
    return full if IS_FULL else small
