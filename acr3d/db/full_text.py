"""The full-text index of `part_search.tokens`: FTS5 on SQLite, GIN on PostgreSQL. No extension is needed.

Tokens are made by us (`parts.search_text`), so neither database folds or splits text of its own accord, and
both find the same. SQLite's index is a virtual table that triggers keep in step with its content table.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, cast, column, func, literal, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY

from acr3d.db.models.search import PartSearch

SQLITE_TABLE = "part_fts"
_WORDS = "content='part_search', content_rowid='id', detail=none, columnsize=0, prefix='1 2 3'"
_FORGET = "INSERT INTO part_fts (part_fts, rowid, tokens) VALUES ('delete', old.id, old.tokens)"
_LEARN = "INSERT INTO part_fts (rowid, tokens) VALUES (new.id, new.tokens)"
# By kind and name, as `sqlite_master` shows them: a restored database may hold these and no others.
SQLITE_OBJECTS = {
    ("table", SQLITE_TABLE): (
        f"CREATE VIRTUAL TABLE part_fts USING fts5(tokens, {_WORDS}, tokenize=\"ascii tokenchars '#~'\")"
    ),
    ("trigger", "part_fts_insert"): (
        f"CREATE TRIGGER part_fts_insert AFTER INSERT ON part_search BEGIN {_LEARN}; END"
    ),
    ("trigger", "part_fts_delete"): (
        f"CREATE TRIGGER part_fts_delete AFTER DELETE ON part_search BEGIN {_FORGET}; END"
    ),
    ("trigger", "part_fts_update"): (
        "CREATE TRIGGER part_fts_update AFTER UPDATE OF id, tokens ON part_search "
        f"BEGIN {_FORGET}; {_LEARN}; END"
    ),
}
SQLITE_TABLES = frozenset(
    {SQLITE_TABLE, *(f"{SQLITE_TABLE}_{part}" for part in ("config", "data", "docsize", "idx"))}
)
"""The virtual table and those that FTS5 keeps its index in."""
SQLITE_REBUILD = "INSERT INTO part_fts (part_fts) VALUES ('rebuild')"

POSTGRES_INDEX = "ix_part_search_tokens"
POSTGRES_CREATE = (
    f"CREATE INDEX {POSTGRES_INDEX} ON part_search "
    "USING gin (array_to_tsvector(string_to_array(tokens, ' ')))"
)


def matches(expression: str, dialect: str) -> ColumnElement[bool]:
    """Whether a row of `part_search` matches `expression`, written by `any_of`, `all_of` and `token`."""
    if dialect == "postgresql":
        document = func.array_to_tsvector(func.string_to_array(PartSearch.tokens, literal(" ")))
        return document.op("@@")(cast(expression, TSQUERY))
    found: Select[int] = select(column("rowid")).select_from(table(SQLITE_TABLE))
    return PartSearch.id.in_(
        found.where(text("part_fts MATCH :expression").bindparams(expression=expression))
    )


def token(word: str, dialect: str, *, is_prefix: bool) -> str:
    """`word`, which holds letters and digits behind at most one mark, as an expression."""
    if dialect == "postgresql":
        return f"'{word}':*" if is_prefix else f"'{word}'"
    return f'"{word}"*' if is_prefix else f'"{word}"'


def all_of(expressions: list[str], dialect: str) -> str:
    return _joined(expressions, " & " if dialect == "postgresql" else " AND ")


def any_of(expressions: list[str], dialect: str) -> str:
    return _joined(expressions, " | " if dialect == "postgresql" else " OR ")


def _joined(expressions: list[str], operator: str) -> str:
    return expressions[0] if len(expressions) == 1 else f"({operator.join(expressions)})"
