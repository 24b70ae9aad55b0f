"""Validating an untrusted model before anything in it is used."""

from __future__ import annotations

from acr3d.gltf.check_buffers import check_buffers
from acr3d.gltf.check_json import check_json
from acr3d.gltf.model import Model


def validate(model: Model) -> None:
    """Check the JSON and then the bytes. Raises BadModel, naming the place, at the first error."""
    check_json(model)
    check_buffers(model)
