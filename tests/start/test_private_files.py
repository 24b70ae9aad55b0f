"""What earlier versions made becomes private at the start of a server."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from acr3d.settings import Settings
from acr3d.start.private_files import make_private

pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


@pytest.fixture
def earlier(config: Settings, tmp_path: Path) -> Iterator[Settings]:
    """An instance as an earlier version made it."""
    config = replace(config, instance=tmp_path / "earlier", storage_folder=tmp_path / "earlier" / "storage")
    before = os.umask(0o022)
    folder = config.storage_folder / "parts" / "a"
    folder.mkdir(parents=True)
    (folder / "raw.glb").write_bytes(b"glTF")
    for name in ("acr3d.sqlite", "acr3d.sqlite-wal", "secret_key"):
        (config.instance / name).write_text("x")
    yield config
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    paths = [folder, *folder.rglob("*")]
    return sorted(one.name for one in paths if not one.is_symlink() and one.stat().st_mode & 0o077)


def test_what_is_there_becomes_private(earlier: Settings) -> None:
    assert open_to_others(earlier.instance) != []

    assert make_private(earlier) == []

    assert open_to_others(earlier.instance) == []
    assert stat.S_IMODE((earlier.instance / "acr3d.sqlite").stat().st_mode) == 0o600


def test_a_folder_that_also_holds_other_things_is_left_and_so_are_they(earlier: Settings) -> None:
    (earlier.instance / "of-somebody-else").mkdir()

    make_private(earlier)

    assert open_to_others(earlier.instance) == ["earlier", "of-somebody-else"]


def test_what_a_link_leads_to_is_left(earlier: Settings, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    (earlier.storage_folder / "link").symlink_to(tmp_path / "outside")

    make_private(earlier)

    assert open_to_others(tmp_path / "outside") == ["outside"]


def test_what_cannot_be_changed_is_named(earlier: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)

    [sentence] = make_private(earlier)

    assert sentence.startswith(f"OTHER USERS OF THIS MACHINE MAY READ {earlier.instance}")
    assert "chown" in sentence
