"""The ways to start the app say the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVER = "gunicorn -c gunicorn.conf.py wsgi:app"


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_way_to_start_runs_the_same_server() -> None:
    for name in ("Procfile", "Makefile", "deploy/systemd/acr3d.service", "deploy/Dockerfile"):
        assert SERVER in read(name), name


def test_the_procfile_migrates_first_and_never_seeds_demo_parts() -> None:
    steps = read("Procfile").removeprefix("web: ").split(" && ")
    assert steps[0] == "flask --app wsgi db upgrade"
    assert steps[-1].startswith("exec ")
    assert "demo" not in read("Procfile")


def test_make_run_makes_the_admin_before_the_demo_parts() -> None:
    recipe = read("Makefile").partition("\nrun:")[2].partition("\n\n")[0]
    steps = [line.split(") ")[-1] for line in recipe.splitlines() if "$(FLASK)" in line]
    assert steps == ["db upgrade", "users first", "demo"]


FAKE_PYTHON = """#!/bin/bash
echo "$*" >>calls
case "$*" in *"-r requirements-usdz.txt"*) cat pip-says >&2; [ ! -s pip-says ];; esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the set-up reads, with a Python that only notes what it was asked for."""
    for name in ("scripts/setup.sh", "requirements.txt", "requirements-dev.txt", "requirements-usdz.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o700)
    (tmp_path / "tools").mkdir()
    for tool in ("bash", "cat", "cksum", "dirname", "env", "grep", "rm", "tail", "touch"):
        (tmp_path / "tools" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def set_up(tree: Path, pip_says: str) -> tuple[str, list[str]]:
    """What a run of the set-up prints, and the lock files that it installed."""
    (tree / "pip-says").write_text(pip_says)
    (tree / "calls").write_text("")
    command = [str(shutil.which("bash")), "scripts/setup.sh", "run"]
    done = subprocess.run(
        command, cwd=tree, env={"PATH": str(tree / "tools")}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    calls = (tree / "calls").read_text().splitlines()
    return done.stdout, [call.rpartition(" ")[2] for call in calls if " install " in call]


def test_open_usd_that_could_not_be_fetched_is_tried_by_the_next_set_up(tree: Path) -> None:
    said, first = set_up(tree, "ERROR: the network is down")
    _said, second = set_up(tree, "")
    _said, third = set_up(tree, "")

    assert "the next set-up tries again: ERROR: the network is down" in said
    assert first == ["requirements.txt", "requirements-usdz.txt"]
    assert (second, third) == (["requirements-usdz.txt"], [])


def test_open_usd_that_does_not_exist_for_this_machine_is_tried_once_for_each_lock_file(tree: Path) -> None:
    said, _first = set_up(tree, "ERROR: No matching distribution found for usd-core==26.11")
    _said, second = set_up(tree, "")
    (tree / "requirements-usdz.txt").write_text("usd-core==27.2")
    _said, third = set_up(tree, "")

    assert "there is no OpenUSD for this machine" in said
    assert (second, third) == ([], ["requirements-usdz.txt"])
