"""Errors of backup and restore."""

from __future__ import annotations


class BackupError(Exception):
    """No backup was made, or nothing was restored. `str()` tells people why and what to do."""


def not_ours(what: str) -> BackupError:
    """The backup's database contains `what`, such as a trigger."""
    return BackupError(
        f"The backup's database contains a {what}, which acr3d never makes and which could change data by "
        "itself. Nothing was restored. Restore an unmodified backup."
    )


def differing(what: str) -> BackupError:
    """The database has other `what` than the manifest says."""
    return BackupError(
        f"The backup is damaged: its database has other {what} than its manifest says. Nothing was restored. "
        "Restore a different one."
    )
