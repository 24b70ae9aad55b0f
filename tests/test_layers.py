"""What the web process must not load, and what a child must not. Who may import whom: pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "acr3d"
HEAVY = ("numpy", "scipy", "skimage", "DracoPy", "almeshopt", "pygltflib", "xatlas", "PIL", "pillow_heif")


def test_the_web_process_loads_nothing_heavy() -> None:
    script = f"import sys, wsgi; print([name for name in {HEAVY!r} if name in sys.modules])"

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"


def test_a_child_loads_no_web_framework_and_no_database() -> None:
    modules = (
        "acr3d.optimize",
        "acr3d.optimize.pipeline",
        "acr3d.carving.pipeline",
        "acr3d.model_export.__main__",
        "acr3d.photo_checks.inspection.check_photos",
        "acr3d.photos.__main__",
        "acr3d.render.__main__",
        "acr3d.render.poster",
        "acr3d.silhouettes.__main__",
        "acr3d.silhouettes.orientation_search",
        "acr3d.sandbox",
        "acr3d.tables.__main__",
    )
    script = (
        f"import sys, importlib; [importlib.import_module(name) for name in {modules!r}];"
        "print([name for name in ('flask', 'sqlalchemy', 'werkzeug') if name in sys.modules])"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"


def contracts() -> dict[str, dict[str, Any]]:
    read = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["id"]: contract for contract in read["tool"]["importlinter"]["contracts"]}


def packages() -> set[str]:
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    return files | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_every_package_has_its_layer() -> None:
    layers = contracts()["packages"]["layers"]
    named = [name.strip() for layer in layers for name in layer.replace("|", ":").split(":")]

    assert sorted(named) == sorted(packages())
    assert contracts()["packages"]["exhaustive"]


def test_every_package_is_kept_light_or_pure() -> None:
    """The server's packages load no numpy; those for children load no database and no web framework."""
    named = {name.split(".")[1] for key in ("light", "pure") for name in contracts()[key]["source_modules"]}
    photo_checks = {f"acr3d.photo_checks.{path.stem}" for path in (PACKAGE / "photo_checks").glob("*.py")}
    listed = contracts()["light"]["source_modules"]

    assert packages() - named == {"errors", "sandbox"}
    assert photo_checks - {"acr3d.photo_checks.__init__"} <= set(listed)
