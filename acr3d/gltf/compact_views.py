"""Views of which only a part is still named: what lives on of them gets views of its own.

Exporters put many arrays into one view, side by side or interleaved, and compression takes some of them away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acr3d.gltf.accessors import DTYPES, element_bytes, is_meshopt
from acr3d.gltf.check_buffers import primitives
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import accessor_users, may_renumber, whole_views

_ALIGNMENT = 4
# About what the JSON says of a view.
_VIEW_JSON = 80


@dataclass(frozen=True)
class _Span:
    """`count` elements of `size` bytes that an accessor, or a part of a sparse one, finds in a view."""

    holder: Json
    count: int
    size: int
    is_vertex: bool

    @property
    def stored_size(self) -> int:
        """A vertex's values start at multiples of four bytes."""
        return self.size + (-self.size % _ALIGNMENT if self.is_vertex else 0)


def repack(model: Model) -> None:
    """Move what is left out of views that hold more than that; changes `model`."""
    if not may_renumber(model.json):
        return
    spans: dict[int, list[_Span]] = {}
    for span in _live_spans(model):
        spans.setdefault(span.holder["bufferView"], []).append(span)
    for number in spans.keys() - whole_views(model.json):
        view = model.json["bufferViews"][number]
        needed = sum(span.count * span.stored_size + _VIEW_JSON for span in spans[number])
        if needed < view["byteLength"] and model.has_bytes(number) and not is_meshopt(view):
            for span in spans[number]:
                _move(model, span)


def _live_spans(model: Model) -> Iterator[_Span]:
    vertex = {
        at
        for _, primitive in primitives(model.json)
        for holder in (primitive.get("attributes", {}), *primitive.get("targets", []))
        for at in holder.values()
    }
    for number in accessor_users(model.json):
        accessor = model.json["accessors"][number]
        size = element_bytes(accessor)
        if "bufferView" in accessor:
            yield _Span(accessor, int(accessor["count"]), size, number in vertex)
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            width = DTYPES[sparse["indices"]["componentType"]].itemsize
            yield _Span(sparse["indices"], int(sparse["count"]), width, is_vertex=False)
            yield _Span(sparse["values"], int(sparse["count"]), size, is_vertex=False)


def _move(model: Model, span: _Span) -> None:
    number = span.holder["bufferView"]
    stride = int(model.json["bufferViews"][number].get("byteStride", span.size))
    offset, length = int(span.holder.pop("byteOffset", 0)), stride * (span.count - 1) + span.size
    content = model.view(number, offset, length)
    rows = np.ndarray((span.count, span.size), np.uint8, buffer=content, strides=(stride, 1))
    padding = span.stored_size - span.size
    span.holder["bufferView"] = view = model.add_view(np.pad(rows, ((0, 0), (0, padding))).tobytes())
    if padding:
        model.json["bufferViews"][view]["byteStride"] = span.stored_size
