"""Writes the log: what a session changes of parts, photos, models, accounts and settings, and for whom.

It is written in the transaction of the change, whoever makes it, so each change has its entry. It does
not see what SQL statements change without an object of the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import g, has_app_context
from sqlalchemy import event, insert, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from acr3d.db.models import (
    ApiToken,
    Category,
    EngineAccount,
    Job,
    LogEntry,
    ModelVersion,
    Part,
    PartImage,
    ShopOptions,
    User,
)
from acr3d.db.types import utc_now

_NOTED = "acr3d_log"
_LONGEST = 500
_KINDS: dict[type, tuple[str, tuple[str, ...]]] = {
    Part: (
        "part",
        (
            *("sku", "name", "description", "brand", "category_id", "condition", "availability"),
            *("width_mm", "height_mm", "depth_mm", "weight_g", "price", "currency", "price_unit"),
            *("attributes", "number_rows", "fitment_rows", "is_published"),
        ),
    ),
    PartImage: ("photo", ("angle_label", "alt_text", "caption", "background")),
    ModelVersion: ("model", ("state", "size_confirmed_at", "hotspots")),
    Job: ("job", ()),
    Category: ("category", ("path",)),
    User: ("account", ("role", "disabled_at", "session_epoch", "link_expires_at", "totp_secret")),
    ApiToken: ("token", ()),
    ShopOptions: (
        "setting",
        (
            *("offers_downloads", "name", "email", "phone", "whatsapp", "accent", "logo_sha256", "currency"),
            *("units", "languages", "photo_background", "review_before_publish", "ask_agreement"),
            *("monthly_budget", "user_monthly_limit", "low_balance", "admins_need_code"),
            "webhook_notices",
        ),
    ),
    EngineAccount: ("setting", ("model",)),
}
"""The kind of each followed thing, and its followed columns."""
_LISTS = {"number_rows": "numbers", "fitment_rows": "fitment"}
_SETTINGS = (ShopOptions, EngineAccount)
_GONE = ("deleted_at", "revoked_at")


def act_as(email: str) -> None:
    """Log the changes of this request, or of this app context, under this email address."""
    g.acting_person = email


@contextmanager
def acting_as(email: str) -> Iterator[None]:
    """The same within a block, for work that the server does on a person's behalf."""
    before = g.get("acting_person", "")
    act_as(email)
    try:
        yield
    finally:
        act_as(before)


@event.listens_for(Session, "after_flush")
def _note(session: Session, _context: UOWTransaction) -> None:
    noted = session.info.setdefault(_NOTED, [])
    for one in session.new:
        if type(one) in _SETTINGS:
            noted.append(_entry(one, "changed", _changes(one)))
        elif type(one) in _KINDS:
            noted.append(_entry(one, "created", {}))
    for one in session.dirty:
        if type(one) in _KINDS and (change := _change(one)):
            noted.append(_entry(one, *change))
    noted.extend(_entry(one, "deleted", {}) for one in session.deleted if type(one) in _KINDS)


@event.listens_for(Session, "before_commit", insert=True)
def _write(session: Session) -> None:
    """Before `db.content_stamp`, whose row is the last that a transaction locks."""
    session.flush()
    entries = [one for one in session.info.pop(_NOTED, []) if one["action"] != "changed" or one["changes"]]
    if not entries:
        return
    actor, now = (g.get("acting_person", "") if has_app_context() else ""), utc_now()
    _name_categories(session, entries)
    session.execute(insert(LogEntry), [one | {"actor": actor, "at": now} for one in entries])


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_NOTED, None)


def _change(one: Any) -> tuple[str, dict[str, Any]] | None:
    """What was done to a row that was there, and from what to what."""
    for name in _GONE:
        state = inspect(one).attrs.get(name)
        if state is not None and state.history.has_changes():
            return ("deleted" if state.value else "restored"), {}
    changes = _changes(one)
    return ("changed", changes) if changes else None


def _changes(one: Any) -> dict[str, Any]:
    found = {}
    for name in _KINDS[type(one)][1]:
        history = inspect(one).attrs[name].history
        if not history.has_changes():
            continue
        if name in _LISTS:
            before = [*history.deleted, *history.unchanged]
            after = [*history.added, *history.unchanged]
            found[_LISTS[name]] = [_lines(before), _lines(after)]
            continue
        before, after = (_plain(values[0] if values else None) for values in (history.deleted, history.added))
        if before != after:
            found[name] = [before, after]
    return _without_secrets(one, found)


def _without_secrets(one: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Instead of the session epoch, what its change means: a new password, or a logout everywhere."""
    if "totp_secret" in found:
        found["second_factor"] = [one is not None for one in found.pop("totp_secret")]
    if found.pop("link_expires_at", [None, None])[1] is not None:
        found["link"] = [None, None]
    if "session_epoch" in found:
        del found["session_epoch"]
        has_new = inspect(one).attrs.password_hash.history.has_changes()
        if "disabled_at" not in found:
            found["password" if has_new else "sessions"] = [None, None]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONGEST]
    return value if isinstance(value, bool | int | float | dict | None) else str(value)[:_LONGEST]


def _lines(rows: list[Any]) -> str:
    """The numbers or vehicles of a part, in their order."""
    rows.sort(key=lambda row: row.position)
    names = ("kind", "value", "make", "model", "year_from", "year_to", "engine", "note")
    shown = (" ".join(str(value) for name in names if (value := getattr(row, name, None))) for row in rows)
    return "; ".join(shown)[:_LONGEST]


def _entry(one: Any, action: str, changes: dict[str, Any]) -> dict[str, Any]:
    part_id = one.id if isinstance(one, Part) else getattr(one, "part_id", None)
    kind = _KINDS[type(one)][0]
    return {"kind": kind, "action": action, "part_id": part_id, "label": _label(one), "changes": changes}


def _label(one: Any) -> str:
    """The name by which people know it."""
    match one:
        case Part():
            return one.sku
        case PartImage():
            return one.angle_label or ""
        case ModelVersion():
            return str(one.number)
        case Job() | EngineAccount():
            return one.engine
        case Category():
            return one.path
        case User():
            return one.email
        case ApiToken():
            return one.name or one.scopes
        case _:
            return ""


def _name_categories(session: Session, entries: list[dict[str, Any]]) -> None:
    """A category is written down by its path: it may be renamed or deleted later."""
    moved = [one["changes"] for one in entries if "category_id" in one["changes"]]
    if not moved:
        return
    ids = {category_id for changes in moved for category_id in changes["category_id"] if category_id}
    query = select(Category.id, Category.path).where(Category.id.in_(ids))
    paths = {category_id: path for category_id, path in session.execute(query)}  # noqa: C416
    for changes in moved:
        changes["category"] = [paths.get(one, one) for one in changes.pop("category_id")]
