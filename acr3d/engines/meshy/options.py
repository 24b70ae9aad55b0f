"""What may be chosen for a model of Meshy's, and what it costs.

Bounds and defaults follow Meshy's multi-image-to-3d page, June to August 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acr3d.engines.base import EngineModel
from acr3d.engines.options import InvalidOption, OneLine, Option, Switch, WholeNumber
from acr3d.messages.message import Message

MAX_PROMPT = 600  # newer pages say 800
# Those that take several photos, the newest first: Meshy's deprecation page, autumn 2026.
MODELS = (
    EngineModel(name="meshy-7.1", hint=Message("model.newest")),
    EngineModel(name="meshy-7", hint=Message("model.leaving"), is_leaving=True),
    EngineModel(name="meshy-6", hint=Message("model.emission")),
    EngineModel(name="meshy-6-lite", hint=Message("model.lite")),
)
RETIRED_MODELS = frozenset({"meshy-3", "meshy-4", "meshy-5", "meshy-t1"})
POLYCOUNT_RANGE = (100, 300_000)


def options(polycount: int, *, on_form: bool) -> dict[str, Option]:
    """The options with `polycount` as the default; `on_form`: whether the Generate form shows them."""
    low, high = POLYCOUNT_RANGE
    return {
        "target_polycount": WholeNumber(
            label=Message("option.label_polycount"), default=polycount, low=low, high=high, on_form=on_form
        ),
        "enable_pbr": Switch(label=Message.plain("“enable_pbr”"), default=True, on_form=on_form),
        "texture_prompt": OneLine(
            label=Message("option.label_prompt"), default="", max_length=MAX_PROMPT, on_form=on_form
        ),
        # Redrawn photos would make another part: docs/decisions/0007-meshy-client.md.
        "image_enhancement": Switch(label=Message.plain("“image_enhancement”"), default=False, on_form=False),
    }


@dataclass(frozen=True)
class CreateOptions:
    """The options of one order, in bounds."""

    ai_model: str = "meshy-7.1"
    target_polycount: int = 100_000
    enable_pbr: bool = True
    texture_prompt: str = ""
    image_enhancement: bool = False

    def __post_init__(self) -> None:
        if not self.ai_model:
            raise InvalidOption(Message("option.no_model"))

    def body(self) -> dict[str, Any]:
        """The request's parameters beside the images.

        What has a drifting default is always sent: without `should_remesh` the answer is a raw mesh of a
        million triangles and `target_polycount` has no effect.
        """
        body: dict[str, Any] = {
            "ai_model": self.ai_model,
            "should_texture": True,
            "enable_pbr": self.enable_pbr,
            "texture_resolution": "2k",
            "image_enhancement": self.image_enhancement,
            "should_remesh": True,
            "topology": "triangle",
            "target_polycount": self.target_polycount,
            "target_formats": ["glb"],
        }
        return body | ({"texture_prompt": self.texture_prompt} if self.texture_prompt else {})


def price_estimate(model: str, config: Mapping[str, object]) -> int:
    """The credits that Meshy will probably charge for a request with these parameters.

    From its price table of autumn 2026; an unknown model is assumed to be an expensive one. The task's
    `consumed_credits` is what counts.
    """
    credits = 5 if model == "meshy-6-lite" else 20
    if config.get("should_texture", True):
        credits += 15 if config.get("texture_resolution") == "8k" else 10
    return credits + (5 if config.get("geometry_resolution") == "2k" else 0)
