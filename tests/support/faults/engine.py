"""A WSGI wrapper around the built-in engine that counts what it is asked and does the faults it was told.

    POST /faults    {"at": "create", "do": "refuse", "times": 2, "status": 429, "message": "…"}
    GET /faults     {"waiting": 1, "held": 0, "asked": {"create": 3, …}, "made": 1}
    DELETE /faults  forget all faults and let go what is held

`at` is create, look (one task, or the list of them), delete, balance or result; `do` names one of the methods
`do_…`, whose arguments stand beside it. It is done once unless `times` says otherwise; the oldest goes first.
"""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from acr3d.engine_server.app import EngineApp

HELD_SECONDS = 120
FAR = 1 << 20


class Call:
    """One request, which may be put to the engine, and answered otherwise."""

    def __init__(self, environ: dict[str, Any], start_response: Callable[..., Any], app: EngineApp) -> None:
        self.environ = environ
        self._start_response = start_response
        self._app = app

    def ask(self) -> tuple[int, dict[str, str], bytes]:
        """What the engine itself answers."""
        seen: dict[str, Any] = {}

        def catch(status: str, headers: list[tuple[str, str]], *_rest: object) -> Callable[[bytes], object]:
            seen.update(status=int(status.split()[0]), headers=dict(headers))
            return lambda _data: None

        answer = self._app(self.environ, catch)
        try:
            return seen["status"], seen["headers"], b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()

    def say(self, status: int, headers: dict[str, str], body: Iterable[bytes]) -> Iterable[bytes]:
        self._start_response(f"{status} Told", list(headers.items()))
        return body

    def say_json(self, status: int, payload: object) -> Iterable[bytes]:
        body = json.dumps(payload).encode()
        return self.say(
            status, {"Content-Type": "application/json", "Content-Length": str(len(body))}, [body]
        )

    def cut(self) -> NoReturn:
        """End the connection in the middle of whatever was being said."""
        self.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError

    def read_in(self) -> None:
        """Take the request in, so that its sender has sent all of it."""
        length = int(self.environ.get("CONTENT_LENGTH") or 0)
        self.environ["wsgi.input"] = io.BytesIO(self.environ["wsgi.input"].read(length))


class FaultyEngine:
    """The engine with its faults; `stop` it as the engine itself."""

    def __init__(self, app: EngineApp) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._faults: list[dict[str, Any]] = []
        self._asked: Counter[str] = Counter()
        self._made = 0
        self._held = 0
        self._let_go = threading.Event()

    def stop(self, timeout: float = 10) -> None:
        self._app.stop(timeout)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = Call(environ, start_response, self._app)
        if environ["PATH_INFO"] == "/faults":
            return self._control(call)
        call.read_in()
        place = _place(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        fault = self._next(place)
        if fault is None:
            return call.say(*self.ask(call))
        deed: Callable[..., Iterable[bytes]] = getattr(self, f"do_{fault['do']}")
        return deed(call, **{name: fault[name] for name in fault.keys() - {"at", "do", "times"}})

    def ask(self, call: Call) -> Any:
        """The engine's own answer; a create's comes when the model is done, which spares the waiting."""
        status, headers, body = call.ask()
        if status == 202:
            self._made += 1
            self._app.finish()
        return status, headers, [body]

    # --- what a fault does ------------------------------------------------------------------------

    def do_refuse(self, call: Call, status: int, message: str = "") -> Iterable[bytes]:
        """Answer with this status, and do nothing."""
        return call.say_json(status, {"message": message})

    def do_break(self, call: Call, status: int) -> Iterable[bytes]:
        """Do what is asked, then answer with this status, as a proxy does whose backend was too slow."""
        self.ask(call)
        return call.say(status, {"Content-Type": "text/html"}, [b"<html>bad gateway</html>"])

    def do_cut(self, call: Call) -> Iterable[bytes]:
        """End the connection, and do nothing."""
        call.cut()

    def do_lose(self, call: Call) -> Iterable[bytes]:
        """Do what is asked; the answer gets lost."""
        self.ask(call)
        call.cut()

    def do_slow(self, call: Call, seconds: float) -> Iterable[bytes]:
        time.sleep(seconds)
        return call.say(*self.ask(call))

    def do_hold(self, call: Call) -> Iterable[bytes]:
        """Do what is asked; answer when the test lets go."""
        answer = self.ask(call)
        self._hold()
        return call.say(*answer)

    def do_change(self, call: Call, **fields: object) -> Iterable[bytes]:
        """Show every task with these fields instead of its own."""
        return self._shown(call, lambda task: task | fields)

    def do_expire(self, call: Call) -> Iterable[bytes]:
        """Know no task any more."""
        if isinstance(json.loads(call.ask()[2]), list):
            return call.say_json(200, [])
        return call.say_json(404, {"message": "Task not found"})

    def do_half(self, call: Call, hold: bool = False) -> Iterable[bytes]:
        """Announce the whole file and send half of it; then cut, at once or when the test lets go."""
        status, headers, body = call.ask()
        return call.say(status, headers, self._half(call, body, hold))

    def do_bytes(self, call: Call, text: str) -> Iterable[bytes]:
        """Send this instead of the file."""
        return call.say(200, {"Content-Type": "model/gltf-binary"}, [text.encode()])

    def do_redirect(self, call: Call, to: str) -> Iterable[bytes]:
        return call.say(302, {"Location": to}, [])

    def do_endless(self, call: Call) -> Iterable[bytes]:
        """Begin like a GLB, announce no length and never end."""
        return call.say(200, {"Content-Type": "model/gltf-binary"}, _endless())

    def _shown(self, call: Call, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterable[bytes]:
        status, _headers, body = call.ask()
        told = json.loads(body)
        return call.say_json(
            status, [change(one) for one in told] if isinstance(told, list) else change(told)
        )

    def _half(self, call: Call, body: bytes, hold: bool) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        if hold:
            self._hold()
        call.cut()

    def _hold(self) -> None:
        with self._lock:
            self._held += 1
        self._let_go.wait(HELD_SECONDS)
        with self._lock:
            self._held -= 1

    # --- how it is told ---------------------------------------------------------------------------

    def _next(self, place: str) -> dict[str, Any] | None:
        with self._lock:
            self._asked[place] += 1
            for fault in self._faults:
                if fault["at"] == place and fault["times"] > 0:
                    fault["times"] -= 1
                    return fault
        return None

    def _control(self, call: Call) -> Iterable[bytes]:
        method = call.environ["REQUEST_METHOD"]
        with self._lock:
            if method == "POST":
                call.read_in()
                self._faults.append({"times": 1} | json.load(call.environ["wsgi.input"]))
            elif method == "DELETE":
                self._faults.clear()
                self._let_go.set()
                self._let_go = threading.Event()
            waiting = sum(fault["times"] for fault in self._faults)
            told = {"waiting": waiting, "held": self._held, "asked": self._asked, "made": self._made}
        return call.say_json(200, told)


def _place(method: str, path: str) -> str:
    if path.startswith("/results/"):
        return "result"
    if path.endswith("/balance"):
        return "balance"
    return {"POST": "create", "DELETE": "delete"}.get(method, "look")


def _endless() -> Iterator[bytes]:
    yield b"glTF\2\0\0\0\xff\xff\xff\xff"
    while True:
        yield bytes(FAR)
