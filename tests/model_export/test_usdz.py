"""USDZ files for iPhones: what Pixar's own validators say of them, their size and their maps."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from acr3d import sandbox
from acr3d.jobs.model_files import LIMITS
from tests.support.optimize_glbs import encoded, picture, textured_sphere

pytestmark = pytest.mark.needs("usdz")


def test_a_textured_model_passes_the_validators_in_true_size_with_its_maps(tmp_path: Path) -> None:
    from pxr import Usd, UsdGeom, UsdValidation

    made = textured_sphere("JPEG")
    large = made.image(encoded(picture(16, 4096, "RGBA"), "WEBP"), "image/webp")
    [material] = made.data["materials"]
    material |= {"emissiveTexture": {"index": large}, "emissiveFactor": [1, 1, 1], "alphaMode": "MASK"}
    source, target = tmp_path / "model.glb", tmp_path / "made" / "model.usdz"
    source.write_bytes(made.glb())
    target.parent.mkdir()

    report = sandbox.run(
        "acr3d.model_export",
        [str(source), str(target)],
        LIMITS,
        reads=[source],
        folder=target.parent,
        lock=None,
    )

    assert report == {"meshes": 1, "maps": 4}
    stage = Usd.Stage.Open(str(target))
    registry = UsdValidation.ValidationRegistry()
    found = UsdValidation.ValidationContext(registry.GetOrLoadAllValidators()).Validate(stage)
    assert [error.GetMessage() for error in found] == []
    assert (UsdGeom.GetStageMetersPerUnit(stage), UsdGeom.GetStageUpAxis(stage)) == (1, "Y")
    box = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default"]).ComputeWorldBound(stage.GetPseudoRoot())
    assert list(box.GetRange().GetSize()) == pytest.approx([0.1, 0.1, 0.1], rel=0.01)
    files = zipfile.ZipFile(target)
    names = files.namelist()
    assert names[0] == "model.usdc"
    maps = [Image.open(io.BytesIO(files.read(name))) for name in names[1:]]
    assert sorted((one.format, max(one.size)) for one in maps) == [("JPEG", 256)] * 3 + [("PNG", 2048)]
