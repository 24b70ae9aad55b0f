"""What acr3d keeps is made private: earlier versions let other users of the machine read it.

New files are private by the process's umask (`wsgi.py`, `gunicorn.conf.py`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from acr3d.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_ENTRIES = 200_000  # some seconds; what is below a private folder is private all the same
# All that acr3d makes in the instance folder. Beside anything else the folder may be somebody else's.
_OURS = (
    *("acr3d.sqlite*", "instance_id", "secret_key", "webhook_path", "heavy.lock"),
    *("storage", "engine", "pollers", "backups"),
)


def make_private(config: Settings) -> list[str]:
    """Take the rights of group and others from all that acr3d keeps; a sentence for what refuses it."""
    own = [path for pattern in _OURS for path in config.instance.glob(pattern)]
    if set(config.instance.iterdir()) <= set(own):
        own = [config.instance]
    left = iter(range(_MOST_ENTRIES))
    refused = list(chain.from_iterable(_make_private(path, left) for path in [*own, config.storage_folder]))
    if not refused:
        return []
    more = f" AND {len(refused) - 1} MORE" if len(refused) > 1 else ""
    return [
        f"OTHER USERS OF THIS MACHINE MAY READ {refused[0]}{more}: acr3d may not change that. Give all of "
        "the instance and storage folders to the user that runs acr3d (chown -R)."
    ]


def _make_private(path: Path, left: Iterator[int]) -> Iterator[Path]:
    """Yields what could not be changed. Folders come after their content: if cut off, it is repeated."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) or not mode & _OTHERS or next(left, None) is None:
            return
        if stat.S_ISDIR(mode):
            for entry in os.scandir(path):
                yield from _make_private(Path(entry.path), left)
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    except FileNotFoundError:
        return
    except OSError:
        yield path
