"""What a finished model must be, as a file that is fetched: a whole GLB."""

from __future__ import annotations

import struct

from acr3d.messages.message import Message
from acr3d.net.download import DownloadInterrupted, DownloadRefused, DownloadSpec

_GLB_HEADER = struct.Struct("<4sII")  # magic, version, length of the whole file (glTF 2.0, chapter 4.4)


def _check_magic(head: bytes) -> None:
    if not head.startswith(b"glTF"[: len(head)]):
        raise DownloadRefused(Message("download.not_glb", next=RAW_MODEL.if_refused))


def _check_whole(head: bytes, size: int, announced: bool) -> None:
    length = 0
    if len(head) >= _GLB_HEADER.size:
        _magic, version, length = _GLB_HEADER.unpack_from(head)
        if version == 2 and length == size:
            return
    if not announced and size < max(length, _GLB_HEADER.size):
        raise DownloadInterrupted(Message("download.cut_off", next=RAW_MODEL.if_interrupted))
    raise DownloadRefused(Message("download.damaged_glb", next=RAW_MODEL.if_refused))


RAW_MODEL = DownloadSpec(
    max_bytes=200_000_000,  # raw models of 35 to 90 MB have been seen
    if_interrupted=Message("download.engine_keeps_it"),
    if_gone=Message("download.asked_again"),
    if_refused=Message("download.try_again"),
    if_too_large=Message("download.fewer_triangles"),
    check_head=_check_magic,
    check_whole=_check_whole,
)
