"""What can go wrong with a backup."""

from __future__ import annotations


class BackupError(Exception):
    """No backup was made, or nothing was restored. `str()` says why and what to do, for a person."""
