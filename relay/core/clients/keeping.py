"""What a keeper needs of the client that it keeps: where that lives, and who makes its updates."""

from collections.abc import Sequence
from typing import Protocol

from hutong.adapters.interface import ClientInfo
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.route.batch import BuiltBatch
from hutong.relay.core.route.catching_up import CatchingUp
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.dispatch import Route, Taken
from hutong.relay.telemetry import Logger


class Hosting(Protocol):
    """A client on a chain of the relay. `route` is from what it follows to where it lives; `RouteContext` is one."""

    @property
    def route(self) -> Route:
        """Names client, host and what the client follows."""

    @property
    def destination(self) -> ChainContext:
        """The host."""

    @property
    def accounts(self) -> Accounts:
        """Of the host, which pay for updates."""

    @property
    def catching_up(self) -> CatchingUp:
        """Where others ask for a client to be brought forward."""

    @property
    def relay(self) -> RelayContext:
        """What all parts of the relay share."""

    def client_log(self, task: str) -> Logger:
        """The log of a task that looks after the client."""


class Updates(Protocol):
    """Makes what brings a client forward; `BatchBuilder` is one."""

    @property
    def source_is_quiet(self) -> bool:
        """Whether what the client follows may be away."""

    @property
    def steps_are_short(self) -> bool:
        """Whether one transaction brings the client a bounded number of blocks forward."""

    async def await_source(self, jobs: Sequence[Taken]) -> None:
        """Return when what the client follows answers."""

    async def refresh(self) -> BuiltBatch | None:
        """Headers alone, verified as the host will; None where there is nothing newer."""

    async def is_far_behind(self, info: ClientInfo) -> bool:
        """Whether the client has to be brought forward before its time."""
