"""A child process for tests: does what its first argument says."""

from __future__ import annotations

import json
import math
import mmap
import os
import socket
import sys
import time
from pathlib import Path

from acr3d.sandbox import ChildCrashed, Limits, run


def report() -> None:
    print(json.dumps({"progress": 10}))
    print("a stray line of a library")
    print(json.dumps({"progress": 90}))
    print(json.dumps({"report": {"answer": 42}}))


def report_oddly() -> None:
    for progress in (math.nan, "much", [], 40):
        print(json.dumps({"progress": progress}))
    print("[" * 100_000)
    print(json.dumps({"report": {"answer": math.inf}}))


def refuse() -> None:
    print(json.dumps({"error": "The file is no model.", "code": "no_model"}))
    raise SystemExit(3)


def take_memory() -> None:
    kept = []
    while True:
        kept.append(bytearray(10 << 20))


def start_a_greedy_child() -> None:
    limits = Limits(seconds=20, memory_mb=200, file_mb=1)
    try:
        run("tests.support.sandbox_child", ["take_shared_memory"], limits, reads=[], folder=None, lock=None)
    except ChildCrashed as crashed:
        print(json.dumps({"report": {"why": str(crashed)}}))


def take_shared_memory() -> None:
    """No limit of the system counts this as data."""
    memory = mmap.mmap(-1, 400 << 20)
    for start in range(0, len(memory), mmap.PAGESIZE):
        memory[start] = 1
    time.sleep(600)


def crash() -> None:
    os.abort()


def say_nothing() -> None:
    return


def use_the_network() -> None:
    socket.create_connection(("127.0.0.1", 9))


def write_too_much() -> None:
    with Path(os.environ.get("TMPDIR", "/tmp"), f"acr3d-{os.getpid()}").open("wb") as file:
        Path(file.name).unlink()
        file.write(b"x" * (2 << 20))
        file.flush()


def hang(pid_file: str = "") -> None:
    if pid_file:
        Path(pid_file).write_text(str(os.getpid()))
    time.sleep(600)


def show_environment() -> None:
    print(json.dumps({"report": {"names": sorted(os.environ)}}))


def show_threads() -> None:
    print(json.dumps({"report": {"threads": os.environ["ACR3D_THREADS"]}}))


def leave_trace(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("in ")
        file.flush()
        time.sleep(0.2)
        file.write("out ")
    print(json.dumps({"report": {}}))


globals()[sys.argv[1]](*sys.argv[2:])
