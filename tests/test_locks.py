"""`make lint` notices what an attacker of a package registry could exchange."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from acr3d.web.vendor import FILES
from scripts.check_locks import ROOT, problems


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the files that are looked at."""
    (tmp_path / "scripts").mkdir()
    for name in ("Makefile", "package-lock.json", *(path.name for path in ROOT.glob("requirements*.txt"))):
        shutil.copy(ROOT / name, tmp_path / name)
    for script in (ROOT / "scripts").glob("*.sh"):
        shutil.copy(script, tmp_path / "scripts")
    return tmp_path


def test_everything_is_pinned(tree: Path) -> None:
    assert list(problems(tree, FILES)) == []


def add(name: str, line: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        with (tree / name).open("a") as file:
            file.write(line)

    return change


def unlock(**changes: object) -> Callable[[Path], None]:
    """Change an npm package's entry."""

    def change(tree: Path) -> None:
        lock = json.loads((tree / "package-lock.json").read_text())
        lock["packages"]["node_modules/htmx.org"] |= changes
        (tree / "package-lock.json").write_text(json.dumps(lock))

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (add("requirements.txt", "left-pad==1.0\n"), "“left-pad==1.0” has no SHA-256"),
        (add("requirements.txt", "left-pad==1.0 --hash=md5:0123\n"), "has no SHA-256"),
        (add("requirements-dev.txt", f"left-pad>=1 --hash=sha256:{'0' * 64}\n"), "names no exact version"),
        (add("requirements.txt", "--extra-index-url https://example.com\n"), "names no exact version"),
        (add("requirements-cutout.txt", "git+https://example.com/left-pad\n"), "names no exact version"),
        (lambda tree: (tree / "requirements-dev.txt").unlink(), "requirements-dev.txt is missing"),
        (unlock(integrity=None), "node_modules/htmx.org has no hash"),
        (unlock(integrity="sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="), "node_modules/htmx.org has no hash"),
        (unlock(resolved="https://example.com/htmx.tgz"), "names the address"),
        (unlock(version="2.0.0"), "in package-lock.json 2.0.0"),
        (add("scripts/setup.sh", "python -m pip install left-pad\n"), "does not ask for hashes"),
        (add("Makefile", "\tnpm install left-pad\n"), "does not keep to package-lock.json"),
    ],
)
def test_what_is_not_pinned_is_named(tree: Path, change: Callable[[Path], None], problem: str) -> None:
    change(tree)

    assert problem in " ".join(problems(tree, FILES))


def test_a_file_from_the_cdn_without_its_hash_is_named(tree: Path) -> None:
    files = FILES | {"htmx": replace(FILES["htmx"], integrity="")}

    assert list(problems(tree, files)) == ["acr3d/web/vendor.py: htmx has no hash."]
