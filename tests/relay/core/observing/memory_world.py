"""A whole hub and a QBFT chain in memory, both with real blocks and proofs, and observers that can be killed at any await.

Hub and light clients are the real ones; the adapters here stand where JSON-RPC would be, and the calls of the hub's modules
go through the relay's own codecs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
from eth_abi import decode

from hutong.adapters.hub.clients import HostedClients
from hutong.adapters.hub.observing import Observations
from hutong.adapters.hub.submit import hub_reverts
from hutong.adapters.ics26.batch import DEFAULT_LIMITS
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.execution import Receipt
from hutong.adapters.ics26.fees import Fees
from hutong.adapters.ics26.signing import sign
from hutong.adapters.interface import (
    AccountState,
    EndpointUnavailable,
    Head,
    HeightUnavailable,
    PlaceValues,
    PreparedTransaction,
    TransactionOutcome,
)
from hutong.light_clients.interface import VERIFY, Height
from hutong.light_clients.records import ObservationKey, SlotPlace, decode_observation, judge_evm_places
from hutong.relay.core.observing.observer import Observer
from hutong.relay.core.observing.watched import Watched
from hutong.relay.dispatch import Route
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import name_writer_action
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from hutong.relay.hub.application.observations import interface
from hutong.relay.keys import Signer
from hutong.relay.telemetry import Metrics
from tests.light_clients.bft_evm.simulated_chain import GENESIS_TIME_S, ROUTER, slot_of
from tests.light_clients.records.observed_state import nodes_for
from tests.relay.core.observing.relay_part import Between, RelayPart
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID, RemoteChain, SimulatedHub, decoded

KEY = b"balance of somebody"
PLACE = SlotPlace(ROUTER, slot_of(KEY))
LATENCY_S = 0.01
GAS = 8_000_000
FIRST, SECOND = Signer.in_memory(bytes(31) + b"\x71"), Signer.in_memory(bytes(31) + b"\x72")


class MemoryExecution:
    """`eth_*` of the hub, as far as observing asks."""

    def __init__(self, world: "MemoryWorld") -> None:
        self._world = world

    async def call(self, to, data, tag="latest", sender=None, gas=None) -> bytes:
        await self._world.asked("hub")
        caller = bytes(20) if sender is None else bytes.fromhex(sender[2:])
        result = self._world.call(to, data, caller, gas or 0)
        if not result.success:
            raise hub_reverts().read(result.return_data)
        return result.return_data

    async def call_each(self, calls):
        return [await self.call(to, data) for to, data in calls]

    async def estimate_gas(self, to, data, sender, value_wei=0) -> int:
        await self.call(to, data, sender=sender)
        return GAS

    async def latest_block(self):
        await self._world.asked("hub")
        return NoBaseFee()

    async def gas_price_wei(self) -> int:
        return 0

    async def receipt(self, transaction_hash) -> Receipt | None:
        await self._world.asked("hub")
        found = self._world.included.get(transaction_hash)
        if found is None:
            return None
        height, outcome = found
        logs = tuple(
            Log(log.address, tuple(log.topics), log.data, height, bytes(32), transaction_hash, index, False)
            for index, log in enumerate(outcome.logs)
        )
        return Receipt(transaction_hash, height, bytes(32), outcome.ok, outcome.gas_used, 0, None, logs)


class NoBaseFee:
    base_fee_per_gas_wei = None


class NoRouterReads:
    router = bytes.fromhex(ROUTER_ADDRESS.hex())


class MemoryHub:
    """See ChainAdapter and ObservingHub for what its methods promise."""

    name, kind, chain_id = "hub", "hub", "hutong-1"
    batch_limits = DEFAULT_LIMITS
    atomic_batches = False
    blocks_per_update = None

    def __init__(self, world: "MemoryWorld") -> None:
        self._world = world
        self._execution = MemoryExecution(world)
        self._observations = Observations(self._execution, DEFAULT_LIMITS)
        self._clients = HostedClients(self.name, self._execution, NoRouterReads())
        self.observations_address = self._observations.address

    async def head(self) -> Head:
        await self._world.asked("hub")
        return Head(self._world.hub.height, bytes(32), self._world.hub.time_s * 10**9)

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

    async def observations(self, keys):
        return await self._observations.read(keys)

    async def epoch(self, client_id):
        return await self._observations.epoch(client_id)

    async def may_open(self, account):
        return await self._observations.may_open(account)

    async def written_in(self, transaction_hash):
        return await self._observations.written_in(transaction_hash)

    async def prepare_observations(self, call, sender):
        return await self._observations.prepare(call, EVM_CHAIN_ID, sender)

    async def prepare_observations_after_update(self, call, sender):
        return await self._observations.prepare_after_update(call, EVM_CHAIN_ID, sender)

    async def prepare(self, batch, sender) -> PreparedTransaction:
        (update,) = batch.messages
        data = abi.UPDATE_CLIENT.call(update.client_id, update.header)
        await self._execution.call(ROUTER_ADDRESS, data, sender=sender)
        fees = Fees(0, 0, 0)
        return PreparedTransaction(
            EVM_CHAIN_ID, sender, f"0x{ROUTER_ADDRESS.hex()}", data, 0, GAS,
            fees.max_fee_per_gas_wei, fees.max_priority_fee_per_gas_wei, fees.gas_price_wei, (True,),
        )  # fmt: skip

    async def sign(self, prepared, nonce, signer):
        await self._world.asked("hub")
        return await sign(prepared, nonce, signer)

    async def broadcast(self, signed) -> None:
        await self._world.asked("hub")
        self._world.pool[signed.prepared.sender, signed.nonce] = signed

    async def outcome(self, transaction_hash) -> TransactionOutcome | None:
        await self._world.asked("hub")
        found = self._world.included.get(transaction_hash)
        if found is None:
            return None
        height, outcome = found
        reverted = None if outcome.ok else outcome.log or "reverted"
        return TransactionOutcome(
            transaction_hash, height, bytes(32), self._world.hub.time_s * 10**9, outcome.gas_used, 0, reverted, ()
        )

    async def account(self, address) -> AccountState:
        await self._world.asked("hub")
        mined = self._world.nonces.get(address, 0)
        pending = mined
        while (address, pending) in self._world.pool:
            pending += 1
        return AccountState(address, mined, pending, 10**18)

    async def final_nonce(self, address) -> int:
        return self._world.nonces.get(address, 0)


class MemorySource:
    """See ChainAdapter and ObservedChain."""

    name, kind, chain_id = "alpha", "evm", "1337"
    blocks_per_update = None

    def __init__(self, world: "MemoryWorld") -> None:
        self._world = world
        self.distrusted: list[str] = []

    async def head(self) -> Head:
        await self._world.asked("alpha")
        chain = self._world.remote.chain
        return Head(chain.height, bytes(32), chain.now_ns)

    async def wait_for_height(self, height: int) -> Head:
        while (head := await self.head()).height < height:  # noqa: ASYNC110
            await trio.sleep(0.2)
        return head

    def proving_height(self, event_height: int) -> Height:
        return Height(0, event_height)

    def distrust(self, reason: str) -> None:
        self.distrusted.append(reason)

    async def client_messages(self, client_type, client_state, trusted, target):
        await self._world.asked("alpha")
        return (self._world.remote.chain.header(target.revision_height, trusted.revision_height),)

    async def read_places(self, places, height) -> PlaceValues:
        await self._world.asked("alpha")
        state = self._world.remote.chain.states[height.revision_height]
        nodes = nodes_for(state, places)
        return PlaceValues(judge_evm_places(VERIFY, state.account_trie.root_hash, nodes, places), nodes)

    async def show_state_root(self, client_type, client_state, trusted, height) -> bytes:
        if trusted is None:
            raise HeightUnavailable(self.name, height.revision_height, "no lower height")
        (message,) = await self.client_messages(client_type, client_state, trusted, height)
        return message


class MemoryWorld:
    """One block a second on each chain, by the clock. `silent` names chains whose endpoints give no answer."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hub = SimulatedHub()
        self.remote = RemoteChain(self.hub)
        self.pool = {}
        self.included = {}
        self.nonces: dict[str, int] = {}
        self.silent: set[str] = set()
        self.is_paused = False
        """The hub makes no blocks."""
        self._answers: dict[tuple, Any] = {}
        """By height and call: whoever waits asks many times a block."""
        self.metrics = Metrics(("alpha", "hub"), {("hub", self.client): "alpha"})
        for signer in (FIRST, SECOND):
            self.name_writer(signer)

    @property
    def client(self) -> str:
        return self.remote.client

    def name_writer(self, signer: Signer, limit: int = 10) -> None:
        action = name_writer_action(self.hub.next_salt(), bytes.fromhex(signer.address[2:]), limit)
        assert self.hub.execute(action).ok

    async def asked(self, chain: str) -> None:
        await trio.sleep(LATENCY_S)
        if chain in self.silent:
            raise EndpointUnavailable(chain, "anything", (("memory", "silent by design"),))

    def now_ns(self) -> int:
        return (GENESIS_TIME_S + int(trio.current_time())) * 10**9

    async def make_blocks(self) -> None:
        while True:
            await trio.sleep(1)
            if self.is_paused:
                self.remote.seal()
            else:
                self.make_block()

    def make_block(self) -> None:
        nonces = dict(self.nonces)
        by_raw = {}
        for sender, nonce in sorted(self.pool):
            if nonce == nonces.get(sender, 0):
                by_raw[self.pool[sender, nonce].raw] = (sender, nonce)
                nonces[sender] = nonce + 1
        chosen = self.hub.application.prepare_proposal(decoded(*by_raw), 10**7).transactions
        ready = [self.pool.pop(by_raw[raw]) for raw in chosen if raw in by_raw]  # the others wait for room in a block
        for signed in ready:
            self.nonces[signed.prepared.sender] = signed.nonce + 1
        outcomes = self.hub.advance(*(signed.raw for signed in ready))
        for signed, outcome in zip(ready, outcomes, strict=True):
            self.included[signed.hash] = (self.hub.height, outcome)
        self.remote.seal()

    def call(self, to: bytes, data: bytes, sender: bytes = bytes(20), gas: int = 0):
        asked = self.hub.height, bytes(to), data, sender, gas
        if asked not in self._answers:
            self._answers[asked] = self.hub.call(to, data, sender, gas)
        return self._answers[asked]

    def change(self, number: int) -> bytes:
        """Alpha's next block holds it."""
        word = number.to_bytes(32, "big")
        self.remote.chain.commit(KEY, word)
        return word

    def record(self):
        result = self.call(OBSERVATIONS_ADDRESS, interface.GET_OBSERVATION.call(self.key))
        assert result.success, result
        (raw,) = decode(interface.GET_OBSERVATION.results, result.return_data)
        return decode_observation(raw) if raw else None

    @property
    def key(self) -> bytes:
        return ObservationKey.of(self.client, PLACE).to_bytes()

    def watched(self, *, interval_s: int | None = None, on_change: bool = True) -> Watched:
        interval_ns = None if interval_s is None else interval_s * 10**9
        return Watched("balance", PLACE, self.key, interval_ns, on_change)

    async def recorded(self, word: bytes | None, at_most_s: float = 60) -> float:
        """Seconds until the record says `word`."""
        start_s = trio.current_time()
        with trio.fail_after(at_most_s):
            while (record := self.record()) is None or record.value != word:  # noqa: ASYNC110
                await trio.sleep(0.1)
        return trio.current_time() - start_s

    def calls(self) -> list:
        """(signed, outcome) of every transaction that the relays paid for to the module."""
        return [
            (signed_hash, outcome) for signed_hash, (_, outcome) in self.included.items() if self._observes(outcome)
        ]

    @staticmethod
    def _observes(outcome) -> bool:
        return any(log.address == OBSERVATIONS_ADDRESS for log in outcome.logs)

    def paid(self) -> int:
        """Transactions of both relays, of any kind."""
        return sum(self.nonces.values())

    def failed(self, cause: str) -> float:
        labels = {"chain": "hub", "client": self.client, "cause": cause}
        return self.metrics.registry.get_sample_value("hutong_observation_failures_total", labels) or 0.0

    def ended(self, outcome: str) -> float:
        labels = {"chain": "hub", "client": self.client, "outcome": outcome}
        return self.metrics.registry.get_sample_value("hutong_observations_total", labels) or 0.0

    def gauge(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"chain": "alpha", "observation": "balance"})

    def process(self, **options) -> "ObserverProcess":
        return ObserverProcess(self, **options)


class ObserverProcess(RelayPart):
    """The part of a relay that observes."""

    def __init__(
        self,
        world: MemoryWorld,
        *,
        signer: Signer = FIRST,
        around: Callable = lambda _, one: one,
        watched: Watched | None = None,
        patience_s: float = 1.5,
    ) -> None:
        adapters = {"alpha": MemorySource(world), "hub": MemoryHub(world)}
        super().__init__(world, Between(adapters, Route("alpha", "hub", world.client)), signer, around)
        observer = Observer(self.context, [watched or world.watched()], patience_s)
        self.tasks = {"observer": observer.run}
