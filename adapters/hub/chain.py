"""The adapter of the hub."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

from hutong.adapters.cometbft import (
    ClientOfChain,
    CometRpc,
    CometSource,
    CommittedBlocks,
    HeaderSource,
    ProofFormat,
    ProofSource,
    QueryAnswer,
    initial_states,
)
from hutong.adapters.hub.clients import GET_NEXT_SEQUENCE_SEND, HostedClients
from hutong.adapters.hub.forward_failures import explained
from hutong.adapters.hub.observing import Observations
from hutong.adapters.hub.rpc import open_endpoints
from hutong.adapters.hub.settings import HubSettings
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import (
    At,
    BadAnswer,
    ClientInfo,
    ClientParameters,
    EndpointMismatch,
    EndpointStatistics,
    Head,
    InitialStates,
    NotSupported,
    ObserveCall,
    PacketEvent,
    PreparedObservations,
    PreparedTransaction,
    Proof,
    begin_height,
)
from hutong.adapters.rpc import CONCURRENT_READS, MOST_IN_A_BATCH, Fields, HeadSignal, Together
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.interface import Height
from hutong.light_clients.proofs.ics23.specs import SMT_SPEC
from hutong.light_clients.records import ClientEpoch, Observation
from hutong.light_clients.tendermint.types import revision_of

UPGRADE_PATH = ("upgrade",)
"""One element; what the hub commits for its next revision is under it (docs/spec/hub-governance.md)."""
WORD_BYTES = 32
PROOF_FORMAT = ProofFormat((SMT_SPEC,), (), "/key", names_header=True)


class HubChain(CometSource, RouterChain):
    """See ChainAdapter for every public method."""

    kind = "hub"
    merkle_prefix = (b"",)

    def __init__(self, settings: HubSettings, comet: CometRpc, execution: ExecutionRpc, signal: HeadSignal) -> None:
        super().__init__(settings.router, execution, signal)
        self._settings = settings
        self._comet = comet
        self._revision = revision_of(settings.chain_id)
        self._blocks = CommittedBlocks(self.name, comet)
        self._headers = HeaderSource(self.name, self._blocks)
        self._proofs = ProofSource(comet, self._blocks, PROOF_FORMAT)
        self._clients = HostedClients(self.name, execution, self._reads)
        self._observations = Observations(execution, settings.router.limits)
        self._values = Together(self._read_values, MOST_IN_A_BATCH)
        self._eth_chain_id: int | None = None

    @property
    def chain_id(self) -> str:
        """The configured `name-N`, which each CometBFT endpoint is asked for before its first use."""
        return self._settings.chain_id

    @property
    def comet(self) -> CometRpc:
        """The hub's CometBFT RPC: headers, validators and proofs."""
        return self._comet

    async def eth_chain_id(self) -> int:
        """The EIP-155 id that all `eth_*` endpoints agree on, asked for once. Nothing proves it.

        `VerifiedState.check_signing_domain` compares it with the genesis that is trusted.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint tells it.
        """
        if self._eth_chain_id is None:
            self._eth_chain_id = await self._execution.client.call("eth_chainId", [], Fields.quantity)
        return self._eth_chain_id

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of the `eth_*` and WebSocket endpoints, then of the CometBFT ones."""
        return (*super().endpoint_statistics(), *self._comet.client.statistics("consensus_rpc"))

    def distrust(self, reason: str) -> None:
        """Leave the preferred endpoint of both RPCs: either may have served what failed verification."""
        self._comet.client.distrust(reason)
        super().distrust(reason)

    async def check_identity(self) -> None:
        """Both RPCs serve the same chain: the newest block has one hash on both, and the router has code.

        Raises:
            EndpointMismatch: the hashes differ, or there is no router.
            EndpointUnavailable: no endpoint of one of them answers.
        """
        head = await self.head()
        block = await self._execution.block(head.height)
        if block.hash != head.hash:
            raise EndpointMismatch(self.name, f"eth hash of block {head.height}", block.hash, head.hash)
        if not await self._execution.code(self._router):
            raise EndpointMismatch(self.name, "code at the router's address", "none", self.settings.router)

    async def _newest_final(self) -> Head:
        return await self._blocks.head()

    async def _block_facts(self, height: int) -> tuple[bytes, int]:
        return await self._blocks.facts(height)

    async def next_sequence_send(self, client_id: str) -> int:
        """See ChainAdapter; by the router, on the node's newest state, which is final.

        Raises:
            RefusedByChain, BadAnswer: no router is there.
        """
        returned = await self._execution.call(self._router, GET_NEXT_SEQUENCE_SEND.encode(client_id))
        (sequence,) = GET_NEXT_SEQUENCE_SEND.decode(returned)
        return int(sequence)

    async def next_client_id(self, client_type: str) -> str:
        """The identifier that the next client of `client_type` will get. Raises as `HostedClients.next_client_id`."""
        return await self._clients.next_client_id(client_type)

    async def client_ids(self) -> tuple[str, ...]:
        """Every client that the hub has, by type and number. Raises as `HostedClients.next_client_id`."""
        return await self._clients.client_ids()

    async def client(self, client_id: str) -> ClientInfo:
        """See `HostedClients.client`."""
        return await self._clients.client(client_id)

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """See `HostedClients.consensus_state`."""
        return await self._clients.consensus_state(client_id, height)

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """As `prove` for each of `paths`, several in one exchange.

        Raises:
            As hutong.adapters.cometbft's `ProofSource.prove`, for the first path that fails.
        """
        return await self._proofs.prove_all(paths, height)

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        """See ChainAdapter; error acknowledgements have the hub's reason beside them, where a node tells it.

        Raises:
            As `RouterReads.packet_events`.
        """
        return await explained(self._execution, await super().packet_events(first, last))

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter, and `packet_events`.

        Raises:
            As `RouterReads.event_of`.
        """
        event = await super().written_acknowledgement(client_id, sequence)
        return None if event is None else (await explained(self._execution, (event,)))[0]

    async def _stored(self, client_id: str, kind: PathKind, sequence: int, height: At) -> bytes | None:
        at = height if isinstance(height, int) else (await self.head()).height
        return await self._values.get(at, path_key(client_id, kind, sequence))

    @property
    def _reads_at_once(self) -> int:
        return CONCURRENT_READS * MOST_IN_A_BATCH

    async def _read_values(self, keys: Sequence[bytes], height: int) -> list[bytes | None]:
        """Words as the router's `getCommitment` gives them, without an EVM to run: no proof is asked for, and none
        believed.
        """

        def check(_key: bytes, answer: QueryAnswer) -> None:
            if answer.value is not None and len(answer.value) > WORD_BYTES:
                raise BadAnswer("abci_query", "response.value", f"has more than {WORD_BYTES} bytes", len(answer.value))

        answers = await self._comet.query_each(PROOF_FORMAT.query_path, keys, height, check)
        return [None if answer.value is None else answer.value.rjust(WORD_BYTES, b"\0") for answer in answers]

    def _proofs_of_store(self, store: bytes) -> ProofSource:
        if store:
            raise NotSupported("named stores of a hub: it has one")
        return self._proofs

    @property
    def observations_address(self) -> str:
        """See `ObservingHub`."""
        return self._observations.address

    async def observations(self, keys: Sequence[bytes]) -> tuple[Observation | None, ...]:
        """See `ObservingHub`. Raises as `Observations.read`."""
        return await self._observations.read(keys)

    async def unproven_values(self, keys: Sequence[bytes]) -> tuple[bytes | None, ...]:
        """See `ObservingHub`."""
        height = (await self.head()).height
        found: list[bytes | None] = []
        for first in range(0, len(keys), MOST_IN_A_BATCH):
            part = keys[first : first + MOST_IN_A_BATCH]
            answers = await self._comet.query_each(PROOF_FORMAT.query_path, part, height, _any_answer)
            found += [answer.value for answer in answers]
        return tuple(found)

    async def epoch(self, client_id: str) -> ClientEpoch | None:
        """See `ObservingHub`. Raises as `Observations.epoch`."""
        return await self._observations.epoch(client_id)

    async def may_open(self, account: str) -> int | None:
        """See `ObservingHub`. Raises as `Observations.may_open`."""
        return await self._observations.may_open(account)

    async def prepare_observations(self, call: ObserveCall, sender: str) -> PreparedObservations:
        """See `ObservingHub`. Raises as `Observations.prepare`."""
        return await self._observations.prepare(call, await self.eth_chain_id(), sender)

    async def prepare_observations_after_update(self, call: ObserveCall, sender: str) -> PreparedTransaction:
        """See `ObservingHub`. Raises as `Observations.prepare_after_update`."""
        return await self._observations.prepare_after_update(call, await self.eth_chain_id(), sender)

    async def written_in(self, transaction_hash: bytes) -> frozenset[bytes]:
        """See `ObservingHub`. Raises as `Observations.written_in`."""
        return await self._observations.written_in(transaction_hash)

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter: the states at the head or at `parameters.begin_height`.

        Raises:
            NotSupported: a client type other than 07-tendermint.
            HeightUnavailable: `begin_height` is above the head, or its block is not kept.
        """
        begin = await begin_height(self.name, parameters, self.head)
        header = (await self._blocks.header(begin)).header
        return initial_states(client_type, ClientOfChain(self.chain_id, (SMT_SPEC,), UPGRADE_PATH), header, parameters)

    def _header(self, client_id: str, header: bytes) -> bytes:
        return header

    def _misbehaviour(self, client_id: str, misbehaviour: bytes) -> bytes:
        return misbehaviour

    def _proof(self, client_id: str, proof: bytes, absent: bool) -> bytes:
        return proof


def _any_answer(_key: bytes, _answer: QueryAnswer) -> None:
    """What nobody believes needs no check."""


@asynccontextmanager
async def open_hub_chain(settings: HubSettings, random: Random) -> AsyncIterator[HubChain]:
    """The adapter while the block lasts; its connections and its subscription end with it.

    Nothing is asked yet: endpoints are identified before their first use.
    """
    async with open_endpoints(settings, random) as (comet, execution, signal):
        yield HubChain(settings, comet, execution, signal)
