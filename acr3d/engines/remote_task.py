"""A generation task as its engine reports it. Each engine's folder translates its answers into this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PENDING = "PENDING"
IN_PROGRESS = "IN_PROGRESS"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"


@dataclass(frozen=True)
class Task:
    """One task. Times are aware UTC datetimes, `progress` is 0–100, `consumed_credits` None when unknown.

    A status other than the four above counts as still running. URLs are signed: `repr` leaves them out, and
    they must not be stored or logged. `input_refused`: the task failed because of the photos or the prompt,
    so the same again would fail again. `report` is what the engine says about its own work, `metadata` what
    was sent with the order.
    """

    id: str
    status: str
    progress: int = 0
    preceding_tasks: int | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    glb_url: str | None = field(default=None, repr=False)
    thumbnail_url: str | None = field(default=None, repr=False)
    texture_prompt: str = ""
    error_message: str = ""
    input_refused: bool = False
    consumed_credits: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None

    @property
    def succeeded(self) -> bool:
        return self.status == SUCCEEDED

    @property
    def failed(self) -> bool:
        """Whether the task ended without a result."""
        return self.status == FAILED

    @property
    def ended(self) -> bool:
        return self.succeeded or self.failed
