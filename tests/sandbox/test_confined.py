"""What a child can reach, tried through the C library: a block in Python hinders no code that broke in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from acr3d import sandbox
from acr3d.sandbox import Limits, landlock, run
from acr3d.sandbox.protection import protection
from tests.support.confined_child import attempts, needed

ROOT = Path(__file__).parents[2]
SMALL = Limits(seconds=20, memory_mb=300, file_mb=1)
REPORT = "import sys; from acr3d.sandbox.protection import protection; print(protection())"
BY_SECCOMP = {
    "empty a file",
    "open a file to everybody",
    "give a file away",
    "empty its input",
    "empty its input while opening",
    "open an IPv4 socket",
    "open an IPv6 datagram socket",
    "open a socket in another thread",
    "reach a daemon of this host",
    "open sockets by io_uring",
}


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A folder as the instance folder: none of a child's business."""
    folder = tmp_path / "others"
    (folder / "folder").mkdir(parents=True)
    (folder / "secret").write_text("the database")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def given(tmp_path: Path) -> Path:
    file = tmp_path / "input.glb"
    file.write_text("a model")
    return file


@pytest.mark.needs("landlock", "seccomp")
def test_a_child_reaches_its_input_its_folder_and_nothing_else(others: Path, given: Path, own: Path) -> None:
    report = run(
        "tests.support.confined_child",
        [str(others), str(given), str(own)],
        SMALL,
        reads=[given],
        folder=own,
        lock=None,
    )

    assert report["succeeded"] == list(needed(given, own))
    assert (given.read_text(), (others / "secret").read_text()) == ("a model", "the database")


@pytest.mark.needs("landlock", "seccomp")
@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5])
def test_an_older_kernels_landlock_keeps_it_from_files_too(
    others: Path, given: Path, own: Path, abi: int
) -> None:
    """Which rights it knows depends on its age. Before ABI 6 a signal gets through."""
    program = (
        "import sys; from acr3d.sandbox import landlock; "
        f"landlock.abi = lambda: {abi}; from acr3d.sandbox import child; child.main(sys.argv[1:])"
    )
    succeeded = succeeded_in_a_child(["-c", program], others, given, own)

    # Below ABI 2 no file can be moved to another folder.
    assert set(needed(given, own)) - succeeded == ({"move its file"} if abi == 1 else set())
    assert succeeded & set(attempts(others, given, own)) == {"signal the server"}


@pytest.mark.needs("seccomp")
def test_without_landlock_there_is_still_no_network(others: Path, given: Path, own: Path) -> None:
    poorer = ["-m", "tests.support.poorer_kernel", "SECCOMP"]

    said = subprocess.run([sys.executable, *poorer, "-c", REPORT], cwd=ROOT, capture_output=True, text=True)
    succeeded = succeeded_in_a_child([*poorer, sandbox._START], others, given, own)

    assert said.stdout.strip() == "children.confined files=no network=seccomp"
    assert "read a file" in succeeded
    assert not BY_SECCOMP & succeeded


@pytest.mark.needs("seccomp")
def test_where_the_kernel_has_neither_children_run_as_before_and_the_log_says_so(
    others: Path, given: Path, own: Path
) -> None:
    poorer = ["-m", "tests.support.poorer_kernel", "NEITHER"]

    said = subprocess.run([sys.executable, *poorer, "-c", REPORT], cwd=ROOT, capture_output=True, text=True)
    succeeded = succeeded_in_a_child([*poorer, sandbox._START], others, given, own)

    assert said.stdout.strip() == "children.confined files=no network=python-only"
    assert {"read its input", "open an IPv4 socket"} <= succeeded


@pytest.mark.needs("landlock", "seccomp")
def test_here_the_log_names_both() -> None:
    assert protection() == f"children.confined files=landlock-abi-{landlock.abi()} network=seccomp"


def succeeded_in_a_child(command: list[str], others: Path, given: Path, own: Path) -> set[str]:
    """Run the child's side by another command."""
    limits = {"seconds": 20, "memory_mb": 300, "file_mb": 1}
    terms = json.dumps(limits | {"reads": [str(given)], "folder": str(own)})
    child = ["tests.support.confined_child", str(others), str(given), str(own)]
    with subprocess.Popen(
        [sys.executable, *command, terms, *child],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
    return set(report["report"]["succeeded"])
