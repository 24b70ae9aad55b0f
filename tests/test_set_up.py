"""The ways to start the app say the same."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVER = "gunicorn -c gunicorn.conf.py wsgi:app"


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_way_to_start_runs_the_same_server() -> None:
    for name in ("Procfile", "Makefile", "docs/hosting.md"):
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
