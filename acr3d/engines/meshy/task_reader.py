"""Reads Meshy's task object, permissively.

Only `id` and `status` are certain. Any other field may be missing, null, empty or of another type, and then
gets its default; `Task` bounds the rest. Fields and their meaning: Meshy's multi-image-to-3d page, June to
October 2026. `report` is the built-in engine's own addition. `metadata` is a guess: X-Meshy-Metadata is
stored on some plans, but no page names the field that returns it. `wording` of an error is ours too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from acr3d.engines.remote_task import FAILED, Task
from acr3d.foreign import moment, whole
from acr3d.messages.message import Message

# CANCELED comes from other Meshy products, EXPIRED from old pages only; both end a task without a result.
_FAILED_TOO = frozenset({"CANCELED", "EXPIRED"})
_INPUT_ERRORS = frozenset({"invalid_input", "moderation_blocked", "image_too_complex"})
_MOST_METADATA = 10_000  # characters
_OUR_CODES = ("carving.", "child.", "spin.")


def read_task(raw: object, *, retry_after: int | None = None) -> Task:
    """The task in a decoded JSON object. Raises ValueError when it has no id or no status."""
    if not isinstance(raw, Mapping):
        raise ValueError("a task is a JSON object")
    error, urls = _mapping(raw.get("task_error")), _mapping(raw.get("model_urls"))
    status = _required(raw, "status")
    status = FAILED if status in _FAILED_TOO else status
    reasons = {_text(error.get("type")), _text(error.get("code"))}
    return Task(
        id=_required(raw, "id"),
        status=status,
        progress=whole(raw.get("progress")) or 0,
        preceding_tasks=whole(raw.get("preceding_tasks")),
        created_at=moment(raw.get("created_at")),
        started_at=moment(raw.get("started_at")),
        finished_at=moment(raw.get("finished_at")),
        expires_at=moment(raw.get("expires_at")),
        glb_url=_text(urls.get("glb")),
        thumbnail_url=_text(raw.get("thumbnail_url")),
        texture_prompt=_text(raw.get("texture_prompt")),
        error_message=_text(error.get("message")),
        refusal=_wording(error),
        input_refused=status == FAILED and not _INPUT_ERRORS.isdisjoint(reasons),
        consumed_credits=whole(raw.get("consumed_credits")),
        report=_mapping(raw.get("report")),
        metadata=_metadata(raw.get("metadata")),
        retry_after=retry_after,
    )


def _wording(error: Mapping[str, Any]) -> Message | None:
    """The built-in engine's error as its message; None for the words of any other engine."""
    message = Message.from_json(error.get("wording"), "")
    return message if message.code.startswith(_OUR_CODES) else None


def _required(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"a task has a {name}")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _metadata(value: object) -> dict[str, str]:
    """What was sent with the order, if the engine returns it: as an object, or as the text that was sent
    (W3C Baggage: `name=value;property, name=value`). Meshy's pages say neither which, nor whether."""
    if isinstance(value, Mapping):
        return {str(name): text for name, text in value.items() if isinstance(text, str)}
    members = _text(value)[:_MOST_METADATA].split(",")
    pairs = (member.partition(";")[0].partition("=") for member in members)
    return {name.strip(): unquote(text.strip()) for name, equals, text in pairs if equals}
