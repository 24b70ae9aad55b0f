"""`python -m tests.support.poorer_kernel SECCOMP|NEITHER ARG…`: run Python as if the kernel had no Landlock.

With NEITHER it has no seccomp for us either.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import replace

from acr3d.sandbox import landlock, seccomp

if __name__ == "__main__":
    processor = seccomp._PROCESSORS[platform.machine()]
    missing = (landlock._CREATE_RULESET,) + ((processor.seccomp,) if sys.argv[1] == "NEITHER" else ())
    seccomp._PROCESSORS = {platform.machine(): replace(processor, denied=missing, flags_of={})}
    seccomp.block()
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
