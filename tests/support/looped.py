"""acr3d's event loop with an application of the test's own, in a thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

from acr3d.server.limits import Limits
from acr3d.server.loop import Loop

PATIENCE = 20.0
# As the real ones, thirty times faster.
QUICK = Limits(head=0.4, grace=0.4, least_rate=20_000, stall=1.0, idle=1.0, linger=0.4)

Application = Callable[..., Iterable[bytes]]


class Looped:
    """Where the loop can be reached."""

    def __init__(self, loop: Loop, address: tuple[str, int]) -> None:
        self.loop = loop
        self.address = address
        self.lines = contextlib.ExitStack()

    def connect(self, sent: bytes = b"", window: int | None = None) -> socket.socket:
        """A connection on which `sent` was sent, open until the end. `window`: what it takes unread."""
        line = self.lines.enter_context(socket.socket())
        line.settimeout(PATIENCE)
        if window is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        line.connect(self.address)
        line.sendall(sent)
        return line

    def ask(self, sent: bytes) -> bytes:
        """All that comes after `sent`, until the connection is closed."""
        with self.connect(sent) as line:
            return rest_of(line)


def rest_of(line: socket.socket) -> bytes:
    """All that still comes; a reset ends it too."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65536):
            found += piece
    return found


@contextlib.contextmanager
def looped(application: Application, limits: Limits = QUICK, threads: int = 1) -> Iterator[Looped]:
    """Serve `application` while the block runs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        loop = Loop(application, [listening], threads, limits)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                loop.turn()
            loop.close()

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            with (running := Looped(loop, listening.getsockname())).lines:
                yield running
        finally:
            over.set()
            loop.wake()
            serving.join(PATIENCE)
