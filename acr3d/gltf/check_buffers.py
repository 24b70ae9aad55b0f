"""Whether the bytes hold what the JSON promises: finite numbers, indices in range, images and streams."""

from __future__ import annotations

import numpy as np

from acr3d.gltf import draco, image_header
from acr3d.gltf.accessors import COMPONENTS, FLOAT, Array, is_readable, read_accessor
from acr3d.gltf.errors import damaged, unsupported
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.texture_slots import images_of_unknown_extensions
from acr3d.gltf.traversal import image_place, primitives, triangle_count


def check_buffers(model: Model) -> None:
    """Check the contents of a model whose JSON was checked. Raises BadModel at the first error."""
    _check_images(model)
    for number, accessor in enumerate(model.json.get("accessors", [])):
        if accessor["componentType"] == FLOAT and is_readable(model, number):
            _check_finite(read_accessor(model, number), f"accessors[{number}]")
    checked: set[tuple[int, int]] = set()
    for place, primitive in primitives(model.json):
        if DRACO in primitive.get("extensions", {}):
            _check_draco(model, primitive, place)
        elif "indices" in primitive and primitive["attributes"]:
            count = int(model.json["accessors"][next(iter(primitive["attributes"].values()))]["count"])
            if (primitive["indices"], count) not in checked:
                _check_indices(model, primitive["indices"], count)
                checked.add((primitive["indices"], count))


def _check_images(model: Model) -> None:
    """An image may have any format if only an unknown extension shows it, beside a known one."""
    exempt = images_of_unknown_extensions(model.json)
    for number in range(len(model.json.get("images", []))):
        place = image_place(model.json, number)
        facts = image_header.read_image_header(model.image_bytes(number), place)
        if facts == image_header.UNKNOWN and number not in exempt:
            raise unsupported(place, "is not a PNG, JPEG, WebP, AVIF or KTX2 image")


def _check_finite(values: Array, place: str) -> None:
    if not np.isfinite(values).all():
        raise damaged(place, "holds a value that is not a number")


def _check_indices(model: Model, number: int, count: int) -> None:
    if not is_readable(model, number):
        return
    highest = int(read_accessor(model, number).max())
    if highest >= count:
        raise damaged(f"accessors[{number}]", f"points at vertex {highest}, but there are only {count}")


def _check_draco(model: Model, primitive: Json, place: str) -> None:
    packed, accessors = primitive["extensions"][DRACO], model.json["accessors"]
    place = f"{place}.extensions.{DRACO}"
    stream = model.view_bytes(packed["bufferView"])
    vertices = int(accessors[primitive["attributes"]["POSITION"]]["count"])
    triangles = triangle_count(model.json, primitive)
    draco.check_claims(stream, triangles, vertices, place)
    mesh = draco.decode(stream, place)
    if (len(mesh.faces), mesh.count) != (triangles, vertices) or mesh.faces.max(initial=0) >= vertices:
        raise damaged(place, "does not hold the triangles and vertices that its accessors promise")
    for name, unique_id in packed.get("attributes", {}).items():
        accessor = accessors[primitive["attributes"][name]]
        values = mesh.attributes.get(unique_id)
        if values is None or values.shape != (vertices, COMPONENTS[accessor["type"]]):
            raise damaged(
                f"{place}.attributes.{name}", f"is {unique_id}, an id that the stream does not have"
            )
        if values.dtype.kind == "f":
            _check_finite(values, f"{place}.attributes.{name}")
