"""What strangers, people inside, files and other hosts have tried against acr3d. `bench.attack` runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.attacks.target import Target

Outcome = tuple[bool, str]
"""Whether the app held, and what was seen."""


@dataclass(frozen=True)
class Attack:
    """One attack. Bounded: it ends after some seconds and requests, whatever the app does."""

    name: str
    run: Callable[[Target], Outcome]
