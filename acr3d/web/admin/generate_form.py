"""Which photos, engine and options the form of the Generate panel holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from acr3d.db.models import MODEL_LEVELS, PartImage
from acr3d.errors import InvalidInput
from acr3d.jobs.service import MOST
from acr3d.parts.angles import angle_name
from acr3d.photo_checks.inspection.best_photos import PREFERRED_ORDER


@dataclass
class Choice:
    """The form as it stands: `used` photo ids, the side of every photo, and the engine's options."""

    used: set[str] = field(default_factory=set)
    angles: dict[str, str] = field(default_factory=dict)
    engine: str | None = None
    polycount: str = ""
    pbr: bool = True
    prompt: str = ""
    level: str = MODEL_LEVELS[0]
    other_sides: bool = True

    @classmethod
    def suggested(cls, images: Sequence[PartImage], best: Sequence[PartImage] = ()) -> Choice:
        """The photos that make the best model: what the check of them found `best`, else by their labels, the
        first of each side, four at most."""
        first: dict[str, str] = {}
        for image in images:
            if image.angle_label and image.storage_path:
                first.setdefault(image.angle_label, image.id)
        used = [first[angle] for angle in PREFERRED_ORDER if angle in first][:MOST]
        if len(best) > 1:
            used = [image.id for image in best]
        return cls(set(used), {image.id: image.angle_label or "" for image in images})

    @classmethod
    def read(cls, form: MultiDict[str, str], images: Sequence[PartImage]) -> Choice:
        """What a person sent."""
        return cls(
            used=set(form.getlist("use")),
            angles={image.id: form.get(f"angle-{image.id}", "") for image in images},
            engine=form.get("engine"),
            polycount=form.get("target_polycount", "").strip(),
            pbr="enable_pbr" in form,
            prompt=form.get("texture_prompt", "").strip(),
            level=form.get("level", MODEL_LEVELS[0]),
            other_sides="other_sides" in form,
        )

    def selected(self) -> dict[str, str]:
        """The chosen photos by side. Raises Refused when two are of one side, or one is of none."""
        selected: dict[str, str] = {}
        for image_id in sorted(self.used):
            angle = self.angles.get(image_id, "")
            if not angle:
                raise InvalidInput(_("Say for every chosen photo which side it shows."))
            if angle in selected:
                raise InvalidInput(
                    _("Two chosen photos show the same side (%(side)s).", side=angle_name(angle))
                )
            selected[angle] = image_id
        return selected

    def config(self) -> dict[str, Any]:
        """The level, and the options for the engine. Raises Refused."""
        config: dict[str, Any] = {} if self.level == MODEL_LEVELS[0] else {"level": self.level}
        if self.engine == "builtin":
            return config | ({"other_sides": True} if self.other_sides else {})
        if self.polycount:
            if not self.polycount.isascii() or not self.polycount.isdigit():
                raise InvalidInput(_("The number of triangles must be a whole number."))
            config["target_polycount"] = int(self.polycount[:9])
        config["enable_pbr"] = self.pbr
        if self.prompt:
            config["texture_prompt"] = self.prompt
        return config
