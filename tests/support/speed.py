"""Makes the tests quick: cheap password hashes, no waiting for the disk, nothing made twice.

It changes the tests' own process only. The servers and pollers that a test starts run as shipped, and so do
the tests of kills and of full disks. What was replaced is kept in `SHIPPED`, for the tests that are about it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from types import CodeType, SimpleNamespace
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from acr3d import sandbox
from acr3d.accounts import passwords
from acr3d.db import session
from tests.support import children

SHIPPED = SimpleNamespace(
    hasher=passwords._hasher,
    no_account=passwords._NO_ACCOUNT,
    fsync=os.fsync,
    prepare_sqlite=session._prepare_sqlite,
    compile_builder=Rule._compile_builder,
)
_shared: dict[str, tuple[Any, LRUCache[Any, Any]]] = {}
_STATEMENTS = 4000


class CompiledTemplates(BytecodeCache):
    """Keeps each compiled template: every test has an app of its own, and all of them have the same pages."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._compiled[bucket.key, bucket.checksum] = bucket.code


def use() -> None:
    """Replace what is slow, for as long as this process lives."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._hasher = cheap
    passwords._NO_ACCOUNT = cheap.hash("nobody's")
    os.fsync = lambda _file: None
    session._prepare_sqlite = _prepare_sqlite
    Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}
    sandbox.run = children.run
    Rule._compile_builder = _compile_builder_when_used  # type: ignore[method-assign]


def share_statements(engine: Engine) -> None:
    """Let `engine` use the SQL that earlier ones of its kind have compiled."""
    if engine.name not in _shared:
        engine.connect().close()  # a dialect learns of its database at the first connection
        _shared[engine.name] = engine.dialect, LRUCache(_STATEMENTS)
    engine.dialect, engine._compiled_cache = _shared[engine.name]


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    SHIPPED.prepare_sqlite(connection, record)
    connection.execute("PRAGMA synchronous=OFF")


def _compile_builder_when_used(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    """Werkzeug compiles code that builds addresses for every route of every app; a test uses a few."""
    builder: list[Callable[..., Any]] = []

    def build(self: Rule, **values: object) -> Any:
        if not builder:
            builder.append(SHIPPED.compile_builder(rule, append_unknown))
        return builder[0](self, **values)

    return build
