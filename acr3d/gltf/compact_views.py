"""Compact buffer views of which only a part is still used.

Exporters put many arrays into one view, side by side or interleaved, and compression removes some of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acr3d.gltf.accessors import DTYPES, element_bytes, is_meshopt
from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import (
    accessor_use_counts,
    attribute_sets,
    image_and_stream_view_holders,
    primitives,
)

_ALIGNMENT = 4
# About how much JSON a view takes.
_VIEW_JSON = 80


@dataclass(frozen=True)
class _Span:
    """`count` elements of `size` bytes that an accessor, or a part of a sparse one, reads from a view."""

    holder: Json
    count: int
    size: int
    is_vertex: bool

    @property
    def stored_size(self) -> int:
        """Vertex attributes start at multiples of four bytes."""
        return self.size + (-self.size % _ALIGNMENT if self.is_vertex else 0)


def compact_views(model: Model) -> None:
    """Move what is still used out of views that hold more than that; changes `model`."""
    if not can_renumber(model.json):
        return
    spans: dict[int, list[_Span]] = {}
    for span in _used_spans(model):
        spans.setdefault(span.holder["bufferView"], []).append(span)
    for number in spans.keys() - _views_of_images_and_streams(model.json):
        view = model.json["bufferViews"][number]
        needed = sum(span.count * span.stored_size + _VIEW_JSON for span in spans[number])
        if needed < view["byteLength"] and model.has_bytes(number) and not is_meshopt(view):
            for span in spans[number]:
                _move(model, span)


def _views_of_images_and_streams(data: Json) -> set[int]:
    return {holder["bufferView"] for holder in image_and_stream_view_holders(data)}


def _used_spans(model: Model) -> Iterator[_Span]:
    vertex = {
        at
        for _, primitive in primitives(model.json)
        for attributes in attribute_sets(primitive)
        for at in attributes.values()
    }
    for number in accessor_use_counts(model.json):
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
    # A matrix at the end of its view may lack its last padding.
    available = int(model.json["bufferViews"][number]["byteLength"]) - offset
    content = model.view_bytes(number, offset, min(length, available)).ljust(length, b"\0")
    rows = np.ndarray((span.count, span.size), np.uint8, buffer=content, strides=(stride, 1))
    padding = span.stored_size - span.size
    span.holder["bufferView"] = view = model.add_view(np.pad(rows, ((0, 0), (0, padding))).tobytes())
    if padding:
        model.json["bufferViews"][view]["byteStride"] = span.stored_size
