"""What a row of an import changes, for people: each field old and new in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acr3d.db.models import ImportRow
from acr3d.imports.plan import Action
from acr3d.parts.fields import FIELDS, Field

_LONGEST = 200


@dataclass(frozen=True)
class Difference:
    """One field that a row changes, in words."""

    label: str
    before: str
    after: str


def differences(row: ImportRow) -> list[Difference]:
    """What a row changes, or what a new part begins with."""
    shown = [field for field in FIELDS if field.name in row.after]
    if row.action == Action.NEW:
        shown = [field for field in shown if field.name != "sku"]
    return [
        Difference(
            str(one.label), _in_words(one, row.before.get(one.name)), _in_words(one, row.after[one.name])
        )
        for one in shown
    ]


def _in_words(field: Field, value: Any) -> str:
    words = field.kind.in_words(field.kind.to_form(value))
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "…"
