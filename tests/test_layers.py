"""Who may know whom, and what the web process must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "acr3d"
# A room, and the rooms it may import; a room may always import itself.
MAY_IMPORT = {
    "columns": set(),
    "errors": set(),
    "settings": set(),
    "children": set(),
    "photos": set(),
    "optimize": {"children"},  # Blender in a child of its own
    "blender": set(),
    "render": {"optimize"},  # its reader of untrusted files: docs/decisions/render.md
    "agreement": {"render", "engine", "optimize"},  # a model against photos: docs/decisions/agreement.md
    "engine": {"children"},
    "preflight": {"engine"},
    "models": {"columns", "generation.states"},
    "extensions": {"models"},
    "database": {"columns", "extensions"},
    "storage": set(),
    "network": set(),
    "download": {"network"},
    "passwords": {"errors"},
}
PAGES = {
    "web",
    "cli",
    "user_commands",
    "photo_commands",
    "backup_commands",
    "webhook_commands",
    "demo",
    "app",
}
HEAVY = ("numpy", "scipy", "skimage", "DracoPy", "almeshopt", "pygltflib", "xatlas", "pillow_heif")


def room(module: str) -> str:
    return "generation.states" if module == "acr3d.generation.states" else module.split(".")[1]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    known = {module_of(one) for one in PACKAGE.rglob("*.py")}
    return {name for name in found if name in known and name != "acr3d"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=module_of)
def test_no_room_knows_more_than_it_may(path: Path) -> None:
    own = room(module_of(path)) if path.parent != PACKAGE or path.stem != "__init__" else "acr3d"
    others = {room(name) for name in imports(path)} - {own, "generation.states"}

    if own in MAY_IMPORT:
        assert others <= MAY_IMPORT[own]
    elif own not in PAGES:
        assert not others & PAGES


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
        "acr3d.engine.carve",
        "acr3d.preflight.check",
        "acr3d.render.__main__",
        "acr3d.render.poster",
        "acr3d.agreement.__main__",
        "acr3d.agreement.front",
        "acr3d.children",
    )
    script = (
        f"import sys, importlib; [importlib.import_module(name) for name in {modules!r}];"
        "print([name for name in ('flask', 'sqlalchemy', 'werkzeug') if name in sys.modules])"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
