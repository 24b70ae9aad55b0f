"""The engines a job may go to, and the client for each. Both speak Meshy's contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from flask import current_app

from acr3d import settings
from acr3d.db.models import Job
from acr3d.engine_server.app import EngineApp, create_engine_app
from acr3d.engines.meshy.client import CreateOptions, MeshyClient, price_estimate
from acr3d.engines.rate_limit import OTHERS_A_SECOND, Pace
from acr3d.messages.message import Message
from acr3d.settings import MESHY_ASSETS, Settings

BUILTIN_KEY = "builtin"


@dataclass(frozen=True)
class Provider:
    """One engine as this process reaches it: what jobs are pinned to, and how patient we are with it."""

    name: str
    base: str
    account: str  # a fingerprint of address and key
    client: MeshyClient
    triangles: int  # what a model has when nobody says how many
    poll_intervals: tuple[int, ...]  # seconds between looks at a task that does not change
    unknown_wait: int  # seconds until it is believed that a task it does not show does not exist
    clock_slack: int  # seconds by which its clock may be behind ours
    allowed_origins: tuple[str, ...]
    private_origins: tuple[str, ...]
    transport: httpx.BaseTransport | None = None

    def owns(self, job: Job) -> bool:
        """Whether `job` was made for this very engine and account."""
        return (job.engine, job.engine_base, job.account) == (self.name, self.base, self.account)


class Engines:
    """The links of one app, each made when first asked for."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        self.pace = Pace(OTHERS_A_SECOND)  # of what Meshy's account is sent by this process

    @cached_property
    def builtin_app(self) -> EngineApp:
        folder = self._config.instance / "engine"
        return create_engine_app(
            folder,
            heavy_lock=heavy_lock(self._config),
            grid=self._config.engine_grid,
            use_priors=self._config.engine_guesses,
        )

    @cached_property
    def builtin(self) -> Provider:
        base = f"http://{self._config.instance_id}.builtin"
        transport = httpx.WSGITransport(app=self.builtin_app)
        client = MeshyClient(
            base, BUILTIN_KEY, transport=transport, name=Message("engine.builtin"), sends_angles=True
        )
        return Provider(
            name="builtin",
            base=base,
            account=_fingerprint(base, BUILTIN_KEY),
            client=client,
            triangles=30_000,
            poll_intervals=(1,),
            unknown_wait=0,
            clock_slack=2,
            allowed_origins=(base,),
            private_origins=(base,),
            transport=transport,
        )

    @cached_property
    def meshy(self) -> Provider:
        config = self._config
        origins = (config.meshy_api_base, *config.asset_origins)
        return Provider(
            name="meshy",
            base=config.meshy_api_base,
            account=_fingerprint(config.meshy_api_base, config.meshy_api_key),
            client=MeshyClient(config.meshy_api_base, config.meshy_api_key, pace=self.pace),
            triangles=100_000,
            poll_intervals=(5, 5, 5, 15, 15, 15, 30, 60),
            unknown_wait=config.unknown_wait_seconds,
            clock_slack=300,
            allowed_origins=(*origins, MESHY_ASSETS),
            private_origins=origins,
        )

    def provider(self, name: str) -> Provider | None:
        """The link to the engine called `name`, or None when the settings do not allow it."""
        if name == "builtin" and self._config.engine != "meshy":
            return self.builtin
        if name == "meshy" and self._config.meshy_api_key and self._config.engine != "builtin":
            return self.meshy
        return None

    def accounts(self) -> list[str]:
        """The accounts that jobs may be pinned to here."""
        links = (self.provider(name) for name in ("builtin", "meshy"))
        return [provider.account for provider in links if provider is not None]

    def finish(self) -> None:
        """Wait until the built-in engine, if this process runs it, has worked off its tasks."""
        if "builtin_app" in self.__dict__:
            self.builtin_app.finish()

    def stop(self, seconds: float) -> None:
        """End the built-in engine's child and hand its task back."""
        if "builtin_app" in self.__dict__:
            self.builtin_app.stop(seconds)

    def close(self) -> None:
        """Close the connections, once nobody uses them."""
        for provider in (self.__dict__.get("builtin"), self.__dict__.get("meshy")):
            if provider is not None:
                provider.client.close()


def engines() -> Engines:
    """The engines of the running app."""
    kept: Engines = current_app.extensions["acr3d_engines"]
    return kept


def heavy_lock(config: Settings) -> Path:
    """The file that lets one heavy child run at a time on this host."""
    return config.instance / "heavy.lock"


def create_options(job: Job, provider: Provider) -> CreateOptions:
    """What the job's configuration asks of the engine. Raises InvalidOption."""
    return options_for({"target_polycount": provider.triangles} | job.generation_config)


def options_for(config: dict[str, Any]) -> CreateOptions:
    """`config` as the client wants it. Raises InvalidOption."""
    names = ("target_polycount", "enable_pbr", "texture_prompt", "image_enhancement")
    chosen = {name: config[name] for name in names if name in config}
    return CreateOptions(ai_model=settings.current().meshy_model, **chosen)


def estimate(engine: str) -> int:
    """The credits that a model will likely cost."""
    if engine == "builtin":
        return 0
    return price_estimate(settings.current().meshy_model, {})


def _fingerprint(base: str, key: str) -> str:
    return hashlib.sha256(f"{base}\n{key}".encode()).hexdigest()[:32]
