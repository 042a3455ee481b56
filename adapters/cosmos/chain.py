"""The adapter of a Cosmos SDK chain."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

from google.protobuf.message import DecodeError

from hutong.adapters.cometbft import (
    ClientOfChain,
    CometSource,
    CommittedBlocks,
    HeaderSource,
    ProofSource,
    initial_states,
)
from hutong.adapters.cometbft.upgrade import committed_upgrade
from hutong.adapters.cosmos.clients import StoredClients
from hutong.adapters.cosmos.proofs import (
    MERKLE_PREFIX,
    PROOF_FORMAT,
    PROOF_SPECS,
    UPGRADE_FORMAT,
    UPGRADE_PATH,
    store_format,
)
from hutong.adapters.cosmos.reading.events import BlockEvents
from hutong.adapters.cosmos.reading.history import PacketHistory
from hutong.adapters.cosmos.reading.pool import pooled_packets
from hutong.adapters.cosmos.reading.unsettled import unsettled_sends
from hutong.adapters.cosmos.rpc import CosmosRpc, open_endpoints
from hutong.adapters.cosmos.settings import CosmosSettings
from hutong.adapters.cosmos.submit import Submission
from hutong.adapters.interface import (
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
    HeightUnavailable,
    InitialStates,
    PacketEvent,
    PooledPacket,
    PreparedTransaction,
    Proof,
    Relayed,
    SignedTransaction,
    Signer,
    StoredPackets,
    TransactionOutcome,
    begin_height,
)
from hutong.adapters.rpc import FollowedChain, HeadFollower, HeadSignal, each_of
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.interface import Height
from hutong.light_clients.protobuf.cosmos_state_pb2 import StakingParams
from hutong.light_clients.tendermint.types import revision_of

STAKING_STORE, STAKING_PARAMS_KEY = "/store/staking/key", b"\x51"
"""x/staking of cosmos-sdk 0.53, types/keys.go ParamsKey."""


class CosmosChain(CometSource, FollowedChain, StoredPackets):
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
        """As the relay's configuration calls the chain; errors, logs and metrics carry it."""
        return self.settings.name

    @property
    def chain_id(self) -> str:
        """The configured `name-N`. `check_identity` compares it with the newest header's."""
        return self.settings.chain_id

    @property
    def batch_limits(self) -> BatchLimits:
        """As configured, with `max_bytes` cut to what the request of a simulation can hold."""
        return self._submission.batch_limits

    @property
    def submission(self) -> Submission:
        """The destination's half. Operators' commands use it for messages of the SDK that no relay sends."""
        return self._submission

    def _proofs_of_store(self, store: bytes) -> ProofSource:
        return ProofSource(self._rpc.comet, self._blocks, store_format(store))

    def address_of(self, signer: Signer) -> str:
        """The bech32 account of the signer's compressed key, with the configured prefix."""
        return self._submission.address_of(signer)

    @property
    def rpc(self) -> CosmosRpc:
        """The endpoints, for queries that ChainAdapter does not have: parameters, proposals, balances."""
        return self._rpc

    # reading

    async def check_identity(self) -> None:
        """The newest block is of the configured chain. Endpoints of another one are never used at all.

        Raises:
            EndpointMismatch: its header names another chain.
            EndpointUnavailable, HeightUnavailable: no endpoint gives that block.
        """
        head = await self.head()
        header = (await self._blocks.header(head.height)).header
        if header.chain_id != self.chain_id:
            raise EndpointMismatch(self.name, "chain id of the newest header", header.chain_id, self.chain_id)

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of the RPC endpoints, then of the WebSocket ones, each in configured order."""
        return (*self._rpc.client.statistics("rpc"), *self._signal.statistics())

    def distrust(self, reason: str) -> None:
        """Leave the preferred RPC endpoint for another, if there is one; `reason` becomes its last failure."""
        self._rpc.client.distrust(reason)

    async def block_time_ns(self, height: int) -> int:
        """The time in the header of block `height`, nanoseconds of Unix time.

        Raises:
            HeightUnavailable: no endpoint has the block.
            EndpointUnavailable: no endpoint gave a header that hashes to its name.
        """
        return (await self._blocks.facts(height))[1]

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        """See ChainAdapter. Every block's results are read; packets that this side does not carry are left out.

        Raises:
            ValueError: not 1 to MAX_EVENT_RANGE blocks.
            HeightUnavailable: `last` is above the head, or the results of a block are not kept.
            EndpointUnavailable: no endpoint gave results that fit the headers.
        """
        return await self._events.packet_events(first, last, await self._heads.above(last))

    async def _stored(self, client_id: str, kind: PathKind, sequence: int, height: At) -> bytes | None:
        at = height if isinstance(height, int) else (await self.head()).height
        return await self._rpc.stored(path_key(client_id, kind, sequence), at)

    async def next_sequence_send(self, client_id: str) -> int:
        """The sequence of the next packet over the client, in the state at the head; 1 if none was sent.

        Raises:
            MalformedInput: `client_id` is not an identifier.
            BadAnswer: what is stored is not a sequence of 8 bytes.
        """
        return await self._clients.next_sequence_send(client_id, (await self.head()).height)

    async def unsettled_sends(
        self, client_id: str, first_sequence: int = 1, count: int = MAX_SEQUENCE_SCAN
    ) -> tuple[int, ...]:
        """See ChainAdapter; in the state at the head, by pages of the chain's query service or else key by key.

        Raises:
            BadAnswer: a page is malformed or out of order.
            HeightUnavailable, EndpointUnavailable: no endpoint gave that state.
        """
        head = (await self.head()).height
        sent = await self._clients.next_sequence_send(client_id, head)
        sequences = range(first_sequence, min(sent, first_sequence + min(count, MAX_SEQUENCE_SCAN)))
        return await unsettled_sends(self._rpc, client_id, sequences, head)

    async def sent_packet(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; found by the node's index, else by bisection over the heights whose state it keeps.

        Raises:
            HeightUnavailable: state shows that it was sent, in a block before all that the node keeps.
            EndpointUnavailable: no endpoint gave events that agree with the state.
        """
        return await self._history.sent_packet(client_id, sequence, (await self.head()).height)

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; found by the node's index, else by bisection over the heights whose state it keeps.

        Raises:
            HeightUnavailable: state shows that it was written, in a block before all that the node keeps.
            EndpointUnavailable: no endpoint gave events that agree with the state.
        """
        return await self._history.written_acknowledgement(client_id, sequence, (await self.head()).height)

    async def client(self, client_id: str) -> ClientInfo:
        """See ChainAdapter; read from ibc-go's store at the head, the status computed at the head's time.

        Raises:
            UnknownClient: no client of that name.
            NotSupported: a client type other than 07-tendermint.
            BadAnswer: a stored value is malformed.
        """
        return await self._clients.client(client_id, await self.head())

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """See ChainAdapter; read from ibc-go's store at the head, without a proof.

        Raises:
            NotSupported: it is of a client type other than 07-tendermint.
            BadAnswer: the stored value is malformed.
        """
        return await self._clients.consensus_state(client_id, height, (await self.head()).height)

    async def paused(self) -> bool:
        """Always False: ibc-go cannot pause packets."""
        return False

    # as a source

    async def committed_upgrade(self, client_state: bytes) -> bytes:
        """What this chain has committed for its next revision, encoded as hutong.light_clients.tendermint.upgrade has it.

        Args:
            client_state: encoded, of a client at the last height of the present revision.

        Raises:
            NotSupported: the client has no upgrade path.
            HeightUnavailable: no upgrade is committed there, or the state is not kept.
            BadAnswer: what is committed is malformed.
        """
        proofs = ProofSource(self._rpc.comet, self._blocks, UPGRADE_FORMAT)
        return await committed_upgrade(self.name, proofs, client_state)

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """As `prove` for each of `paths`, one request for each and some at a time.

        Raises:
            As `ProofSource.prove`, for the first path that fails.
        """
        return tuple(await each_of(lambda path: self.prove(path, height), paths))

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter; where the chain has x/staking, its unbonding time replaces that of `parameters`.

        Raises:
            NotSupported: a client type other than 07-tendermint.
            HeightUnavailable: `begin_height` is above the head, or its block is not kept.
            BadAnswer: the staking parameters are malformed.
        """
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
        """See `Submission.prepare`."""
        return await self._submission.prepare(batch, sender)

    async def refusal(self, batch: Batch, sender: str) -> str:
        """See `Submission.refusal`."""
        return await self._submission.refusal(batch, sender)

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        """See `Submission.sign`."""
        return await self._submission.sign(prepared, nonce, signer)

    async def broadcast(self, signed: SignedTransaction) -> None:
        """See `Submission.broadcast`."""
        await self._submission.broadcast(signed)

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        """See `Submission.outcome`."""
        return await self._submission.outcome(transaction_hash)

    def idle_transactions(self) -> tuple[bytes, ...]:
        """Always empty: what this adapter reads of a block has no trace of them."""
        return ()

    async def relayed_by(self, transaction_hash: bytes) -> Relayed | None:
        """See `Submission.relayed_by`."""
        return await self._submission.relayed_by(transaction_hash)

    async def pooled_packets(self) -> tuple[PooledPacket, ...] | None:
        """See ChainAdapter; the oldest transactions of one endpoint's pool, at most 100."""
        return await pooled_packets(self._rpc)

    async def account(self, address: str) -> AccountState:
        """See `Submission.account`."""
        return await self._submission.account(address)

    async def final_nonce(self, address: str) -> int:
        """See `Submission.final_nonce`."""
        return await self._submission.final_nonce(address)


@asynccontextmanager
async def open_cosmos_chain(settings: CosmosSettings, random: Random) -> AsyncIterator[CosmosChain]:
    """The adapter while the block lasts; its connections and its subscription end with it.

    Whether the endpoints serve the chain is not checked yet: each is asked before its first use.

    Raises:
        MalformedInput: `chain_id` or `gas_price` of the settings cannot be read.
    """
    async with open_endpoints(settings, random) as (rpc, signal):
        yield CosmosChain(settings, rpc, signal)
