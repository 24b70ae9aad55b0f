"""The start warns of folders that look as if the next restart would take them away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from acr3d.settings import Settings
from acr3d.start import ephemeral_folder
from tests.support.site import ROOT

MOUNTED = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 0:5 / / rw,relatime - overlay overlay rw,lowerdir=/a
28 27 8:1 / /data rw,relatime shared:1 - ext4 /dev/sda1 rw
29 28 0:30 / /data/fast rw - tmpfs none rw
30 27 8:2 / /my\040disk rw - xfs /dev/sdb1 rw
31 27 0:31 / /twice rw - tmpfs none rw
32 27 8:3 / /twice rw - ext4 /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("/srv/acr3d/instance", "container's own layer"),
        ("/data", None),
        ("/data/acr3d", None),
        ("/data/fast/acr3d", "in memory"),
        ("/data/faster", None),
        ("/database", "container's own layer"),
        ("/my disk/acr3d", None),
        ("/twice/acr3d", None),
        ("/tmp/acr3d", "is in /tmp"),
        ("/var/tmp/acr3d", "is in /var/tmp"),
        ("/tmpfiles", "container's own layer"),
    ],
)
def test_a_folder_looks_disposable(folder: str, why: str | None) -> None:
    found = ephemeral_folder.why_disposable(Path(folder), MOUNTED)

    assert (found is None) if why is None else (found is not None and why in found)


def test_without_a_mount_table_nothing_is_claimed() -> None:
    assert ephemeral_folder.why_disposable(Path("/srv/acr3d"), "") is None


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_the_start_warns_of_each_folder_that_may_be_lost(config: Settings) -> None:
    places = {"instance": Path("/data/acr3d"), "storage_folder": Path("/data/acr3d/storage")}
    assert ephemeral_folder.warnings(replace(config, **places), MOUNTED) == []

    places["storage_folder"] = Path("/data/fast/files")
    [one] = ephemeral_folder.warnings(replace(config, **places), MOUNTED)
    assert one.startswith("THE STORAGE FOLDER /data/fast/files is in memory")


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_gunicorn_logs_the_warning_at_its_start(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ephemeral_folder, "_TEMPORARY", (str(tmp_path),))
    monkeypatch.setattr("os.umask", lambda _: None)
    app = make_app(poller="worker", instance=tmp_path)
    events = logging.getLogger("acr3d.security")  # which gunicorn gives handlers of its own
    for name in ("handlers", "propagate", "level"):
        monkeypatch.setattr(events, name, getattr(events, name))
    started: dict[str, Any] = {}
    exec((ROOT / "gunicorn.conf.py").read_text(), started)
    logged: list[str] = []

    log = SimpleNamespace(warning=logged.append, info=print, error_log=SimpleNamespace(handlers=[]))
    started["post_worker_init"](SimpleNamespace(wsgi=app, log=log, sockets=[]))
    app.extensions["acr3d_notices_stop"].set()

    assert logged[0].startswith(f"THE INSTANCE FOLDER {tmp_path} is in {tmp_path}")
