"""What an inspection reports, as codes; `acr3d.photo_checks.advice` has the sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PhotoFinding:
    """`code`: what was found; `photos`: indices of the affected photos in the request; `facts`: details."""

    code: str
    photos: tuple[int, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def concerned(self) -> set[int]:
        """The photos it names and those of the alternative explanation."""
        return {*self.photos, *self.facts.get("or", ())}

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "photos": list(self.photos), **self.facts}
