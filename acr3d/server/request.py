"""A request while it arrives. Its body is kept in memory when small, else in a temporary file."""

from __future__ import annotations

from io import BytesIO, RawIOBase
from typing import IO, Any, NoReturn

from waitress.parser import HTTPRequestParser

ASK_ABOVE = 1024 * 1024  # larger bodies are read only if the app takes them


class Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Waitress's parser, which stops after the head of a large body until the app was asked."""

    is_waiting = False  # for the app's answer
    _is_allowed = False
    _expects_continue = False
    _is_cut = False
    _failure: OSError | None = None

    def received(self, data: bytes) -> int:
        try:
            used: int = super().received(data)
        except OSError as error:  # the disk is full: the app says so when it reads the body
            self._failure = error
            self.end_early()
            return len(data)
        if max(self.content_length, self.body_bytes_received) > ASK_ABOVE:
            self._wait()
        return used

    def allow(self) -> None:
        """Go on reading."""
        self._is_allowed = True
        self.is_waiting = False
        self.expect_continue = self._expects_continue

    def end_early(self) -> None:
        """Let the app answer without the body. That ends the connection: the body may still come."""
        self.is_waiting = False
        self.completed = self._is_cut = True
        self.headers["CONNECTION"] = "close"
        self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))

    def _wait(self) -> None:
        if self.completed or self._is_allowed or self.is_waiting:
            return
        self.is_waiting = True
        self._expects_continue, self.expect_continue = self.expect_continue, False

    def get_body_stream(self) -> IO[bytes] | RawIOBase:
        if self._failure is not None:
            return _Unreadable(self._failure)
        return BytesIO() if self._is_cut or self.is_waiting else super().get_body_stream()


class _Unreadable(RawIOBase):
    def __init__(self, error: OSError) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> NoReturn:
        raise self._error
