"""The log as JSON lines (`ACR3D_LOG=json`), each with the request or the job that it is about.

Loaded by gunicorn's master process, so it imports little.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_EVENT = re.compile(r"[a-z_]+(\.[a-z_]+)+\b")  # how our own lines begin, as in “job.lease_lost job=…”

_ids: ContextVar[dict[str, str] | None] = ContextVar("acr3d_log_ids", default=None)


def begin(**ids: str) -> None:
    """Let lines of this thread carry these ids, and no others, from now on."""
    _ids.set(ids)


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Let the block's lines carry these ids too."""
    token = _ids.set({**(_ids.get() or {}), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


class JsonFormatter(logging.Formatter):
    """One line for each record: time (UTC), level, logger, message, event, ids; a traceback as `error`."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if event := _EVENT.match(str(record.msg)):
            line["event"] = event[0]
        line |= _ids.get() or {}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def config(level: str = "WARNING") -> dict[str, Any]:
    """For `logging.config.dictConfig`: everything to the error output as JSON. `level`: of most loggers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "acr3d.logs.JsonFormatter"}},
        "handlers": {
            "json": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
        },
        "root": {"level": level, "handlers": ["json"]},
        "loggers": {
            name: {"level": "INFO", "handlers": ["json"], "propagate": False}
            for name in ("gunicorn.error", "gunicorn.access")
        },
    }
