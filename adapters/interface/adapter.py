"""What the relay asks of every kind of chain."""

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from hutong.adapters.interface.clients import ClientInfo, ClientParameters, InitialStates, Proof
from hutong.adapters.interface.endpoints import EndpointStatistics
from hutong.adapters.interface.events import Head, PacketEvent, PooledPacket, Relayed
from hutong.adapters.interface.messages import Batch, BatchLimits
from hutong.adapters.interface.transactions import (
    AccountState,
    PreparedTransaction,
    SignedTransaction,
    Signer,
    TransactionOutcome,
)
from hutong.light_clients.interface import Height

MAX_EVENT_RANGE = 1_000
"""Blocks per `packet_events` call; public nodes refuse far larger ranges."""
MAX_SEQUENCE_SCAN = 10_000
"""Sequences looked at per `unsettled_sends` call."""


NEWEST: Final = "newest"
"""The state after the newest block that an endpoint knows, which may still be undone."""

At = int | Literal["newest"] | None
"""A final height, NEWEST, or None for the head."""


class ChainAdapter(Protocol):
    """One chain through its endpoints.

    Every call may raise `AdapterError`, and blocks as long as its caller allows (`trio.fail_after`); a cancelled call
    leaves nothing behind. Nothing here is proof: events are hints, and the caller re-reads state at a final height
    and verifies proofs with the light client before it acts. Instances may be shared by tasks.
    """

    @property
    def name(self) -> str:
        """The name in the relay's configuration."""

    @property
    def kind(self) -> str:
        """`evm`, `hub`, `cosmos` or `simulated`."""

    @property
    def chain_id(self) -> str:
        """As configured: decimal EIP-155 id of an EVM chain, `name-N` of a hub or Cosmos chain."""

    @property
    def merkle_prefix(self) -> tuple[bytes, ...]:
        """The store prefix that counterparties register for this chain, so that their clients verify its proofs."""

    @property
    def batch_limits(self) -> BatchLimits:
        """Bounds for `prepare`: messages, bytes and gas of one transaction."""

    @property
    def atomic_batches(self) -> bool:
        """Whether one failing message undoes the whole transaction; `prepare` then finds every message that would fail."""

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of every endpoint, by API and in configured order; asks nobody. Empty where there are no endpoints."""

    def address_of(self, signer: Signer) -> str:
        """The signer's account on this chain, as text: `sender` of `prepare`, `address` of `account`."""

    # reading

    async def check_identity(self) -> None:
        """The endpoints serve the configured chain, and the router is there.

        Raises:
            EndpointMismatch: they serve another chain, contradict each other, or there is no router.
        """

    def distrust(self, reason: str) -> None:
        """What the endpoint in use served failed verification: leave it for another, if there is one.

        Args:
            reason: for people; it is kept as the endpoint's last failure.
        """

    async def head(self) -> Head:
        """The newest final block. Never goes back within one adapter's life."""

    async def wait_for_height(self, height: int) -> Head:
        """Return the head as soon as it is at `height` or above. Waits without a limit: the caller sets one."""

    async def block_time_ns(self, height: int) -> int:
        """Time of a final block, nanoseconds of Unix time by the chain's own clock.

        Raises:
            HeightUnavailable: the block is not final, or no endpoint keeps it.
        """

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        """All packet events of the blocks `first` to `last`, both included, in order of the chain.

        Raises:
            ValueError: the range is not of 1 to MAX_EVENT_RANGE blocks.
            HeightUnavailable: `last` is above the head.
        """

    @property
    def has_unfinal_blocks(self) -> bool:
        """Whether there are blocks above the head: NEWEST then says more than the head's state, and nothing for good."""

    async def commitment(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        """Commitment of a sent, unsettled packet.

        Args:
            client_id: of this chain, the packet's source client.
            height: the state after this block is read: a final height, NEWEST, or None for the head.

        Returns:
            None if nothing was sent with this sequence, or the packet is settled.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
        """

    async def receipt(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        """Receipt of a received packet; its bytes differ between kinds of chain.

        Args:
            client_id: of this chain, the packet's destination client.
            height: the state after this block is read: a final height, NEWEST, or None for the head.

        Returns:
            None if the packet was not received.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
        """

    async def acknowledgement_commitment(
        self, client_id: str, sequence: int, height: int | None = None
    ) -> bytes | None:
        """Commitment of a written acknowledgement.

        Args:
            client_id: of this chain, the packet's destination client.
            height: the state after this block is read; None is the final head.

        Returns:
            None if the packet was not received, or its application has not answered yet.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
        """

    async def next_sequence_send(self, client_id: str) -> int:
        """The sequence that the next packet over the client will get; 1 if none was sent."""

    async def unsettled_sends(
        self, client_id: str, first_sequence: int = 1, count: int = MAX_SEQUENCE_SCAN
    ) -> tuple[int, ...]:
        """The sequences whose commitment stands: sent, and neither acknowledged nor timed out.

        Args:
            client_id: of this chain, the source client.
            first_sequence: where to begin, at least 1.
            count: how many sequences to look at from there on, at most MAX_SEQUENCE_SCAN.

        Returns:
            In ascending order.
        """

    async def sent_packet(self, client_id: str, sequence: int) -> PacketEvent | None:
        """The SEND event of a packet, wherever it is in the chain's history.

        Args:
            client_id: of this chain, the packet's source client.

        Returns:
            None if the chain has no such event. Also None if no endpoint keeps it any more, except as below.

        Raises:
            HeightUnavailable: the state shows that it was sent (Cosmos SDK chains), and no endpoint keeps its block.
        """

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        """The WRITE_ACKNOWLEDGEMENT event of a packet, wherever it is in the chain's history.

        Args:
            client_id: of this chain, the packet's destination client.

        Returns:
            None if the chain has no such event. Also None if no endpoint keeps it any more, except as below.

        Raises:
            HeightUnavailable: the state shows that it was written (Cosmos SDK chains), and no endpoint keeps its block.
        """

    async def client(self, client_id: str) -> ClientInfo:
        """A light client of this chain, as it is stored; read without a proof.

        Raises:
            UnknownClient: there is no client of that name.
            NotSupported: its type is one that this adapter cannot read.
        """

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """The state that a client of this chain stores at exactly `height`, in the Python light client's encoding.

        Nothing here is proven: the caller compares it with what it verified itself.

        Returns:
            None if the client stores none at that height.
        """

    async def paused(self) -> bool:
        """Whether the router's admins have stopped packets for now: refusals by `prepare` are then nobody's fault."""

    # as a source

    @property
    def blocks_per_update(self) -> int | None:
        """How many blocks of this chain one transaction may bring a client forward.

        Above it `client_messages` may return more than a transaction holds. None if any distance takes one header.
        """

    def proving_height(self, event_height: int) -> Height:
        """The consensus height whose root holds the state after block `event_height`.

        EVM: the same; hub and Cosmos chain: + 1. Blocks at it need not exist yet:
        `wait_for_height(proving_height(h).revision_height)` first.
        """

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """Headers that bring a counterparty's client of this chain from `trusted` to `target`, in order.

        One normally; more where validator changes leave too little trust for one step; none if they are equal.

        Args:
            client_state: encoded, of the client that is brought forward.

        Raises:
            NotSupported: a client type that does not follow this chain.
            HeightUnavailable: `target` is below `trusted`, too far above it, or no endpoint keeps what is on the way.
        """

    async def bare_header(self, height: int) -> bytes:
        """The header of a final block without signatures, as bundles carry it (docs/spec/bundle.md).

        Raises:
            NotSupported: the chain's headers prove nothing.
        """

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        """Value or absence of `path` (prefix with the ICS-24 key applied) for the consensus state at `height`.

        Args:
            client_state: of the client that will judge the proof; only chains whose proofs are made for one client
                (attested ones) read it.

        Raises:
            NotSupported: such a chain, and no `client_state`.
            MalformedInput: the path is not one of this chain's store.
            HeightUnavailable: no endpoint keeps the state, or it is not final.
        """

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """`prove` for each of `paths`, in their order, with as few requests as the chain needs.

        Raises:
            As `prove`, for the first path that fails.
        """

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """States for a new client of this chain at its head, or at `parameters.begin_height`.

        Raises:
            NotSupported: a client type that does not follow this chain.
            HeightUnavailable: a height that is not final or no longer kept.
        """

    # as a destination

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        """Encode, bound, simulate and price a batch. Nothing is signed or sent.

        With `atomic_batches` and not all of `expected` true, it is not to be sent, and its gas and fee mean nothing.

        Args:
            sender: as `address_of` gives it.

        Raises:
            BatchTooLarge: the caller splits the batch.
            RefusedByChain: the whole batch would revert.
        """

    async def refusal(self, batch: Batch, sender: str) -> str:
        """Why the last message of `batch` would fail after the others, for a person to read.

        Raises:
            NotSupported: the chain cannot say.
        """

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        """Sign a prepared transaction with `nonce`. Nothing is sent; the result's hash is recorded before `broadcast`.

        Args:
            signer: of the account that `prepared` names as its sender.
        """

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Hand a signed transaction to the pool. That it is taken says nothing of its outcome.

        Raises:
            BroadcastRefused: the pool refuses it; a subclass says whose turn it is.
            EndpointUnavailable: unknown, so look for it: it may be in a pool all the same.
        """

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        """What became of a transaction, by its hash.

        Returns:
            None while it is not in a final block (pending, dropped or unknown: `account` tells which).
        """

    def idle_transactions(self) -> tuple[bytes, ...]:
        """Hashes of mined transactions that found work done, met while `packet_events` was answered.

        Each is given once. Empty if the chain leaves no trace of them.
        """

    async def relayed_by(self, transaction_hash: bytes) -> Relayed | None:
        """Who sent a mined transaction, and over which clients it brought packets: an endpoint's word.

        Returns:
            None if no endpoint can say.
        """

    async def pooled_packets(self) -> tuple[PooledPacket, ...] | None:
        """What pending transactions would do with packets: those that the next blocks may include.

        Returns:
            None if no endpoint tells. It costs no endpoint its place, and raises nothing.
        """

    async def account(self, address: str) -> AccountState:
        """Nonces and balance on the newest state, which may still be undone.

        Args:
            address: as `address_of` gives it.
        """

    async def final_nonce(self, address: str) -> int:
        """How many transactions of the account are in final blocks: their nonces are used for good."""
