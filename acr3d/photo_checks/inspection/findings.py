"""What a check may find, as words for programs; `acr3d.photo_checks.advice` has the sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PhotoFinding:
    """`code` says what; `photos` whom it concerns, as places in the request; `facts` the particulars."""

    code: str
    photos: tuple[int, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def concerned(self) -> set[int]:
        """The photos it names, and those that might be meant instead."""
        return {*self.photos, *self.facts.get("or", ())}

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "photos": list(self.photos), **self.facts}
