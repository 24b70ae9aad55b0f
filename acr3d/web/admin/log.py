"""The log: who changed what, from what to what. For admins only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.accounts import audit_log
from acr3d.db.models import LOG_KINDS, LogEntry
from acr3d.foreign import storable, whole
from acr3d.parts import fields
from acr3d.parts.angles import angle_name
from acr3d.parts.skus import look
from acr3d.web import badges, labels

bp = Blueprint("log", __name__, url_prefix="/log")


@bp.get("")
def index() -> ResponseReturnValue:
    asked = {
        name: storable(request.args[name]).strip()
        for name in ("person", "part", "kind")
        if name in request.args
    }
    kind = asked.get("kind", "")
    person = asked.get("person") or None
    page = audit_log.page(
        actor="" if person == _SERVER else person,
        sku_look=look(asked.get("part", "")),
        kind=kind if kind in LOG_KINDS else "",
        before=whole(request.args.get("before", type=int)),
    )
    return render_template(
        "admin/log.html",
        page=page,
        asked={name: value for name, value in asked.items() if value},
        people=[(one or _SERVER, one or _("the server")) for one in audit_log.actors()],
        kinds=_kinds(),
        said=_said,
        changes=_changes,
        is_newest="before" not in request.args,
    )


_SERVER = "server"  # no email address


def _kinds() -> dict[str, str]:
    return {
        "part": _("Part"),
        "photo": _("Photo"),
        "model": _("3D model"),
        "job": _("Job"),
        "category": _("Category"),
        "account": _("Account"),
        "token": _("API token"),
        "setting": _("Settings"),
    }


def _said(entry: LogEntry) -> str:
    """The thing and what was done to it."""
    label = entry.label
    if entry.kind == "photo" and label:
        label = angle_name(label)
    elif entry.kind == "job" or (entry.kind == "setting" and label):
        label = labels.engine_name(label)
    elif entry.kind == "part":
        label = ""  # the next column shows it
    done = {
        "created": _("created"),
        "changed": _("changed"),
        "deleted": _("deleted"),
        "restored": _("brought back"),
    }
    thing = " ".join(filter(None, (_kinds()[entry.kind], label)))
    return f"{thing}: {done[entry.action]}"  # apart, since some languages bend the word to fit the thing


def _changes(entry: LogEntry) -> list[tuple[str, str, str]]:
    """What was changed, its value before and its value after; both empty where values are not told."""
    return [
        (_name(field), *(("", "") if field in _UNTOLD else (_value(field, before), _value(field, after))))
        for field, (before, after) in entry.changes.items()
    ]


_UNTOLD = ("password", "sessions", "link", "logo_sha256")


def _name(field: str) -> str:
    names = {
        "angle_label": _("Angle"),
        "alt_text": _("Alt text"),
        "background": _("Photos for customers"),
        "caption": _("Caption"),
        "state": _("Status"),
        "size_confirmed_at": _("Size confirmed"),
        "path": _("Name"),
        "role": _("Role"),
        "disabled_at": _("Disabled"),
        "password": _("Password"),
        "sessions": _("Logged out everywhere"),
        "link": _("Link for a new password"),
        "second_factor": _("Second step at login"),
        "admins_need_code": _("Admins need a second step"),
        "offers_downloads": _("Downloads for customers"),
        "webhook_notices": _("Notices for the webhook"),
        "model": _("Model of the engine"),
        "name": _("Name"),
        "email": _("Email address"),
        "phone": _("Phone"),
        "whatsapp": _("WhatsApp"),
        "accent": _("Colour"),
        "logo_sha256": _("Logo"),
        "currency": _("Currency"),
        "units": _("Sizes and weights"),
        "languages": _("Languages of the public pages"),
        "photo_background": _("Photos for customers"),
        "review_before_publish": _("Every new model waits for review"),
        "ask_agreement": _("Ask below this agreement, in per cent"),
        "monthly_budget": _("Budget a month, in credits"),
        "user_monthly_limit": _("Limit of each person a month, in credits"),
        "low_balance": _("Warn below this balance, in credits"),
        "hotspots": _("Hotspots"),
        **{one.name: str(one.label) for one in fields.FIELDS},
    }
    return str(names.get(field, field))


def _value(field: str, value: Any) -> str:
    if value is None or value == "" or value == {}:
        return "–"
    if isinstance(value, bool) or field in ("disabled_at", "size_confirmed_at"):
        return str(_("Yes") if value else _("No"))
    if field == "angle_label":
        return angle_name(value)
    if field == "state":
        return badges.version_badge(value).word
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    return str(value)
