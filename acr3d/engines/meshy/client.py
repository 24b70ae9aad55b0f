"""The HTTP client for Meshy's multi-image-to-3d, which the built-in engine answers too.

One call is one request (but see `_order`). Nothing is repeated here: a create is paid for and has no
idempotency key, so the caller decides by the error's attributes (errors.py). Base, body and answers follow
Meshy's API pages as of October 2026; whatever those leave open is read permissively.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import httpx

from acr3d import metrics
from acr3d.engines import errors
from acr3d.engines.base import Retirement
from acr3d.engines.meshy.options import CreateOptions
from acr3d.engines.meshy.response import Answer, Unreadable, refusal
from acr3d.engines.meshy.task_reader import read_task
from acr3d.engines.rate_limit import RateLimiter
from acr3d.engines.redact import redact
from acr3d.engines.remote_task import Task, is_task_id
from acr3d.foreign import number
from acr3d.messages.message import Message
from acr3d.net.time_limit import TimeLimitedTransport, time_limit

MAX_IMAGES = 4
MAX_SIDES = 6  # for an engine that takes angles
PAGE_SIZE = 50  # the most that one page of the list is asked for
_MOST_LISTED = 1_000  # the most that one is believed to hold
_LARGEST_BALANCE = 1_000_000_000
_SLOWEST_UPLOAD = 50_000  # bytes a second
_TASKS = "openapi/v1/multi-image-to-3d"
_BALANCE = "openapi/v1/balance"
METADATA_HEADER = "X-Meshy-Metadata"  # W3C Baggage
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)

TaskPage = list[Task]


@dataclass(frozen=True)
class Timeouts:
    """Seconds to connect, and for a whole read and a whole create (Meshy's client waits 180).

    A create has more time for its photos: what they take at 50 kB a second.
    """

    connect: float = 10
    read: float = 30
    create: float = 180


class MeshyClient:
    """Calls the engine at `base` (scheme, host, port, optionally a path) with one key. Thread-safe.

    `name` starts the sentences of errors. `sends_angles`: only the built-in engine knows `image_angles`.
    `transport`: an httpx transport, such as `httpx.WSGITransport` for an engine in this process.
    Every method raises `errors.EngineError`.
    """

    def __init__(
        self,
        base: str,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        timeouts: Timeouts | None = None,
        name: str | Message = "Meshy",
        sends_angles: bool = False,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError(f"The API key for {name} must be one word of plain characters.")
        self.base = _checked_base(base)
        self.name = name
        self.sends_angles = sends_angles
        self._sends_metadata = True
        self._retirements: dict[str, Retirement | None] = {}
        self._key = key
        self._timeouts = timeouts or Timeouts()
        self._rate_limiter = rate_limiter
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        self._http = httpx.Client(
            base_url=self.base, headers=headers, transport=transport or TimeLimitedTransport()
        )

    def __repr__(self) -> str:
        return f"MeshyClient({self.base!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def create(
        self,
        images: Sequence[tuple[bytes, str]],
        options: CreateOptions,
        metadata: Mapping[str, str] | None = None,
        outlines: Sequence[bytes | None] = (),
    ) -> str:
        """Order a model from 1 to 4 (JPEG, angle) pairs, front first, and return the task's id.

        An engine that takes angles takes up to 6 pairs, and the part's outline in each as a PNG. `metadata`
        (plain names and values) may help to recognise the task: some accounts store it, others ignore it. If
        the account refuses it, later orders go without.

        Raises OutcomeUnknown when the order was sent and no usable answer came: a paid task may exist.
        """
        most = MAX_SIDES if self.sends_angles else MAX_IMAGES
        if not 1 <= len(images) <= most:
            raise ValueError(f"A model is made from one to {most} photos.")
        body: dict[str, Any] = {"image_urls": [_data_uri(jpeg) for jpeg, _ in images]} | options.body()
        if self.sends_angles:
            body["image_angles"] = [angle for _, angle in images]
        if self.sends_angles and any(outlines):
            body["image_outlines"] = [png and _data_uri(png, "png") for png in outlines]
        answer = self._order(body, metadata or {})
        task_id = answer.payload.get("result") if isinstance(answer.payload, dict) else None
        if not isinstance(task_id, str) or not is_task_id(task_id):
            raise self._no_answer("POST", Message("answer.no_task_id"), answer.status)
        return task_id

    def _order(self, body: Mapping[str, Any], metadata: Mapping[str, str]) -> Answer:
        """The one call that may be two requests: a 400 about the metadata created nothing, and the order
        itself is fine."""
        baggage = ",".join(f"{name}={quote(value, safe='')}" for name, value in metadata.items())
        headers = {METADATA_HEADER: baggage} if baggage and self._sends_metadata else {}
        try:
            return self._call("POST", _TASKS, body=body, headers=headers)
        except errors.InvalidRequest as refused:
            if not headers or "metadata" not in str(refused).lower():
                raise
            self._sends_metadata = False
        return self._call("POST", _TASKS, body=body)

    def get(self, task_id: str) -> Task:
        """The task now. Raises TaskNotFound when it is unknown, deleted or expired."""
        answer = self._call("GET", _task_path(task_id))
        try:
            task = read_task(answer.payload, retry_after=answer.retry_after)
            if task.id != task_id:
                raise ValueError("it is the task that was asked for")
        except ValueError:
            raise self._no_answer("GET", Message("answer.no_task"), answer.status) from None
        return task

    def delete(self, task_id: str) -> None:
        """Delete a task: a waiting one is refunded, a finished one loses its files, a running one is
        WrongState and goes on."""
        self._call("DELETE", _task_path(task_id))

    def balance(self) -> int:
        """The account's credits; also a free way to see whether the key is valid."""
        answer = self._call("GET", _BALANCE)
        credits = number(answer.payload.get("balance")) if isinstance(answer.payload, dict) else None
        if credits is None or credits != credits // 1 or abs(credits) > _LARGEST_BALANCE:
            raise self._no_answer("GET", Message("answer.no_balance"), answer.status)
        return int(credits)

    def list(self, page_num: int = 1, page_size: int = PAGE_SIZE) -> TaskPage:
        """One page of the account's tasks, newest first; an empty page ends the list."""
        query: dict[str, str | int] = {"page_num": page_num, "page_size": page_size, "sort_by": "-created_at"}
        answer = self._call("GET", _TASKS, query=query)
        try:
            if not isinstance(answer.payload, list) or len(answer.payload) > _MOST_LISTED:
                raise ValueError("a list of tasks is a JSON array of a bounded length")
            # One unreadable entry fails the page: skipping it could hide a task that is paid for.
            return [read_task(raw, retry_after=answer.retry_after) for raw in answer.payload]
        except ValueError:
            raise self._no_answer("GET", Message("answer.no_list"), answer.status) from None

    @property
    def retirement(self) -> Retirement | None:
        """What the newest answers of any call said about its end."""
        return next((each for each in self._retirements.values() if each), None)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        wait = self._timeouts.create if method == "POST" else self._timeouts.read
        timeout = httpx.Timeout(wait, connect=self._timeouts.connect)
        content = b"" if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if content else {}
        if self._rate_limiter is not None:
            self._rate_limiter.wait()
        try:
            with (
                time_limit(wait + len(content) / _SLOWEST_UPLOAD),
                self._http.stream(
                    method,
                    path,
                    params=query,
                    content=content,
                    headers={**sent, **(headers or {})},
                    timeout=timeout,
                ) as response,
            ):
                answer = Answer.read(response)
        except _NOT_SENT as problem:
            self._count(method, "not sent")
            raise errors.Unreachable(
                Message("engine.unreachable", engine=self.name, why=_kind(problem))
            ) from None
        except (httpx.HTTPError, Unreadable) as problem:
            self._count(method, "none")
            raise self._no_answer(method, _kind(problem)) from None
        self._count(method, str(answer.status))
        # httpx links response and request in a cycle; without it, the photos are freed at once.
        response.stream = httpx.ByteStream(b"")
        # One entry a kind of call: a path without the task's id.
        self._retirements[f"{method} {path.removeprefix(_TASKS)[:1]}{path == _BALANCE}"] = answer.retirement
        self._check(method, path, answer)
        return answer

    def _count(self, method: str, answer: str) -> None:
        metrics.engine_answer(str(self.name), method, answer)

    def _check(self, method: str, path: str, answer: Answer) -> None:
        """Return for a success with a readable body; otherwise raise what the status means."""
        if answer.status >= 500:
            raise self._no_answer(method, Message("answer.server_error"), answer.status, answer.retry_after)
        if answer.status >= 300:
            raise self._refusal(answer, about_task=path.startswith(f"{_TASKS}/"))
        if answer.payload is None and method != "DELETE":
            raise self._no_answer(method, Message("answer.unreadable"), answer.status)

    def _no_answer(
        self, method: str, why: Message, status: int | None = None, retry_after: int | None = None
    ) -> errors.EngineError:
        told = Message("answer.with_status", why=why, status=status) if status else why
        kind, code = (
            (errors.OutcomeUnknown, "engine.create_unanswered")
            if method == "POST"
            else (errors.Unanswered, "engine.unanswered")
        )
        message = Message(code, engine=self.name, why=told)
        return kind(message, status=status, retry_after=retry_after)

    def _refusal(self, answer: Answer, *, about_task: bool) -> errors.RequestRefused:
        kind, message = refusal(self.name, answer, about_task)
        words = redact(answer.words, secrets=[self._key])
        if words:
            message = Message("engine.said", message=message, words=words)
        return kind(message, status=answer.status, retry_after=answer.retry_after)


def _kind(problem: Exception) -> Message:
    """What went wrong, without the exception's own text: that may hold addresses and bytes."""
    if isinstance(problem, Unreadable):
        return problem.message
    if isinstance(problem, httpx.TimeoutException):
        return Message("answer.timeout")
    return Message("answer.not_connected" if isinstance(problem, _NOT_SENT) else "answer.broke_off")


def _checked_base(base: str) -> str:
    try:
        url = httpx.URL(base)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ValueError("MESHY_API_BASE must be an address such as https://api.meshy.ai.")
    return base.rstrip("/")


def _task_path(task_id: str) -> str:
    return f"{_TASKS}/{quote(task_id, safe='')}"


def _data_uri(image: bytes, kind: str = "jpeg") -> str:
    return f"data:image/{kind};base64," + base64.b64encode(image).decode("ascii")
