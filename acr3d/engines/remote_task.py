"""A generation task as its engine reports it. Each engine's folder translates its answers into this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from acr3d.engines.redact import redact
from acr3d.foreign import json_object, one_line, whole
from acr3d.messages.message import Message

PENDING = "PENDING"
IN_PROGRESS = "IN_PROGRESS"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"

_STATUSES = (PENDING, IN_PROGRESS, SUCCEEDED, FAILED)
_LONGEST_ID, _LONGEST_URL, _LONGEST_PROMPT = 200, 8_000, 800
_LONGEST_METADATA, _MOST_METADATA = 300, 50
_MOST_CREDITS = 1_000_000  # no task costs more; a larger number is not believed


@dataclass(frozen=True)
class Task:
    """One task. Times are aware UTC datetimes, `progress` is 0–100, `consumed_credits` None when unknown.

    Whatever an engine says is bounded here, once: text is one printable line, any database takes every
    value, `status` is one of the four above (any other is IN_PROGRESS). Raises ValueError for an id that is
    none. URLs are signed: `repr` leaves them out, and they must not be stored or logged. `input_refused`: the
    task failed because of the photos or the prompt, so the same again would fail again. `refusal` is the
    error as a message that can be translated, from the built-in engine. `report` is what the
    engine says about its own work, `metadata` what was sent with the order.
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
    refusal: Message | None = None
    input_refused: bool = False
    consumed_credits: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if not is_task_id(self.id):
            raise ValueError("a task has an id")
        bounded = {
            "status": self.status if self.status in _STATUSES else IN_PROGRESS,
            "progress": min(whole(self.progress) or 0, 100),
            "preceding_tasks": whole(self.preceding_tasks),
            "glb_url": _usable(self.glb_url),
            "thumbnail_url": _usable(self.thumbnail_url),
            "texture_prompt": one_line(self.texture_prompt, _LONGEST_PROMPT),
            "error_message": redact(self.error_message),
            "consumed_credits": whole(self.consumed_credits, _MOST_CREDITS),
            "report": json_object(self.report),
            "metadata": {
                one_line(name, _LONGEST_METADATA): one_line(text, _LONGEST_METADATA)
                for name, text in list(self.metadata.items())[:_MOST_METADATA]
            },
        }
        for name, value in bounded.items():
            object.__setattr__(self, name, value)

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


def is_task_id(text: str) -> bool:
    """Whether `text` may be a task's id: it becomes part of addresses and is stored."""
    return 0 < len(text) <= _LONGEST_ID and text.isprintable() and text.strip(". ") == text


def _usable(url: str | None) -> str | None:
    """A URL is used as it came, or not at all."""
    return url if url and len(url) <= _LONGEST_URL and url.isprintable() else None
