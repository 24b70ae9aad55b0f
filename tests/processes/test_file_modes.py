"""What servers and commands write is no other user's to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import Site

pytestmark = pytest.mark.proof


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """The umask that most shells have."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_server_and_commands_write_for_themselves_only(tmp_path: Path) -> None:
    site = Site(tmp_path / "instance")
    site.flask("db", "upgrade")
    site.flask("demo")
    site.flask("backup", str(tmp_path / "backup.tar"))
    site.start()
    try:
        written = [tmp_path / "backup.tar", site.instance, *site.instance.rglob("*")]
        assert [one for one in written if one.stat().st_mode & 0o077] == []
    finally:
        site.kill_everything()
