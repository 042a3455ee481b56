"""The adapter of a Cosmos SDK chain."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

from google.protobuf.message import DecodeError

from adapters.cometbft import (
    ClientOfChain,
    CommittedBlocks,
    HeaderSource,
    ProofSource,
    initial_states,
)
from adapters.cometbft.upgrade import committed_upgrade
from adapters.cosmos.clients import StoredClients
from adapters.cosmos.events import BlockEvents
from adapters.cosmos.history import PacketHistory
from adapters.cosmos.pool import pooled_packets
from adapters.cosmos.proofs import MERKLE_PREFIX, PROOF_FORMAT, PROOF_SPECS, UPGRADE_FORMAT, UPGRADE_PATH
from adapters.cosmos.rpc import CosmosRpc, open_endpoints
from adapters.cosmos.settings import CosmosSettings
from adapters.cosmos.submit import Submission
from adapters.cosmos.unsettled import unsettled_sends
from adapters.interface import (
    MAX_SEQUENCE_SCAN,
    AccountState,
    At,
    BadAnswer,
    Batch,
    BatchLimits,
    ClientInfo,
    ClientParameters,
    EndpointMismatch,
    EndpointStatistics,
    Head,
    HeightUnavailable,
    InitialStates,
    PacketEvent,
    PooledPacket,
    PreparedTransaction,
    Proof,
    Relayed,
    SignedTransaction,
    Signer,
    TransactionOutcome,
    begin_height,
)
from adapters.rpc import HeadFollower, HeadSignal, each_of
from light_clients.ibc.commitment import PathKind, path_key
from light_clients.interface import Height
from light_clients.protobuf.cosmos_state_pb2 import StakingParams
from light_clients.tendermint.codec import encode_header
from light_clients.tendermint.types import revision_of

STAKING_STORE, STAKING_PARAMS_KEY = "/store/staking/key", b"\x51"
"""x/staking of cosmos-sdk 0.53, types/keys.go ParamsKey."""


class CosmosChain:
    """See ChainAdapter for every public method."""

    kind = "cosmos"
    merkle_prefix = MERKLE_PREFIX
    atomic_batches = True

    def __init__(self, settings: CosmosSettings, rpc: CosmosRpc, signal: HeadSignal) -> None:
        self.settings = settings
        self._rpc = rpc
        self._revision = revision_of(settings.chain_id)
        self._blocks = CommittedBlocks(self.name, rpc.comet)
        self._headers = HeaderSource(self.name, self._blocks)
        self._proofs = ProofSource(rpc.comet, self._blocks, PROOF_FORMAT)
        self._clients = StoredClients(self.name, rpc)
        self._events = BlockEvents(self.name, rpc.comet, self._blocks)
        self._history = PacketHistory(self.name, rpc, self._clients, self._events, settings.start_height)
        self._signal = signal
        self._heads = HeadFollower(self._blocks.head, signal, settings.poll_interval_s)
        self._submission = Submission(settings, rpc, self._blocks, self._heads.head)

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def chain_id(self) -> str:
        return self.settings.chain_id

    @property
    def batch_limits(self) -> BatchLimits:
        return self._submission.batch_limits

    @property
    def submission(self) -> Submission:
        """Transactions, also of messages that no relay sends."""
        return self._submission

    def address_of(self, signer: Signer) -> str:
        return self._submission.address_of(signer)

    @property
    def rpc(self) -> CosmosRpc:
        """The chain's endpoints."""
        return self._rpc

    # reading

    async def check_identity(self) -> None:
        """The newest block is of the configured chain. Endpoints of another one are never used at all."""
        head = await self.head()
        header = (await self._blocks.header(head.height)).header
        if header.chain_id != self.chain_id:
            raise EndpointMismatch(self.name, "chain id of the newest header", header.chain_id, self.chain_id)

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        return (*self._rpc.client.statistics("rpc"), *self._signal.statistics())

    def distrust(self, reason: str) -> None:
        self._rpc.client.distrust(reason)

    async def head(self) -> Head:
        return await self._heads.head()

    async def wait_for_height(self, height: int) -> Head:
        return await self._heads.wait_for_height(height)

    async def block_time_ns(self, height: int) -> int:
        return (await self._blocks.facts(height))[1]

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        return await self._events.packet_events(first, last, await self._heads.above(last))

    @property
    def has_unfinal_blocks(self) -> bool:
        return False

    async def commitment(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        return await self._stored(client_id, PathKind.COMMITMENT, sequence, height)

    async def receipt(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        return await self._stored(client_id, PathKind.RECEIPT, sequence, height)

    async def acknowledgement_commitment(
        self, client_id: str, sequence: int, height: int | None = None
    ) -> bytes | None:
        return await self._stored(client_id, PathKind.ACKNOWLEDGEMENT, sequence, height)

    async def _stored(self, client_id: str, kind: PathKind, sequence: int, height: At) -> bytes | None:
        at = height if isinstance(height, int) else (await self.head()).height
        return await self._rpc.stored(path_key(client_id, kind, sequence), at)

    async def next_sequence_send(self, client_id: str) -> int:
        return await self._clients.next_sequence_send(client_id, (await self.head()).height)

    async def unsettled_sends(
        self, client_id: str, first_sequence: int = 1, count: int = MAX_SEQUENCE_SCAN
    ) -> tuple[int, ...]:
        head = (await self.head()).height
        sent = await self._clients.next_sequence_send(client_id, head)
        sequences = range(first_sequence, min(sent, first_sequence + min(count, MAX_SEQUENCE_SCAN)))
        return await unsettled_sends(self._rpc, client_id, sequences, head)

    async def sent_packet(self, client_id: str, sequence: int) -> PacketEvent | None:
        return await self._history.sent_packet(client_id, sequence, (await self.head()).height)

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        return await self._history.written_acknowledgement(client_id, sequence, (await self.head()).height)

    async def client(self, client_id: str) -> ClientInfo:
        return await self._clients.client(client_id, await self.head())

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        return await self._clients.consensus_state(client_id, height, (await self.head()).height)

    async def paused(self) -> bool:
        """ibc-go has no pause of packets."""
        return False

    # as a source

    @property
    def blocks_per_update(self) -> int | None:
        return None

    def proving_height(self, event_height: int) -> Height:
        return Height(self._revision, event_height + 1)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        return await self._headers.client_messages(client_type, client_state, trusted, target)

    async def bare_header(self, height: int) -> bytes:
        return encode_header((await self._blocks.header(height)).header)

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        return await self._proofs.prove(path, height)

    async def committed_upgrade(self, client_state: bytes) -> bytes:
        """What this chain has committed for its next revision, for a client at its last height (light_clients.tendermint.upgrade)."""
        proofs = ProofSource(self._rpc.comet, self._blocks, UPGRADE_FORMAT)
        return await committed_upgrade(self.name, proofs, client_state)

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        return tuple(await each_of(lambda path: self.prove(path, height), paths))

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        begin = await begin_height(self.name, parameters, self.head)
        header = (await self._blocks.header(begin)).header
        accountable_s = await self._unbonding_s(begin)
        if accountable_s is not None:
            parameters = replace(parameters, unbonding_period_s=accountable_s)
        return initial_states(client_type, ClientOfChain(self.chain_id, PROOF_SPECS, UPGRADE_PATH), header, parameters)

    async def _unbonding_s(self, height: int) -> int | None:
        """For how long the chain itself holds its validators to account; None where it has no x/staking."""
        try:
            stored = await self._rpc.comet.query(STAKING_STORE, STAKING_PARAMS_KEY, height)
        except HeightUnavailable:
            return None
        if stored.value is None:
            return None
        try:
            period_s = StakingParams.FromString(stored.value).unbonding_time.seconds
        except DecodeError as error:
            raise BadAnswer("abci_query", "response.value", "holds no staking parameters") from error
        if period_s <= 0:
            raise BadAnswer("abci_query", "response.value", "has no unbonding time", got=period_s)
        return int(period_s)

    # as a destination

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        return await self._submission.prepare(batch, sender)

    async def refusal(self, batch: Batch, sender: str) -> str:
        return await self._submission.refusal(batch, sender)

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        return await self._submission.sign(prepared, nonce, signer)

    async def broadcast(self, signed: SignedTransaction) -> None:
        await self._submission.broadcast(signed)

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        return await self._submission.outcome(transaction_hash)

    def idle_transactions(self) -> tuple[bytes, ...]:
        return ()

    async def relayed_by(self, transaction_hash: bytes) -> Relayed | None:
        return await self._submission.relayed_by(transaction_hash)

    async def pooled_packets(self) -> tuple[PooledPacket, ...] | None:
        return await pooled_packets(self._rpc)

    async def account(self, address: str) -> AccountState:
        return await self._submission.account(address)

    async def final_nonce(self, address: str) -> int:
        return await self._submission.final_nonce(address)


@asynccontextmanager
async def open_cosmos_chain(settings: CosmosSettings, random: Random) -> AsyncIterator[CosmosChain]:
    """The adapter while the block lasts; its connections and its subscription end with it."""
    async with open_endpoints(settings, random) as (rpc, signal):
        yield CosmosChain(settings, rpc, signal)
