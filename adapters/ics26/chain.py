"""The half of an adapter that every chain with a router over the execution API shares."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eth_utils.address import to_canonical_address

from hutong.adapters.ics26 import submission
from hutong.adapters.ics26.abi import MULTICALL, PAUSED
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.batch import DEFAULT_LIMITS, destination_client, encode_batch, encode_message, execution_gas
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.pool import pooled_packets, relayed
from hutong.adapters.ics26.router import MAX_WORDS, RouterReads
from hutong.adapters.ics26.signing import sign
from hutong.adapters.interface import (
    MAX_SEQUENCE_SCAN,
    NEWEST,
    AccountState,
    At,
    Batch,
    BatchLimits,
    EndpointStatistics,
    Head,
    NotSupported,
    PacketEvent,
    PooledPacket,
    PreparedTransaction,
    Proof,
    RefusedByChain,
    Relayed,
    SignedTransaction,
    Signer,
    StoredPackets,
    TransactionOutcome,
)
from hutong.adapters.rpc import CONCURRENT_READS, FollowedChain, HeadFollower, HeadSignal, each_of
from hutong.light_clients.ibc.commitment import PathKind
from hutong.light_clients.interface import Height

NEEDS_MORE_GAS = "it succeeds outside of a batch, which bounds its gas"
"""`hutong why` tells by these words what its sender can do."""


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """What every router chain is configured with. `start_height` is where its history begins to matter."""

    name: str
    router: str
    start_height: int = 0
    poll_interval_s: float = 0.5
    limits: BatchLimits = DEFAULT_LIMITS

    @property
    def router_address(self) -> bytes:
        """The router's address as 20 bytes, from the text in the configuration.

        Raises:
            ValueError: the text is not an address.
        """
        return bytes(to_canonical_address(self.router))


class RouterChain(FollowedChain, StoredPackets):
    """Implements what needs only `eth_*`; subclasses say what is final and how clients and proofs are encoded."""

    atomic_batches = False
    has_multicall = False
    """The router takes several calls in one that fail together, as OpenZeppelin's Multicall does."""

    def __init__(self, settings: RouterSettings, execution: ExecutionRpc, signal: HeadSignal) -> None:
        self.settings = settings
        self._execution = execution
        self._router = settings.router_address
        self._signal = signal
        self._heads = HeadFollower(self._newest_final, signal, settings.poll_interval_s)
        self._reads = RouterReads(
            settings.name, execution, self._router, self._block_facts, has_multicall=self.has_multicall
        )

    @property
    def name(self) -> str:
        """As the relay's configuration calls the chain; errors, logs and metrics carry it."""
        return self.settings.name

    @property
    def _reads_at_once(self) -> int:
        """Words of the router's store asked for side by side: many where they share a request."""
        return MAX_WORDS if self.has_multicall else CONCURRENT_READS

    @property
    def batch_limits(self) -> BatchLimits:
        """As configured; the chain's own bounds are not asked for."""
        return self.settings.limits

    def address_of(self, signer: Signer) -> str:
        """The signer's EIP-55 address."""
        return signer.address

    @property
    def execution(self) -> ExecutionRpc:
        """The chain's `eth_*`, for deployment and administration."""
        return self._execution

    # what a kind of chain decides

    @abstractmethod
    async def eth_chain_id(self) -> int:
        """The EIP-155 id that signatures are made for.

        Raises:
            EndpointUnavailable, RpcRefused: it has to be asked for, and no endpoint tells it.
        """

    @abstractmethod
    async def _newest_final(self) -> Head:
        """Ask the endpoints; may go back, which `head` hides."""

    @abstractmethod
    async def _block_facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in ns) of a final block, as `eth_getLogs` names it."""

    async def _learn(self, client_ids: Iterable[str]) -> None:
        """Ask what the encoders below must know of clients that a batch names."""

    @abstractmethod
    def _header(self, client_id: str, header: bytes) -> bytes:
        """A header as this chain's client takes it."""

    @abstractmethod
    def _misbehaviour(self, client_id: str, misbehaviour: bytes) -> bytes:
        """Evidence as this chain's client takes it."""

    @abstractmethod
    def _proof(self, client_id: str, proof: bytes, absent: bool) -> bytes:
        """A proof as this chain's client takes it."""

    # reading

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of the `eth_*` endpoints, then of the WebSocket ones, each in configured order."""
        return (*self._execution.client.statistics("rpc"), *self._signal.statistics())

    def distrust(self, reason: str) -> None:
        """Leave the preferred `eth_*` endpoint for another, if there is one; `reason` becomes its last failure."""
        self._execution.client.distrust(reason)

    async def block_time_ns(self, height: int) -> int:
        """Time of a final block, nanoseconds of Unix time.

        Raises:
            EndpointUnavailable, HeightUnavailable: no endpoint has the block.
        """
        return (await self._block_facts(height))[1]

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        """See ChainAdapter. The head is asked for anew only if the known one is below `last`.

        Raises:
            As `RouterReads.packet_events`.
        """
        return await self._reads.packet_events(first, last, await self._heads.above(last))

    @property
    @abstractmethod
    def has_unfinal_blocks(self) -> bool:
        """See ChainAdapter; the kind of chain decides."""

    async def _stored(self, client_id: str, kind: PathKind, sequence: int, height: At) -> bytes | None:
        if height == NEWEST:
            return await self._reads.stored(client_id, kind, sequence, "latest")
        at = (await self.head()).height if height is None else height
        return await self._reads.stored(client_id, kind, sequence, at)

    @abstractmethod
    async def next_sequence_send(self, client_id: str) -> int:
        """See ChainAdapter; the kind of chain decides how, and in which state, it is read."""

    async def unsettled_sends(
        self, client_id: str, first_sequence: int = 1, count: int = MAX_SEQUENCE_SCAN
    ) -> tuple[int, ...]:
        """See ChainAdapter; in the state at the head, word by word, as many at once as the router can answer together.

        Raises:
            EndpointUnavailable: no endpoint has that state.
        """
        end = min(await self.next_sequence_send(client_id), first_sequence + min(count, MAX_SEQUENCE_SCAN))
        height = (await self.head()).height

        async def standing(sequence: int) -> bool:
            return await self._stored(client_id, PathKind.COMMITMENT, sequence, height) is not None

        sequences = range(first_sequence, end)
        stands = await each_of(standing, sequences, self._reads_at_once)
        return tuple(sequence for sequence, found in zip(sequences, stands, strict=True) if found)

    @abstractmethod
    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        """See ChainAdapter; the kind of chain decides how, and what it checks."""

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """As `prove` for each of `paths`, some at a time. Kinds of chain that prove several at once override it."""
        return tuple(await each_of(lambda path: self.prove(path, height, client_state), paths))

    async def sent_packet(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; searched from the configured `start_height` to the head.

        Raises:
            As `RouterReads.event_of`.
        """
        head = (await self.head()).height
        return await self._reads.sent_packet(client_id, sequence, self.settings.start_height, head)

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; searched from the configured `start_height` to the head.

        Raises:
            As `RouterReads.event_of`.
        """
        head = (await self.head()).height
        return await self._reads.written_acknowledgement(client_id, sequence, self.settings.start_height, head)

    async def paused(self) -> bool:
        """See ChainAdapter; the router's word on the node's newest state.

        Raises:
            RefusedByChain, BadAnswer: no router is there.
        """
        (paused,) = PAUSED.decode(await self._execution.call(self._router, PAUSED.encode()))
        return bool(paused)

    # as a destination

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        """See ChainAdapter: one `relayBatch` call, simulated on the newest state.

        Raises:
            BatchTooLarge: more messages, bytes or gas than the limits allow.
            RefusedByChain: the whole batch would revert.
            UnknownClient, NotSupported: a message is for a client that is not there, or of an unknown type.
            MalformedInput: a packet has not one payload, or a header or proof cannot be put into the contract's form.
        """
        limits = self.settings.limits
        calls = await self._calls(batch)
        call = submission.BatchCall(
            encode_batch(batch, calls, limits), len(batch.messages), execution_gas(batch, calls), limits.max_gas
        )
        chain_id = await self.eth_chain_id()
        return await submission.prepare_batch(self._execution, chain_id, sender, self._router, call)

    async def refusal(self, batch: Batch, sender: str) -> str:
        """See ChainAdapter; a batch of several needs a router with `multicall`.

        Raises:
            NotSupported: several messages, and the router has none.
            UnknownClient, MalformedInput: as `prepare`.
        """
        calls = await self._calls(batch)
        if len(calls) > 1 and not self.has_multicall:
            raise NotSupported(f"a reason from {self.name} for a message that needs others before it")
        data = calls[0] if len(calls) == 1 else MULTICALL.encode(list(calls))
        try:
            await self._execution.call(self._router, data, "latest", sender)
        except RefusedByChain as refused:
            return refused.reason or refused.name
        return NEEDS_MORE_GAS

    async def _calls(self, batch: Batch) -> tuple[bytes, ...]:
        await self._learn({destination_client(message) for message in batch.messages})
        return tuple(
            encode_message(message, self._header, self._misbehaviour, self._proof) for message in batch.messages
        )

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        """See `hutong.adapters.ics26.signing.sign`. Whether `prepared` is of the signer's account is not checked."""
        return await sign(prepared, nonce, signer)

    async def broadcast(self, signed: SignedTransaction) -> None:
        """See `hutong.adapters.ics26.submission.broadcast`."""
        await submission.broadcast(self._execution, signed)

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        """See ChainAdapter; the receipt must be of the final block of its height.

        Raises:
            BadAnswer: one of the receipt's logs is malformed.
            EndpointUnavailable: no endpoint gave a receipt of the final block.
        """
        receipt = await self._execution.receipt(transaction_hash, self._check_receipt)
        if receipt is None or receipt.height > await self._heads.above(receipt.height):
            return None
        block_hash, time_ns = await self._block_facts(receipt.height)
        return await submission.outcome_of(self._execution, self._router, receipt, block_hash, time_ns)

    async def _check_receipt(self, receipt: Receipt) -> None:
        if receipt.height <= await self._heads.above(receipt.height):
            submission.check_receipt_block(receipt, (await self._block_facts(receipt.height))[0])

    def idle_transactions(self) -> tuple[bytes, ...]:
        """See `RouterReads.idle_transactions`."""
        return self._reads.idle_transactions()

    async def relayed_by(self, transaction_hash: bytes) -> Relayed | None:
        """See ChainAdapter; by the sender and call data that an endpoint tells.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        call = await self._execution.mined_call(transaction_hash)
        return None if call is None else relayed(call.sender, call.data)

    async def pooled_packets(self) -> tuple[PooledPacket, ...] | None:
        """See `hutong.adapters.ics26.pool.pooled_packets`."""
        return await pooled_packets(self._execution, self._router)

    async def account(self, address: str) -> AccountState:
        """See `hutong.adapters.ics26.submission.account_state`."""
        return await submission.account_state(self._execution, address)

    async def final_nonce(self, address: str) -> int:
        """The account's nonce in the state after the head.

        Raises:
            EndpointUnavailable: no endpoint has that state.
        """
        return await self._execution.nonce_at(address, (await self.head()).height)
