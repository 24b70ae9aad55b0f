"""A pytest plugin: what tests need from outside, and no test is left out in silence.

A test needs a tool when it says `@pytest.mark.needs("chromium")` (a parameter can carry the mark too) or uses
a fixture of the tool's name. Without the tool the test is left out, and the summary says so in a plain line.
With CI=true a missing tool fails the run instead, and so does every skipped test.

The optional extras, which a make target of their own installs, may be missing under CI as well. A second run
takes their tests: `pytest --extra blender` runs those that need Blender, and fails where it is missing.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from acr3d.optimize import meshoptimizer
from acr3d.optimize.blender.bake import why_unavailable
from acr3d.outlines import method
from acr3d.sandbox import landlock, seccomp
from tests.support.browser import chromium_missing
from tests.support.postgres import postgres_missing
from tests.support.small_disk import can_mount

LIBFAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), Path("/no/libfaketime"))
NODE_MODULES = Path(__file__).parents[2] / "node_modules"


def node_missing() -> str | None:
    """Why the tests cannot run Node programs, as a sentence; None when they can."""
    if not shutil.which("node"):
        return "Node.js is not installed."
    return None if (NODE_MODULES / "gltf-validator").is_dir() else "`npm ci` has not been run."


def libfaketime_missing() -> str | None:
    """Why the tests can set no process's clock, as a sentence; None when they can."""
    return None if LIBFAKETIME.exists() else "libfaketime is not installed."


def mounts_missing() -> str | None:
    """Why the tests can mount no file system of their own, as a sentence; None when they can."""
    return None if can_mount() else "No file system can be mounted here (that takes root)."


def meshopt_missing() -> str | None:
    """Why the tests cannot use meshoptimizer's simplifier, as a sentence; None when they can."""
    return None if meshoptimizer.is_available() else "almeshopt is missing, or the processor lacks AVX2."


def landlock_missing() -> str | None:
    """Why children cannot be kept from files, as a sentence; None when they can."""
    return None if landlock.abi() else "This kernel has no Landlock, or it is turned off."


def seccomp_missing() -> str | None:
    """Why children cannot be kept from the network by the kernel, as a sentence; None when they can."""
    return None if seccomp.is_available() else "This kernel or processor has no seccomp filter for us."


def cutout_missing() -> str | None:
    """Why the tests cannot run the learned cut-out, as a sentence; None when they can."""
    is_here = method.HOME.joinpath("made").is_file() and find_spec("onnxruntime") and find_spec("onnx")
    return None if is_here else "The learned cut-out is not installed. `make cutout` installs it."


def usdz_missing() -> str | None:
    """Why the tests cannot write USDZ, as a sentence; None when they can."""
    return None if find_spec("pxr") else "OpenUSD is not installed; `make setup` does so where it can."


def spin_missing() -> str | None:
    """Why the tests cannot read a capture, as a sentence; None when they can."""
    is_here = find_spec("cv2") and find_spec("av")
    return None if is_here else "Spin capture is not installed. `make spin` installs it."


def systemd_missing() -> str | None:
    """Why systemd cannot check units, as a sentence; None when it can."""
    return None if shutil.which("systemd-analyze") else "systemd is not installed."


TOOLS = {
    "postgres": postgres_missing,
    "chromium": chromium_missing,
    "node": node_missing,
    "libfaketime": libfaketime_missing,
    "blender": why_unavailable,
    "cutout": cutout_missing,
    "spin": spin_missing,
    "meshopt": meshopt_missing,
    "usdz": usdz_missing,
    "mounts": mounts_missing,
    "landlock": landlock_missing,
    "seccomp": seccomp_missing,
    "systemd": systemd_missing,
}
EXTRAS = {"blender", "cutout", "spin"}


def _absent() -> dict[str, str]:
    return {tool: why for tool, missing in TOOLS.items() if (why := missing())}


def _needs(item: pytest.Item) -> set[str]:
    named = {tool for mark in item.iter_markers("needs") for tool in mark.args}
    unknown = named - TOOLS.keys()
    if unknown:
        raise pytest.UsageError(f"{item.nodeid} needs {', '.join(unknown)}; known are {', '.join(TOOLS)}.")
    return named | (set(getattr(item, "fixturenames", ())) & TOOLS.keys())


def _strict() -> bool:
    return os.environ.get("CI") == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--extra", choices=sorted(EXTRAS), help="run only the tests that need this optional extra"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(tool): needs something from outside: {', '.join(TOOLS)}")
    config.addinivalue_line("markers", "proof: heavy by nature; `make proof` runs it")
    absent = _absent()
    extra = config.getoption("--extra")
    if extra in absent:
        raise pytest.UsageError(absent[extra])
    missing = [why for tool, why in absent.items() if tool not in EXTRAS]
    if _strict() and missing:
        raise pytest.UsageError(f"Under CI nothing may be left out. {' '.join(missing)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    absent = _absent().keys()
    extra = config.getoption("--extra")
    left_out = [item for item in items if _needs(item) & absent or (extra and extra not in _needs(item))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for tool, why in _absent().items():
        terminalreporter.write_line(f"Left out: the tests that need {tool}. {why}", yellow=True)
    if terminalreporter.config.option.markexpr == "not proof":
        terminalreporter.write_line("Left out: the heavy tests. `make proof` runs them.")
    if _strict() and (skipped := _skipped(terminalreporter)):
        terminalreporter.write_line(f"Failed: {skipped} skipped, and under CI none may be.", red=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> object:
    """After everybody else: a skipped test turns a passed run into a failed one."""
    result = yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _strict() and session.exitstatus == pytest.ExitCode.OK and reporter and _skipped(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return result


def _skipped(reporter: pytest.TerminalReporter) -> int:
    return sum(len(reporter.stats.get(outcome, ())) for outcome in ("skipped", "xfailed"))
