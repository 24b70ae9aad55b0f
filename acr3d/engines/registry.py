"""Which engines exist, and which of them are set up here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import current_app

from acr3d.engines.base import Capabilities, Provider
from acr3d.engines.builtin.provider import BuiltinProvider
from acr3d.engines.meshy.provider import MeshyProvider
from acr3d.settings import AUTO, Settings

ENGINES: list[type[Provider]] = [MeshyProvider, BuiltinProvider]
"""Every engine. The first one that is set up is the default."""


class Engines:
    """The engines of one app that `config` allows and sets up."""

    def __init__(self, config: Settings) -> None:
        allowed = [engine for engine in ENGINES if config.engine in (AUTO, engine.name)]
        made = [engine.from_settings(config) for engine in allowed]
        self._providers = {provider.name: provider for provider in made if provider is not None}

    def provider(self, name: str) -> Provider | None:
        """The engine called `name`, or None when it is not set up here."""
        return self._providers.get(name)

    def available(self) -> list[Provider]:
        """The engines that a person may choose from, the default first."""
        return list(self._providers.values())

    def default(self) -> Provider:
        """The engine of a job that names none."""
        return self.available()[0]

    def paid(self) -> list[Provider]:
        """The engines with an account that costs credits."""
        return [provider for provider in self.available() if provider.capabilities.paid]

    def capture_positions(self) -> int:
        """Of how many positions of a part an engine here makes models from spin captures; 0 for none."""
        return max(provider.capabilities.captures for provider in self.available())

    def accounts(self) -> list[str]:
        """The accounts whose jobs this process can work on."""
        return [provider.account for provider in self.available()]

    def share_rate(self, pollers: int) -> None:
        """Give every engine this poller's share of its account's request rate."""
        for provider in self.available():
            provider.share_rate(pollers)

    def finish(self) -> None:
        """Wait until the tasks of engines inside this process are done."""
        for provider in self.available():
            provider.finish()

    def stop(self, seconds: float) -> None:
        """Stop the tasks of engines inside this process; they are resumed at the next start."""
        for provider in self.available():
            provider.stop(seconds)

    def close(self) -> None:
        """Close all connections, once nobody uses them."""
        for provider in self.available():
            provider.close()


def engines() -> Engines:
    """The engines of the running app."""
    kept: Engines = current_app.extensions["acr3d_engines"]
    return kept


def known(name: str) -> type[Provider] | None:
    """The engine called `name`, whether or not it is set up here; None for one that no longer exists."""
    return next((engine for engine in ENGINES if engine.name == name), None)


def names_with(can: Callable[[Capabilities], bool]) -> Sequence[str]:
    """The names of all engines with a capability, set up here or not."""
    return [engine.name for engine in ENGINES if can(engine.capabilities)]
