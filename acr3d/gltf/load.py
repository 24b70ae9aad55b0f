"""Reading a model that nobody vouches for: everything is checked before anything is believed."""

from __future__ import annotations

from acr3d.gltf.check_buffers import check_contents
from acr3d.gltf.check_json import check_structure
from acr3d.gltf.model import Model
from acr3d.optimize.inspect import ModelFacts, gather


def checked(model: Model) -> ModelFacts:
    """The facts of an opened model. Raises BadModel, naming the place, at the first thing that is wrong."""
    check_structure(model)
    check_contents(model)
    return gather(model)
