"""The contents of an import's photos in their order: read or downloaded, and converted ahead of their turn.

The files of some parts share a child (`acr3d.parts.conversion`), and as many children run as there are turns
for plain JPEGs. An address has a batch of its own, since it may take minutes.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from contextvars import copy_context
from itertools import groupby
from threading import Event
from typing import BinaryIO, NamedTuple, cast

from flask_babel import gettext as _

from acr3d import sandbox
from acr3d.errors import InvalidInput
from acr3d.imports.photo_files import PhotoFile, PhotoFiles
from acr3d.imports.photo_plan import source_of_address
from acr3d.messages.message import Message, MessageError
from acr3d.messages.wording import worded
from acr3d.net.download import DownloadError, DownloadSpec
from acr3d.parts.conversion import AT_ONCE, PLAIN_TURNS, Busy, converted_all
from acr3d.parts.remote_photos import downloaded
from acr3d.photos.limits import MAX_FILE_BYTES, PhotoRefused
from acr3d.photos.photo import Photo

_BUSY_SECONDS = 3
_LOOK_SECONDS = 60
_PICTURE = DownloadSpec(
    max_bytes=MAX_FILE_BYTES,
    if_interrupted=Message("download.import_again"),
    if_gone=Message("download.mend_table"),
    if_refused=Message("download.mend_table"),
    if_too_large=Message("download.mend_table"),
)


class Wanted(NamedTuple):
    """A photo of an import, as it is written down (`ImportPhoto`)."""

    number: int
    path: str
    sku: str
    says: str
    source: str


class Found(NamedTuple):
    """A photo's clean content, or a sentence that says why there is none."""

    wanted: Wanted
    content: Photo | str


def contents(
    wanted: Iterable[Wanted], source: PhotoFiles | None, stop: Event, while_waiting: Callable[[], None]
) -> Generator[list[Found], None, None]:
    """Each photo's content, in the order of `wanted`; the files of one part are in one list.

    `while_waiting` is called once a minute.

    Raises sandbox.ChildStopped when `stop` is set, and OSError when the disk is full.
    """
    files = {(one.path, one.source): one for one in source.files()} if source is not None else {}
    ahead: deque[Future[list[Found]]] = deque()
    pool = ThreadPoolExecutor(PLAIN_TURNS, "acr3d-import-photos")
    try:
        for batch in _batches(wanted):
            # With the app's context, which the storage and the settings are found by.
            ahead.append(pool.submit(copy_context().run, _converted, batch, source, files, stop))
            if len(ahead) > PLAIN_TURNS:
                yield _ended(ahead.popleft(), while_waiting)
        while ahead:
            yield _ended(ahead.popleft(), while_waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    batch: list[Wanted] = []
    for _part, of_part in groupby(wanted, lambda one: (one.sku, _is_address(one) and one.number)):
        photos = list(of_part)
        if batch and (len(batch) + len(photos) > AT_ONCE or _is_address(photos[0]) or _is_address(batch[-1])):
            yield batch
            batch = []
        batch += photos
    if batch:
        yield batch


def _is_address(one: Wanted) -> bool:
    return one.source == source_of_address(one.path)


def _ended(running: Future[list[Found]], while_waiting: Callable[[], None]) -> list[Found]:
    while not wait([running], _LOOK_SECONDS).done:
        while_waiting()
    return running.result()


def _converted(
    batch: list[Wanted],
    source: PhotoFiles | None,
    files: Mapping[tuple[str, str], PhotoFile],
    stop: Event,
) -> list[Found]:
    found: dict[int, Photo | str] = {}
    streams: dict[int, BinaryIO] = {}
    with ExitStack() as stack:
        for one in batch:
            try:
                file = files.get((one.path, one.source))
                streams[one.number] = _opened(one, source, file, stack)
            except (InvalidInput, DownloadError) as refusal:
                found[one.number] = _why(refusal)
        outcomes = _when_free(list(streams.values()), stop)
        for number, outcome in zip(streams, outcomes, strict=True):
            found[number] = outcome if isinstance(outcome, Photo) else _why(outcome)
    return [Found(one, found[one.number]) for one in batch]


def _opened(one: Wanted, source: PhotoFiles | None, file: PhotoFile | None, stack: ExitStack) -> BinaryIO:
    """Raises InvalidInput, DownloadError."""
    if file is not None and source is not None:
        return stack.enter_context(source.opened(file))
    if not _is_address(one):
        raise InvalidInput(_("The file is no longer among the photos."))
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed with the stack
    stack.callback(copy.close)
    downloaded(one.path, copy, _PICTURE)
    return copy


def _when_free(streams: list[BinaryIO], stop: Event) -> list[Photo | PhotoRefused]:
    while True:
        try:
            return converted_all(streams, stop)
        except Busy as busy:
            if stop.wait(_BUSY_SECONDS):
                raise sandbox.ChildStopped(busy.message) from busy


def _why(refusal: Exception) -> str:
    return worded(refusal.message) if isinstance(refusal, MessageError) else str(refusal)
