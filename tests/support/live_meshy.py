"""An account at Meshy that takes every order and finishes it after a few looks, for tests of whole lives."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.contract.checker import Contract
from tests.support.contract.server import Always, Handler, PreparedServer, answer, prepared_server, raw
from tests.support.factories import box_glb

TASKS = "/openapi/v1/multi-image-to-3d"


class LivelyAccount:
    """`creates` counts the orders; `deliver` answers the request for a model's file."""

    def __init__(self, server: PreparedServer, looks: int) -> None:
        self.server = server
        self.base = server.base
        self.looks = looks
        self.creates = 0
        self.deliver: Callable[[Handler], None] = raw(200, box_glb(), {"content-type": "model/gltf-binary"})
        self._seen: dict[str, int] = {}
        self._born: dict[str, int] = {}
        self._guard = threading.Lock()
        server.answers = Always(self._give)

    def _give(self, handler: Handler) -> None:
        path = handler.seen.path
        if handler.seen.method == "POST":
            with self._guard:
                self.creates += 1
                task_id = f"task-{self.creates}"
                self._seen[task_id], self._born[task_id] = 0, time.time_ns() // 1_000_000
            answer(202, {"result": task_id})(handler)
        elif path == TASKS:
            asked = dict(pair.split("=") for pair in handler.seen.query.split("&"))
            first = (int(asked["page_num"]) - 1) * int(asked["page_size"])
            newest = list(reversed(self._seen))[first : first + int(asked["page_size"])]
            answer(200, [self._task(one) for one in newest])(handler)
        elif path.startswith(f"{TASKS}/"):
            answer(200, self._task(path.rpartition("/")[2]))(handler)
        elif path.endswith(".glb"):
            self.deliver(handler)
        else:
            answer(200, {"balance": 1000})(handler)

    def _task(self, task_id: str) -> dict[str, Any]:
        with self._guard:
            self._seen[task_id] += 1
            is_done = self._seen[task_id] > self.looks
        known = {"id": task_id, "type": "multi-image-to-3d", "created_at": self._born[task_id]}
        if not is_done:
            return known | {"status": "IN_PROGRESS", "progress": 10 * self._seen[task_id]}
        urls = {"glb": f"{self.base}/output/{task_id}.glb"}
        return known | {"status": "SUCCEEDED", "progress": 100, "consumed_credits": 30, "model_urls": urls}


@contextlib.contextmanager
def lively_account(looks: int = 1) -> Iterator[LivelyAccount]:
    """Runs while the block does; a task is done after so many looks."""
    with prepared_server(Contract()) as server:
        yield LivelyAccount(server, looks)
