"""Names for processes that stay unique, so that a temporary file can say who writes it.

A pid alone is reused: by a later process, and by another container that shares the folder.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


def name_of_process(pid: int) -> str:
    """`<namespace>-<pid>-<start time>`, or "" when that process has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *facts = stat.rpartition(")")[2].split()
    if state in "ZX":  # dead; a container's first process may never collect its exit status
        return ""
    started = facts[18]  # field 22 of proc(5): clock ticks since the boot
    return f"{_namespace()}-{pid}-{started}"


def is_visible_from_here(name: str) -> bool:
    """Whether we could see the process if it ran: it has our boot and our pid namespace."""
    return name.partition("-")[0] == _namespace()


def is_running(name: str) -> bool:
    """Whether the process of that name, which is visible from here, still runs."""
    pid = name.partition("-")[2].partition("-")[0]
    return pid.isdigit() and name_of_process(int(pid)) == name


@functools.cache
def _namespace() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    pids = Path("/proc/self/ns/pid").readlink()
    return hashlib.sha256(f"{boot}{pids}".encode()).hexdigest()[:12]
