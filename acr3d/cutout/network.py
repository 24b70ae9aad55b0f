"""Run a saliency network (IS-Net, U²-Net, BiRefNet) as ONNX: a photo in, the part's alpha out.

Memory decides the options. The weights lie in a file of their own beside the graph and are mapped, not
read; onnxruntime's first graph level keeps them as they are (the next one would copy them into blocks), and
without a memory pattern the arena is not allocated twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

Alpha = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]

_MULTIPLE = 64  # IS-Net halves the picture six times
_SMALLEST = 128
_FIXED_SIDES = (128, 4096)  # what a side of a network with a size of its own may be
_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FINE_SHARE = 0.6  # of the picture: a smaller part is looked at again, by itself
_MARGIN = 0.15  # around the part in the second look, as a share of its longer side
_PART = 0.5  # the alpha from which a pixel counts as the part


class BadNetwork(Exception):
    """The file is no network of a known layout. `str()` is a sentence for the operator."""


@dataclass(frozen=True)
class _Layout:
    """The network's input: `sides` (height, width) if they are fixed, and how it wants its colours."""

    sides: tuple[int, int] | None
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    gives_logits: bool


class Network:
    """The network in `path`, run by `threads` threads. Raises BadNetwork."""

    def __init__(self, path: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.enable_mem_pattern = False
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common class
            raise BadNetwork(f"{path.name} is no ONNX network that onnxruntime can run: {error}") from error
        self._layout = _layout(self._session, path)

    def alpha(self, pixels: Pixels, side: int) -> Alpha:
        """The alpha of a photo (height, width, 3), each from 0 to 1, looked at with its longest side `side`.

        A part that is small in the picture is looked at a second time by itself, for its rim.
        """
        first = self._look(pixels, side)
        box = _part_box(first)
        if box is None:
            return first
        left, top, right, bottom = box
        second = self._look(pixels[top:bottom, left:right], side)
        combined = np.zeros_like(first)
        combined[top:bottom, left:right] = second
        is_lost = second.sum() < 0.5 * first.sum()
        return first if is_lost else combined

    def _look(self, pixels: Pixels, side: int) -> Alpha:
        layout = self._layout
        height, width = pixels.shape[:2]
        sides = layout.sides or _fitting_sides(height, width, side)
        image = Image.fromarray(pixels)
        scaled = np.asarray(image.resize(sides[::-1], Image.Resampling.BILINEAR), np.float32)
        mean, deviation = (np.array(one, np.float32) for one in (layout.mean, layout.deviation))
        colours = (scaled / 255 - mean) / deviation
        wanted, given = self._session.get_outputs()[0].name, self._session.get_inputs()[0].name
        answer = self._session.run([wanted], {given: colours.transpose(2, 0, 1)[None]})[0]
        alpha = np.asarray(answer, np.float32).reshape(answer.shape[-2:])
        if layout.gives_logits:
            alpha = 1 / (1 + np.exp(-alpha))
        whole = Image.fromarray(alpha).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(whole).clip(0, 1)


def _layout(session: onnxruntime.InferenceSession, path: Path) -> _Layout:
    """By what tells the three layouts apart: the names of their inputs and the number of their outputs."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if inputs else []
    if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or inputs[0].type != "tensor(float)":
        raise BadNetwork(f"{path.name} must take one picture of shape (1, 3, height, width) of floats.")
    fixed = tuple(size for size in shape[2:] if isinstance(size, int))
    if fixed and not (len(fixed) == 2 and all(_FIXED_SIDES[0] <= one <= _FIXED_SIDES[1] for one in fixed)):
        raise BadNetwork(f"{path.name} takes pictures of a size that cannot be used: {shape[2:]}.")
    sides = (fixed[0], fixed[1]) if fixed else None
    if inputs[0].name == "input_image":  # BiRefNet: its answer comes before the sigmoid
        return _Layout(sides, _IMAGENET_MEAN, _IMAGENET_DEVIATION, gives_logits=True)
    if inputs[0].name.startswith("input."):  # U²-Net
        return _Layout(sides, _IMAGENET_MEAN, _IMAGENET_DEVIATION, gives_logits=False)
    return _Layout(sides, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0), gives_logits=False)  # IS-Net


def _fitting_sides(height: int, width: int, side: int) -> tuple[int, int]:
    """(height, width) in the picture's proportions, multiples of what the network needs."""
    scale = side / max(height, width)
    fitted = [max(_SMALLEST, round(size * scale / _MULTIPLE) * _MULTIPLE) for size in (height, width)]
    return fitted[0], fitted[1]


def _part_box(alpha: Alpha) -> Box | None:
    """(left, top, right, bottom) of the part with a margin; None if there is none or it is large."""
    part = alpha > _PART
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    if not len(rows):
        return None
    longest = max(rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0])
    if longest > _FINE_SHARE * max(alpha.shape):
        return None
    margin = round(_MARGIN * longest)
    height, width = alpha.shape
    return (
        max(0, int(columns[0]) - margin),
        max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
        min(height, int(rows[-1]) + 1 + margin),
    )
