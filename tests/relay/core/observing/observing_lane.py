"""A real hub and two QBFT dev chains in this process, and relays that observe alpha and can be killed at any await."""

import time
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import trio

from hutong.adapters.hub import ROUTER_ADDRESS, admin
from hutong.adapters.ics26.abi import encode_submit_misbehaviour
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.bft_evm import Consensus, decode_extra_data, header_of
from hutong.light_clients.bft_evm.codec import encode_misbehaviour
from hutong.light_clients.bft_evm.types import Misbehaviour
from hutong.light_clients.evm_header import header_from_rpc
from hutong.light_clients.interface import ClientStatus
from hutong.light_clients.records import AccountField, FieldPlace, ObservationKey, SlotPlace
from hutong.relay.archive import Archive
from hutong.relay.base.threads import thread_runner
from hutong.relay.config import Config
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.core.topology.paths import Paths
from hutong.relay.devnet.validators import ValidatorSet
from hutong.relay.dispatch import Connection, Queue, QueueLimits
from hutong.relay.keys import Signer
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.evidence_files import private, url_of
from tests.adapters.conformance.lane import (
    ADMIN,
    CALM_PACE,
    CHAIN_ID,
    DEPLOYER,
    HUB_EVM_CHAIN_ID,
    RELAYER,
    Lane,
    address_bytes,
    calm_hub,
    running_lane,
)
from tests.relay.core.world import Killed

KEY = {"keystore": "k", "password_env": "P"}
OBSERVATIONS = "0x0000000000000000000000000000000000001005"
NONCE = FieldPlace(address_bytes(DEPLOYER), AccountField.NONCE)
PATIENCE_S = 3_600
ALPHA_KEYS = tuple(sha256(b"alpha %d" % number).digest() for number in range(4))


def nonce_table(**more) -> dict:
    return {"name": "deployer's nonce", "chain": "alpha", "account": DEPLOYER.address, "field": "nonce"} | more


class Process:
    """One relay process: its memory ends with it; ledger, queue and chains stay."""

    def __init__(self, world: "ObservingLane", signer: Signer, around, observations, turns) -> None:
        self.world = world
        lane = world.lane
        directory = world.home / signer.address
        directory.mkdir(exist_ok=True)
        self.connection = Connection(world.redis_url)
        world.processes += 1
        queue = Queue(
            self.connection,
            f"process-{world.processes}",
            lambda: time.time_ns() // 10**6,
            prefix=signer.address.lower(),
            limits=QueueLimits(max_attempts=100),
        )
        self.ledger = Ledger.open_file(directory / "ledger.sqlite")
        config = world.config(observations, turns)
        adapters = {"alpha": lane.alpha.chain, "beta": lane.beta.chain, "hub": lane.hub}
        self.metrics = Metrics(adapters, Paths.of(config.paths).counterparties())
        services = Services(
            around("queue", queue),
            around("ledger", self.ledger),
            Archive(directory / "evidence"),
            self.metrics,
            time.time_ns,
            Random(world.processes),
            thread_runner(4),
            alone=True,
        )
        adapters = {name: around(name, adapter) for name, adapter in adapters.items()}
        self.relay = Relay(config, adapters, dict.fromkeys(adapters, (signer,)), services)

    def sample(self, name: str, **labels) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    async def failed(self, cause: str, times: int) -> None:
        """Wait until so many rounds came to nothing for that cause."""
        labels = {"chain": "hub", "client": self.world.client, "cause": cause}
        with trio.fail_after(PATIENCE_S):
            while (self.sample("hutong_observation_failures_total", **labels) or 0) < times:  # noqa: ASYNC110
                await trio.sleep(0.1)

    @asynccontextmanager
    async def running(self):
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.relay.run)
                yield self
                nursery.cancel_scope.cancel()
        finally:
            self.close()

    async def run_until_killed(self) -> bool:
        """True if something raised Killed in it."""
        try:
            await self.relay.run()
        except BaseExceptionGroup as group:
            if group.subgroup(Killed) is None:
                raise
            self.ledger.owed.take()  # what the ledger was told without waiting dies with the process
            return True
        finally:
            self.close()
        return False

    def close(self) -> None:
        self.connection.close()
        self.ledger.close()


class ObservingLane:
    def __init__(self, lane: Lane, home: Path, redis_url: str) -> None:
        self.lane, self.home, self.redis_url = lane, home, redis_url
        self.processes = 0
        self.client = lane.alpha.hub_client
        self.administrator = Transactor(lane.hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
        self.salt = 1_000
        self.issuers: list[dict] = []
        """Of the relays' configuration."""

    def config(self, observations, turns=None) -> Config:
        lane = self.lane
        evm = {"kind": "evm", "consensus": "qbft", "rpc": ["http://127.0.0.1:1"], "key": KEY}
        members = {"alpha": lane.alpha, "beta": lane.beta}
        return Config.model_validate(
            {
                "relay": {"home": str(self.home), "clear_interval_s": 30},
                "turns": turns or {},
                "chains": [
                    *(
                        evm | {"name": name, "chain_id": int(one.chain.chain_id), "router": one.contracts.router}
                        for name, one in members.items()
                    ),
                    {
                        "name": "hub",
                        "kind": "hub",
                        "chain_id": lane.hub.chain_id,
                        "key": KEY,
                        "rpc": ["http://127.0.0.1:1"],
                        "consensus_rpc": ["http://127.0.0.1:1"],
                    },
                ],
                "paths": [
                    {"a": {"chain": name, "client": one.client}, "b": {"chain": "hub", "client": one.hub_client}}
                    for name, one in members.items()
                ],
                "observations": list(observations),
                "issuers": self.issuers,
            }
        )

    def relay(self, *observations, signer=RELAYER, around=lambda _, service: service, turns=None) -> Process:
        return Process(self, signer, around, observations or (nonce_table(on_change=True),), turns)

    async def execute(self, make, *arguments) -> None:
        """One action of the hub's admins."""
        self.salt += 1
        await admin.approve_and_execute([self.administrator], CHAIN_ID, make(self.salt, *arguments))

    async def name_writer(self, signer=RELAYER, keys: int = 10) -> None:
        await self.execute(admin.name_writer, address_bytes(signer), keys)

    async def change(self) -> bytes:
        """The deployer sends something on alpha; its nonce as a word, from that block on."""
        receipt = await self.lane.alpha.deployer.send(address_bytes(ADMIN), b"")
        await self.lane.alpha.chain.wait_for_height(receipt.height)
        nonce = await self.lane.alpha.chain.final_nonce(DEPLOYER.address)
        return nonce.to_bytes(32, "big")

    def key(self, place: FieldPlace | SlotPlace = NONCE) -> bytes:
        return ObservationKey.of(self.client, place).to_bytes()

    async def record(self, place: FieldPlace | SlotPlace = NONCE):
        (found,) = await self.lane.hub.observations([self.key(place)])
        return found

    async def recorded(self, value: bytes, place: FieldPlace | SlotPlace = NONCE, at_most_s: float = PATIENCE_S):
        """Wait until the hub's record says `value`; seconds that it took."""
        start_s = trio.current_time()
        record = None
        with trio.move_on_after(at_most_s):
            while (record := await self.record(place)) is None or record.value != value:  # noqa: ASYNC110
                await trio.sleep(0.1)
        assert record is not None and record.value == value, (record, value)
        return trio.current_time() - start_s

    async def blocks(self, count: int) -> None:
        """So many more of both chains: whoever looks at new blocks has looked."""
        for chain in (self.lane.alpha.chain, self.lane.hub):
            await chain.wait_for_height((await chain.head()).height + count)

    async def observe_calls(self, signer=RELAYER) -> list:
        """Receipts of the account's transactions to the module, in the order of blocks."""
        execution, found = self.lane.hub.execution, []
        head = await self.lane.hub.head()
        for height in range(1, head.height + 1):
            block = await execution.client.call(
                "eth_getBlockByNumber", [hex(height), True], lambda fields: fields.value
            )
            found += [
                await execution.receipt(bytes.fromhex(one["hash"][2:]))
                for one in block["transactions"]
                if one["to"] == OBSERVATIONS and one["from"] == signer.address.lower()
            ]
        return found

    async def recorded_by_a_relay(self) -> None:
        """The value as it is now becomes a record, by a relay that ends with it."""
        value = await self.change()
        async with self.relay().running():
            await self.recorded(value)

    async def freeze(self) -> None:
        """Alpha's validators sign a second block at a height, and the hub is told."""
        chain = self.lane.alpha.chain
        trusted = (await self.lane.hub.client(self.client)).latest_height
        head = (await chain.wait_for_height(trusted.revision_height + 1)).height
        header = header_from_rpc((await self.lane.alpha.chain.execution.block(head)).fields.value)
        extra = decode_extra_data(header.extra_data, Consensus.QBFT)
        forked, _ = ValidatorSet.of(ALPHA_KEYS).seal(replace(header, gas_used=header.gas_used + 1), extra)
        evidence = Misbehaviour(*(header_of(trusted, one, (), Consensus.QBFT) for one in (header, forked)))
        data = encode_submit_misbehaviour(self.client, encode_misbehaviour(evidence))
        await self.administrator.send(bytes.fromhex(ROUTER_ADDRESS[2:]), data)
        assert (await self.lane.hub.client(self.client)).status is ClientStatus.FROZEN


@asynccontextmanager
async def observing_lane(home: Path, redis_url: str):
    async with running_lane(home / "hub", calm_hub, alpha_keys=ALPHA_KEYS, pace=CALM_PACE) as lane:
        world = ObservingLane(lane, home, redis_url)
        await world.name_writer()
        yield world


def relay_file(world: ObservingLane) -> Path:
    """The configuration of the lane's alpha and hub as an operator has it."""
    lane = world.lane
    key = 'key = { keystore = "k.json", password_env = "P" }'
    alpha = lane.alpha.chain
    text = f"""
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = {alpha.chain_id}
consensus = "qbft"
rpc = ["{url_of(alpha.execution.client)}"]
router = "{lane.alpha.contracts.router}"
{key}

[[chains]]
name = "hub"
kind = "hub"
chain_id = "{lane.hub.chain_id}"
rpc = ["{url_of(lane.hub.execution.client)}"]
consensus_rpc = ["{url_of(lane.hub.comet.client)}"]
{key}

[[paths]]
a = {{ chain = "alpha", client = "{lane.alpha.client}" }}
b = {{ chain = "hub", client = "{lane.alpha.hub_client}" }}

[[observations]]
name = "deployer's nonce"
chain = "alpha"
account = "{DEPLOYER.address}"
field = "nonce"
on_change = true
"""
    return private(world.home / "relay.toml", text)
