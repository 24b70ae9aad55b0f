"""What an engine is to the rest of acr3d: a subclass of `Provider` in a folder of its own.

To add one: a folder here with the subclass, one line in `registry.ENGINES`, and its name, key and address in
`acr3d/settings.py`. Nothing else names an engine; pages, jobs and orders ask for capabilities, options and
wording. `tests/engines/test_third_engine.py` runs a job through a provider that is nothing but such a class.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import httpx

from acr3d.engines.options import InvalidOption, Option
from acr3d.engines.remote_task import Task
from acr3d.messages.message import Message
from acr3d.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an engine can do; the others work around what it cannot."""

    named_views: bool = False
    """Is told which side each photo shows, so more than four photos help."""
    outlines: bool = False
    """Takes the part's outline in each photo, so it need not look for it."""
    captures: int = 0
    """Makes models of spin captures as well, in true size: of so many positions of the part."""
    faces_front: bool = False
    """Its models face the way the photos are labelled. Otherwise the front is looked for."""
    webhook: bool = False
    """Calls us when a task changes; polling remains the fallback."""
    cancel: bool = False
    """A waiting task can be deleted, and its credits come back."""
    list_tasks: bool = False
    """Lists the account's newest tasks. Needed to settle an order whose answer was lost."""
    balance: bool = False
    """Tells the credits left, for free: the probe of a tripped circuit breaker."""
    paid: bool = True
    """Orders cost credits, and other programs may use the same account."""
    local: bool = False
    """Runs on this host: other hosts cannot see its tasks, and no backup holds them."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """How people read about an engine. A brand's name is a `Message.plain`, which is not translated."""

    name: Message
    """On badges, and inside a sentence."""
    subject: Message
    """At the start of a sentence."""
    hint: Message
    """What its models are like, in one line on the Generate form."""
    key_setting: str = ""
    """The environment variable of its key, of its address, and of the model it uses."""
    address_setting: str = ""
    model_setting: str = ""


@dataclass(frozen=True, kw_only=True)
class EngineModel:
    """One of the models that an engine offers, as an admin chooses it."""

    name: str
    hint: Message
    is_leaving: bool = False
    """The engine has announced that it will be retired."""


@dataclass(frozen=True)
class Retirement:
    """What an engine's answers said of something that it takes away: since when, and where to read more."""

    since: datetime | None
    link: str


CaptureFiles = Mapping[str, Path]
"""The files of one position of a capture by their names, as `acr3d.spin` reads them."""


@dataclass(frozen=True)
class Order:
    """What an engine is asked for: (JPEG, side) pairs, the front or main photo first; all options.

    `outlines`: the part's outline in each photo, a PNG that is white on the part, or None; for an engine that
    takes them. `model`: the engine's model; empty: the one that is set up. `captures`: instead of photos, the
    positions of a spin capture.
    """

    photos: tuple[tuple[bytes, str], ...]
    options: Mapping[str, Any]
    outlines: tuple[bytes | None, ...] = ()
    model: str = ""
    captures: tuple[CaptureFiles, ...] = ()


class PinnedJob(Protocol):
    """The columns of a job that say where it belongs."""

    engine: Any
    engine_base: Any
    account: Any


class Provider(ABC):
    """One engine with the account that is set up for it. Thread-safe; opens its connection when first used.

    The five calls raise `errors.EngineError`. What `capabilities` denies is never called.
    """

    name: ClassVar[str]
    """The stored name, which must never change."""
    capabilities: ClassVar[Capabilities]
    wording: ClassVar[Wording]
    options: ClassVar[Mapping[str, Option]]
    """The keys of a job's `config` that the engine takes."""
    models: ClassVar[Sequence[EngineModel]] = ()
    """Those that an admin may choose from; empty for an engine with one model."""
    retired_models: ClassVar[frozenset[str]] = frozenset()
    """Those that the engine had once, and refuses now."""
    max_photos: ClassVar[int]
    results_kept: ClassVar[timedelta] = timedelta(days=3)
    """How long a finished task and its files exist."""

    base: str
    """The address that jobs are pinned to."""
    account: str
    """A fingerprint of address and key; see `account_fingerprint`."""
    max_concurrent_tasks: int
    poll_intervals: tuple[int, ...]
    """Seconds between two polls of a task, the last one repeated while nothing changes."""
    unknown_wait: int
    """Seconds until we believe that a task which the engine does not show does not exist."""
    clock_slack: int
    """Seconds by which the engine's clock may be behind ours."""
    allowed_origins: tuple[str, ...]
    """Where results may be downloaded from."""
    default_model: str = ""
    """The model that the environment names."""
    private_origins: tuple[str, ...] = ()
    """Those of them that may be in a private network."""
    transport: httpx.BaseTransport | None = None
    """For downloads from an engine inside this process."""

    @classmethod
    @abstractmethod
    def from_settings(cls, config: Settings) -> Self | None:
        """The engine as it is set up, or None when it is not. Opens no connection."""

    @abstractmethod
    def create(self, order: Order, metadata: Mapping[str, str]) -> str:
        """Order a model and return the task's id. Sent at most once. `metadata` may help to find the task.

        Raises OutcomeUnknown when the order was sent and no usable answer came: a paid task may exist.
        """

    @abstractmethod
    def get(self, task_id: str) -> Task:
        """The task now. Raises TaskNotFound when it is unknown, deleted or expired."""

    def delete(self, task_id: str) -> None:
        """Delete a task: a waiting one is refunded, a finished one loses its files, a running one is
        stopped by a free engine and WrongState at a paid one, where it goes on."""
        raise NotImplementedError

    def list(self, page_num: int = 1) -> Sequence[Task]:
        """One page of the account's tasks, newest first; an empty page ends the list."""
        raise NotImplementedError

    def balance(self) -> int:
        """The credits left."""
        raise NotImplementedError

    @abstractmethod
    def price(self, config: Mapping[str, Any], model: str = "") -> int:
        """The credits that an order with this `config` will probably cost; `model` as in an Order."""

    def retirement(self) -> Retirement | None:
        """What the engine's last answers said of a call that it will take away."""
        return None

    def check_options(self, config: Mapping[str, Any]) -> None:
        """Raises InvalidOption for a value out of bounds. Keys that are not the engine's are ignored."""
        for name, option in self.options.items():
            if name in config:
                option.check(config[name])

    def prepare(
        self,
        photos: Sequence[tuple[bytes, str]],
        config: Mapping[str, Any],
        outlines: Sequence[bytes | None] = (),
        model: str = "",
    ) -> Order:
        """The order for these photos, their outlines, this `config` and `model`, checked before it is sent.

        Raises InvalidOption.
        """
        if not 1 <= len(photos) <= self.max_photos:
            raise InvalidOption(Message("option.photo_count", engine=self.wording.subject, n=self.max_photos))
        self.check_options(config)
        chosen = {name: config.get(name, option.default) for name, option in self.options.items()}
        return Order(tuple(photos), chosen, tuple(outlines), model)

    def prepare_captures(self, captures: Sequence[CaptureFiles], config: Mapping[str, Any]) -> Order:
        """The order for a spin capture of one or two positions. Raises InvalidOption."""
        raise NotImplementedError

    @classmethod
    def other_account(cls) -> Message:
        """Why a job waits that belongs to another account, address or host than the one set up here."""
        if cls.capabilities.local:
            return Message("job.other_host")
        wording = cls.wording
        return Message(
            "job.other_account",
            engine=wording.name,
            key=wording.key_setting,
            address=wording.address_setting,
        )

    def owns(self, job: PinnedJob) -> bool:
        """Whether `job` belongs to this engine, address and account."""
        return (job.engine, job.engine_base, job.account) == (self.name, self.base, self.account)

    def share_rate(self, pollers: int) -> None:  # noqa: B027 - an engine without a rate limit shares nothing
        """Take one poller's share of the account's request rate."""

    def finish(self) -> None:  # noqa: B027
        """Wait until tasks that run in this process are done."""

    def stop(self, seconds: float) -> None:  # noqa: B027
        """Stop tasks that run in this process; they are resumed at the next start."""

    def close(self) -> None:  # noqa: B027
        """Close the connections."""


def account_fingerprint(base: str, key: str) -> str:
    """Names an account in the database without its key."""
    return hashlib.sha256(f"{base}\n{key}".encode()).hexdigest()[:32]
