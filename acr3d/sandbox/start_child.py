"""`python -P start_child.py GIVEN MODULE ARG…`: begin a child.

A file to be run by its path. Python's own search for `acr3d` lists the folder that it is in, and a child's
child may not do that: the instance folder is often there too.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def load_package(name: str) -> None:
    """Import a package of this tree, and let its modules be found. Raises ImportError."""
    folder = _ROOT / name
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package: {folder}")
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


if __name__ == "__main__":
    for package in {"acr3d", sys.argv[2].partition(".")[0]}:
        load_package(package)

    from acr3d.sandbox import child

    child.main(sys.argv[1:])
