"""USDZ for Apple's AR Quick Look: one binary layer and its maps, in metres, Y up.

Sources: OpenUSD's "Usdz File Format Specification" and "UsdPreviewSurface Specification"; Apple's "Creating
USD files for Apple devices".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Kind, Sdf, Usd, UsdGeom, UsdShade, UsdUtils, Vt

from acr3d.gltf.check_buffers import check_buffers
from acr3d.gltf.check_json import check_json
from acr3d.gltf.errors import BadModel
from acr3d.gltf.model import Model
from acr3d.model_export.usd_materials import Materials
from acr3d.render.scene import PlacedPrimitive, placed_primitives

_ROOT = "/Model"
_UV_SETS = {"TEXCOORD_0": "st", "TEXCOORD_1": "st1"}


def write_usdz(source: Path, target: Path) -> dict[str, Any]:
    """Write the GLB `source` to `target`; returns what was written. Raises BadModel."""
    layer = target.with_name("model.usdc")
    with Model(source) as model:
        check_json(model)
        check_buffers(model)
        placed = list(placed_primitives(model))
        if not placed:
            raise BadModel("The model has nothing to show. Generate or export the model again.", "empty")
        stage = _new_stage(layer)
        materials = Materials(stage, Sdf.Path(f"{_ROOT}/Materials"), model, target.parent)
        for number, primitive in enumerate(placed):
            mesh = _add_mesh(stage, f"{_ROOT}/Mesh{number}", primitive)
            material = materials.material(primitive.material)
            mesh.CreateDoubleSidedAttr(materials.is_double_sided(primitive.material))
            UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    stage.GetRootLayer().Save()
    if not UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(layer)), str(target)):
        raise BadModel("The model could not be packed as USDZ.", "unsupported")
    return {"meshes": len(placed), "maps": materials.map_count}


def _new_stage(layer: Path) -> Usd.Stage:
    stage = Usd.Stage.CreateNew(str(layer))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, _ROOT).GetPrim()
    Usd.ModelAPI(root).SetKind(Kind.Tokens.component)
    stage.SetDefaultPrim(root)
    return stage


def _add_mesh(stage: Usd.Stage, path: str, primitive: PlacedPrimitive) -> UsdGeom.Mesh:
    mesh = UsdGeom.Mesh.Define(stage, path)
    points = primitive.points.astype(np.float32)
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    low, high = points.min(0), points.max(0)
    mesh.CreateExtentAttr([Gf.Vec3f(*map(float, corner)) for corner in (low, high)])
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(primitive.triangles), 3, np.int32)))
    corners = np.ascontiguousarray(primitive.triangles, np.int32).reshape(-1)
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(corners))
    if "NORMAL" in primitive.attributes:
        normals = _unit(primitive.attributes["NORMAL"]).astype(np.float32)
        mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(normals))
        mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    for name, primvar in _UV_SETS.items():
        if name in primitive.attributes:
            # From glTF's upper left corner to USD's lower left.
            uv = (primitive.attributes[name][:, :2] * (1, -1) + (0, 1)).astype(np.float32)
            made = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
                primvar, Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex
            )
            made.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(uv)))
    return mesh


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    up = np.broadcast_to([0.0, 1.0, 0.0], vectors.shape)
    return np.where(length > 0, vectors / np.maximum(length, 1e-30), up)
