"""Heavy work in a child process: it reports, refuses, is stopped, and leaves no orphan."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from acr3d.sandbox import ChildCrashed, ChildRefused, ChildStopped, Limits, run

SMALL = Limits(seconds=20, memory_mb=300, file_mb=1)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "heavy.lock"


def child(*args: str, lock: Path, limits: Limits = SMALL, **more: object) -> dict[str, object]:
    """`lock`'s folder is the child's own."""
    more = {"reads": [], "folder": lock.parent, "lock": lock} | more
    return run("tests.support.sandbox_child", list(args), limits, **more)  # type: ignore[arg-type]


def test_a_child_reports_its_progress_and_its_result(lock: Path) -> None:
    seen: list[int] = []

    report = child("report", lock=lock, on_progress=seen.append)

    assert (report, seen) == ({"answer": 42}, [10, 90])


def test_what_a_child_says_oddly_is_no_progress_and_no_number(lock: Path) -> None:
    seen: list[int] = []

    report = child("report_oddly", lock=lock, on_progress=seen.append)

    assert (report, seen) == ({"answer": None}, [40])


def test_a_refusal_has_a_sentence_and_a_code(lock: Path) -> None:
    with pytest.raises(ChildRefused, match=r"The file is no model\.") as refused:
        child("refuse", lock=lock)

    assert refused.value.code == "no_model"


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("take_memory", "more than its 300 MB"),
        ("crash", "stopped unexpectedly"),
        ("say_nothing", "stopped unexpectedly"),
        ("write_too_much", "stopped unexpectedly"),
    ],
)
def test_a_failed_child_says_why(lock: Path, action: str, message: str) -> None:
    with pytest.raises(ChildCrashed, match=message):
        child(action, lock=lock)


def test_a_childs_child_may_not_take_more_memory_either(lock: Path) -> None:
    report = child("start_a_greedy_child", lock=lock)

    assert "more than its 200 MB" in str(report["why"])


def test_a_crashed_childs_output_is_in_the_log_but_not_shown_to_users(
    lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ChildCrashed) as crashed:
        child("use_the_network", lock=lock)

    assert "a child of acr3d has no network" in caplog.text
    assert "network" not in str(crashed.value)


def test_a_child_that_never_ends_is_stopped(lock: Path) -> None:
    with pytest.raises(ChildCrashed, match="longer than 1 seconds"):
        child("hang", lock=lock, limits=Limits(seconds=1))


def test_a_shutdown_stops_the_child_immediately(lock: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = time.monotonic()

    with pytest.raises(ChildStopped):
        child("hang", lock=lock, stop=stop)

    assert time.monotonic() - started < 10


def test_a_child_gets_no_secrets(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHY_API_KEY", "msy_secret")
    monkeypatch.setenv("SECRET_KEY", "secret")

    names = child("show_environment", lock=lock)["names"]

    assert isinstance(names, list)
    assert not {"MESHY_API_KEY", "SECRET_KEY"} & set(names)


@pytest.mark.parametrize(
    ("wanted", "processors", "threads"),
    [("", 1, "1"), ("", 8, "2"), ("1", 8, "1"), ("5", 1, "5"), ("0", 8, "2")],
)
def test_a_child_gets_the_configured_threads_or_those_that_suit_the_machine(
    wanted: str, processors: int, threads: str, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACR3D_THREADS", wanted)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)))

    assert child("show_threads", lock=lock) == {"threads": threads}


def test_one_heavy_child_runs_at_a_time(lock: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    threads = [
        threading.Thread(target=child, args=("leave_trace", str(trace)), kwargs={"lock": lock})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert trace.read_text().split() == ["in", "out"] * 3


def test_a_host_with_more_memory_runs_more_children_at_once(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACR3D_CHILDREN", "2")
    with lock.open("w") as first, lock.with_name("heavy.lock.1").open("w") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        assert child("report", lock=lock) == {"answer": 42}

        fcntl.flock(second, fcntl.LOCK_EX)
        stop = threading.Event()
        stop.set()
        with pytest.raises(ChildStopped):  # it would have to wait
            child("report", lock=lock, stop=stop)


def test_a_child_dies_with_its_killed_parent(lock: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "from pathlib import Path; from acr3d.sandbox import Limits, run;"
        f"lock = Path({str(lock)!r}); "
        f"run('tests.support.sandbox_child', ['hang', {str(pid_file)!r}], Limits(),"
        "reads=[], folder=lock.parent, lock=lock)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    end = time.monotonic() + 20
    while not pid_file.exists() or not pid_file.read_text():
        assert time.monotonic() < end
        time.sleep(0.02)

    parent.kill()
    parent.wait()

    child_process = Path("/proc", pid_file.read_text())
    while child_process.exists():
        assert time.monotonic() < end, "the child outlived its parent"
        time.sleep(0.02)
