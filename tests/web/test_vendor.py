"""The front-end table: true to the installed packages, and pages get our copy or the CDN's, hash and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from acr3d.web import vendor

PACKAGES = vendor.ROOT / "node_modules"


@pytest.fixture
def no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in place of static/vendor."""
    monkeypatch.setattr(vendor, "COPIES", tmp_path)
    vendor.copied.cache_clear()
    yield tmp_path
    vendor.copied.cache_clear()


def packages_with(folder: Path, content: bytes) -> Path:
    """A node_modules in which every file of the table has this content."""
    for file in vendor.FILES.values():
        path = folder / file.package / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", vendor.FILES)
def test_the_table_says_what_is_installed(name: str) -> None:
    file = vendor.FILES[name]
    folder = PACKAGES / file.package
    assert json.loads((folder / "package.json").read_text())["version"] == file.version
    assert vendor.integrity((folder / file.path).read_bytes()) == file.integrity
    copy = vendor.COPIES / file.copy
    assert copy.read_bytes() == (folder / file.path).read_bytes()


def test_the_table_says_what_the_lock_file_pins() -> None:
    pinned = json.loads((vendor.ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads((vendor.ROOT / "package-lock.json").read_text())["packages"]
    for file in vendor.FILES.values():
        assert pinned[file.package] == file.version
        assert locked[f"node_modules/{file.package}"]["version"] == file.version


def test_the_lock_file_names_no_download_address() -> None:
    assert "resolved" not in (vendor.ROOT / "package-lock.json").read_text()


def test_pages_take_the_pinned_cdn_file_with_its_hash_while_there_is_no_copy(no_copies: Path) -> None:
    tag = vendor.script("model-viewer")
    assert tag.src == "https://cdn.jsdelivr.net/npm/@google/model-viewer@4.4.0/dist/model-viewer.min.js"
    assert tag.integrity == vendor.FILES["model-viewer"].integrity
    assert tag.crossorigin == "anonymous"
    assert vendor.draco_location().startswith("https://cdn.jsdelivr.net/npm/three@0.183.2/")
    assert vendor.cdn_in_use()


def test_pages_take_our_copies_once_they_are_there(no_copies: Path) -> None:
    for file in vendor.FILES.values():
        (no_copies / file.copy).parent.mkdir(exist_ok=True)
        (no_copies / file.copy).write_bytes(b"here")
    assert vendor.script("htmx") == vendor.Script("/static/vendor/htmx.org-2.0.11/htmx.min.js")
    assert vendor.draco_location() == "/static/vendor/three-0.183.2/"
    assert not vendor.cdn_in_use()


def test_one_missing_decoder_file_sends_the_whole_folder_to_the_cdn(no_copies: Path) -> None:
    for name in ("draco-decoder", "draco-wrapper"):
        (no_copies / vendor.FILES[name].copy).parent.mkdir(exist_ok=True)
        (no_copies / vendor.FILES[name].copy).write_bytes(b"here")
    assert vendor.draco_location().startswith(vendor.CDN)
    assert vendor.cdn_in_use()


def test_a_file_of_another_content_is_never_copied(tmp_path: Path) -> None:
    packages = packages_with(tmp_path / "node_modules", b"something else")
    problems = vendor.copy_all(packages, tmp_path / "copies")
    assert len(problems) == len(vendor.FILES)
    assert all("its hash differs" in problem for problem in problems)
    assert not (tmp_path / "copies").exists()


@pytest.mark.needs("node")
def test_a_broken_copy_is_made_again(tmp_path: Path) -> None:
    assert vendor.copy_all(PACKAGES, tmp_path) == []
    broken = tmp_path / vendor.FILES["htmx"].copy
    broken.write_bytes(broken.read_bytes()[:100])
    assert vendor.copy_all(PACKAGES, tmp_path) == []
    assert vendor.integrity(broken.read_bytes()) == vendor.FILES["htmx"].integrity
    assert len(list(broken.parent.iterdir())) == 1  # no unfinished file stays behind
