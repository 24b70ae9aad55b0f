"""One connection: what it is waiting for, and since when."""

from __future__ import annotations

import contextlib
import enum
import fcntl
import socket
import struct
import termios
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from acr3d.server import BODY_FOLLOWS
from acr3d.server.limits import Pace
from acr3d.server.request import Request


class Phase(enum.Enum):
    """What a connection is waiting for."""

    HEAD = "the client, to send a request"
    BODY = "the client, to send the body"
    WORK = "the app"
    SEND = "the client, to take the answer"
    IDLE = "the client, which may send another request"
    LINGER = "the client, to close its side"


class Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """One request, in a thread."""

    def start(self) -> None:
        super().start()
        self.channel.requests_begun += 1

    def build_response_header(self) -> bytes:
        if self.channel.server.is_stopping:
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header

    def set_close_on_finish(self) -> None:
        # waitress closes whenever an answer has no length; one without a body (304) needs none.
        keeps = self.complete and not self.has_body and not self.channel.server.is_stopping
        if keeps and self.version == "1.1" and self.request.headers.get("CONNECTION", "").lower() != "close":
            return
        super().set_close_on_finish()


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection of waitress's, with deadlines. Only `asked` is called by a thread."""

    parser_class = Request
    task_class = Task
    request: Request | None = None  # the one that is arriving

    def __init__(self, server: Any, sock: socket.socket, client: str, *rest: Any, **options: Any) -> None:
        self.client = client
        self.requests_begun = 0
        self._bytes_sent = 0
        self._is_lingering = False
        self._is_asking = False
        self._turn: tuple[Phase, int] | None = None
        super().__init__(server, sock, *rest, **options)

    def phase(self) -> Phase:
        """What the connection is waiting for now."""
        if self._is_lingering:
            return Phase.LINGER
        if self.total_outbufs_len:
            return Phase.SEND
        if self.requests or self._is_waiting():
            return Phase.WORK
        if self.request is None:
            return Phase.IDLE if self.requests_begun else Phase.HEAD
        return Phase.BODY if self.request.headers_finished else Phase.HEAD

    def is_overdue(self, now: float) -> bool:
        """Whether the client took too long. Call it about once a second; `now` is monotonic."""
        phase = self.phase()
        moved = self._moved(phase)
        if self._turn != (phase, self.requests_begun):
            self._turn, self._since = (phase, self.requests_begun), now
            self._pace = Pace(self.server.limits, now, moved)
        limits = self.server.limits
        if phase in (Phase.BODY, Phase.SEND):
            return self._pace.is_too_slow(now, moved)
        seconds = {Phase.HEAD: limits.head, Phase.IDLE: limits.idle, Phase.LINGER: limits.linger}
        return phase in seconds and now - self._since > seconds[phase]

    def abort(self) -> None:
        """Close at once, with a reset: the client may not read what is still on its way."""
        if not self._is_lingering and self.phase() is not Phase.IDLE:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handle_close()

    def readable(self) -> bool:
        return self._is_lingering or (super().readable() and not self._is_waiting())

    def received(self, data: bytes) -> bool:
        if self._is_lingering:
            return False
        done: bool = super().received(data)
        if self.request is not None and self.request.is_waiting and not self._is_asking:
            self._is_asking = True
            self.server.add_task(Question(self, self.request))
        return done

    def asked(self, is_taken: bool) -> None:
        """Called by a thread that asked the app about the present request's body."""
        with self.requests_lock:
            request, self._is_asking = self.request, False
            if request is None:
                return
            if is_taken:
                request.allow()
                if request.expect_continue and not self.requests:
                    self.send_continue()
            else:
                request.end_early()
                self.request = None
                self.requests.append(request)
                if len(self.requests) == 1:  # else the thread at work on the one before goes on with it
                    self.server.add_task(self)
        self.server.pull_trigger()

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close=do_close)
        self._bytes_sent += sent
        return sent

    def handle_write(self) -> None:
        if not self.close_when_flushed:
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif self.connected and not self.total_outbufs_len:
            self._linger()

    def handle_expt(self) -> None:
        """Urgent data would keep the loop awake, and HTTP has none."""
        self.handle_close()

    def handle_close(self) -> None:
        super().handle_close()
        if self.request is not None and not self._is_waiting():
            self.request.close()

    def _linger(self) -> None:
        """Close our side only: a reset would take the answer from a client that is still sending."""
        self.close_when_flushed = False
        self._is_lingering = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _is_waiting(self) -> bool:
        request = self.request
        return request is not None and request.is_waiting

    def _moved(self, phase: Phase) -> int:
        """Bytes of the body, or bytes of answers that the client's side has confirmed."""
        if phase is Phase.BODY:
            request = self.request
            return request.body_bytes_received if request is not None else 0
        return self._bytes_sent - _unconfirmed(self.socket) if phase is Phase.SEND else 0


class Question:
    """Asks the app, in a thread, whether it takes a request's body."""

    def __init__(self, channel: Channel, request: Request) -> None:
        self._channel = channel
        self._task = WSGITask(channel, request)

    def service(self) -> None:
        answers: list[str] = []
        is_taken = False
        try:
            environ = self._task.get_environment() | {BODY_FOLLOWS: True}
            answer = self._channel.server.application(environ, lambda status, *_: answers.append(status))
            if hasattr(answer, "close"):
                answer.close()
            is_taken = answers[-1].startswith("100 ")
        finally:
            self._channel.asked(is_taken)

    def cancel(self) -> None:
        self._channel.cancel()


def _unconfirmed(sock: socket.socket) -> int:
    """Bytes in the kernel that the other side has not confirmed. ioctl(SIOCOUTQ), tcp(7)."""
    with contextlib.suppress(OSError):
        found: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
        return found
    return 0
