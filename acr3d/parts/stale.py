"""Nobody overwrites anybody: what somebody looked at is compared with what is there now, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from acr3d.db.models import Part
from acr3d.errors import Conflict, InvalidInput
from acr3d.parts import fields
from acr3d.parts.fields import Field


class Stale(Conflict):
    """Somebody else has changed the part since it was looked at. `part` is what it is now."""

    def __init__(self, part: Part) -> None:
        super().__init__(_("Someone else has changed this part in the meantime, so nothing was changed."))
        self.part = part


@dataclass(frozen=True)
class Seen:
    """What somebody looked at: the part's revision, and in a form also its fields as they were shown.

    A newer revision is no matter to a form whose fields are all as they were: photos and jobs count, too.
    """

    revision: int
    shown: Mapping[str, str] | None = None

    def check(self, part: Part) -> None:
        """Raises Stale."""
        if part.revision == self.revision:
            return
        if self.shown is None or changed_since(self.shown, part):
            raise Stale(part)


@dataclass(frozen=True)
class Difference:
    """A field that somebody else has changed: as it is stored now, and as it was typed."""

    field: Field
    theirs: str
    mine: str


def shown_values(part: Part) -> dict[str, str]:
    """All fields of the part as its form shows them."""
    return {field.name: _plain(field.kind.to_form(getattr(part, field.name))) for field in fields.FIELDS}


def seen_in_form(form: Mapping[str, str]) -> Seen | None:
    """What the sender of a part's form looked at; None if it does not say so."""
    revision = form.get("revision", "")
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        return None
    try:
        shown = json.loads(form.get("seen", "{}"))
    except ValueError:
        shown = {}
    known = shown.items() if isinstance(shown, dict) else ()
    return Seen(int(revision), {name: text for name, text in known if isinstance(text, str)})


def changed_since(shown: Mapping[str, str], part: Part) -> list[str]:
    """The fields that are not as they were shown."""
    return [name for name, now in shown_values(part).items() if shown.get(name) != now]


def differences(part: Part, shown: Mapping[str, str], typed: Mapping[str, object]) -> list[Difference]:
    """What somebody else has changed, where that is not what was typed."""
    now = shown_values(part)
    found = []
    for field in fields.FIELDS:
        mine = _as_shown(field, typed[field.name])
        if shown.get(field.name) != now[field.name] != mine:
            found.append(Difference(field, now[field.name], mine))
    return found


def _as_shown(field: Field, typed: object) -> str:
    """What was typed, as the form would show it once it is stored: `6,5 cm` as `65`."""
    try:
        return _plain(field.kind.to_form(field.parse(typed)))
    except InvalidInput:
        return _plain(field.kind.to_form(typed))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")
