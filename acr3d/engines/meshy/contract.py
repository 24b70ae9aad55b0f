"""What engines have in common that answer Meshy's HTTP contract: Meshy itself and the built-in engine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from acr3d.engines.base import Order, Provider, Retirement
from acr3d.engines.meshy.client import MeshyClient
from acr3d.engines.meshy.options import CreateOptions
from acr3d.engines.remote_task import Task


class MeshyContract(Provider):
    """A provider whose calls are those of a MeshyClient, which is made when it is first used."""

    default_model: str

    @abstractmethod
    def _make_client(self) -> MeshyClient: ...

    @cached_property
    def client(self) -> MeshyClient:
        return self._make_client()

    def prepare(
        self,
        photos: Sequence[tuple[bytes, str]],
        config: Mapping[str, Any],
        outlines: Sequence[bytes | None] = (),
        model: str = "",
    ) -> Order:
        order = super().prepare(photos, config, outlines, model)
        # A model, key or address that the client does not take fails here, before the order counts as sent.
        self._create_options(order)
        _ = self.client
        return order

    def create(self, order: Order, metadata: Mapping[str, str]) -> str:
        return self.client.create(order.photos, self._create_options(order), metadata, order.outlines)

    def _create_options(self, order: Order) -> CreateOptions:
        return CreateOptions(ai_model=order.model or self.default_model, **order.options)

    def get(self, task_id: str) -> Task:
        return self.client.get(task_id)

    def delete(self, task_id: str) -> None:
        self.client.delete(task_id)

    def list(self, page_num: int = 1) -> list[Task]:
        return self.client.list(page_num)

    def retirement(self) -> Retirement | None:
        return self.client.retirement

    def balance(self) -> int:
        return self.client.balance()

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()
