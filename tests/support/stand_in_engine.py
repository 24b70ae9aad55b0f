"""The built-in engine with a stand-in that carves (engine_child), steered by files in the engine's folder."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

from acr3d import sandbox
from acr3d.engine_server.app import EngineApp, create_engine_app, serve

CARVER = "tests.support.engine_child"


def stand_in_engine(folder: Path, heavy_lock: Path, **more: Any) -> EngineApp:
    """`create_engine_app` with the stand-in."""
    _let_it_use_the_engines_folder()
    return create_engine_app(folder, heavy_lock=heavy_lock, carver=CARVER, **more)


@functools.cache
def _let_it_use_the_engines_folder() -> None:
    """A child may use its task's folder only."""
    run = sandbox.run

    def run_with_more(module: str, *args: Any, folder: Path | None, **more: Any) -> dict[str, Any]:
        return run(module, *args, folder=folder.parents[1] if folder and module == CARVER else folder, **more)

    sandbox.run = run_with_more


if __name__ == "__main__":
    place = Path(sys.argv[1])
    serve(stand_in_engine(place, place.parent / "heavy.lock"), 0)
