"""The adapter of an EVM chain with the Solidity router."""

from collections.abc import Iterable, Sequence

from hutong.adapters.evm.attested.attestors import AttestorPanel
from hutong.adapters.evm.clients import HostedClients
from hutong.adapters.evm.consensus import Consensus, RouterOnChain
from hutong.adapters.evm.consensus_parts import ConsensusParts
from hutong.adapters.evm.consensus_table import consensus_of
from hutong.adapters.evm.places import read_evm_places
from hutong.adapters.evm.proofs import previous_sequence_slot
from hutong.adapters.evm.settings import EvmSettings
from hutong.adapters.ics26.abi import GET_NEXT_CLIENT_SEQUENCE
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import (
    ClientInfo,
    ClientParameters,
    EndpointMismatch,
    EndpointStatistics,
    Head,
    InitialStates,
    PlaceValues,
    Proof,
)
from hutong.adapters.rpc import HeadSignal
from hutong.light_clients.interface import Height
from hutong.light_clients.records import Place


def router_of(settings: EvmSettings, execution: ExecutionRpc) -> RouterOnChain:
    """The router that the settings name, read through `execution`."""
    return RouterOnChain(settings.router.name, settings.chain_id, settings.router.router_address, execution)


class EvmChain(RouterChain):
    """See ChainAdapter for every public method."""

    kind = "evm"
    has_multicall = True
    merkle_prefix = (b"",)

    def __init__(
        self,
        settings: EvmSettings,
        execution: ExecutionRpc,
        signal: HeadSignal,
        attestors: AttestorPanel | None = None,
        consensus: Consensus | None = None,
    ) -> None:
        """`consensus` is that of a subclass; else it is made as the settings say."""
        super().__init__(settings.router, execution, signal)
        self._settings = settings
        self._attestors = attestors
        self.consensus = consensus or consensus_of(
            ConsensusParts(settings, router_of(settings, execution), self._reads, attestors)
        )
        self._clients = HostedClients(self.name, execution, self._router, self._reads)

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of the `eth_*`, WebSocket and attestor endpoints, in this order."""
        attestors = () if self._attestors is None else self._attestors.statistics()
        return (*super().endpoint_statistics(), *attestors)

    @property
    def chain_id(self) -> str:
        """The configured EIP-155 id in decimal. Each endpoint is asked for it before its first use."""
        return str(self._settings.chain_id)

    @property
    def blocks_per_update(self) -> int | None:
        """As the chain's consensus says: a number on a Clique chain, whose clients need every header; else None."""
        return self.consensus.blocks_per_update

    @property
    def has_unfinal_blocks(self) -> bool:
        """False with BFT consensus, and if the configured `confirmations` are 0."""
        return self.consensus.has_unfinal_blocks

    async def eth_chain_id(self) -> int:
        """As configured; no endpoint is asked here."""
        return self._settings.chain_id

    async def check_identity(self) -> None:
        """Every usable endpoint was asked for its chain id; the router's address holds code.

        Raises:
            EndpointMismatch: no code is there.
            EndpointUnavailable: no endpoint of the chain answers.
        """
        await self.head()
        if not await self._execution.code(self._router):
            raise EndpointMismatch(self.name, "code at the router's address", "none", self.settings.router)

    async def _newest_final(self) -> Head:
        return await self.consensus.head()

    async def _block_facts(self, height: int) -> tuple[bytes, int]:
        return await self.consensus.facts(height)

    async def next_sequence_send(self, client_id: str) -> int:
        """See ChainAdapter; read from the router's storage on the node's newest state, final or not.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
        word = await self._execution.storage(self._router, previous_sequence_slot(client_id))
        return int.from_bytes(word, "big") + 1

    async def next_client_id(self) -> str:
        """The identifier that the router gives to the client that is added next, on the newest state: `client-<n>`.

        Raises:
            RefusedByChain, BadAnswer: the contract at the router's address is not one.
        """
        returned = await self._execution.call(self._router, GET_NEXT_CLIENT_SEQUENCE.encode())
        (number,) = GET_NEXT_CLIENT_SEQUENCE.decode(returned)
        return f"client-{number}"

    async def client(self, client_id: str) -> ClientInfo:
        """See `HostedClients.client`."""
        return await self._clients.client(client_id)

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """See `HostedClients.consensus_state`."""
        return await self._clients.consensus_state(client_id, height)

    def proving_height(self, event_height: int) -> Height:
        """The same height: a block's header commits to the state after it."""
        return Height(0, event_height)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See ChainAdapter; as the chain's consensus makes them, and raises."""
        return await self.consensus.client_messages(client_type, client_state, trusted, target)

    async def bare_header(self, height: int) -> bytes:
        """See ChainAdapter; as the chain's consensus makes it.

        Raises:
            NotSupported: an attested chain, or one under the beacon chain.
            BadAnswer, EndpointUnavailable: no endpoint gave a header that hashes to its name.
        """
        return await self.consensus.bare_header(height)

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        """As `prove_all`, for one path."""
        (proof,) = await self.consensus.prove_all([path], height, client_state)
        return proof

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """See ChainAdapter; as the chain's consensus proves. Attested chains alone read `client_state`.

        Raises:
            MalformedInput: a path has not one element, the ICS-24 key.
            NotSupported: an attested chain without `client_state`.
            HeightUnavailable: the state is not kept, or not attested yet.
            EndpointUnavailable: nobody gave a proof that verifies.
        """
        return await self.consensus.prove_all(paths, height, client_state)

    async def read_places(self, places: Sequence[Place], height: Height) -> PlaceValues:
        """See `ObservedChain`. Raises as `read_evm_places`."""
        number, state_root = await self.consensus.state_block(height.revision_height)
        return await read_evm_places(self._execution, places, number, state_root)

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """See `ObservedChain`; as the chain's consensus shows it, and raises."""
        return await self.consensus.show_state_root(client_type, client_state, trusted, height)

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter; as the chain's consensus reads them, and raises."""
        return await self.consensus.initial_states(client_type, parameters)

    async def _learn(self, client_ids: Iterable[str]) -> None:
        await self._clients.learn_types(client_ids)

    def _header(self, client_id: str, header: bytes) -> bytes:
        return self._clients.encoding_of(client_id).header(header)

    def _misbehaviour(self, client_id: str, misbehaviour: bytes) -> bytes:
        return self._clients.encoding_of(client_id).misbehaviour(misbehaviour)

    def _proof(self, client_id: str, proof: bytes, absent: bool) -> bytes:
        return self._clients.encoding_of(client_id).proof(proof, absent)
