"""One HTTP answer of Meshy's contract, read within bounds, and what its refusals mean.

The kinds of 429 and the older error bodies follow Meshy's error pages and field reports of 2026.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from acr3d.engines import errors
from acr3d.engines.base import Retirement
from acr3d.messages.message import Message, MessageError

_SIZE_LIMIT = 16 << 20
_MOST_VALUES = 200_000  # decoded, each takes up to a hundred bytes
_LONGEST_WAIT = 3600
_LINK_RELATIONS = ("deprecation", "sunset", "successor-version", "latest-version")
_LONGEST_LINK = 500


class Unreadable(MessageError):
    """An answer that is too large, or compressed."""


@dataclass(frozen=True)
class Answer:
    """Status, decoded JSON (None without one), the text of an error, and the seconds to wait.

    `retirement`: what the headers say about the end of this call.
    """

    status: int
    payload: Any
    words: str
    retry_after: int | None
    retirement: Retirement | None = None

    @classmethod
    def read(cls, response: httpx.Response) -> Answer:
        """Read `response` to its end. Raises Unreadable or httpx.HTTPError."""
        status = response.status_code
        try:
            payload = _decoded(_body(response))
        except (Unreadable, httpx.HTTPError):
            if not 300 <= status < 500:
                raise
            payload = None  # a refusal stays one, even if its body is cut off
        words, wait = _error_words(payload), _retry_after(response.headers)
        return cls(status, payload, words, wait, _retirement(response))


def _body(response: httpx.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise Unreadable(Message("answer.unreadable"))  # not asked for, and a few bytes can become gigabytes
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > _SIZE_LIMIT:
            raise Unreadable(Message("answer.too_large"))
    return bytes(content)


def _decoded(content: bytes) -> Any:
    if sum(content.count(sign) for sign in (b",", b"[", b"{")) > _MOST_VALUES:
        raise Unreadable(Message("answer.too_large"))
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


# Meshy answers 400 for a retired model as for a bad photo, and no page gives the text.
# Whatever it says about `ai_model`, which is ours and not the photos', is about the model.
_RETIRED_MODEL = re.compile(
    r"\bmodel\b.*\b(retired|no longer|discontinued)\b|\bretired\b.*\bmodel\b|\bai_model\b",
    re.IGNORECASE | re.DOTALL,
)
_REFUSALS: dict[int, tuple[type[errors.RequestRefused], str]] = {
    400: (errors.InputRefused, "engine.bad_request"),
    401: (errors.KeyRefused, "engine.key_refused"),
    402: (errors.NoCredits, "engine.no_credits"),
    403: (errors.PlanRefused, "engine.plan_refused"),
    404: (errors.TaskNotFound, "engine.task_unknown"),
    409: (errors.WrongState, "engine.task_running"),
    413: (errors.InputRefused, "engine.photos_too_large"),
    422: (errors.InputRefused, "engine.bad_request"),
}


def refusal(
    engine: str | Message, answer: Answer, about_task: bool
) -> tuple[type[errors.RequestRefused], Message]:
    """The error for a 3xx or 4xx answer of `engine` (its name), and its message."""
    status, words = answer.status, answer.words
    if status == 429:
        if "NoMoreConcurrentTasks" in words or "NoMorePendingTasks" in words:
            return errors.QueueFull, Message("engine.queue_full", engine=engine)
        return errors.RateLimited, Message("engine.rate_limited", engine=engine)
    if status < 400 or (status == 404 and ("NoMatchingRoute" in words or not about_task)):
        return errors.WrongAddress, Message("engine.wrong_address", engine=engine, status=status)
    if status == 400 and not about_task and _RETIRED_MODEL.search(words):
        return errors.ModelRetired, Message("engine.model_retired", engine=engine)
    if status not in _REFUSALS:
        return errors.InvalidRequest, Message("engine.refused", engine=engine, status=status)
    kind, code = _REFUSALS[status]
    return kind, Message(code, engine=engine)


def _error_words(payload: object) -> str:
    """The text of a refusal; older servers use other keys than `message`."""
    if not isinstance(payload, dict):
        return ""
    values = (payload.get(name) for name in ("message", "error", "code", "error_code"))
    return " ".join(value for value in values if isinstance(value, str))


def _retirement(response: httpx.Response) -> Retirement | None:
    """From a Deprecation header (RFC 9745: `@` and a Unix time; before that a date, or `true`)."""
    said = response.headers.get("Deprecation", "").strip()[:64]
    if not said or said.lower() in ("false", "?0"):
        return None
    since = None
    with contextlib.suppress(ValueError, OverflowError, OSError):
        is_number = said.startswith("@")
        since = datetime.fromtimestamp(int(said[1:]), UTC) if is_number else parsedate_to_datetime(said)
        since = since.astimezone(UTC)
    # httpx reads the Link header (RFC 8288) into relations.
    links = [link for rel in _LINK_RELATIONS if (link := response.links.get(rel, {}).get("url"))]
    link = next((link for link in links if link.startswith("https://") and len(link) <= _LONGEST_LINK), "")
    return Retirement(since, link)


def _retry_after(headers: httpx.Headers) -> int | None:
    """Seconds from a Retry-After header, which holds a number or an HTTP date."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(int(seconds), 0), _LONGEST_WAIT)
