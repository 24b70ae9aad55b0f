"""The machine: room on its disks, memory, clock, and what is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from acr3d.cli.doctor import kernel_clock
from acr3d.cli.doctor.finding import Finding, beware, broken, ok
from acr3d.jobs.model_files import can_write
from acr3d.settings import Settings
from acr3d.start import ephemeral_folder

_MB = 1_000_000
_LEAST_MEMORY_MB = 900
_LEAST_DISK_MB = 1000
MEMORY = Path("/proc/meminfo")
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


def disk(config: Settings) -> Iterator[Finding]:
    """Room in the folders, and whether they last."""
    for folder in dict.fromkeys((config.instance, config.storage_folder)):
        free = shutil.disk_usage(folder).free // _MB
        if free < config.room_mb * 2:
            yield broken(f"Disk: {free} MB are free in {folder}, so no job can start. Free some space.")
        elif free < _LEAST_DISK_MB:
            yield beware(f"Disk: only {free} MB are free in {folder}. Free some space soon.")
        else:
            yield ok(f"Disk: {free:,} MB are free in {folder}.")
    yield from map(beware, ephemeral_folder.warnings(config, ephemeral_folder.mount_table()))


def memory(_config: Settings) -> Iterator[Finding]:
    """What the machine has, or what a container or a service may take of it."""
    found = [size for size in (_machine_memory_mb(), _allowed_memory_mb()) if size is not None]
    if not found:
        return
    if min(found) < _LEAST_MEMORY_MB:
        yield beware(f"Memory: {min(found)} MB. Making models takes up to 700 MB; give the machine 1 GB.")
    else:
        yield ok(f"Memory: {min(found):,} MB.")


def _machine_memory_mb() -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines())
        return int(lines["MemTotal"].split()[0]) // 1000
    except (OSError, KeyError, ValueError):
        return None


def _allowed_memory_mb() -> int | None:
    """The limit of this process's control group (cgroup v2); None without one."""
    try:
        return int(MEMORY_LIMIT.read_text()) // _MB
    except (OSError, ValueError):  # “max”
        return None


def clock(_config: Settings) -> Iterator[Finding]:
    """Whether something sets the machine's clock, as the kernel knows; silent where it does not say."""
    is_set = kernel_clock.is_synchronized()
    if is_set is False:
        yield beware(
            "Clock: nothing sets this machine's clock. When it is wrong by minutes, buckets and HTTPS refuse "
            "us. Turn on NTP, for instance with “timedatectl set-ntp true”."
        )
    elif is_set:
        yield ok("Clock: it is set by NTP.")


def programs(_config: Settings) -> Iterator[Finding]:
    """What `make setup` brings where it can."""
    if not can_write("usdz"):
        yield beware(
            "AR: OpenUSD is not installed, so iPhones make their AR file themselves, in seconds. Run "
            "“make setup” again; there may be no package for this machine."
        )
