"""Where photos and models are kept, and the way from there to browsers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from acr3d.cli.doctor.finding import Finding, beware, broken, ok
from acr3d.db.types import new_id
from acr3d.settings import Settings
from acr3d.storage.blobs import StorageError, storage
from acr3d.storage.index import MEDIA_TYPES
from acr3d.storage.temporary import temporary_file

_CONTENT = b"acr3d"


def stored_files(config: Settings) -> Iterator[Finding]:
    """That files can be written where the photos and models are."""
    if config.bucket:
        yield from _bucket(config)
    try:
        with temporary_file() as path:
            path.write_bytes(b"acr3d")
            is_same = path.read_bytes() == b"acr3d"
    except OSError as error:
        yield broken(
            f"Storage: no file can be written to {config.storage_folder}: {os.strerror(error.errno or 0)}."
        )
        return
    yield (
        ok("Storage: files can be written and read.")
        if is_same
        else broken("Storage: a file came back changed.")
    )


def _bucket(config: Settings) -> Iterator[Finding]:
    key = f"parts/doctor/{new_id()}.glb"
    try:
        storage().put(key, _CONTENT)
        try:
            with storage().open(key) as file:
                is_same = file.read() == _CONTENT
            yield from _for_browsers(config, key)
        finally:
            storage().delete(key)
    except StorageError as error:
        yield broken(f"Bucket: {config.bucket} does not work: {error} Check the AWS_* variables.")
        return
    if is_same:
        yield ok(f"Bucket: files can be written to {config.bucket}, read and deleted.")
    else:
        yield broken(f"Bucket: a file came back changed from {config.bucket}.")


def _for_browsers(config: Settings, key: str) -> Iterator[Finding]:
    """That browsers get the file as they need it: a piece of it, with its type, also for scripts (CORS)."""
    if config.cdn_url:
        name, address = f"CDN: {config.cdn_url}", f"{config.cdn_url}/{key}"
    elif config.signed_files:
        address = storage().signed_address(key, timedelta(minutes=1)) or ""
        name = f"Signed files: {urlsplit(address).netloc}"
    else:
        return
    if config.is_https and not address.startswith("https://"):
        yield broken(f"{name} is no https:// address, so browsers show no photos and models from it.")
        return
    page = {"Origin": config.public_url or "https://parts.example.com", "Range": "bytes=1-3"}
    try:
        answer = httpx.get(address, headers=page, timeout=10)
    except httpx.HTTPError as error:
        yield broken(f"{name} does not answer ({type(error).__name__}), so pages have no photos and models.")
        return
    yield _judged(name, answer, page["Origin"])


def _judged(name: str, answer: httpx.Response, page: str) -> Finding:
    if not answer.is_success:
        return broken(
            f"{name} answers {answer.status_code} for a file that is in the bucket, so pages have no photos "
            "and models. It must show what is below the bucket's prefix."
        )
    if answer.headers.get("Access-Control-Allow-Origin") not in ("*", page):
        return broken(
            f"{name} does not let scripts of {page} read files (CORS), so 3D models do not load. "
            "See “Files in a bucket” in docs/hosting.md."
        )
    if answer.headers.get("Content-Type") != MEDIA_TYPES[".glb"]:
        return broken(f"{name} changes the Content-Type of files, so phones open no AR.")
    if (answer.status_code, answer.content) != (206, _CONTENT[1:4]):
        return beware(f"{name} sends whole files only, so a broken-off download begins again.")
    return ok(f"{name} shows the files, also to scripts and in pieces.")
