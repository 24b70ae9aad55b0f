"""How outlines are found on this host: by colour alone, or with a network as well.

The network needs onnxruntime and a file with its weights, which `make cutout` brings; both stay outside the
server's process.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from acr3d.settings import Settings

HOME = Path(__file__).parents[2] / ".cutout"
GRAPH, WEIGHTS = HOME / "isnet.onnx", HOME / "isnet.weights"
COLOUR = "colour-1"
OWN_ALPHA = "own-alpha"
"""The picture was a cut-out: its alpha came with it."""
_PUBLISHED = "isnet-1"
_SIDES = ((640, 520), (512, 440))  # the longest side at which a photo is looked at, and the MB that takes


@dataclass(frozen=True)
class LearnedCutout:
    """A network in `model`, looking at photos with their longest side `side` in at most `memory_mb`.

    `files`: what it is read from.
    """

    method: str
    model: Path
    files: tuple[Path, ...]
    side: int
    memory_mb: int


def method(config: Settings) -> str:
    """The name of the method that this host uses when it has the memory; outlines of other methods expire."""
    model = _model(config)
    return COLOUR if model is None else f"{_name(model, config)}+{COLOUR}"


def learned_cutout(config: Settings) -> LearnedCutout | None:
    """The network with the largest side for which there is memory now; None if there is none."""
    model = _model(config)
    free = free_mb()
    if model is None:
        return None
    for side, memory_mb in _SIDES:
        if memory_mb <= free:
            return LearnedCutout(method(config), model, (model, WEIGHTS), side, memory_mb)
    return None


def why_unavailable(config: Settings) -> str | None:
    """Why no network can be used, as a sentence for the operator; None if one can."""
    if not config.cutout:
        return "ACR3D_CUTOUT is 0."
    if importlib.util.find_spec("onnxruntime") is None:
        return "onnxruntime is not installed. `make cutout` installs it."
    if not (config.cutout_model or HOME / "made").is_file():
        return "The learned cut-out is not installed. `make cutout` installs it."
    return None


def free_mb() -> int:
    """The memory that is available on this machine, in MB."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) >> 10


def _model(config: Settings) -> Path | None:
    if why_unavailable(config):
        return None
    return config.cutout_model or GRAPH


def _name(model: Path, config: Settings) -> str:
    """Another file of a person's own is another method, even under the same path."""
    if config.cutout_model is None:
        return _PUBLISHED
    facts = model.stat()
    text = f"{model} {facts.st_size} {facts.st_mtime_ns}"
    return f"own-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
