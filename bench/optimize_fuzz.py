"""Feed seeded mutations of valid models to the optimizer: `python -m bench.optimize_fuzz [COUNT] [SEED]`.

Every mutation must be refused with BadModel or be optimized, within 400 MB. The seed also selects the level;
the file for AR is always written. Anything else is printed with its seed, and the exit code is 1;
`python -m bench.optimize_fuzz 1 SEED` reproduces it. The work is done in a child process that is restarted
after a crash of a native library or a mutation that takes too long. Ranges of seeds add up: an interrupted
run continues from the last seed that it printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from acr3d.gltf.errors import BadModel
from acr3d.optimize import pipeline
from acr3d.optimize.presets import LEVELS
from tests.support.optimize_glbs import good_models, mutated

GOOD = {"refused", "optimized"}
SLOW_CPU_SECONDS = 5.0
_MEMORY_BYTES = 400 << 20
_STUCK_SECONDS = 120.0
_EVERY = 1000


def main() -> int:
    """Run the mutations; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    seed, end = options.seed, options.seed + options.count
    while seed < end:
        seed = _follow(seed, end, outcomes)
    print(f"{options.count} mutations from seed {options.seed}: {dict(outcomes)}")
    return 1 if set(outcomes) - GOOD else 0


def _follow(seed: int, end: int, outcomes: Counter[str]) -> int:
    """Let a child try the seeds starting with `seed`; return the first one that remains."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(its, seed, end), daemon=True)
    child.start()
    its.close()
    while seed < end:
        try:
            outcome, peak_mb = ours.recv() if ours.poll(_STUCK_SECONDS) else ("stuck", 0)
        except EOFError:
            child.join()
            outcome, peak_mb = f"crashed with {child.exitcode}", 0
        outcomes[outcome] += 1
        if outcome not in GOOD:
            print(f"seed {seed}: {outcome}", flush=True)
        seed += 1
        if seed % _EVERY == 0:
            print(f"before seed {seed}: {dict(outcomes)}, peak {peak_mb} MB", flush=True)
        if not peak_mb:
            child.kill()
            break
    child.join()
    return seed


def _work(out: Connection, seed: int, end: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        models = good_models(Path(folder))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
        for each in range(seed, end):
            out.send((_try(models, each, Path(folder)), _peak_mb()))


def _try(models: list[bytes], seed: int, folder: Path) -> str:
    source, target, ar = (folder / name for name in ("in.glb", "out.glb", "ar.glb"))
    source.write_bytes(mutated(models[seed % len(models)], np.random.default_rng(seed)))
    level = [*LEVELS][seed // len(models) % len(LEVELS)]
    started = time.process_time()
    try:
        pipeline.optimize(source, target, level, ar=ar)
        outcome = "optimized"
    except BadModel:
        outcome = "refused"
    except Exception:
        print(traceback.format_exc(), flush=True)
        outcome = "failed"
    return "slow" if time.process_time() - started > SLOW_CPU_SECONDS else outcome


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    raise SystemExit(main())
