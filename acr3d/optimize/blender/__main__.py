"""`python -m acr3d.optimize.blender FOLDER`: bake a full mesh's normals into the map of its reduced mesh.

FOLDER holds `full.npz` and `reduced.npz` (positions, normals, uv, faces as in glTF) and `normal.png`, the
full mesh's normal map. Both meshes share one texture layout. It writes `baked.png`, of the same size.

There are two bakes and no rays between the meshes. First the full mesh's normals, with its normal map, are
baked into the texture layout in object space, and from there into the reduced mesh's tangent space. Rays from
one surface to the other would hit the wrong layer wherever a model is thin.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np

_PR_SET_PDEATHSIG = 1
_MARGIN = 8
_LAYOUT = "layout"


def main(folder: Path) -> None:
    """Bake and print the report as acr3d's child processes do."""
    # A bake holds the GIL, so the thread that watches stdin would notice the parent's end too late.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _set_up_cycles(int(os.environ.get("ACR3D_THREADS", "1")))
    normals = bpy.data.images.load(str(folder / "normal.png"))
    normals.colorspace_settings.name = "Non-Color"
    directions = _new_image("directions", normals.size, is_float=True)
    _bake(folder / "full.npz", normals, "TANGENT", directions, "OBJECT")
    bpy.data.images.remove(normals)
    baked = _new_image("baked", directions.size, is_float=False)
    _bake(folder / "reduced.npz", directions, "OBJECT", baked, "TANGENT")
    baked.filepath_raw, baked.file_format = str(folder / "baked.png"), "PNG"
    baked.save()
    print(json.dumps({"report": {"version": bpy.app.version_string}}), flush=True)


def _set_up_cycles(threads: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.cycles.device, scene.cycles.samples = "CPU", 1


def _new_image(name: str, size: Any, is_float: bool) -> Any:
    image = bpy.data.images.new(name, *size, float_buffer=is_float)
    image.colorspace_settings.name = "Non-Color"
    return image


def _bake(mesh: Path, source: Any, source_space: str, target: Any, target_space: str) -> None:
    """Bake the normals of `mesh` with the normal map `source` into the image `target`."""
    shown = _object(mesh)
    shown.data.materials.append(_material(source, source_space, target))
    shown.select_set(True)
    bpy.context.view_layer.objects.active = shown
    bpy.ops.object.bake(
        type="NORMAL", normal_space=target_space, margin=_MARGIN, margin_type="EXTEND", use_clear=True
    )
    data = shown.data
    bpy.data.objects.remove(shown)
    bpy.data.meshes.remove(data)


def _object(path: Path) -> Any:
    """Add the mesh to the scene. Blender's texture coordinates start at the bottom."""
    with np.load(path) as arrays:
        positions, normals, uv, faces = (arrays[name] for name in ("positions", "normals", "uv", "faces"))
    mesh = bpy.data.meshes.new(path.stem)
    mesh.vertices.add(len(positions))
    mesh.vertices.foreach_set("co", positions.ravel())
    corners = faces.ravel().astype(np.int32)
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, len(corners), 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    layout = np.stack([uv[corners, 0], 1 - uv[corners, 1]], axis=1)
    mesh.uv_layers.new(name=_LAYOUT).data.foreach_set("uv", layout.ravel())
    mesh.normals_split_custom_set_from_vertices(normals.tolist())
    shown = bpy.data.objects.new(path.stem, mesh)
    bpy.context.scene.collection.objects.link(shown)
    return shown


def _material(source: Any, space: str, target: Any) -> Any:
    """A material with `source` as its normal map; Blender bakes into the active texture, `target`."""
    material = bpy.data.materials.new(space)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    texture, normal = nodes.new("ShaderNodeTexImage"), nodes.new("ShaderNodeNormalMap")
    texture.image, normal.space, normal.uv_map = source, space, _LAYOUT
    links.new(texture.outputs["Color"], normal.inputs["Color"])
    links.new(normal.outputs["Normal"], shader.inputs["Normal"])
    baked = nodes.new("ShaderNodeTexImage")
    baked.image = target
    nodes.active = baked
    return material


if __name__ == "__main__":
    main(Path(sys.argv[1]))
