"""The built-in engine, run inside this process: Meshy's contract over a WSGI transport, without a socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import httpx

from acr3d import sandbox
from acr3d.engine_server.app import EngineApp, create_engine_app
from acr3d.engine_server.tasks import QuotaExceeded
from acr3d.engines.base import Capabilities, CaptureFiles, Order, Wording, account_fingerprint
from acr3d.engines.errors import QueueFull, Unreachable
from acr3d.engines.meshy.client import MAX_SIDES, MeshyClient
from acr3d.engines.meshy.contract import MeshyContract
from acr3d.engines.meshy.options import options
from acr3d.messages.message import Message
from acr3d.settings import Settings

_TEXTURE, _LARGEST_TEXTURE = 2048, 4096  # of models of captures, pixels a side
_KEY = "builtin"  # any key is accepted


class BuiltinProvider(MeshyContract):
    """Free, and bound to this host: its tasks are in the instance folder."""

    name = "builtin"
    capabilities = Capabilities(
        named_views=True,
        outlines=True,
        captures=1,
        faces_front=True,
        cancel=True,
        list_tasks=True,
        paid=False,
        local=True,
    )
    options = options(30_000, on_form=False)
    max_photos = MAX_SIDES
    wording = Wording(
        name=Message("engine.builtin_name"),
        subject=Message("engine.builtin"),
        hint=Message("engine.hint_draft"),
    )
    poll_intervals = (1,)
    unknown_wait = 0
    clock_slack = 2

    def __init__(self, config: Settings) -> None:
        self._config = config
        self.base = f"http://{config.instance_id}.builtin"
        self.account = account_fingerprint(self.base, _KEY)
        self.default_model = "latest"
        self.max_concurrent_tasks = config.max_concurrent_tasks
        self.allowed_origins = self.private_origins = (self.base,)

    @classmethod
    def from_settings(cls, config: Settings) -> Self | None:
        return cls(config)

    @cached_property
    def app(self) -> EngineApp:
        """The engine's WSGI app."""
        return create_engine_app(
            self._config.instance / "engine",
            heavy_lock=sandbox.heavy_lock(self._config.instance),
            grid=self._config.engine_grid,
            use_priors=self._config.engine_guesses,
        )

    @cached_property
    def transport(self) -> httpx.BaseTransport:  # type: ignore[override]
        return httpx.WSGITransport(app=self.app)

    def _make_client(self) -> MeshyClient:
        return MeshyClient(
            self.base, _KEY, transport=self.transport, name=self.wording.subject, sends_angles=True
        )

    def prepare_captures(self, captures: Sequence[CaptureFiles], config: Mapping[str, Any]) -> Order:
        self.check_options(config)
        polycount = config.get("target_polycount", self.options["target_polycount"].default)
        texture_size = _LARGEST_TEXTURE if config.get("level") == "full" else _TEXTURE
        options = {"target_polycount": polycount, "texture_size": texture_size}
        return Order((), options, captures=tuple(captures))

    def create(self, order: Order, metadata: Mapping[str, str]) -> str:
        if not order.captures:
            return super().create(order, metadata)
        try:
            # Not over HTTP: a capture has tens of megabytes, and its files are on this host already.
            return self.app.add_capture(order.captures, order.options)
        except QuotaExceeded:
            raise QueueFull(Message("engine.queue_full", engine=self.wording.subject)) from None
        except OSError as error:
            why = Message("answer.server_error")
            raise Unreachable(Message("engine.unreachable", engine=self.wording.subject, why=why)) from error

    def price(self, config: Mapping[str, Any], model: str = "") -> int:
        return 0

    def finish(self) -> None:
        if "app" in self.__dict__:
            self.app.finish()

    def stop(self, seconds: float) -> None:
        if "app" in self.__dict__:
            self.app.stop(seconds)
