"""The learned cut-out in onnxruntime: any network of a known layout, and the one `make cutout` brings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from PIL import Image

from acr3d import sandbox
from acr3d.outlines import method
from acr3d.outlines.extraction.find_outline import find_outline
from acr3d.settings import SettingsError, from_environment
from tests.support.photographed import PLATE, SIDE, STEEL, as_file, disc, in_clutter, iou, on_paper

pytestmark = pytest.mark.needs("cutout")
DEMO = Path(__file__).parents[2] / "demo" / "photos"


def tiny_network(path: Path, name: str = "input", side: int | None = None, dark_is_part: bool = True) -> Path:
    """A network in which what is dark is the part; its input has this name, and this size or any."""
    import onnx
    from onnx import TensorProto, helper

    sides = [side, side] if side else ["height", "width"]
    slope = -40.0 if dark_is_part else 40.0
    nodes = [
        helper.make_node("ReduceMean", [name], ["grey"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["grey", "slope"], ["steep"]),
        helper.make_node("Sub", ["steep", "shift"], ["shifted"]),
        helper.make_node("Sigmoid", ["shifted"], ["alpha"]),
    ]
    numbers = [
        helper.make_tensor("slope", TensorProto.FLOAT, [1], [slope]),
        helper.make_tensor("shift", TensorProto.FLOAT, [1], [4.0]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, *sides])],
        [helper.make_tensor_value_info("alpha", TensorProto.FLOAT, [1, 1, *sides])],
        numbers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def alpha_of_file(model: Path, photo: Path, folder: Path) -> np.ndarray:
    """The alpha that a child running `model` writes of the photo."""
    report = sandbox.run(
        "acr3d.cutout",
        [str(model), "512", str(folder), str(photo)],
        sandbox.Limits(seconds=60, memory_mb=520),
        reads=[model, method.WEIGHTS, photo],
        folder=folder,
        lock=None,
    )
    assert report == {"written": [True]}
    with Image.open(folder / "0.png") as image:
        return np.asarray(image, np.float32) / 255


@pytest.mark.parametrize(("name", "side"), [("input", None), ("input", 320), ("input.1", 320)])
def test_a_network_of_ones_own_finds_the_part(tmp_path: Path, name: str, side: int | None) -> None:
    model, photo = tiny_network(tmp_path / "own.onnx", name, side), tmp_path / "photo.png"
    photo.write_bytes(as_file(in_clutter((PLATE, STEEL))).read())

    alpha = alpha_of_file(model, photo, tmp_path)

    assert iou(alpha > 0.5, PLATE) > 0.93


def test_a_small_part_is_looked_at_twice_for_its_rim(tmp_path: Path) -> None:
    small = disc(300, 300, 40)
    model, photo = tiny_network(tmp_path / "own.onnx", side=128), tmp_path / "photo.png"
    photo.write_bytes(as_file(on_paper((small, STEEL))).read())

    assert iou(alpha_of_file(model, photo, tmp_path) > 0.5, small) > 0.95


def test_a_file_that_is_no_network_is_refused_with_a_sentence(tmp_path: Path) -> None:
    model, photo = tmp_path / "own.onnx", tmp_path / "photo.png"
    model.write_bytes(b"no network")
    photo.write_bytes(as_file(on_paper((PLATE, STEEL))).read())

    with pytest.raises(sandbox.ChildRefused, match=r"own\.onnx is no ONNX network"):
        alpha_of_file(model, photo, tmp_path)


def test_another_file_under_the_same_path_is_another_method(tmp_path: Path, app: Flask) -> None:
    path = tiny_network(tmp_path / "own.onnx")
    config = replace(app.extensions["acr3d_settings"], cutout=True, cutout_model=path)
    before = method.method(config)

    tiny_network(path, dark_is_part=False)
    os.utime(path, (1, 1))

    assert method.method(config) != before
    assert method.method(config).startswith("own-")


def test_a_model_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ACR3D_CUTOUT_MODEL"):
        from_environment({"ACR3D_INSTANCE": str(tmp_path), "ACR3D_CUTOUT_MODEL": str(tmp_path / "none.onnx")})


@pytest.mark.parametrize("name", ["oil-filter-front", "toy-car-left"])
def test_the_published_network_cuts_a_part_out_of_clutter(tmp_path: Path, name: str) -> None:
    with Image.open(DEMO / f"{name}.jpg") as image:
        whole = np.asarray(image.convert("RGB").resize((SIDE, SIDE)))
    part = find_outline(whole).mask
    assert part is not None
    taken = in_clutter()
    taken[part] = whole[part]
    photo = tmp_path / "photo.png"
    photo.write_bytes(as_file(taken).read())

    alpha = alpha_of_file(method.GRAPH, photo, tmp_path)

    assert iou(find_outline(taken, alpha).mask, part) > 0.9
