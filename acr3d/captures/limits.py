"""What may be sent for a capture: how much, in which pieces, and which kinds of files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath

from flask_babel import gettext as _

from acr3d.errors import InvalidInput
from acr3d.foreign import one_line, storable
from acr3d.photos import formats

MOST_BYTES = 300_000_000
PIECE_BYTES = 4 << 20
"""The longest piece of a file: a lost connection costs no more than that."""
FEWEST_PHOTOS, MOST_PHOTOS = 16, 60
MOST_VIDEOS = 4
LONGEST_NAME = 200
KEPT_UNFINISHED = timedelta(days=1)
VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".webm")
_PHOTO_SUFFIXES = tuple(suffix for one in formats.FORMATS for suffix in one.suffixes)
_QUICKTIME_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip")  # before "ftyp" was invented
_WEBM = b"\x1a\x45\xdf\xa3"


def accept() -> str:
    """The `accept` attribute of the dialog for files that are there already."""
    return ",".join(("video/mp4", "video/quicktime", "video/webm", *VIDEO_SUFFIXES, formats.accept()))


def is_video(name: str) -> bool:
    """Whether the file's name is that of a video."""
    return _suffix(name) in VIDEO_SUFFIXES


def stored_name(name: str) -> str:
    """The name as one line, not too long, with its ending."""
    path = PurePosixPath(name)
    return one_line(storable(path.stem), LONGEST_NAME) + path.suffix.lower()


def check_files(files: Sequence[tuple[str, int]]) -> None:
    """Raises InvalidInput when these (name, bytes) are no few videos, or 16 to 60 photos, within bounds."""
    if not files:
        raise InvalidInput(_("Choose a video, or photos from all around."))
    odd = next(
        (name for name, _size in files if _suffix(name) not in (*VIDEO_SUFFIXES, *_PHOTO_SUFFIXES)), None
    )
    if odd is not None:
        raise InvalidInput(
            _(
                "“%(name)s” is neither a video nor a photo that can be read. Film in MP4, MOV or WebM, or "
                "send photos.",
                name=odd[:LONGEST_NAME],
            )
        )
    if any(size < 1 for _name, size in files):
        raise InvalidInput(_("A file is empty. Film the part again."))
    if sum(size for _name, size in files) > MOST_BYTES:
        raise InvalidInput(
            _(
                "A capture may have %(n)s MB in all. Film for about twenty seconds, at 1080p instead of 4K.",
                n=MOST_BYTES // 1_000_000,
            )
        )
    _check_counts(sum(is_video(name) for name, _size in files), len(files))


def _check_counts(videos: int, files: int) -> None:
    if 0 < videos < files:
        raise InvalidInput(_("Send a video or photos, not both at once."))
    if videos > MOST_VIDEOS:
        raise InvalidInput(_("A capture may have at most %(n)s videos.", n=MOST_VIDEOS))
    if not videos and not FEWEST_PHOTOS <= files <= MOST_PHOTOS:
        raise InvalidInput(
            _(
                "A capture takes %(fewest)s to %(most)s photos from all around; there are %(n)s.",
                fewest=FEWEST_PHOTOS,
                most=MOST_PHOTOS,
                n=files,
            )
        )


def check_beginning(name: str, head: bytes) -> None:
    """Raises InvalidInput when a file that begins so cannot be what its name says."""
    if is_video(name):
        is_boxes = head[4:8] == b"ftyp" or head[4:8] in _QUICKTIME_BOXES
        if formats.format_of(head) is None and (is_boxes or head.startswith(_WEBM)):
            return
        raise InvalidInput(
            _(
                "“%(name)s” is not a video that can be read. Film in MP4, MOV or WebM.",
                name=name[:LONGEST_NAME],
            )
        )
    if formats.format_of(head) is None:
        raise InvalidInput(_("“%(name)s” is not a photo that can be read.", name=name[:LONGEST_NAME]))


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
