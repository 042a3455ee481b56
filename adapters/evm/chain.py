"""The adapter of an EVM chain with the Solidity router, sealed with QBFT."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

from adapters.evm.clients import HubClientReads
from adapters.evm.events import FinalBlocks
from adapters.evm.headers import CLIENT_TYPE, HeaderSource
from adapters.evm.proofs import ProofSource, previous_sequence_slot
from adapters.evm.rpc import open_endpoints
from adapters.evm.settings import EvmSettings
from adapters.evm.submit import header_to_abi, misbehaviour_to_abi, proof_to_abi
from adapters.ics26.chain import RouterChain
from adapters.ics26.execution import ExecutionRpc
from adapters.interface import (
    BadAnswer,
    ClientInfo,
    ClientParameters,
    EndpointMismatch,
    Head,
    InitialStates,
    NotSupported,
    Proof,
)
from adapters.rpc import HeadSignal
from light_clients.bft_evm import (
    ClientState,
    Consensus,
    ConsensusState,
    decode_extra_data,
    encode_client_state,
    encode_consensus_state,
    encode_extra_data,
)
from light_clients.evm_header import encode_header
from light_clients.interface import NANOSECONDS_PER_SECOND, Height, VerificationError


class EvmChain(RouterChain):
    """See ChainAdapter for every public method."""

    kind = "evm"
    has_multicall = True
    merkle_prefix = (b"",)

    def __init__(self, settings: EvmSettings, execution: ExecutionRpc, signal: HeadSignal) -> None:
        super().__init__(settings.router, execution, signal)
        if settings.consensus != "qbft":
            raise NotSupported(f"consensus {settings.consensus}")
        self._settings = settings
        self._blocks = FinalBlocks(self.name, execution)
        self._proofs = ProofSource(execution, self._router, self._blocks.header)
        self._headers = HeaderSource(self.name, self._blocks.header, self._proofs.account)
        self._clients = HubClientReads(self.name, execution, self._router, self._reads)

    @property
    def chain_id(self) -> str:
        return str(self._settings.chain_id)

    async def eth_chain_id(self) -> int:
        return self._settings.chain_id

    async def check_identity(self) -> None:
        """Every usable endpoint was asked for its chain id; the router's address holds code."""
        await self.head()
        if not await self._execution.code(self._router):
            raise EndpointMismatch(self.name, "code at the router's address", "none", self.settings.router)

    async def _newest_final(self) -> Head:
        return await self._blocks.head()

    async def _block_facts(self, height: int) -> tuple[bytes, int]:
        block_hash, header = await self._blocks.header(height)
        return block_hash, header.timestamp_s * NANOSECONDS_PER_SECOND

    async def next_sequence_send(self, client_id: str) -> int:
        word = await self._execution.storage(self._router, previous_sequence_slot(client_id))
        return int.from_bytes(word, "big") + 1

    async def client(self, client_id: str) -> ClientInfo:
        return await self._clients.client(client_id)

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        return await self._clients.consensus_state(client_id, height)

    def proving_height(self, event_height: int) -> Height:
        return Height(0, event_height)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        return await self._headers.client_messages(client_type, trusted, target)

    async def bare_header(self, height: int) -> bytes:
        _, header = await self._blocks.header(height)
        try:
            extra = decode_extra_data(header.extra_data).without_seals_and_round()
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "extraData", str(error)) from error
        return encode_header(replace(header, extra_data=encode_extra_data(extra)))

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        return await self._proofs.prove(path, height)

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"a {client_type} client of an EVM chain with QBFT")
        head = await self.head()
        _, header = await self._blocks.header(head.height)
        account = await self._proofs.account(head.height)
        height = Height(0, head.height)
        try:
            validators = decode_extra_data(header.extra_data).validators
            client_state = ClientState(
                chain_id=self._settings.chain_id,
                consensus=Consensus.QBFT,
                router_address=self._router,
                trusting_period_s=parameters.trusting_period_s,
                max_clock_drift_s=parameters.max_clock_drift_s,
                latest_height=height,
            )
            consensus_state = ConsensusState(header.timestamp_s, account.storage_root, tuple(sorted(set(validators))))
            return InitialStates(
                CLIENT_TYPE, height, encode_client_state(client_state), encode_consensus_state(consensus_state)
            )
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "result", str(error)) from error

    def _header(self, client_id: str, header: bytes) -> bytes:
        return header_to_abi(header)

    def _misbehaviour(self, client_id: str, misbehaviour: bytes) -> bytes:
        return misbehaviour_to_abi(misbehaviour)

    def _proof(self, client_id: str, proof: bytes, absent: bool) -> bytes:
        return proof_to_abi(proof, absent)


@asynccontextmanager
async def open_evm_chain(settings: EvmSettings, random: Random) -> AsyncIterator[EvmChain]:
    """The adapter while the block lasts; its connections and its subscription end with it."""
    async with open_endpoints(settings, random) as (execution, signal):
        yield EvmChain(settings, execution, signal)
