"""What the web process must not load, and what a child must not. Who may import whom: pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "acr3d"
HEAVY = ("numpy", "scipy", "skimage", "DracoPy", "almeshopt", "pygltflib", "xatlas", "pillow_heif")


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
        "acr3d.photo_checks.inspection.check_photos",
        "acr3d.render.__main__",
        "acr3d.render.poster",
        "acr3d.silhouettes.__main__",
        "acr3d.silhouettes.orientation_search",
        "acr3d.sandbox",
    )
    script = (
        f"import sys, importlib; [importlib.import_module(name) for name in {modules!r}];"
        "print([name for name in ('flask', 'sqlalchemy', 'werkzeug') if name in sys.modules])"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
