"""The adapter of a simulated chain: honest by default, faulty as `Faults` says."""

from collections.abc import Sequence
from dataclasses import replace

import trio

from hutong.adapters.ics26.batch import DEFAULT_LIMITS, encode_batch, encode_message
from hutong.adapters.ics26.events import PACKET_TOPICS, packet_event
from hutong.adapters.ics26.noops import packet_calls
from hutong.adapters.ics26.pool import pooled_packet, relayed
from hutong.adapters.ics26.refusals import Refusals
from hutong.adapters.ics26.reverts import ROUTER_REVERTS
from hutong.adapters.ics26.signing import sign
from hutong.adapters.interface import (
    MAX_EVENT_RANGE,
    MAX_SEQUENCE_SCAN,
    NEWEST,
    AccountState,
    At,
    Batch,
    BatchLimits,
    BatchTooLarge,
    ClientInfo,
    ClientParameters,
    EndpointMismatch,
    EndpointStatistics,
    EndpointUnavailable,
    Head,
    HeightUnavailable,
    InitialStates,
    MessageFailure,
    NotSupported,
    PacketEvent,
    PacketEventKind,
    PooledPacket,
    PreparedTransaction,
    Proof,
    Relayed,
    SignedTransaction,
    Signer,
    StoredPackets,
    TransactionOutcome,
    UnknownClient,
    begin_height,
)
from hutong.adapters.rpc import Endpoint, RpcOptions, statistics_of
from hutong.adapters.simulated.chain import BASE_FEE_WEI, ROUTER_ADDRESS, SimulatedBlock, SimulatedChain
from hutong.adapters.simulated.faults import Faults
from hutong.adapters.simulated.router import HostedClient
from hutong.light_clients.bft_evm import (
    decode_extra_data,
    encode_extra_data,
    encode_header_message,
)
from hutong.light_clients.bft_evm.predicates import overlap_size
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import Height, MalformedInput, VerificationError

POLL_INTERVAL_S = 0.5
CLIENT_TYPE = "bft-evm"


class SimulatedAdapter(StoredPackets):
    """See ChainAdapter for every public method."""

    kind = "simulated"
    merkle_prefix = (b"",)
    blocks_per_update: int | None = None
    """Tests may set it: then updates reach no further in one transaction, as on chains whose every header is needed."""

    def __init__(
        self, chain: SimulatedChain, faults: Faults | None = None, limits: BatchLimits = DEFAULT_LIMITS
    ) -> None:
        self.chain = chain
        self.faults = faults or Faults()
        self.distrusted: list[str] = []
        self._limits = limits
        self._head: Head | None = None
        self._reverts = ROUTER_REVERTS
        self._idle: dict[bytes, None] = {}
        self._endpoint = Endpoint("simulated://chain", RpcOptions())

    @property
    def name(self) -> str:
        """As its chain was named, for errors and metrics."""
        return self.chain.name

    @property
    def chain_id(self) -> str:
        """The chain's EIP-155 id in decimal."""
        return str(self.chain.chain_id)

    @property
    def batch_limits(self) -> BatchLimits:
        """As given to the constructor: by default those of router chains."""
        return self._limits

    @property
    def atomic_batches(self) -> bool:
        """As the chain was made; tests set it to stand for a Cosmos SDK chain."""
        return self.chain.atomic_batches

    def address_of(self, signer: Signer) -> str:
        """The signer's EIP-55 address."""
        return signer.address

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of the one that `faults.latency_s` makes slow; else empty, since the simulator has no endpoints."""
        return statistics_of((self._endpoint,), "rpc", trio.current_time()) if self.faults.latency_s else ()

    def distrust(self, reason: str) -> None:
        """Remembered in `distrusted` for the test to look at; the endpoint stays, since it is the only one."""
        self.distrusted.append(reason)

    async def _asked(self, operation: str) -> None:
        with self._endpoint.asked(trio.current_time()):
            await trio.sleep(self.faults.latency_s)
        if self.faults.strikes(self.faults.unavailable):
            raise EndpointUnavailable(self.name, operation, (("simulated", "unavailable by design"),))

    def _final(self, height: int) -> SimulatedBlock:
        block = self.chain.final(height)
        if block is None:
            raise HeightUnavailable(self.name, height, f"the final head is {self.chain.final_height}")
        return block

    async def check_identity(self) -> None:
        """See ChainAdapter.

        Raises:
            EndpointMismatch: `faults.claimed_chain_id` is another one.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("check_identity")
        claimed = self.faults.claimed_chain_id
        if claimed is not None and claimed != self.chain_id:
            raise EndpointMismatch("simulated", "chain id", claimed, self.chain_id)

    async def head(self) -> Head:
        """See ChainAdapter; `faults.head_lag` hides that many of the newest final blocks.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("head")
        block = self._final(max(0, self.chain.final_height - self.faults.head_lag))
        if self._head is None or block.header.number > self._head.height:
            self._head = Head(block.header.number, block.hash, block.time_ns)
        return self._head

    async def wait_for_height(self, height: int) -> Head:
        """See ChainAdapter; asked again when the chain makes a block, else every POLL_INTERVAL_S.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        while True:
            head = await self.head()
            if head.height >= height:
                return head
            await self.chain.signal.wait(POLL_INTERVAL_S)

    async def block_time_ns(self, height: int) -> int:
        """See ChainAdapter.

        Raises:
            HeightUnavailable: the block is not final; `faults.head_lag` does not count here.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("block_time_ns")
        return self._final(height).time_ns

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        """See ChainAdapter; less what `faults.hidden_events` strikes, and with `faults.forged_events` in the range.

        Raises:
            ValueError: not 1 to MAX_EVENT_RANGE blocks.
            HeightUnavailable: `last` is not final.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("packet_events")
        if not 0 <= first <= last or last - first >= MAX_EVENT_RANGE:
            raise ValueError(f"a range of 1 to {MAX_EVENT_RANGE} blocks, not {first} to {last}")
        self._final(last)
        for height in range(first, last + 1):
            self._idle |= dict.fromkeys(
                receipt.transaction.hash for receipt in self._final(height).receipts if receipt.noops
            )
        events = [event for height in range(first, last + 1) for event in self._events(self._final(height))]
        events = [event for event in events if not self.faults.strikes(self.faults.hidden_events)]
        events += [event for event in self.faults.forged_events if first <= event.height <= last]
        return tuple(sorted(events, key=lambda event: (event.height, event.log_index)))

    @staticmethod
    def _events(block: SimulatedBlock) -> list[PacketEvent]:
        refusals = Refusals(ROUTER_REVERTS)
        return [
            refusals.explained(packet_event(log, block.time_ns))
            for log in block.logs
            if not refusals.takes(log) and log.topics[0] in PACKET_TOPICS
        ]

    @property
    def has_unfinal_blocks(self) -> bool:
        """Whether the chain was made with a finality depth above 0."""
        return self.chain.finality_depth > 0

    async def _stored(self, client_id: str, kind: PathKind, sequence: int, height: At) -> bytes | None:
        await self._asked("commitment")
        if height == NEWEST:
            block = self.chain.newest
        else:
            block = self._final(self.chain.final_height if height is None else height)
        return self.chain.store.get(block.router.storage_root, path_key(client_id, kind, sequence))

    async def next_sequence_send(self, client_id: str) -> int:
        """See ChainAdapter; in the state at the newest final block.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("next_sequence_send")
        return self._final(self.chain.final_height).router.next_sequences.get(client_id, 1)

    async def unsettled_sends(
        self, client_id: str, first_sequence: int = 1, count: int = MAX_SEQUENCE_SCAN
    ) -> tuple[int, ...]:
        """See ChainAdapter; in the state at the newest final block.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        end = min(await self.next_sequence_send(client_id), first_sequence + min(count, MAX_SEQUENCE_SCAN))
        root = self._final(self.chain.final_height).router.storage_root
        return tuple(
            sequence
            for sequence in range(first_sequence, end)
            if self.chain.store.get(root, path_key(client_id, PathKind.COMMITMENT, sequence)) is not None
        )

    async def sent_packet(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; searched from the newest final block down. No fault hides or forges it.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        return await self._event(PacketEventKind.SEND, client_id, sequence)

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; searched from the newest final block down. No fault hides or forges it.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        return await self._event(PacketEventKind.WRITE_ACKNOWLEDGEMENT, client_id, sequence)

    async def _event(self, kind: PacketEventKind, client_id: str, sequence: int) -> PacketEvent | None:
        await self._asked("event")
        for height in range(self.chain.final_height, -1, -1):
            for event in self._events(self._final(height)):
                if (event.kind, event.client_id, event.packet.sequence) == (kind, client_id, sequence):
                    return event
        return None

    def _hosted(self, client_id: str) -> HostedClient:
        client = self._final(self.chain.final_height).router.clients.get(client_id)
        if client is None:
            raise UnknownClient(self.name, client_id)
        return client

    async def client(self, client_id: str) -> ClientInfo:
        """See ChainAdapter; in the state at the newest final block, the status at its time.

        Raises:
            UnknownClient: no client of that name.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("client")
        hosted = self._hosted(client_id)
        light_client = self.chain.light_clients[hosted.client_type]
        latest = light_client.latest_height(hosted.client_state)
        newest = hosted.get(latest)
        head = self._final(self.chain.final_height)
        return ClientInfo(
            client_id=client_id,
            client_type=hosted.client_type,
            status=light_client.status(hosted.client_state, hosted, head.time_ns),
            latest_height=latest,
            latest_timestamp_ns=0 if newest is None else light_client.timestamp_ns(newest),
            trusting_period_ns=light_client.trusting_period_ns(hosted.client_state),
            counterparty_client_id=None if hosted.counterparty is None else hosted.counterparty[0],
            merkle_prefix=() if hosted.counterparty is None else hosted.counterparty[1],
            client_state=hosted.client_state,
        )

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """See ChainAdapter; in the state at the newest final block.

        Raises:
            UnknownClient: no client of that name.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("consensus_state")
        return self._hosted(client_id).get(height)

    async def paused(self) -> bool:
        """As `faults.paused` says; the simulated router itself has no pause.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("paused")
        return self.faults.paused

    def proving_height(self, event_height: int) -> Height:
        """The same height: a header commits to the state after its block."""
        return Height(0, event_height)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See ChainAdapter; steps that too few trusted validators sealed are halved, and not bounded in number.

        Raises:
            NotSupported: a client type other than `bft-evm`.
            HeightUnavailable: `target` is below `trusted` or not final, or two neighbours share too few validators.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("client_messages")
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"{client_type} headers of a simulated chain")
        if target < trusted:
            raise HeightUnavailable(self.name, target.revision_height, f"the client is at {trusted} already")
        self._final(target.revision_height)
        messages: list[bytes] = []
        at, goals = trusted.revision_height, [target.revision_height] if target > trusted else []
        while goals:
            if self._trusts(at, goals[-1]):
                height = goals.pop()
                message = encode_header_message(self.chain.update_header(Height(0, at), height))
                messages.append(self.faults.corrupted(message, self.faults.corrupt_headers))
                at = height
            elif goals[-1] == at + 1:
                raise HeightUnavailable(self.name, goals[-1], f"too few of the validators of {at} sealed it")
            else:
                goals.append((at + goals[-1]) // 2)
        return tuple(messages)

    def _trusts(self, trusted: int, target: int) -> bool:
        old, new = (
            frozenset(decode_extra_data(self.chain.blocks[height].header.extra_data).validators)
            for height in (trusted, target)
        )
        return len(old & new) >= overlap_size(len(old))

    async def bare_header(self, height: int) -> bytes:
        """See ChainAdapter: the RLP without seals and with round 0.

        Raises:
            HeightUnavailable: the block is not final.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("bare_header")
        header = self._final(height).header
        extra = decode_extra_data(header.extra_data).without_seals_and_round()
        return encode_header(replace(header, extra_data=encode_extra_data(extra)))

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        """See ChainAdapter; a real trie's proof, in which `faults.corrupt_proofs` may turn a bit.

        Raises:
            MalformedInput: the path has not one element, the ICS-24 key.
            HeightUnavailable: the block is not final.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("prove")
        if len(path) != 1:
            raise MalformedInput("path", "a simulated router's path has one element", got=len(path), expected=1)
        root = self._final(height.revision_height).router.storage_root
        proof = encode_storage_proof(StorageProof(self.chain.store.prove(root, path[0])))
        corrupted = self.faults.corrupted(proof, self.faults.corrupt_proofs)
        return Proof(path, height, self.chain.store.get(root, path[0]), corrupted)

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """`prove` of each path, one after the other: each is a call that a fault may strike.

        Raises:
            As `prove`.
        """
        return tuple([await self.prove(path, height, client_state) for path in paths])

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter.

        Raises:
            NotSupported: a client type other than `bft-evm`.
            HeightUnavailable: `begin_height` is above the head.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("initial_states")
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"a {client_type} client of a simulated chain")
        height = await begin_height(self.name, parameters, self.head)
        states = self.chain.states_at(height, parameters.trusting_period_s, parameters.max_clock_drift_s)
        return InitialStates(CLIENT_TYPE, Height(0, height), *states, self.chain.blocks[height].hash)

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        """See ChainAdapter; simulated on the newest state. The fee is twice the chain's fixed base fee.

        Raises:
            BatchTooLarge: more messages, bytes or gas than the limits allow.
            MalformedInput: a packet has not exactly one payload.
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("prepare")
        data = self._encoded(batch)
        expected, gas_used = self.chain.simulate(data)
        if gas_used > self._limits.max_gas:
            raise BatchTooLarge("gas", gas_used, self._limits.max_gas)
        return PreparedTransaction(
            chain_id=self.chain.chain_id,
            sender=sender,
            to="0x" + ROUTER_ADDRESS.hex(),
            data=data,
            value_wei=0,
            gas=gas_used * 115 // 100,
            max_fee_per_gas_wei=2 * BASE_FEE_WEI,
            max_priority_fee_per_gas_wei=0,
            gas_price_wei=None,
            expected=expected,
        )

    def _encoded(self, batch: Batch) -> bytes:
        calls = tuple(
            encode_message(
                message,
                lambda _, header: header,
                lambda _, misbehaviour: misbehaviour,
                lambda _, proof, __: proof,
            )
            for message in batch.messages
        )
        return encode_batch(batch, calls, self._limits)

    async def refusal(self, batch: Batch, sender: str) -> str:
        """See ChainAdapter; by a simulation on the newest state, or that it would succeed.

        Raises:
            BatchTooLarge, MalformedInput, EndpointUnavailable: as `prepare`.
        """
        await self._asked("refusal")
        reasons = self.chain.refusals(self._encoded(batch))
        return reasons.get(len(batch.messages) - 1, "it would succeed")

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        """See `hutong.adapters.ics26.signing.sign`; no fault strikes it."""
        return await sign(prepared, nonce, signer)

    async def broadcast(self, signed: SignedTransaction) -> None:
        """See ChainAdapter. `faults.lost_broadcast` forgets the transaction and says nothing of it.

        Raises:
            BroadcastRefused: the pool's refusal, as `SimulatedChain.submit`.
            EndpointUnavailable: by `faults.unavailable`, or by `faults.hidden_broadcast` after the pool took it.
        """
        await self._asked("broadcast")
        if self.faults.strikes(self.faults.lost_broadcast):
            return
        self.chain.submit(signed.raw)
        if self.faults.strikes(self.faults.hidden_broadcast):
            raise EndpointUnavailable(self.name, "broadcast", (("simulated", "the answer was lost by design"),))

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        """See ChainAdapter; searched from the newest final block down.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("outcome")
        for height in range(self.chain.final_height, -1, -1):
            block = self._final(height)
            for receipt in block.receipts:
                if receipt.transaction.hash == transaction_hash:
                    return TransactionOutcome(
                        transaction_hash=transaction_hash,
                        height=height,
                        block_hash=block.hash,
                        block_time_ns=block.time_ns,
                        gas_used=receipt.gas_used,
                        fee_wei=receipt.gas_used * BASE_FEE_WEI,
                        reverted=receipt.reverted,
                        failures=tuple(
                            MessageFailure(index, self._reverts.read(data).reason, data)
                            for index, data in receipt.failures
                        ),
                        noops=receipt.noops,
                    )
        return None

    def idle_transactions(self) -> tuple[bytes, ...]:
        """See ChainAdapter; their number is not bounded."""
        found = tuple(self._idle)
        self._idle.clear()
        return found

    async def relayed_by(self, transaction_hash: bytes) -> Relayed | None:
        """See ChainAdapter; blocks that are not final are looked at too.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("relayed_by")
        for block in reversed(self.chain.blocks):
            for receipt in block.receipts:
                if receipt.transaction.hash == transaction_hash:
                    return relayed(receipt.transaction.sender, receipt.transaction.data)
        return None

    async def pooled_packets(self) -> tuple[PooledPacket, ...] | None:
        """See ChainAdapter; None if the chain's owner set `hide_pool`, or by `faults.unavailable`."""
        try:
            await self._asked("pooled_packets")
        except EndpointUnavailable:
            return None
        if self.chain.hide_pool:
            return None
        found: list[PooledPacket] = []
        for transaction in self.chain.pool.values():
            try:
                calls = packet_calls(transaction.data)
            except VerificationError:
                continue  # anybody's transaction, which would revert
            found += [pooled_packet(call, transaction.sender) for call in calls if call is not None]
        return tuple(found)

    async def account(self, address: str) -> AccountState:
        """See ChainAdapter; pending nonces count as far as the pool has no gap.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("account")
        block = self.chain.newest
        latest = pending = block.nonces.get(address, 0)
        while (address, pending) in self.chain.pool:
            pending += 1
        return AccountState(address, latest, pending, block.balances_wei.get(address, 0))

    async def final_nonce(self, address: str) -> int:
        """See ChainAdapter.

        Raises:
            EndpointUnavailable: by `faults.unavailable`.
        """
        await self._asked("final_nonce")
        return self._final(self.chain.final_height).nonces.get(address, 0)
