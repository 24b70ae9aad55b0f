"""Feed seeded mutations of good models to the optimizer: `python -m bench.optimize_fuzz [COUNT] [SEED]`.

Every mutation must be refused with BadModel or come out optimized. Anything else is printed with its seed, so
that `python -m bench.optimize_fuzz 1 SEED` shows it again, and the exit code is 1. Runs in one process, so a
crash of a native library ends it at once; the seed that was being tried is then the last line printed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from acr3d.optimize import pipeline
from acr3d.optimize.errors import BadModel
from tests.optimize_glbs import good_models, mutated

SLOW_SECONDS = 5.0


def main() -> int:
    """Run the mutations; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    options = parser.parse_args()
    outcomes = dict.fromkeys(("refused", "optimized", "failed", "slow"), 0)
    with tempfile.TemporaryDirectory() as folder:
        models = good_models(Path(folder))
        for seed in range(options.seed, options.seed + options.count):
            if seed % 1000 == 0:
                print(f"seed {seed}: {outcomes}, peak {_peak_mb()} MB", flush=True)
            _try(models, seed, Path(folder), outcomes)
    print(f"{options.count} mutations: {outcomes}, peak {_peak_mb()} MB")
    return 1 if outcomes["failed"] or outcomes["slow"] else 0


def _try(models: list[bytes], seed: int, folder: Path, outcomes: dict[str, int]) -> None:
    source, target = folder / "in.glb", folder / "out.glb"
    source.write_bytes(mutated(models[seed % len(models)], np.random.default_rng(seed)))
    started = time.monotonic()
    try:
        pipeline.optimize(source, target)
        outcomes["optimized"] += 1
    except BadModel:
        outcomes["refused"] += 1
    except Exception:
        print(f"seed {seed}:\n{traceback.format_exc()}", flush=True)
        outcomes["failed"] += 1
    if time.monotonic() - started > SLOW_SECONDS:
        print(f"seed {seed}: took {time.monotonic() - started:.1f} s", flush=True)
        outcomes["slow"] += 1


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    raise SystemExit(main())
