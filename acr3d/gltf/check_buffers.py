"""Whether the bytes hold what the JSON promises: finite numbers, indices in range, images and streams."""

from __future__ import annotations

import numpy as np

from acr3d.gltf import draco, image_header
from acr3d.gltf.accessors import COMPONENTS, Array, is_readable, read
from acr3d.gltf.check_scene import triangle_count
from acr3d.gltf.errors import damaged, unsupported
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.texture_slots import foreign_images


def check_contents(model: Model) -> None:
    """Raise BadModel at the first content that a browser would choke on. The structure was checked before."""
    _check_images(model)
    for number, accessor in enumerate(model.json.get("accessors", [])):
        if accessor["componentType"] == 5126 and is_readable(model, number):
            _check_finite(read(model, number), f"accessors[{number}]")
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
    """What only an unknown extension shows, beside an image for the rest of us, may be of any format."""
    foreign = foreign_images(model.json)
    for number in range(len(model.json.get("images", []))):
        place = image_place(model.json, number)
        facts = image_header.inspect(model.image_bytes(number), place)
        if facts == image_header.UNKNOWN and number not in foreign:
            raise unsupported(place, "is not a PNG, JPEG, WebP, AVIF or KTX2 image")


def primitives(data: Json) -> list[tuple[str, Json]]:
    """Every primitive with its place."""
    return [
        (f"meshes[{number}].primitives[{at}]", primitive)
        for number, mesh in enumerate(data.get("meshes", []))
        for at, primitive in enumerate(mesh.get("primitives", []))
    ]


def image_place(data: Json, number: int) -> str:
    """How an image is named in a message: by its number, and its name if it has one."""
    name = data["images"][number].get("name")
    return f"images[{number}] ({name[:60]!r})" if name else f"images[{number}]"


def _check_finite(values: Array, place: str) -> None:
    if not np.isfinite(values).all():
        raise damaged(place, "holds a value that is not a number")


def _check_indices(model: Model, number: int, count: int) -> None:
    if not is_readable(model, number):
        return
    highest = int(read(model, number).max())
    if highest >= count:
        raise damaged(f"accessors[{number}]", f"points at vertex {highest}, but there are only {count}")


def _check_draco(model: Model, primitive: Json, place: str) -> None:
    packed, accessors = primitive["extensions"][DRACO], model.json["accessors"]
    place = f"{place}.extensions.{DRACO}"
    stream = model.view(packed["bufferView"])
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
            raise damaged(f"{place}.attributes.{name}", f"has the id {unique_id}, which the stream does not")
        if values.dtype.kind == "f":
            _check_finite(values, f"{place}.attributes.{name}")
