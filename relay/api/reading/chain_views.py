"""What the chains and the light clients on them were like when they were last read; kept fresh by a task under trio."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import trio
from eth_utils.address import to_checksum_address

from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.interface import AdapterError, ChainAdapter, ClientInfo, RefusedByChain
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import VerificationError
from hutong.light_clients.table import followed_chain_id
from hutong.relay.config import Config, CosmosChainConfig, PathEnd
from hutong.relay.core.topology.paths import Paths
from hutong.relay.telemetry import get_logger

HEAD_EVERY_S = 2.0
REST_EVERY_S = 10.0
"""Clients, pause and applications change seldom, and each read is some requests to the chain."""
ANSWER_LIMIT_S = 8.0
AWAY_AFTER_S = 60.0
"""A chain not reached for so long makes the API unready."""

GET_IBC_APP = Function("getIBCApp", ("string",), ("address",))


@dataclass(frozen=True, slots=True)
class ChainView:
    """A chain as last read; `error` says why the last attempt failed. `reached_ns` is this host's time of the last answer."""

    name: str
    kind: str
    chain_id: str
    router: str | None
    transfer: str | None = None
    mailbox: str | None = None
    height: int | None = None
    time_ns: int | None = None
    paused: bool | None = None
    error: str | None = None
    reached_ns: int = 0


@dataclass(frozen=True, slots=True)
class ClientView:
    """The light client at `end`, which follows `opposite`. `info` is None until it was read."""

    end: PathEnd
    opposite: PathEnd
    followed: str
    """Chain id: as configured until the client state was read."""
    info: ClientInfo | None = None
    error: str | None = None


class ChainViews:
    """Read from any thread: every view is a value, and no key is ever added."""

    def __init__(
        self, config: Config, adapters: Mapping[str, ChainAdapter], paths: Paths, now_ns: Callable[[], int]
    ) -> None:
        self._adapters = adapters
        self._paths = paths
        self._now_ns = now_ns
        self._chains = {
            chain.name: ChainView(
                chain.name,
                adapters[chain.name].kind,
                adapters[chain.name].chain_id,
                None if isinstance(chain, CosmosChainConfig) else to_checksum_address(chain.router),
            )
            for chain in config.chains
        }
        self._clients = {
            end: ClientView(end, opposite, adapters[opposite.chain].chain_id)
            for end, opposite in paths.opposite.items()
        }

    @property
    def chains(self) -> Sequence[ChainView]:
        """Every configured chain as last read, in order of the configuration."""
        return tuple(self._chains.values())

    @property
    def clients(self) -> Sequence[ClientView]:
        """Both ends of every configured path as last read."""
        return tuple(self._clients.values())

    def chain(self, name: str) -> ChainView | None:
        """A chain as last read; None where no chain has the name."""
        return self._chains.get(name)

    def client(self, end: PathEnd) -> ClientView | None:
        """The light client at an end as last read; None where no path has the end."""
        return self._clients.get(end)

    def away(self) -> tuple[str, ...]:
        """Names of the chains that were not reached for AWAY_AFTER_S, by this host's clock, or never."""
        since_ns = self._now_ns() - int(AWAY_AFTER_S * 1e9)
        return tuple(view.name for view in self.chains if view.reached_ns < since_ns)

    async def run(self) -> None:
        """For ever; one chain that does not answer keeps no other waiting. What fails is said by the view's `error`."""
        async with trio.open_nursery() as nursery:
            for name in self._chains:
                nursery.start_soon(self._follow, name)

    async def _follow(self, name: str) -> None:
        rest_at_s = -REST_EVERY_S
        while True:
            try:
                with trio.fail_after(ANSWER_LIMIT_S):
                    await self._read_head(name)
                if trio.current_time() >= rest_at_s + REST_EVERY_S:
                    with trio.fail_after(2 * ANSWER_LIMIT_S):
                        await self._read_rest(name)
                    rest_at_s = trio.current_time()
            except trio.TooSlowError:
                self._chains[name] = replace(self._chains[name], error=f"{name} does not answer")
            except AdapterError as error:
                self._chains[name] = replace(self._chains[name], error=str(error))
            except Exception:  # a defect of one read must not end the others
                get_logger("api").exception("a chain could not be read", chain=name)
                self._chains[name] = replace(self._chains[name], error=f"{name} could not be read")
            await trio.sleep(HEAD_EVERY_S)

    async def _read_head(self, name: str) -> None:
        head = await self._adapters[name].head()
        self._chains[name] = replace(
            self._chains[name], height=head.height, time_ns=head.time_ns, error=None, reached_ns=self._now_ns()
        )

    async def _read_rest(self, name: str) -> None:
        adapter = self._adapters[name]
        paused = await adapter.paused()
        transfer, mailbox = await app_of(adapter, TRANSFER_PORT), await app_of(adapter, GMP_PORT)
        self._chains[name] = replace(self._chains[name], paused=paused, transfer=transfer, mailbox=mailbox)
        for end, view in tuple(self._clients.items()):
            if end.chain == name:
                self._clients[end] = await self._read_client(view)

    async def _read_client(self, view: ClientView) -> ClientView:
        try:
            info = await self._adapters[view.end.chain].client(view.end.client)
            followed = followed_chain_id(info.client_type, info.client_state)
        except (AdapterError, VerificationError) as error:
            return replace(view, error=str(error))
        return replace(view, info=info, followed=followed, error=None)


async def app_of(adapter: ChainAdapter, port: str) -> str | None:
    """The EIP-55 address of the app at a port of a chain's router; None where there is none, or no contracts at all.

    Raises:
        AdapterError: the chain does not answer.
    """
    return await router_app(adapter, port) if isinstance(adapter, RouterChain) else None


async def router_app(chain: RouterChain, port: str) -> str | None:
    """As `app_of`, of a chain with a router.

    Raises:
        AdapterError: the chain does not answer. A router that refuses the port is taken for one without the app.
    """
    try:
        returned = await chain.execution.call(chain.settings.router_address, GET_IBC_APP.encode(port))
    except RefusedByChain:
        return None
    (address,) = GET_IBC_APP.decode(returned)
    return None if int(address, 16) == 0 else str(to_checksum_address(address))
