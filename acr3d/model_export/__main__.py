"""Write a GLB in another format; the target's ending says which.

python -m acr3d.model_export MODEL.glb TARGET.stl (or .usdz) runs in a child process and prints one JSON line
with the report, or with the reason why the model cannot be written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from acr3d.gltf.errors import BadModel
from acr3d.messages.refusal import written
from acr3d.model_export.stl import write_stl
from acr3d.sandbox import REFUSED_EXIT


def _write(source: Path, target: Path) -> dict[str, Any]:
    if target.suffix == ".stl":
        return write_stl(source, target)
    from acr3d.model_export.usd_stage import write_usdz  # only now: OpenUSD is optional

    return write_usdz(source, target)


def main(argv: list[str]) -> int:
    source, target = map(Path, argv)
    try:
        report = _write(source, target)
    except BadModel as problem:
        print(written(problem.message, problem.code), flush=True)
        return REFUSED_EXIT
    print(json.dumps({"report": report}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
