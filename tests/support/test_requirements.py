"""No test is left out in silence: missing tools are named, and under CI a skipped test fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = """
import unittest
def test_one(): pass
def test_two(): raise unittest.SkipTest("for no reason")
"""
NEEDS_ALL = """
import pytest
def test_plain(): pass
@pytest.mark.needs("chromium")
def test_marked(): pass
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def test_parametrised(kind): pass
@pytest.fixture
def node(): pass
def test_fixture(node): pass
"""
NEEDS_BLENDER = """
import pytest
def test_plain(): pass
@pytest.mark.needs("blender")
def test_marked(): pass
"""


def run_pytest(folder: Path, tests: str, *options: str, **environment: str) -> tuple[int, str]:
    """Run `tests` with the plugin in a pytest of its own; the exit code and what it printed."""
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.support.requirements",
            "-p",
            "no:cacheprovider",
            *(["-p", "xdist.plugin"] if "-n" in options else []),
            *options,
            folder,
        ],
        cwd=ROOT,
        env=inherited | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | environment,  # others take seconds
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return finished.returncode, finished.stdout + finished.stderr


@pytest.fixture
def nothing_installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which no tool is found."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(sys.executable)
    return {"PATH": str(tools), "ACR3D_TEST_POSTGRES": ""}


@pytest.fixture
def no_debian_postgres(tmp_path: Path) -> str:
    """Options for a run in which Debian's own folder of PostgreSQL versions is empty."""
    (tmp_path / "conftest.py").write_text(
        "import pathlib\nimport tests.support.postgres\n"
        f"tests.support.postgres.DEBIAN_BINARIES = pathlib.Path({str(tmp_path)!r})\n"
    )
    return f"--confcutdir={tmp_path}"


@pytest.fixture
def all_but_blender(tmp_path: Path) -> None:
    """Every tool is here, whatever this machine has, and the optional extra is not."""
    (tmp_path / "conftest.py").write_text(
        "from tests.support.requirements import TOOLS\n"
        "TOOLS.update(dict.fromkeys(TOOLS, lambda: None), blender=lambda: 'No Blender here.')\n"
    )


def test_what_is_absent_is_left_out_and_named(
    tmp_path: Path, nothing_installed: dict[str, str], no_debian_postgres: str
) -> None:
    code, said = run_pytest(tmp_path, NEEDS_ALL, no_debian_postgres, CI="", **nothing_installed)
    assert code == 0, said
    assert "2 passed, 3 deselected" in said
    for tool in ("postgres", "chromium", "node"):
        assert f"Left out: the tests that need {tool}." in said


def test_under_ci_an_absent_tool_fails_the_run(tmp_path: Path, nothing_installed: dict[str, str]) -> None:
    code, said = run_pytest(tmp_path, NEEDS_ALL, CI="true", **nothing_installed)
    assert code != 0
    assert "nothing may be left out" in said
    assert "Node.js is not installed." in said


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_under_ci_a_skipped_test_fails_the_run(
    tmp_path: Path, all_but_blender: None, workers: list[str]
) -> None:
    code, said = run_pytest(tmp_path, SKIPPED, *workers, CI="true")
    assert code == 1
    assert "1 passed, 1 skipped" in said
    assert "Failed: 1 skipped" in said


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_under_ci_an_optional_extra_may_be_missing(
    tmp_path: Path, all_but_blender: None, workers: list[str]
) -> None:
    code, said = run_pytest(tmp_path, NEEDS_BLENDER, *workers, CI="true")
    assert code == 0, said
    assert "1 passed" in said
    assert "skipped" not in said
    assert "Left out: the tests that need blender. No Blender here." in said


def test_a_run_for_an_extra_takes_its_tests_alone(tmp_path: Path, all_but_blender: None) -> None:
    with (tmp_path / "conftest.py").open("a") as conftest:
        conftest.write("TOOLS['blender'] = lambda: None\n")
    code, said = run_pytest(tmp_path, NEEDS_BLENDER, "--extra", "blender", CI="true")
    assert code == 0, said
    assert "1 passed, 1 deselected" in said


def test_a_run_for_an_extra_that_is_missing_fails(tmp_path: Path, all_but_blender: None) -> None:
    code, said = run_pytest(tmp_path, NEEDS_BLENDER, "--extra", "blender", CI="")
    assert code != 0
    assert "No Blender here." in said


def test_elsewhere_a_skipped_test_is_only_reported(tmp_path: Path) -> None:
    code, said = run_pytest(tmp_path, SKIPPED, CI="")
    assert code == 0
    assert "1 passed, 1 skipped" in said


def test_a_tool_nobody_knows_is_an_error(tmp_path: Path) -> None:
    code, said = run_pytest(
        tmp_path, 'import pytest\n@pytest.mark.needs("chromiun")\ndef test_it(): pass\n', CI=""
    )
    assert code == 4
    assert "needs chromiun" in said
