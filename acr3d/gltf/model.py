"""An open GLB file: its JSON in memory, its binary data read from the file when needed."""

from __future__ import annotations

import base64
import codecs
import functools
import io
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import unquote_to_bytes

from acr3d.gltf import limits
from acr3d.gltf.errors import BadModel, damaged, too_large
from acr3d.gltf.extensions import MESHOPT
from acr3d.gltf.file_range import FileRange
from acr3d.gltf.json_fields import Json, child, extension, integer, objects, text
from acr3d.messages.message import Message

_HEADER = struct.Struct("<4sII")
_CHUNK = struct.Struct("<I4s")


class Model:
    """An open GLB. `json` may be changed freely; buffer views are read, replaced and added by index.

    Opening raises BadModel if the container is invalid; `validate` checks the rest. Bytes are read with
    pread, one range at a time, so memory holds only what is being worked on.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        try:
            self.bytes_in = os.fstat(self._file).st_size
            text_bytes, self._bin_start, self._bin_length = self._read_container()
            self.has_bom = text_bytes.startswith(codecs.BOM_UTF8)
            self.json = _parse(text_bytes)
            placeholders = _placeholders(self.json)
            self._buffers = [
                self._open_buffer(number, buffer, number in placeholders)
                for number, buffer in enumerate(objects(self.json, "buffers"))
            ]
        except BaseException:
            os.close(self._file)
            raise
        self._changed: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    # --- buffer views ---

    def has_bytes(self, view: int) -> bool:
        """Whether the view's own bytes are in the file; those of a meshopt fallback buffer are not."""
        return view in self._changed or self.buffer_has_bytes(self.json["bufferViews"][view]["buffer"])

    def buffer_has_bytes(self, buffer: int) -> bool:
        """Whether a buffer's bytes are in the file; those of a meshopt fallback buffer are not."""
        return self._buffers[buffer] is not None

    def view_bytes(self, view: int, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of a buffer view, or `length` of them from `offset`."""
        entry = self.json["bufferViews"][view]
        length = int(entry["byteLength"]) if length is None else length
        if view in self._changed:
            return self._changed[view][offset : offset + length]
        return self.buffer_bytes(entry["buffer"], int(entry.get("byteOffset", 0)) + offset, length)

    def buffer_bytes(self, buffer: int, offset: int, length: int) -> bytes:
        """`length` bytes of a buffer. A GLB's first buffer is its BIN chunk."""
        content = self._buffers[buffer]
        if content is None:
            raise damaged(f"buffers[{buffer}]", "has no bytes in the file")
        if isinstance(content, bytes):
            return content[offset : offset + length]
        piece = os.pread(self._file, length, self._bin_start + offset)
        if len(piece) != length:
            raise damaged("the BIN chunk", "is shorter than its data")
        return piece

    def replace_view(self, view: int, content: bytes) -> None:
        """Replace the bytes of a view."""
        self._changed[view] = content
        self.json["bufferViews"][view]["byteLength"] = len(content)

    def add_view(self, content: bytes) -> int:
        """Add a view of `content` and return its index."""
        views = self.json.setdefault("bufferViews", [])
        if not self._buffers:
            self._buffers = [b""]
            self.json["buffers"] = [{"byteLength": 0}]
        views.append({"buffer": 0, "byteLength": len(content)})
        self._changed[len(views) - 1] = content
        return len(views) - 1

    def view_reader(self, view: int) -> Callable[[], bytes]:
        """A function that returns the view's bytes even after the JSON's offsets have been rewritten."""
        if view in self._changed:
            return functools.partial(bytes, self._changed[view])
        return self.range_reader(self.json["bufferViews"][view])

    def range_reader(self, holder: Json) -> Callable[[], bytes]:
        """The same for any object with `buffer`, `byteOffset` and `byteLength`."""
        offset, length = int(holder.get("byteOffset", 0)), int(holder["byteLength"])
        return functools.partial(self.buffer_bytes, holder["buffer"], offset, length)

    def renumber_views(self, numbers: dict[int, int]) -> None:
        """Follow a pruned JSON: `numbers` maps old view numbers to new ones; views not in it are gone."""
        self._changed = {numbers[old]: content for old, content in self._changed.items() if old in numbers}

    def image_bytes(self, number: int) -> bytes:
        """The encoded bytes of an image, from its view or its data URI."""
        image = self.json["images"][number]
        if "bufferView" in image:
            return self.view_bytes(image["bufferView"])
        return data_uri_bytes(image["uri"], f"images[{number}].uri")

    def open_image(self, number: int) -> BinaryIO:
        """The encoded bytes of an image as a file, so that a large one is not held in memory."""
        view = self.json["images"][number].get("bufferView")
        if view is not None and view not in self._changed:
            entry = self.json["bufferViews"][view]
            if self._buffers[entry["buffer"]] == 0:
                start = self._bin_start + int(entry.get("byteOffset", 0))
                return io.BufferedReader(FileRange(self._file, start, int(entry["byteLength"])))
        return io.BytesIO(self.image_bytes(number))

    # --- opening ---

    def _read_container(self) -> tuple[bytes, int, int]:
        """Check header and chunk lengths; return the JSON text, and offset and length of the BIN chunk."""
        if self.bytes_in > limits.FILE_BYTES:
            raise too_large("the file", f"has {self.bytes_in} bytes, over {limits.FILE_BYTES}")
        head = os.pread(self._file, 20, 0)
        if len(head) < 20 or head[:4] != b"glTF":
            raise BadModel(Message("model_file.not_glb"), "not_glb")
        _, version, total = _HEADER.unpack_from(head)
        if version != 2:
            raise BadModel(Message("model_file.old_version", version=version), "not_glb")
        if not 20 <= total <= self.bytes_in:  # readers ignore what follows
            raise damaged("the header's length", f"says {total} bytes, but the file has {self.bytes_in}")
        length, kind = _CHUNK.unpack_from(head, 12)
        if kind != b"JSON" or 20 + length > total:
            raise damaged("the JSON chunk", "is missing or runs past the end of the file")
        text_bytes = os.pread(self._file, min(length, limits.JSON_MEMORY), 20)
        memory = _json_memory(text_bytes)
        if memory > limits.JSON_MEMORY:
            raise too_large(
                "the JSON chunk",
                f"needs {memory >> 20} MB of memory, over {limits.JSON_MEMORY >> 20} MB",
            )
        return text_bytes, *self._find_bin(20 + length, total)

    def _find_bin(self, at: int, total: int) -> tuple[int, int]:
        """Where the BIN chunk starts and how long it is: (0, 0) when there is none."""
        if at == total:
            return 0, 0
        head = os.pread(self._file, 8, at)
        if len(head) < 8:
            raise damaged("the second chunk", "is truncated")
        length, kind = _CHUNK.unpack(head)
        if at + 8 + length > total:
            raise damaged("the second chunk", "runs past the end of the file")
        return (at + 8, length) if kind == b"BIN\0" else (0, 0)

    def _open_buffer(self, number: int, buffer: Json, may_be_empty: bool) -> bytes | int | None:
        """A buffer's bytes, 0 for the BIN chunk, None for a meshopt fallback buffer, which has no bytes."""
        place = f"buffers[{number}]"
        length = integer(buffer, "byteLength", place, low=1)
        uri = text(buffer, "uri", place)
        if uri is not None:
            content = data_uri_bytes(uri, f"{place}.uri")
            if len(content) < length:
                raise damaged(f"{place}.byteLength", f"is {length}, but the data has {len(content)} bytes")
            return content
        if _is_fallback(buffer, place):
            return None
        is_bin = not number and self._bin_start and length <= self._bin_length
        if may_be_empty and not is_bin:
            buffer["extensions"] = {MESHOPT[0]: {"fallback": True}}
            return None
        if number or not self._bin_start or length > self._bin_length:
            raise damaged(f"{place}.byteLength", f"is {length}, more than the file holds")
        return 0


def _placeholders(data: Json) -> set[int]:
    """The buffers that only compressed views name. Writers forget to mark those as fallbacks."""
    packed, plain = set[int](), set[int]()
    for number, view in enumerate(objects(data, "bufferViews")):
        buffer, place = view.get("buffer"), f"bufferViews[{number}]"
        if isinstance(buffer, int):
            is_packed = any(extension(view, name, place) is not None for name in MESHOPT)
            (packed if is_packed else plain).add(buffer)
        for name in MESHOPT:
            held = (extension(view, name, place) or {}).get("buffer")
            plain |= {held} if isinstance(held, int) else set()
    return packed - plain


def _is_fallback(buffer: Json, place: str) -> bool:
    found = (extension(buffer, f"{owner}_meshopt_compression", place) for owner in ("EXT", "KHR"))
    return any(each is not None and each.get("fallback") is True for each in found)


def data_uri_bytes(uri: str, place: str) -> bytes:
    """The bytes of a data URI, in base64 or percent-encoded.

    Any other URI is refused: no other file and no connection is ever opened.
    """
    head, _, body = uri.partition(",")
    if not head.startswith("data:"):
        raise BadModel(Message("model_file.incomplete", place=place, uri=repr(uri[:80])), "external")
    try:
        content = unquote_to_bytes(body)
        return base64.b64decode(content, validate=True) if head.endswith(";base64") else content
    except ValueError as error:
        raise damaged(place, "is not valid base64") from error


def _json_memory(text_bytes: bytes) -> int:
    """About the most memory that JSON takes: CPython's objects, lists and entries, and the text three times.

    Measured with CPython 3.11; the texts of usual files take half of this.
    """
    objects, lists, entries = (text_bytes.count(mark) for mark in (b"{", b"[", b","))
    return 190 * objects + 80 * lists + 110 * entries + 3 * len(text_bytes)


def _parse(text_bytes: bytes) -> Json:
    try:
        parsed = json.loads(
            text_bytes.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite_float
        )
    except (ValueError, RecursionError) as error:
        raise damaged("the JSON chunk", f"cannot be read ({str(error)[:120]})") from error
    if not isinstance(parsed, dict):
        raise damaged("the JSON chunk", "is not an object")
    asset: Any = child(parsed, "asset", "the JSON chunk")
    if not str(asset.get("version", "")).startswith("2."):
        raise damaged("asset.version", f"is {asset.get('version')!r:.40}, not 2.0")
    return parsed


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{digits[:20]} is too large a number")
    return value
