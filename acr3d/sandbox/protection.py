"""What the kernel of this machine keeps children from, for the log."""

from __future__ import annotations

from acr3d.sandbox import landlock, seccomp


def protection() -> str:
    """`children.confined files=… network=…`: which of the blocks hold here."""
    abi = landlock.abi()
    files = f"landlock-abi-{abi}" if abi else "no"
    return f"children.confined files={files} network={_network_block()}"


def _network_block() -> str:
    if seccomp.is_available():
        return "seccomp"
    return "landlock-tcp-only" if landlock.blocks_tcp() else "python-only"
