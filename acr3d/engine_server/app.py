"""The built-in engine as a WSGI app with Meshy's API for multi-image-to-3d.

The client reaches it in this process through `httpx.WSGITransport`, or on a port with `serve`. It accepts any
bearer key and charges nothing. Routes, statuses and task objects follow Meshy's documentation of 2026; there
is no event stream. This module must stay light: only the carving's child process loads numpy.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import re
import signal
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

from acr3d.engine_server import parameters
from acr3d.engine_server.tasks import (
    IN_PROGRESS,
    PENDING,
    SUCCEEDED,
    EngineTask,
    QuotaExceeded,
    TaskQuota,
    TaskStore,
    now_milliseconds,
)
from acr3d.engine_server.worker import EngineWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BODY_LIMIT = 20 << 20
_TASKS = "/openapi/v1/multi-image-to-3d"
# Meshy's other kinds of task. There are none here, and programs that list or look for them must learn that.
_OTHER_TASKS = (
    "/openapi/v2/text-to-3d",
    *(
        f"/openapi/v1/{kind}"
        for kind in (
            "image-to-3d", "remesh", "retexture", "rigging", "animations", "text-to-image", "image-to-image",
            "convert", "resize", "uv-unwrap", "print/multi-color", "print/analyze", "print/repair",
        )
    ),
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RETRY_AFTER_SECONDS = "2"
_BALANCE = 1_000_000  # nothing is charged, so a balance check must never stop a job

log = logging.getLogger(__name__)


class EngineHttpError(Exception):
    """An error response: its status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class EngineApp:
    """The WSGI app with its task store and its worker. Call `stop` before the process ends."""

    def __init__(self, tasks: TaskStore, worker: EngineWorker) -> None:
        self._tasks = tasks
        self._worker = worker
        self._routes = Map(
            [
                Rule(_TASKS, methods=["POST"], endpoint=self._create),
                Rule(_TASKS, methods=["GET"], endpoint=self._list),
                Rule(f"{_TASKS}/<task_id>", methods=["GET"], endpoint=self._get),
                Rule(f"{_TASKS}/<task_id>", methods=["DELETE"], endpoint=self._delete),
                Rule("/openapi/v1/balance", methods=["GET"], endpoint=self._balance),
                *(Rule(kind, methods=["GET"], endpoint=self._list_none) for kind in _OTHER_TASKS),
                *(
                    Rule(f"{kind}/<task_id>", methods=["GET", "DELETE"], endpoint=self._find_none)
                    for kind in _OTHER_TASKS
                ),
                *(Rule(kind, methods=["POST"], endpoint=self._refuse_kind) for kind in _OTHER_TASKS),
                Rule("/results/<task_id>/model.glb", methods=["GET"], endpoint=self._result),
            ],
            merge_slashes=False,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # populate_request would create a reference cycle that keeps up to 20 MB of photos in memory.
        request = Request(environ, populate_request=False)
        request.max_content_length = BODY_LIMIT
        return self._dispatch(request)(environ, start_response)

    def add_capture(self, positions: Sequence[Mapping[str, Path]], options: Mapping[str, Any]) -> str:
        """A task that makes a model of a spin capture, given by the files of each position; returns its id.

        For the process that this app is in: there is no such call over HTTP. Raises QuotaExceeded, OSError.
        """
        files = {f"position{n}/{name}": path for n, one in enumerate(positions) for name, path in one.items()}
        task_id = self._tasks.add_files(files, {**options, "positions": len(positions)})
        self._worker.wake()
        return task_id

    def finish(self) -> None:
        """Wait until no task is waiting any more."""
        self._worker.finish()

    def stop(self, timeout: float = 10) -> None:
        """Stop for good. The running task goes back to the queue and is repeated after the next start."""
        self._worker.stop(timeout)

    def _dispatch(self, request: Request) -> Response:
        try:
            handler, arguments = self._routes.bind_to_environ(request.environ).match()
            answer: Response = handler(request, **arguments)
            return answer
        except EngineHttpError as refusal:
            return _json_response({"message": str(refusal)}, refusal.status)
        except NotFound:
            return _json_response({"message": "NoMatchingRoute"}, 404)
        except MethodNotAllowed:
            return _json_response({"message": "This route does not allow this method."}, 405)
        except RequestEntityTooLarge:
            _drain_body(request)
            return _json_response({"message": f"The request is larger than {BODY_LIMIT >> 20} MB."}, 413)
        except HTTPException as problem:
            return _json_response({"message": problem.description or problem.name}, problem.code or 400)
        except Exception:
            log.exception("engine.request.failed")
            return _json_response({"message": "The built-in engine failed. See its log."}, 500)

    def _create(self, request: Request) -> Response:
        _require_key(request)
        try:
            task_request = parameters.parse_task_request(_json_body(request))
            options = task_request.options | {"angles": task_request.angles}
            task_id = self._tasks.add(task_request.photos, options, task_request.outlines)
        except parameters.InvalidParameter as wrong:
            raise EngineHttpError(400, str(wrong)) from None
        except QuotaExceeded as full:
            raise EngineHttpError(429, f"NoMorePendingTasks: {full}") from None
        self._worker.wake()
        return _json_response({"result": task_id}, 202)

    def _list(self, request: Request) -> Response:
        _require_key(request)
        page = _whole_number_argument(request, "page_num", 1, 1 << 40)
        size = _whole_number_argument(request, "page_size", 10, 50)
        sort_by = request.args.get("sort_by", "-created_at")
        if sort_by not in ("+created_at", "-created_at"):
            raise EngineHttpError(400, "sort_by must be +created_at (send the plus as %2B) or -created_at.")
        self._wake_if_needed()
        rows = self._tasks.page(page, size, newest_first=sort_by.startswith("-"))
        queue = self._tasks.queue()
        return _json_response([self._serialize(row, queue, request) for row in rows])

    def _list_none(self, request: Request) -> Response:
        _require_key(request)
        return _json_response([])

    def _find_none(self, request: Request, task_id: str) -> Response:
        _require_key(request)
        _check_id(task_id)
        raise EngineHttpError(404, "Task not found")

    def _refuse_kind(self, request: Request) -> Response:
        _require_key(request)
        raise EngineHttpError(400, "The built-in engine makes models from photos only: multi-image-to-3d.")

    def _get(self, request: Request, task_id: str) -> Response:
        _require_key(request)
        row = self._get_or_404(task_id)
        answer = _json_response(self._serialize(row, self._tasks.queue(), request))
        if row.status in (PENDING, IN_PROGRESS):
            self._worker.wake()
            answer.headers["Retry-After"] = _RETRY_AFTER_SECONDS
        return answer

    def _delete(self, request: Request, task_id: str) -> Response:
        _require_key(request)
        self._get_or_404(task_id)
        if not self._tasks.delete(task_id):
            raise EngineHttpError(404, "Task not found")
        return _json_response({})

    def _balance(self, request: Request) -> Response:
        _require_key(request)
        return _json_response({"balance": _BALANCE})

    def _result(self, request: Request, task_id: str) -> Response:
        """The model file; the signature in its URL gives access."""
        row = self._tasks.get(task_id) if _UUID.fullmatch(task_id) else None
        signature = request.args.get("Signature", "")
        if row is None or not hmac.compare_digest(row.signature.encode(), signature.encode()):
            raise EngineHttpError(403, "This URL is not valid, or has expired.")
        try:
            file = self._tasks.model(task_id).open("rb")
        except FileNotFoundError:
            raise EngineHttpError(404, "This file does not exist.") from None
        headers = {"Content-Length": str(os.fstat(file.fileno()).st_size)}
        body = wrap_file(request.environ, file)
        return Response(body, headers=headers, mimetype="model/gltf-binary", direct_passthrough=True)

    def _get_or_404(self, task_id: str) -> EngineTask:
        _check_id(task_id)
        row = self._tasks.get(task_id)
        if row is None:
            raise EngineHttpError(404, "Task not found")
        return row

    def _wake_if_needed(self) -> None:
        if self._tasks.has_unfinished():
            self._worker.wake()

    def _serialize(self, row: EngineTask, queue: Sequence[int], request: Request) -> dict[str, Any]:
        """Meshy's task object, with the carving's report added."""
        return {
            "id": row.id,
            "type": "multi-image-to-3d",
            "status": row.status,
            "progress": row.progress,
            "preceding_tasks": bisect_left(queue, row.seq) if row.status == PENDING else 0,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "expires_at": row.expires_at,
            "model_urls": {"glb": _result_url(row, request)} if row.status == SUCCEEDED else {},
            "texture_urls": [],
            "thumbnail_url": "",
            "texture_prompt": row.options.get("texture_prompt", ""),
            "task_error": row.error,
            "consumed_credits": 0,
            "report": row.report,
        }


def create_engine_app(
    folder: Path,
    *,
    heavy_lock: Path,
    grid: int | None = None,
    use_priors: bool = True,
    carver: str = "acr3d.carving",
    quota: TaskQuota | None = None,
    clock: Callable[[], int] = now_milliseconds,
) -> EngineApp:
    """The engine with its tasks in `folder` (created if missing). Several processes may share a folder.

    `heavy_lock`: the host's lock for heavy child processes. `grid`: the carving's resolution; None for its
    default. `use_priors`: allow shape priors (roundness, symmetry). `carver`: the module that carves.
    `clock`: returns milliseconds since 1970. Starts no thread.
    """
    tasks = TaskStore(folder, quota, clock)
    return EngineApp(tasks, EngineWorker(tasks, folder / "engine.lock", heavy_lock, carver, grid, use_priors))


def serve(app: EngineApp, port: int) -> None:
    """Serve on 127.0.0.1 until SIGTERM or Ctrl-C, then stop the engine. Port 0 picks a free one."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler)

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    print(f"The built-in engine is listening on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()  # returns on Ctrl-C
    finally:
        app.stop()


class _QuietHandler(WSGIRequestHandler):
    """Does not log requests, because result URLs are secret. Drops a silent client after a minute."""

    timeout = 60

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _require_key(request: Request) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise EngineHttpError(401, "Invalid API key")


def _check_id(task_id: str) -> None:
    if not _UUID.fullmatch(task_id):
        raise EngineHttpError(400, "Invalid ID")


def _json_body(request: Request) -> object:
    try:
        return json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError):
        raise EngineHttpError(400, "The request body must be JSON.") from None


def _drain_body(request: Request) -> None:
    """Read the rest of a body that is too large, within limits: a client reads no answer while it sends."""
    stream, left = request.environ["wsgi.input"], min(request.content_length or 0, 4 * BODY_LIMIT)
    while left > 0 and (chunk := stream.read(min(left, 1 << 16))):
        left -= len(chunk)


def _whole_number_argument(request: Request, name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,12}", text) or not 1 <= int(text) <= most:
        raise EngineHttpError(
            400, f"{name} must be a whole number from 1{f' to {most}' if most < 1000 else ''}."
        )
    return int(text)


def _result_url(row: EngineTask, request: Request) -> str:
    query = f"Expires={row.expires_at // 1000}&Signature={row.signature}"
    return f"{request.host_url}results/{row.id}/model.glb?{query}"


def _json_response(payload: object, status: int = 200) -> Response:
    return Response(json.dumps(payload), status, mimetype="application/json")
