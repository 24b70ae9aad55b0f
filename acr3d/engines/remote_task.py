"""A generation task as the engine tells of it, read permissively.

Only `id` and `status` are sure to be there; any other field may be missing, null, empty or of another type,
and then takes its default. Fields and their meaning: Meshy's multi-image-to-3d task object (June to October
2026); `report` is the built-in engine's own addition, and `metadata` a guess (X-Meshy-Metadata is kept for
some plans, but no page names the field that tells it again).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import unquote

from acr3d.engines.errors import cleaned

PENDING = "PENDING"
IN_PROGRESS = "IN_PROGRESS"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
# CANCELED comes from other products of Meshy, EXPIRED from old pages only; both are ends without a result.
_ENDED_BADLY = frozenset({FAILED, "CANCELED", "EXPIRED"})
_INPUT_ERRORS = frozenset({"invalid_input", "moderation_blocked", "image_too_complex"})
RESULTS_KEPT = timedelta(days=3)  # by Meshy, after a task has ended
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Task:
    """One task. Times are aware UTC datetimes, `progress` is 0–100, `consumed_credits` None when not told.

    An unknown status counts as still running. URLs are signed: they are not shown by `repr`, and are not
    to be stored or logged.
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
    error_type: str = ""
    error_code: str = ""
    error_message: str = ""
    consumed_credits: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None

    @property
    def succeeded(self) -> bool:
        return self.status == SUCCEEDED

    @property
    def failed(self) -> bool:
        """It ended without a result."""
        return self.status in _ENDED_BADLY

    @property
    def ended(self) -> bool:
        return self.succeeded or self.failed

    @property
    def input_refused(self) -> bool:
        """It failed because of the photos or the prompt: the same again would fail again."""
        return self.failed and not _INPUT_ERRORS.isdisjoint((self.error_type, self.error_code))

    @classmethod
    def parse(cls, raw: object, *, retry_after: int | None = None) -> Self:
        """The task in a decoded JSON object. Raises ValueError when it has no id or no status."""
        if not isinstance(raw, Mapping):
            raise ValueError("a task is a JSON object")
        error, urls, report = (_mapping(raw.get(name)) for name in ("task_error", "model_urls", "report"))
        return cls(
            id=_required(raw, "id"),
            status=_required(raw, "status"),
            progress=min(_whole(raw.get("progress")) or 0, 100),
            preceding_tasks=_whole(raw.get("preceding_tasks")),
            created_at=_moment(raw.get("created_at")),
            started_at=_moment(raw.get("started_at")),
            finished_at=_moment(raw.get("finished_at")),
            expires_at=_moment(raw.get("expires_at")),
            glb_url=_text(urls.get("glb")) or None,
            thumbnail_url=_text(raw.get("thumbnail_url")) or None,
            texture_prompt=_text(raw.get("texture_prompt")),
            error_type=cleaned(_text(error.get("type"))),
            error_code=cleaned(_text(error.get("code"))),
            error_message=cleaned(_text(error.get("message"))),
            consumed_credits=_whole(raw.get("consumed_credits")),
            report=report,
            metadata=_metadata(raw.get("metadata")),
            retry_after=retry_after,
        )


def _required(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(f"a task has a {name}")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _metadata(value: object) -> dict[str, str]:
    """What was sent with the order, should the engine tell it again: as an object, or as the text that was
    sent (W3C Baggage: `name=value;property, name=value`). No page of Meshy's says which, or whether."""
    if isinstance(value, Mapping):
        return {str(name): text for name, text in value.items() if isinstance(text, str)}
    pairs = (member.partition(";")[0].partition("=") for member in _text(value).split(","))
    return {name.strip(): unquote(text.strip()) for name, equals, text in pairs if equals}


def _whole(value: object) -> int | None:
    """A count: whole and not negative, also when written as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**53 else None


def _moment(value: object) -> datetime | None:
    """Milliseconds since 1970 as a datetime; 0 stands for "not yet"."""
    milliseconds = _whole(value)
    if not milliseconds:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
