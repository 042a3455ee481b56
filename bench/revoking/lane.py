"""A hub, EVM chains that follow it with a cache and a gate each, an issuer, and a relay that keeps the caches: processes."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import trio
from eth_abi.abi import encode

from bench.direct_lane import BenchFailed, Process, children_of, command, start, until_ready, write
from bench.hub.lane import HUB_CHAIN_ID, HUB_EVM_CHAIN_ID, End, Roles, connect_path, deploy_contracts, start_hub
from bench.revoking.issuer import Issuer, accredited_issuer
from bench.revoking.presenting import MAX_AGE_S, Presenter
from hutong.adapters.interface import Batch, UpdateClient
from hutong.relay.administration.clients.updates import bring_to_newest
from hutong.relay.administration.evm.access import Endpoint
from hutong.relay.administration.evm.identity_cache import sync_call, sync_issuer
from hutong.relay.administration.submission import submit_batch
from hutong.relay.config import load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer
from hutong.relay.local.config_file import hub_table, path_table
from hutong.relay.local.ports import free_port
from tests.contracts.evm import artifact
from tests.nodes.evm.running_anvil import Anvil, running_anvil

FIRST_CHAIN_ID = 31_361
GAS_LIMIT = 60_000_000
POLL_MS = 500
INTERVAL_S = 10
START_LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class GatedChain:
    """An anvil with cache and gate; `client` is its client of the hub, `payer` sends what presenters bring with them."""

    name: str
    anvil: Anvil
    client: str
    cache: bytes
    gate: bytes
    payer: Signer


@dataclass
class RevokingLane:
    """Everything but the relay runs; `presenters` present nothing yet."""

    home: Path
    stack: ExitStack
    config: Path
    tables: str
    hub_url: str
    hub: tuple[Process, ...]
    chains: tuple[GatedChain, ...]
    issuer: Issuer
    random: Random
    presenters: tuple[Presenter, ...]
    relay: Process | None = None

    def start_relay(self) -> None:
        """Returns when it says that it is ready."""
        port = free_port()
        head = f'[relay]\nhome = "{self.home / "relay"}"\nhttp = "127.0.0.1:{port}"\nlog_level = "info"\n'
        write(self.config, head + self.tables)
        self.relay = start(self.stack, "relay", ["relay", "run", "--config", str(self.config)], self.home)
        until_ready(port, [*self.hub, self.relay], START_LIMIT_S)

    def kill_relay(self) -> None:
        """SIGKILL: it says nothing to anybody."""
        if self.relay is None:
            raise BenchFailed("no relay runs")
        children = children_of(self.relay.process.pid)  # its queue server would outlive it, and the bench
        self.relay.process.kill()
        self.relay.process.wait()
        for child in children:
            os.kill(child, signal.SIGTERM)

    def stop_hub(self) -> None:
        """All its validators, at once."""
        for process in self.hub:
            process.process.kill()

    def pull(self, height: int | None = None) -> None:
        """What presenters bring: on each chain an update of its client of the hub, and `sync` under that header.

        Args:
            height: of the header; None: the newest.
        """
        trio.run(self._pull_everywhere, height)

    async def _pull_everywhere(self, height: int | None) -> None:
        async with trio.open_nursery() as nursery:
            for chain in self.chains:
                nursery.start_soon(self._pull, chain, height)

    async def _pull(self, chain: GatedChain, height: int | None) -> None:
        config = load_config(self.config)
        here, hub = config.chain(chain.name), config.chain("hub")
        if height is None:
            await bring_to_newest(here, chain.client, hub, chain.payer, self.random)
        else:
            await self._bring_to(chain, height)
        endpoint, hub_endpoint = (
            Endpoint(chain.anvil.url, chain.anvil.chain_id),
            Endpoint(self.hub_url, HUB_EVM_CHAIN_ID),
        )
        call = await sync_call(endpoint, chain.cache, hub_endpoint, self.issuer.id, (0,), self.random)
        await sync_issuer(endpoint, chain.cache, call, chain.payer, self.random)

    async def _bring_to(self, chain: GatedChain, height: int) -> None:
        config = load_config(self.config)
        async with (
            open_chain(config.chain(chain.name), self.random) as host,
            open_chain(config.chain("hub"), self.random) as source,
        ):
            info = await host.client(chain.client)
            target = source.proving_height(height - 1)
            if info.latest_height < target:
                headers = await source.client_messages(info.client_type, info.client_state, info.latest_height, target)
                updates = tuple(UpdateClient(chain.client, header) for header in headers)
                await submit_batch(host, Batch(updates), chain.payer, "updateClient")


@contextmanager
def revoking_lane(home: Path, *, chains: int, validators: int, rate: float, seed: int) -> Iterator[RevokingLane]:
    """Deploy, connect, accredit.

    Args:
        rate: presentations a second of credentials that hold, over all chains.
    """
    home.mkdir(parents=True, exist_ok=True)
    random = Random(seed)
    with ExitStack() as stack:
        anvils = {
            name: stack.enter_context(
                running_anvil(FIRST_CHAIN_ID + number, block_time_s=1, hardfork="paris", gas_limit=GAS_LIMIT)
            )
            for number, name in enumerate("abcdefgh"[:chains])
        }
        roles = Roles.made(home, anvils)
        hub = start_hub(stack, home, roles.admin, 0, validators, None)
        ends = {
            name: End(
                name, anvil, deploy_contracts(anvil, roles.owners[name]), roles.attestors[name], free_port(), POLL_MS
            )
            for name, anvil in anvils.items()
        }
        tables = "".join(end.chain_table(roles.relayers[name]) for name, end in ends.items())
        tables += hub_table(HUB_CHAIN_ID, hub.ethereum_ports, hub.cometbft_ports, roles.hub_relayer)
        config = home / "relay.toml"
        head = f'[relay]\nhome = "{home / "relay"}"\n'
        write(config, head + tables)
        paths = {name: connect_path(config, end, roles) for name, end in ends.items()}
        tables += "".join(map(path_table, paths.values()))
        write(config, head + tables)
        issuer = accredited_issuer(home, config, roles.admin, random)
        made = tuple(_gated(end, str(paths[name]["a"]["client"]), roles) for name, end in ends.items())
        tables += _issuer_table(issuer, made)
        write(config, head + tables)
        command(["config", "check", str(config)])
        url = f"http://127.0.0.1:{hub.ethereum_ports[0]}"
        presenters = tuple(
            Presenter(one.anvil, one.gate, one.cache, issuer, rate / chains, seed + number)
            for number, one in enumerate(made)
        )
        yield RevokingLane(home, stack, config, tables, url, hub.processes, made, issuer, random, presenters)


def _gated(end: End, client: str, roles: Roles) -> GatedChain:
    router = bytes.fromhex(end.deployment["router"][2:])
    cache = _deploy(end.anvil, "IdentityCache", ["address", "string"], [router, client])
    gate = _deploy(end.anvil, "BareGate", ["address", "uint64"], [cache, MAX_AGE_S])
    return GatedChain(end.name, end.anvil, client, cache, gate, roles.owners[end.name].signer())


def _issuer_table(issuer: Issuer, chains: Sequence[GatedChain]) -> str:
    pushes = ", ".join(f'{{ chain = "{one.name}", cache = "0x{one.cache.hex()}" }}' for one in chains)
    return (
        f'\n[[issuers]]\nname = "issuer"\nissuer = "{issuer.did}"\nlists = [0]\ninterval_s = {INTERVAL_S}\n'
        f"push_to = [{pushes}]\n"
    )


def _deploy(anvil: Anvil, name: str, types: list[str], values: list[object]) -> bytes:
    account, *_ = anvil.request("eth_accounts")
    data = artifact(name).bytecode + encode(types, values)
    digest = anvil.request("eth_sendTransaction", {"from": account, "data": f"0x{data.hex()}", "gas": hex(8_000_000)})
    while (receipt := anvil.request("eth_getTransactionReceipt", digest)) is None:
        time.sleep(0.05)
    if int(receipt["status"], 16) != 1:
        raise BenchFailed(f"{name} was not deployed")
    return bytes.fromhex(receipt["contractAddress"][2:])
