"""Where this process keeps its figures for Prometheus."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from acr3d import metrics
from acr3d.settings import Settings
from acr3d.storage.process_names import is_running, is_visible_from_here, name_of_process


def begin(config: Settings) -> metrics.Metrics | None:
    """Keep figures from now on, if the settings say so.

    Files of ended processes count as long as any other runs: a sum that falls would look like a restart.
    """
    if not config.metrics:
        metrics.keep_in(None)
        return None
    folder = config.instance / "metrics"
    folder.mkdir(exist_ok=True)
    files = list(folder.glob("*.db"))
    if not any(_is_in_use(file) for file in files):
        for file in files:
            file.unlink(missing_ok=True)
    kept = metrics.Metrics(folder, lambda: _own_name(os.getpid()))
    metrics.keep_in(kept)
    return kept


def _is_in_use(file: Path) -> bool:
    writer = file.stem.rpartition("_")[2]
    return not is_visible_from_here(writer) or is_running(writer)


@functools.cache
def _own_name(pid: int) -> str:
    return name_of_process(pid)
