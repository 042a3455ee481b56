"""A HubReader in a real EVM over a HubClient of a signed hub in memory, and pushers that can be killed at any await."""

from collections.abc import Callable
from pathlib import Path

import trio
from eth_utils.address import to_checksum_address

from hutong.adapters.evm.clients import HostedClients
from hutong.adapters.evm.hub_reader import decode_answers, encode_read_cached
from hutong.adapters.evm.submit import header_to_abi
from hutong.adapters.ics26.batch import DEFAULT_LIMITS, intrinsic_gas
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.execution import Receipt
from hutong.adapters.ics26.signing import sign
from hutong.adapters.interface import AccountState, Head, PreparedTransaction, Proof, RefusedByChain, TransactionOutcome
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.records import decode_epoch, decode_observation, epoch_key
from hutong.light_clients.tendermint.codec import encode_tendermint_header
from hutong.relay.core.observing.pushing import Pusher
from hutong.relay.core.observing.to_readers import ReaderCargo
from hutong.relay.core.observing.watched import Pushed
from hutong.relay.dispatch import Route
from hutong.relay.telemetry import Metrics
from tests.contracts.evm import Reverted
from tests.contracts.lane import LOCAL_CLIENT
from tests.contracts.records.reader_lane import SOURCE, ReaderLane, slot_key
from tests.relay.core.observing.memory_world import FIRST, LATENCY_S, NoBaseFee
from tests.relay.core.observing.relay_part import Between, RelayPart

KEY = slot_key()
GAS = 8_000_000


class EvmExecution:
    """`eth_*` of the reader's chain, as far as pushing asks."""

    def __init__(self, world: "ReaderWorld") -> None:
        self._world = world

    async def call(self, to, data, tag="latest", sender=None, gas=None) -> bytes:
        await trio.sleep(LATENCY_S)
        try:
            return self._world.lane.evm.send(to, data, keep=False).output
        except Reverted as reverted:
            raise RefusedByChain(reverted.name, str(reverted), reverted.data) from reverted

    async def estimate_gas(self, to, data, sender, value_wei=0) -> int:
        await self.call(to, data)
        return GAS

    async def receipt(self, transaction_hash) -> Receipt | None:
        await trio.sleep(LATENCY_S)
        logs = tuple(
            Log(
                address,
                tuple(topic.to_bytes(32, "big") for topic in topics),
                data,
                1,
                bytes(32),
                transaction_hash,
                0,
                False,
            )
            for address, topics, data in self._world.logs.get(transaction_hash, ())
        )
        return Receipt(transaction_hash, 1, bytes(32), True, GAS, 0, None, logs)

    async def latest_block(self):
        return NoBaseFee()

    async def gas_price_wei(self) -> int:
        return 0


class NoCounterparties:
    async def counterparty(self, client_id):
        return None


class ReaderChain:
    """See ChainAdapter for what its methods promise."""

    name, kind, chain_id = "beta", "evm", "1337"
    batch_limits = DEFAULT_LIMITS
    atomic_batches = False

    def __init__(self, world: "ReaderWorld") -> None:
        self._world = world
        self.execution = EvmExecution(world)
        self._clients = HostedClients(self.name, self.execution, world.lane.lane.router.address, NoCounterparties())

    async def eth_chain_id(self) -> int:
        return 1337

    async def head(self) -> Head:
        await trio.sleep(LATENCY_S)
        return Head(self._world.height, bytes(32), self._world.lane.now_s * NANOSECONDS_PER_SECOND)

    async def wait_for_height(self, height: int) -> Head:
        while (head := await self.head()).height < height:  # noqa: ASYNC110
            await trio.sleep(0.2)
        return head

    def address_of(self, signer) -> str:
        return signer.address

    async def client(self, client_id):
        return await self._clients.client(client_id)

    async def consensus_state(self, client_id, height):
        return await self._clients.consensus_state(client_id, height)

    async def prepare(self, batch, sender) -> PreparedTransaction:
        (update,) = batch.messages
        router = self._world.lane.lane.router
        data = router.calldata("updateClient", update.client_id, header_to_abi(update.header))
        await self.execution.call(router.address, data)
        return PreparedTransaction(1337, sender, to_checksum_address(router.address), data, 0, GAS, 0, 0, 0, (True,))

    async def sign(self, prepared, nonce, signer):
        await trio.sleep(LATENCY_S)
        return await sign(prepared, nonce, signer)

    async def broadcast(self, signed) -> None:
        await trio.sleep(LATENCY_S)
        self._world.pool[signed.prepared.sender, signed.nonce] = signed

    async def outcome(self, transaction_hash) -> TransactionOutcome | None:
        await trio.sleep(LATENCY_S)
        if transaction_hash not in self._world.included:
            return None
        time_ns = self._world.lane.now_s * NANOSECONDS_PER_SECOND
        reverted = self._world.included[transaction_hash]
        return TransactionOutcome(transaction_hash, self._world.height, bytes(32), time_ns, GAS, 0, reverted, ())

    async def account(self, address) -> AccountState:
        await trio.sleep(LATENCY_S)
        mined = pending = self._world.nonces.get(address, 0)
        while (address, pending) in self._world.pool:
            pending += 1
        return AccountState(address, mined, pending, 10**18)

    async def final_nonce(self, address) -> int:
        return self._world.nonces.get(address, 0)


class HubSource:
    """See ChainAdapter and ObservingHub."""

    name, kind, chain_id = "hub", "hub", "hutong-1"
    blocks_per_update = None

    def __init__(self, world: "ReaderWorld") -> None:
        self._chain = world.lane.lane.chain

    async def head(self) -> Head:
        await trio.sleep(LATENCY_S)
        header = self._chain.latest.header
        return Head(header.height, bytes(32), header.time_ns)

    async def wait_for_height(self, height: int) -> Head:
        while (head := await self.head()).height < height:  # noqa: ASYNC110
            await trio.sleep(0.2)
        return head

    def proving_height(self, event_height: int) -> Height:
        return Height(1, event_height + 1)

    def distrust(self, reason: str) -> None:
        raise AssertionError(reason)

    async def client_messages(self, client_type, client_state, trusted, target):
        await trio.sleep(LATENCY_S)
        return (encode_tendermint_header(self._chain.update(target.revision_height, trusted.revision_height)),)

    async def observations(self, keys):
        await trio.sleep(LATENCY_S)
        newest = self._chain.states[-1]
        return tuple(decode_observation(newest[key]) if key in newest else None for key in keys)

    async def unproven_values(self, keys):
        await trio.sleep(LATENCY_S)
        return tuple(self._chain.states[-1].get(key) for key in keys)

    async def epoch(self, client_id):
        await trio.sleep(LATENCY_S)
        raw = self._chain.states[-1].get(epoch_key(client_id))
        return None if raw is None else decode_epoch(raw)

    async def prove_all(self, paths, height, client_state=b""):
        await trio.sleep(LATENCY_S)
        found = []
        for path in paths:
            proof, _, value = self._chain.prove(path[-1], height.revision_height)
            found.append(Proof(path, height, value, proof))
        return tuple(found)


class ReaderWorld:
    """Hub and reader's chain make a block a second, by the clock."""

    def __init__(self, directory: Path, lane=None) -> None:
        self.directory = directory
        self.lane = lane or ReaderLane()
        self.height = 1
        self.pool = {}
        self.included: dict[bytes, str | None] = {}
        self.included_at: list[int] = []
        """The heights of blocks with transactions, one for each."""
        self.kept_by: list[bytes] = []
        self.logs = {}
        self.nonces: dict[str, int] = {}
        self.metrics = Metrics(("beta", "hub"), {("beta", LOCAL_CLIENT): "hub"})

    def put(self, number: int, source_height: int, epoch: int = 1) -> bytes:
        """The hub's next block has a record of a newer block; its value."""
        word = number.to_bytes(32, "big")
        self.lane.lane.chain.put(KEY, self.lane.observed(word, epoch=epoch, height=(0, source_height)))
        return word

    @property
    def contract(self) -> bytes:
        """That is pushed to."""
        return self.lane.reader.address

    def now_ns(self) -> int:
        return self.lane.now_s * NANOSECONDS_PER_SECOND

    async def make_blocks(self) -> None:
        while True:
            await trio.sleep(1)
            self.lane.lane.advance()
            self.height += 1
            for sender, nonce in sorted(self.pool):
                if nonce == self.nonces.get(sender, 0):
                    self._include(self.pool.pop((sender, nonce)))

    def _include(self, signed) -> None:
        prepared = signed.prepared
        self.nonces[prepared.sender] = signed.nonce + 1
        self.included_at.append(self.height)
        to = bytes.fromhex(prepared.to[2:])
        try:
            gas = prepared.gas - intrinsic_gas(prepared.data)
            self.logs[signed.hash] = self.lane.evm.send(to, prepared.data, gas=gas).get_log_entries()
            self.included[signed.hash] = None
        except Reverted as reverted:
            self.included[signed.hash] = str(reverted)
        if to == self.contract:
            self.kept_by.append(signed.hash)

    def cached(self, max_age_s: int = 60):
        (answer,) = decode_answers(self.lane.call(encode_read_cached([KEY], max_age_s)))
        return answer

    async def has(self, word: bytes, at_most_s: float = 60) -> float:
        """Seconds until the reader answers `word` without a proof."""
        start_s = trio.current_time()
        with trio.fail_after(at_most_s):
            while True:
                try:
                    if self.cached().value == word:
                        return trio.current_time() - start_s
                except Reverted:
                    pass
                await trio.sleep(0.1)

    def paid(self) -> int:
        return sum(self.nonces.values())

    def process(self, *, signer=FIRST, around: Callable = lambda _, one: one, patience_s=1.5) -> "PusherProcess":
        return PusherProcess(self, signer, around, patience_s)


class PusherProcess(RelayPart):
    """The part of a relay that pushes."""

    def __init__(self, world: ReaderWorld, signer, around, patience_s: float) -> None:
        adapters = {"hub": HubSource(world), "beta": ReaderChain(world)}
        super().__init__(world, Between(adapters, Route("hub", "beta", LOCAL_CLIENT)), signer, around)
        cargo = ReaderCargo(self.context, world.lane.reader.address, [Pushed("balance", KEY, SOURCE)])
        pusher = Pusher(self.context, cargo, patience_s)
        self.tasks = {"pusher": pusher.run}
