"""Meshy, with the account that MESHY_API_KEY opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from acr3d.engines.base import Capabilities, Wording, account_fingerprint
from acr3d.engines.meshy.client import MAX_IMAGES, MeshyClient
from acr3d.engines.meshy.contract import MeshyContract
from acr3d.engines.meshy.options import MODELS, RETIRED_MODELS, options, price_estimate
from acr3d.engines.rate_limit import RateLimiter
from acr3d.messages.message import Message
from acr3d.settings import MESHY_ASSETS, Settings


class MeshyProvider(MeshyContract):
    """See docs/decisions/0007-meshy-client.md for the contract."""

    name = "meshy"
    capabilities = Capabilities(webhook=True, cancel=True, list_tasks=True, balance=True)
    options = options(100_000, on_form=True)
    models = MODELS
    retired_models = RETIRED_MODELS
    max_photos = MAX_IMAGES
    wording = Wording(
        name=Message.plain("Meshy"),
        subject=Message.plain("Meshy"),
        hint=Message("engine.hint_detailed"),
        key_setting="MESHY_API_KEY",
        address_setting="MESHY_API_BASE",
        model_setting="ACR3D_MESHY_MODEL",
    )
    poll_intervals = (5, 5, 5, 15, 15, 15, 30, 60)
    clock_slack = 300

    def __init__(self, config: Settings) -> None:
        self._key = config.meshy_api_key
        self._rate_limiter = RateLimiter()
        self.base = config.meshy_api_base
        self.account = account_fingerprint(self.base, self._key)
        self.default_model = config.meshy_model
        self.max_concurrent_tasks = config.max_concurrent_tasks
        self.unknown_wait = config.unknown_wait_seconds
        self.private_origins = (self.base, *config.asset_origins)
        self.allowed_origins = (*self.private_origins, MESHY_ASSETS)

    @classmethod
    def from_settings(cls, config: Settings) -> Self | None:
        return cls(config) if config.meshy_api_key else None

    def _make_client(self) -> MeshyClient:
        return MeshyClient(self.base, self._key, rate_limiter=self._rate_limiter)

    def price(self, config: Mapping[str, Any], model: str = "") -> int:
        return price_estimate(model or self.default_model, {})

    @property
    def requests_per_second(self) -> float:
        """This process's share of the account's request rate."""
        return self._rate_limiter.per_second

    def share_rate(self, pollers: int) -> None:
        self._rate_limiter.share(pollers)
