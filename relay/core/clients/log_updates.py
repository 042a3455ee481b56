"""Updates of a `c2sp-tlog` client from the log that it follows: no route leads there, so nothing else refreshes it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from hutong.adapters.interface import ClientInfo, Destination, UpdateClient
from hutong.adapters.tlog import LogSource
from hutong.light_clients.interface import MemoryConsensusStates, Updated
from hutong.light_clients.tlog import TlogClient
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.route.batch import BuiltBatch
from hutong.relay.core.route.catching_up import CatchingUp
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.dispatch import Route, Taken
from hutong.relay.telemetry import Logger, get_logger

OpenLog = Callable[[], AbstractAsyncContextManager[LogSource]]


@dataclass(frozen=True, slots=True)
class LogClient:
    """A client of a log on a chain of the relay, as its keeper has it; see `Hosting`."""

    route: Route
    destination: ChainContext
    accounts: Accounts
    catching_up: CatchingUp
    relay: RelayContext

    def client_log(self, task: str) -> Logger:
        """The log of a task that looks after the client: every line names its chain and the log."""
        return get_logger(task).bind(chain=self.route.destination, client=self.route.name, follows=self.route.source)


class LogUpdates:
    """See `Updates`. The log's endpoints are asked when it is time, and connections are closed in between."""

    source_is_quiet = False
    steps_are_short = False
    """Any growth takes one update."""

    def __init__(self, context: LogClient, open_log: OpenLog) -> None:
        self._route = context.route
        self._host: Destination = context.destination.adapter
        self._heads = context.destination.heads
        self._open_log = open_log

    async def await_source(self, jobs: Sequence[Taken]) -> None:
        """At once: the log is asked when the update is made."""

    async def is_far_behind(self, info: ClientInfo) -> bool:
        """Never: see `steps_are_short`."""
        return False

    async def refresh(self) -> BuiltBatch | None:
        """An update to the largest tree that log and quorum signed, or to newer cosignatures of the client's own.

        Raises:
            AdapterError: host or log does not answer, or the log has forked (`LogForked`).
            VerificationError: the host would refuse what the log serves.
            RouteBlocked: the client has no state at its height, or the log's tree contradicts it.
        """
        info = await self._host.client(self._route.client)
        stored = await self._host.consensus_state(self._route.client, info.latest_height)
        if stored is None:
            raise RouteBlocked(f"client {self._route.name} has no state at {info.latest_height}")
        async with self._open_log() as log:
            header = await log.newest_update(info)
        if header is None:
            return None
        head = await self._heads.head()
        states = MemoryConsensusStates({info.latest_height: stored})
        verdict = TlogClient().verify_header(info.client_state, states, header, head.time_ns)
        if not isinstance(verdict, Updated):
            raise RouteBlocked(
                f"{self._route.source} shows a tree that contradicts the one of client {self._route.name}"
            )
        return BuiltBatch((UpdateClient(self._route.client, header),), (), ())
