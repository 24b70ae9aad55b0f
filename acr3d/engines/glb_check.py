"""What a finished model must be, as a file that is fetched: a whole GLB."""

from __future__ import annotations

import struct

from acr3d.net.download import DownloadInterrupted, DownloadRefused, DownloadSpec

_GLB_HEADER = struct.Struct("<4sII")  # magic, version, length of the whole file (glTF 2.0, chapter 4.4)


def _check_magic(head: bytes) -> None:
    if not head.startswith(b"glTF"[: len(head)]):
        raise DownloadRefused(f"What the engine delivered is not a GLB model. {RAW_MODEL.if_refused}")


def _check_whole(head: bytes, size: int, announced: bool) -> None:
    length = 0
    if len(head) >= _GLB_HEADER.size:
        _magic, version, length = _GLB_HEADER.unpack_from(head)
        if version == 2 and length == size:
            return
    if not announced and size < max(length, _GLB_HEADER.size):
        raise DownloadInterrupted(f"The download of the model was cut off. {RAW_MODEL.if_interrupted}")
    raise DownloadRefused(f"The GLB that the engine delivered is damaged. {RAW_MODEL.if_refused}")


RAW_MODEL = DownloadSpec(
    name="model",
    max_bytes=200 << 20,  # raw models of 35 to 90 MB have been seen
    if_interrupted="The engine still keeps it.",
    if_gone="A fresh one is asked for.",
    if_refused="Try again to fetch it once more; that costs nothing.",
    if_too_large="Ask for fewer triangles.",
    check_head=_check_magic,
    check_whole=_check_whole,
)
