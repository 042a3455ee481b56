"""A chain whose state a relay observes on a hub, and a chain that never heard of it whose contracts read what the hub holds.

The relay and every command are processes of their own, told by one configuration file as an operator writes it.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from hutong.adapters.evm.administration.reader import deploy_hub_reader
from hutong.adapters.hub import HubChain, admin
from hutong.adapters.hub.observations import observed_places
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import ChainAdapter
from hutong.light_clients.records import Observation, ObservationKey, Place
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import run_command, run_daemon
from tests.adapters.conformance.evidence_files import private, url_of, write_keystore
from tests.adapters.conformance.lane import (
    ADMIN,
    CALM_PACE,
    CHAIN_ID,
    HUB_EVM_CHAIN_ID,
    RELAYER,
    EvmMember,
    address_bytes,
    calm_hub,
    join,
)

PATIENCE_S = 3_600
"""Of a whole test's chains: it is there for what never comes, and says nothing of how fast anything is."""
POLL_S = 0.5
MAX_AGE_S = 100_000
RELAYER_SECRET = bytes(31) + b"\x71"
"""Of `lane.RELAYER`."""
ALPHA = "alpha"


@dataclass(frozen=True, slots=True)
class Watch:
    """A place of the observed chain. `value` is what its own node says; None: nothing is there.

    `table` are the place's lines of `[[observations]]`, `what` is how `hutong prove` is told of it.
    """

    name: str
    place: Place
    table: str
    what: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Source:
    """A running chain that has joined the hub: `client` is its client of the hub, `hub_client` the hub's of it.

    `table` are the lines of its `[[chains]]` beside name, key and endpoints' patience. `trust` is what may be asked of it: 255
    where its consensus proves everything, else how many attestors stand for it.
    """

    chain: ChainAdapter
    table: str
    client: str
    hub_client: str
    watches: tuple[Watch, ...]
    trust: int = 255

    def key(self, watch: Watch) -> bytes:
        return ObservationKey.of(self.hub_client, watch.place).to_bytes()


Start = Callable[[AsyncExitStack, trio.Nursery, HubChain, Path], Any]
"""Awaited: start a chain that ends with stack and nursery, and let it join the hub; a `Source`. The folder is its own."""


class ReadLane:
    """alpha, which is observed; the hub; beta, which reads."""

    def __init__(self, home: Path, hub: HubChain, source: Source, beta: EvmMember, reader: bytes) -> None:
        self.home, self.hub, self.source, self.beta, self.reader = home, hub, source, beta, reader
        self.config = private(home / "relay.toml", self._configuration())

    def _configuration(self) -> str:
        key = f'key = {{ keystore = "{self.home}/relayer.json", password_file = "{self.home}/password" }}\n'
        patient = "endpoints = { attempt_timeout_ms = 120000, straggler_grace_ms = 5000 }\n"
        source = self.source
        text = f'[relay]\nhome = "{self.home / "relay"}"\nhttp = "127.0.0.1:{free_port()}"\n'
        text += f'\n[[chains]]\nname = "{ALPHA}"\n{source.table}{key}{patient}'
        text += (
            f'\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{CHAIN_ID}"\n'
            f'rpc = ["{url_of(self.hub.execution.client)}"]\nconsensus_rpc = ["{url_of(self.hub.comet.client)}"]\n'
            f"{key}{patient}"
        )
        text += (
            f'\n[[paths]]\na = {{ chain = "{ALPHA}", client = "{source.client}" }}\n'
            f'b = {{ chain = "hub", client = "{source.hub_client}" }}\n'
        )
        for watch in source.watches:
            text += f'\n[[observations]]\nname = "{watch.name}"\nchain = "{ALPHA}"\non_change = true\n{watch.table}'
        return text

    async def observed(self) -> dict[Watch, Observation]:
        """The relay brings a record of every place to the hub, and ends."""
        await self._name_writer()
        async with trio.open_nursery() as nursery:
            command = ["relay", "run", "--config", str(self.config)]
            await nursery.start(run_daemon, "relay", command, self.home / "relay.log")
            while len(found := await self._records()) < len(self.source.watches):  # noqa: ASYNC110
                await trio.sleep(POLL_S)
            nursery.cancel_scope.cancel()
        await self.hub.wait_for_height((await self.hub.head()).height + 1)
        return {watch: found[self.source.key(watch)] for watch in self.source.watches}

    async def _records(self) -> dict[bytes, Observation]:
        """What `hutong_observations` lists, by key."""
        listed = await observed_places(self.hub.execution)
        return {one.key.to_bytes(): one.observation for one in listed.observed}

    async def _name_writer(self) -> None:
        administrator = Transactor(self.hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
        action = admin.name_writer(1_000, address_bytes(RELAYER), len(self.source.watches))
        await admin.approve_and_execute([administrator], CHAIN_ID, action)

    def checkpoint(self, chain: str) -> Path:
        return self.home / f"{chain}.checkpoint.json"

    async def bundle_of_records(self) -> Path:
        """What the hub has observed, as `hutong prove` shows it from a checkpoint of the hub."""
        return await self._proven("hub", [f"{self.source.hub_client}:{one.what}" for one in self.source.watches])

    async def bundle_of_the_chain(self) -> Path:
        """The same places of the observed chain, from a checkpoint of its own and without the hub."""
        return await self._proven(ALPHA, [one.what for one in self.source.watches])

    async def _proven(self, chain: str, whats: Sequence[str]) -> Path:
        checkpoint, file = self.checkpoint(chain), self.home / f"{chain}.record.json"
        configured = ("--config", str(self.config))
        await run_command(["audit", "checkpoint", "--chain", chain, *configured, "-o", str(checkpoint)])
        shown = ["prove", chain, *whats, *configured, "--checkpoint", str(checkpoint), "--out", str(file), "--json"]
        said = json.loads(await run_command(shown))
        assert said["valid"], said
        return file


@asynccontextmanager
async def read_lane(home: Path, start: Start) -> AsyncIterator[ReadLane]:
    """All of it runs in this process, but for chains that are programs of others, the relay and the commands."""
    write_keystore(home, RELAYER_SECRET)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            async with AsyncExitStack() as stack:
                hub = await stack.enter_async_context(calm_hub(home / "hub"))
                source = await start(stack, nursery, hub, home)
                beta = await join(stack, hub, "beta", 1_002, pace=CALM_PACE)
                deployed = await deploy_hub_reader(beta.deployer, bytes.fromhex(beta.contracts.router[2:]), beta.client)
                yield ReadLane(home, hub, source, beta, bytes.fromhex(deployed.reader[2:]))
            nursery.cancel_scope.cancel()
