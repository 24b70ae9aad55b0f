"""The app of these tests has a Meshy account."""

from __future__ import annotations

from tests.support.meshy_account import app, job, no_rate_limit, part, user

__all__ = ["app", "job", "no_rate_limit", "part", "user"]
