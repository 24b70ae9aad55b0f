"""Errors of backup and restore."""

from __future__ import annotations


class BackupError(Exception):
    """No backup was made, or nothing was restored. `str()` tells people why and what to do."""
