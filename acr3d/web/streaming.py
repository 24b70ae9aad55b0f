"""Answers that are made while they are sent, in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from flask import current_app

Chunk = TypeVar("Chunk", str, bytes)


def streamed(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks, each made in an app context of its own: no database session waits for a slow client.

    Between two chunks, `chunks` must hold no row that still has to be loaded.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def made() -> Iterator[Chunk]:
        while True:
            with app.app_context():
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    return made()
