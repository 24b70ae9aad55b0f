"""Attack a started acr3d on loopback, each attack bounded in seconds and requests, and say what held.

    python -m bench.attack [--only slow,photos]

Prints a table: the attack, its outcome, and whether the app held or fell; ends with 1 if it fell anywhere.
The attacks are in `bench/attacks/`. Not here, since they need a machine of their own: a database that goes
away (tests/web/test_outages.py) and kills (bench/kills.py).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench.attacks import Attack, files, inside, strangers
from bench.attacks.target import Target

ATTACKS = [*inside.ATTACKS, *files.ATTACKS, *strangers.ATTACKS]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", default="", metavar="WORD,…", help="the attacks with these words in their name"
    )
    words = parser.parse_args().only.split(",")
    chosen = [one for one in ATTACKS if any(word in one.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="acr3d-attack-") as folder, Target(Path(folder)) as target:
        fell = [one for one in chosen if not _try(one, target)]
    print(f"{len(chosen) - len(fell)} held, {len(fell)} fell")
    return bool(fell)


def _try(attack: Attack, target: Target) -> bool:
    """Run it and print its line. What goes wrong in it, as a server that is gone, counts as a fall."""
    began = time.monotonic()
    try:
        held, outcome = attack.run(target)
    except Exception as error:
        held, outcome = False, f"{type(error).__name__}: {error}"[:120]
    seconds = time.monotonic() - began
    print(f"{'held' if held else 'FELL'}  {attack.name:52} {seconds:5.1f} s  {outcome}", flush=True)
    return held


if __name__ == "__main__":
    sys.exit(main())
