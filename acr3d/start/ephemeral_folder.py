"""Finds out whether a folder is likely to be lost at the next restart or deploy."""

from __future__ import annotations

import re
from pathlib import Path

from acr3d.settings import Settings

_MOUNTS = Path("/proc/self/mountinfo")
_TEMPORARY = ("/tmp", "/var/tmp", "/run", "/dev/shm")  # noqa: S108 - told from, not written to
_KINDS = {
    "tmpfs": "is in memory (tmpfs)",
    "ramfs": "is in memory (ramfs)",
    "overlay": "is in the container's own layer (overlay)",
    "fuse-overlayfs": "is in the container's own layer (fuse-overlayfs)",
    "aufs": "is in the container's own layer (aufs)",
}


def warnings(config: Settings, mounts: str) -> list[str]:
    """A warning for each data folder that may be lost; `mounts` as from `mount_table`."""
    folders = {"instance folder": config.instance}
    if not config.storage_folder.is_relative_to(config.instance):
        folders["storage folder"] = config.storage_folder
    found = {name: (folder, why_disposable(folder.resolve(), mounts)) for name, folder in folders.items()}
    return [
        f"THE {name.upper()} {folder} {why}: its parts, photos, models and logins will be lost at the next "
        "restart or deploy. Move it to a persistent disk (ACR3D_INSTANCE, ACR3D_STORAGE_URL)."
        for name, (folder, why) in found.items()
        if why
    ]


def mount_table() -> str:
    """This process's mounts; empty where the host does not provide them."""
    try:
        return _MOUNTS.read_text(errors="replace")
    except OSError:
        return ""


def why_disposable(folder: Path, mounts: str) -> str | None:
    """Why the absolute `folder` may be lost; None if nothing suggests it.

    `mounts` is a mount table as in /proc/self/mountinfo, proc_pid_mountinfo(5).
    """
    for temporary in _TEMPORARY:
        if folder.is_relative_to(temporary):
            return f"is in {temporary}, which is emptied from time to time"
    return _KINDS.get(_kind_of(folder, mounts))


def _kind_of(folder: Path, mounts: str) -> str:
    """The file system type of `folder`: that of the innermost mount, and of the last one there."""
    innermost, kind = -1, ""
    for line in mounts.splitlines():
        place, separator, rest = line.partition(" - ")
        fields = place.split(" ")
        if not separator or len(fields) < 5:
            continue
        mounted = Path(_unescaped(fields[4]))
        if folder.is_relative_to(mounted) and len(mounted.parts) >= innermost:
            innermost, kind = len(mounted.parts), rest.split(" ")[0]
    return kind


def _unescaped(text: str) -> str:
    """Decode whitespace and backslashes, which are written as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
