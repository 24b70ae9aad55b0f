"""Reading a model that nobody vouches for: everything is checked before anything is believed."""

from __future__ import annotations

from .check import check_structure
from .contents import check_contents
from .facts import ModelFacts, gather
from .model import Model


def checked(model: Model) -> ModelFacts:
    """The facts of an opened model. Raises BadModel, naming the place, at the first thing that is wrong."""
    check_structure(model)
    check_contents(model)
    return gather(model)
