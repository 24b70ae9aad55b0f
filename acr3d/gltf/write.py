"""Writing a Model as a GLB. Bytes are copied from the old file to the new one, one view at a time."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acr3d.gltf.compact_views import compact_views
from acr3d.gltf.extensions import MESHOPT
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import prune

_ALIGNMENT = 4


@dataclass(frozen=True)
class _BinRange:
    """Bytes to be written at `offset` of the BIN chunk."""

    offset: int
    length: int
    read: Callable[[], bytes]


def write_glb(model: Model, path: Path) -> int:
    """Write the model, without anything unused; return the file's length in bytes.

    The Model cannot be used afterwards: its JSON now describes the new file.
    """
    compact_views(model)
    model.renumber_views(prune(model.json))
    ranges = _lay_out(model)
    length = ranges[-1].offset + ranges[-1].length if ranges else 0
    _set_buffers(model.json, length)
    text = json.dumps(model.json, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    chunk = length + -length % _ALIGNMENT
    total = 20 + len(text) + (8 + chunk if chunk else 0)
    with path.open("wb") as out:
        out.write(struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON") + text)
        if chunk:
            out.write(struct.pack("<I4s", chunk, b"BIN\0"))
        at = 0
        for each in ranges:
            out.write(bytes(each.offset - at) + each.read())
            at = each.offset + each.length
        out.write(bytes(chunk - at))
    return total


def _lay_out(model: Model) -> list[_BinRange]:
    """Give every view, and every meshopt stream of a view, its new offset."""
    ranges: list[_BinRange] = []
    fallbacks = _fallback_numbers(model)
    end = 0
    for number, view in enumerate(model.json.get("bufferViews", [])):
        holders = [(view, model.view_reader(number))] if model.has_bytes(number) else []
        if not holders:
            view["buffer"] = fallbacks[view["buffer"]]
        for name in MESHOPT:
            packed = view.get("extensions", {}).get(name)
            if packed is not None:
                holders.append((packed, model.range_reader(packed)))
        for holder, read in holders:
            # Accessors are aligned by the sum of two offsets, so a view keeps its remainder.
            start = end + (int(holder.get("byteOffset", 0)) - end) % _ALIGNMENT
            end = start + int(holder["byteLength"])
            holder["buffer"], holder["byteOffset"] = 0, start
            ranges.append(_BinRange(start, end - start, read))
    return ranges


def _fallback_numbers(model: Model) -> dict[int, int]:
    """New numbers of meshopt fallback buffers, which come after the BIN chunk's buffer."""
    buffers = model.json.get("buffers", [])
    old = [number for number in range(len(buffers)) if not model.buffer_has_bytes(number)]
    return {number: new for new, number in enumerate(old, 1)}


def _set_buffers(data: Json, length: int) -> None:
    """One buffer for the BIN chunk, then the fallback buffers, which have no bytes."""
    buffers = data.get("buffers", [])
    fallbacks = [b for b in buffers if any(name in b.get("extensions", {}) for name in MESHOPT)]
    main: Json = next((b for b in buffers if b not in fallbacks), {})
    main = {key: value for key, value in main.items() if key != "uri"} | {"byteLength": length}
    data["buffers"] = [main, *fallbacks]
    if not length:
        del data["buffers"]
