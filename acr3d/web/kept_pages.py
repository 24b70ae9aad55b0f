"""Public pages as they were last sent, in the memory of this process, under their ETags.

An ETag is made from everything that a page is made from, the content's stamp among it, which each request
reads from the database: a page that any process has changed has another ETag, so nothing here can be stale.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

MOST_BYTES = 6_000_000
LONGEST = 100_000
"""No longer body is kept: a page takes some ten kilobytes, compressed three."""
_OVERHEAD = 1500  # about what one entry takes beside its body: headers and Python's objects


@dataclass(frozen=True)
class KeptPage:
    """A page's body as it was sent, and its headers."""

    body: bytes
    headers: tuple[tuple[str, str], ...]
    has_viewer: bool


class KeptPages:
    """The pages asked for last, within so many bytes. Safe from any thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[str, KeptPage] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, etag: str) -> KeptPage | None:
        with self._lock:
            page = self._pages.get(etag)
            if page is not None:
                self._pages.move_to_end(etag)
            return page

    def keep(self, etag: str, page: KeptPage) -> None:
        """Keep the page, and forget those that were not asked for the longest."""
        if len(page.body) > LONGEST:
            return
        with self._lock:
            if etag in self._pages:
                return
            self._pages[etag] = page
            self._bytes += len(page.body) + _OVERHEAD
            while self._bytes > self._most_bytes:
                _etag, oldest = self._pages.popitem(last=False)
                self._bytes -= len(oldest.body) + _OVERHEAD
