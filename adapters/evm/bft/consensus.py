"""QBFT, IBFT 2.0 and Istanbul: blocks are final when they exist, seals prove them, and the router's storage is proven
by EIP-1186.
"""

from collections.abc import Sequence
from dataclasses import replace

from hutong.adapters.evm.bft.events import FinalBlocks
from hutong.adapters.evm.bft.headers import CLIENT_TYPE, HeaderSource
from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.evm.consensus_parts import ConsensusParts
from hutong.adapters.evm.proofs import ProofSource
from hutong.adapters.interface import (
    BadAnswer,
    ClientParameters,
    Head,
    HeightUnavailable,
    InitialStates,
    NotSupported,
    Proof,
    begin_height,
)
from hutong.light_clients import bft_evm
from hutong.light_clients.bft_evm import (
    ClientState,
    ConsensusState,
    SealRules,
    decode_extra_data,
    encode_client_state,
    encode_consensus_state,
    encode_extra_data,
)
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, VerificationError


class BftConsensus:
    """See hutong.adapters.evm.consensus."""

    blocks_per_update = None
    has_unfinal_blocks = False

    def __init__(self, router: RouterOnChain, rules: SealRules) -> None:
        self._rules = rules
        self._chain = router.chain
        self._chain_id = router.chain_id
        self._router = router.address
        self._blocks = FinalBlocks(router.chain, router.execution, rules)
        self._proofs = ProofSource(router.chain, router.execution, router.address, self._blocks.state_root)
        self._headers = HeaderSource(router.chain, self._blocks.header, self._proofs.account, self._blocks.validators)

    @staticmethod
    def made_from(parts: ConsensusParts, sealed_by: bft_evm.Consensus) -> "BftConsensus":
        """As the settings say, of a chain whose headers are sealed by the rules of `sealed_by`."""
        settings = parts.settings
        return BftConsensus(parts.router, SealRules(sealed_by, settings.quorum_rule, settings.validator_contract))

    async def head(self) -> Head:
        """The newest block with a quorum of seals that follows from the last one; final when it exists.

        Raises:
            As `FinalBlocks.head`.
        """
        return await self._blocks.head()

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in nanoseconds of Unix time) of a block whose header hashes to its name.

        Raises:
            As `FinalBlocks.header`.
        """
        block_hash, header = await self._blocks.header(height)
        return block_hash, header.timestamp_s * NANOSECONDS_PER_SECOND

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See ChainAdapter. `client_state` is not read. Raises as `HeaderSource.client_messages`."""
        return await self._headers.client_messages(client_type, trusted, target)

    async def bare_header(self, height: int) -> bytes:
        """See ChainAdapter: the RLP without commit seals and with round 0 (docs/spec/bundle.md).

        Raises:
            BadAnswer: the extra data is not of this consensus.
            EndpointUnavailable: no endpoint gave a header that hashes to its name.
        """
        _, header = await self._blocks.header(height)
        try:
            extra = decode_extra_data(header.extra_data, self._rules.consensus).without_seals_and_round()
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "extraData", str(error)) from error
        return encode_header(replace(header, extra_data=encode_extra_data(extra)))

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes
    ) -> tuple[Proof, ...]:
        """See ChainAdapter. `client_state` is not read. Raises as `ProofSource.prove`."""
        return await self._proofs.prove_all(paths, height)

    async def state_block(self, height: int) -> tuple[int, bytes]:
        """See hutong.adapters.evm.consensus. Raises as `FinalBlocks.header`."""
        return height, await self._blocks.state_root(height)

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """See `ObservedChain`: the last update message of those that lead from `trusted` to `height`.

        Raises:
            HeightUnavailable: `trusted` is missing, not below `height`, or too far below.
            NotSupported, BadAnswer, EndpointUnavailable: as `HeaderSource.client_messages`.
        """
        messages = () if trusted is None else await self._headers.client_messages(client_type, trusted, height)
        if not messages:
            raise HeightUnavailable(
                self._chain, height.revision_height, "its state root is shown from a lower height that the client has"
            )
        return messages[-1]

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter: the states at the head or at `parameters.begin_height`, the router proven there.

        Raises:
            NotSupported: a client type other than `bft-evm`.
            HeightUnavailable: `begin_height` is above the head, its state is not kept, or it holds no router.
            BadAnswer: the header's extra data or validators are malformed.
        """
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"a {client_type} client of an EVM chain whose validators seal its blocks")
        begin = await begin_height(self._chain, parameters, self.head)
        block_hash, header = await self._blocks.header(begin)
        account = await self._proofs.account(begin)
        height = Height(0, begin)
        try:
            validators = await self._blocks.validators.of(header)
            client_state = ClientState(
                chain_id=self._chain_id,
                consensus=self._rules.consensus,
                router_address=self._router,
                trusting_period_s=parameters.trusting_period_s,
                max_clock_drift_s=parameters.max_clock_drift_s,
                latest_height=height,
                quorum_rule=self._rules.quorum_rule,
                validator_contract=self._rules.validator_contract,
            )
            consensus_state = ConsensusState(header.timestamp_s, account.storage_root, tuple(sorted(set(validators))))
            return InitialStates(
                CLIENT_TYPE,
                height,
                encode_client_state(client_state),
                encode_consensus_state(consensus_state),
                block_hash,
            )
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "result", str(error)) from error
