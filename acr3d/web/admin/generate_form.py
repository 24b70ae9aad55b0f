"""The form of the Generate panel: photos, engine and options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from acr3d.db.models import MODEL_LEVELS, PartImage
from acr3d.engines.registry import engines
from acr3d.errors import InvalidInput
from acr3d.parts.angles import angle_name
from acr3d.photo_checks.suggested import suggested


@dataclass
class GenerateForm:
    """`used` are the ids of the selected photos, `angles` the angle of every photo.

    `asks_again`: the same order has given a model before, and a button repeats it.
    """

    used: set[str] = field(default_factory=set)
    angles: dict[str, str] = field(default_factory=dict)
    engine: str | None = None
    polycount: str = ""
    pbr: bool = True
    prompt: str = ""
    level: str = MODEL_LEVELS[0]
    other_sides: bool = True
    clean_photos: bool = True
    asks_again: bool = False

    @classmethod
    def suggested(cls, images: Sequence[PartImage], best: Sequence[PartImage] = ()) -> GenerateForm:
        """The photos that make the best model."""
        used = {image.id for image in suggested(images, best)}
        return cls(used, {image.id: image.angle_label or "" for image in images})

    @classmethod
    def read(cls, form: MultiDict[str, str], images: Sequence[PartImage]) -> GenerateForm:
        """The form as a person sent it."""
        return cls(
            used=set(form.getlist("use")),
            angles={image.id: image.angle_label or "" for image in images},
            engine=form.get("engine"),
            polycount=form.get("target_polycount", "").strip(),
            pbr="enable_pbr" in form,
            prompt=form.get("texture_prompt", "").strip(),
            level=form.get("level", MODEL_LEVELS[0]),
            other_sides="other_sides" in form,
            clean_photos="clean_photos" in form,
        )

    def selected(self) -> dict[str, str]:
        """The selected photos by angle. Raises InvalidInput if an angle is missing or used twice."""
        selected: dict[str, str] = {}
        for image_id in sorted(self.used):
            angle = self.angles.get(image_id, "")
            if not angle:
                raise InvalidInput(_("Choose an angle for every selected photo."))
            if angle in selected:
                raise InvalidInput(
                    _(
                        "Two selected photos have the same angle (%(side)s). Change one of them.",
                        side=angle_name(angle),
                    )
                )
            selected[angle] = image_id
        return selected

    def config(self) -> dict[str, Any]:
        """The level and the engine's options. Raises InvalidInput."""
        config: dict[str, Any] = {} if self.level == MODEL_LEVELS[0] else {"level": self.level}
        provider = engines().provider(self.engine or "") or engines().default()
        if provider.capabilities.named_views and self.other_sides:
            config["other_sides"] = True
        if not provider.capabilities.outlines and not self.clean_photos:
            config["clean_photos"] = False
        offered = {name for name, option in provider.options.items() if option.on_form}
        if self.polycount and "target_polycount" in offered:
            if not self.polycount.isascii() or not self.polycount.isdigit():
                raise InvalidInput(_("The number of triangles must be a whole number."))
            config["target_polycount"] = int(self.polycount[:9])
        if "enable_pbr" in offered:
            config["enable_pbr"] = self.pbr
        if self.prompt and "texture_prompt" in offered:
            config["texture_prompt"] = self.prompt
        return config
