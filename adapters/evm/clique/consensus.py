"""Clique: blocks are final once buried, branches of sealed headers prove them, and the router's storage is proven by
EIP-1186.
"""

from collections.abc import Sequence

from hutong.adapters.evm.clique.buried import BuriedBlocks
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
from hutong.light_clients.clique import (
    ClientState,
    CliqueClient,
    ConsensusState,
    Header,
    SealedBlock,
    Snapshot,
    apply_block,
    decode_client_state,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    recover_signer,
)
from hutong.light_clients.clique.predicates import signer_of
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, VerificationError

CLIENT_TYPE = CliqueClient.client_type
BLOCKS_PER_UPDATE = 64
"""With as many confirmations these are 90 KB and 5 million gas on the hub: one update fits a transaction."""
MAX_CLIENT_MESSAGES = 32
READ_AT_ONCE = 256
"""Blocks of an epoch that are held at a time while signers are counted from its checkpoint on."""


class CliqueConsensus:
    """See hutong.adapters.evm.consensus. `period_s` and `epoch_length` are those of the chain's genesis file."""

    blocks_per_update = BLOCKS_PER_UPDATE
    has_unfinal_blocks = True

    def __init__(self, router: RouterOnChain, *, confirmations: int, period_s: int, epoch_length: int) -> None:
        self._chain = router.chain
        self._chain_id = router.chain_id
        self._router = router.address
        self._confirmations = confirmations
        self._period_s = period_s
        self._epoch_length = epoch_length
        self._blocks = BuriedBlocks(router.chain, router.execution, confirmations)
        self._proofs = ProofSource(router.chain, router.execution, router.address, self._blocks.state_root)

    @staticmethod
    def made_from(parts: ConsensusParts) -> "CliqueConsensus":
        """As the settings say.

        Raises:
            NotSupported: they name no confirmations.
        """
        settings = parts.settings
        if not settings.confirmations:
            raise NotSupported(
                f"consensus {settings.consensus} without confirmations: set how many blocks make one final"
            )
        return CliqueConsensus(
            parts.router,
            confirmations=settings.confirmations,
            period_s=settings.clique_period_s,
            epoch_length=settings.clique_epoch_length,
        )

    async def head(self) -> Head:
        """The newest block that is buried deep enough; it may go back, which the adapter hides.

        Raises:
            As `BuriedBlocks.head`.
        """
        return await self._blocks.head()

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in nanoseconds of Unix time) of a block, the hash recomputed. Raises as `BuriedBlocks.block`."""
        block_hash, header = await self._blocks.header(height)
        return block_hash, header.timestamp_s * NANOSECONDS_PER_SECOND

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """Whole branches: every block from the trusted one's child on, in updates of BLOCKS_PER_UPDATE.

        Args:
            client_state: encoded; says how many confirmations each update carries on top.

        Raises:
            NotSupported: a client type other than `clique`.
            HeightUnavailable: `target` is below `trusted`, too far above it, or not buried deep enough.
            BadAnswer: the chain was reorganised while it was read.
            EndpointUnavailable: no endpoint gave a block or the router's proof.
            MalformedInput: `client_state` is not a clique client's.
        """
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"{client_type} headers of an EVM chain with Clique")
        if target == trusted:
            return ()
        if target < trusted:
            raise HeightUnavailable(self._chain, target.revision_height, f"the client is at {trusted} already")
        client = decode_client_state(client_state)
        first, last = trusted.revision_height, target.revision_height
        steps = [*range(first + BLOCKS_PER_UPDATE, last, BLOCKS_PER_UPDATE), last]
        if len(steps) > MAX_CLIENT_MESSAGES:
            raise HeightUnavailable(
                self._chain, last, f"{last - first} blocks above {trusted}: bring the client nearer first"
            )
        messages = []
        at = first
        for height in steps:
            depth = await self._blocks.depth(height, client.confirmations)
            messages.append(await self._message(at, height, depth))
            at = height
        return tuple(messages)

    async def _message(self, trusted: int, height: int, depth: int) -> bytes:
        blocks = await self._blocks.branch(trusted + 1, height + depth)
        account = await self._proofs.account(height)
        return encode_header_message(Header(Height(0, trusted), height, tuple(blocks), account.nodes))

    async def bare_header(self, height: int) -> bytes:
        """See ChainAdapter: the RLP of the header with its seal, since the block's hash covers it.

        Raises:
            As `BuriedBlocks.block`.
        """
        _, header = await self._blocks.header(height)
        return encode_header(header)

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes
    ) -> tuple[Proof, ...]:
        """See ChainAdapter. `client_state` is not read. Raises as `ProofSource.prove`."""
        return await self._proofs.prove_all(paths, height)

    async def state_block(self, height: int) -> tuple[int, bytes]:
        """See hutong.adapters.evm.consensus. Raises as `BuriedBlocks.block`."""
        return height, await self._blocks.state_root(height)

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """See `ObservedChain`: the block's header. Raises as `BuriedBlocks.block`."""
        return await self.bare_header(height.revision_height)

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter: at the newest final block, or at `parameters.begin_height`.

        Its signers, recent sealers and open votes are counted from its epoch's checkpoint on, by the light client's
        rules.

        Raises:
            NotSupported: a client type other than `clique`.
            HeightUnavailable: `begin_height` is not final, its state is not kept, or it holds no router.
            BadAnswer: a block breaks the client's rules, or the checkpoint lists no signers: the epoch's length is
                wrong.
            EndpointUnavailable: no endpoint gave a block.
        """
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"a {client_type} client of an EVM chain with Clique")
        begin = await begin_height(self._chain, parameters, self.head)
        account = await self._proofs.account(begin)
        try:
            snapshot = await self._snapshot(begin)
            block = await self._blocks.block(begin)
            # Weights are only compared, so they are counted from here.
            state = ConsensusState(block.execution.timestamp_s, account.storage_root, block.hash, 0, snapshot)
            client_state = ClientState(
                chain_id=self._chain_id,
                router_address=self._router,
                period_s=self._period_s,
                epoch_length=self._epoch_length,
                confirmations=self._confirmations,
                trusting_period_s=parameters.trusting_period_s,
                max_clock_drift_s=parameters.max_clock_drift_s,
                latest_height=state.height,
                head_total_difficulty=0,
                head_hash=block.hash,
            )
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "result", str(error)) from error
        return InitialStates(
            CLIENT_TYPE, state.height, encode_client_state(client_state), encode_consensus_state(state), block.hash
        )

    async def _snapshot(self, height: int) -> Snapshot:
        checkpoint = await self._blocks.block(height - height % self._epoch_length)
        snapshot = Snapshot(checkpoint.execution.number, checkpoint.signers, await self._recents(checkpoint))
        if not checkpoint.signers:
            raise BadAnswer(
                "eth_getBlockByNumber",
                "extraData",
                f"block {snapshot.number} lists no signers: is the epoch {self._epoch_length} blocks?",
            )
        while snapshot.number < height:
            last = min(height, snapshot.number + READ_AT_ONCE)
            for block in await self._blocks.branch(snapshot.number + 1, last):
                snapshot = apply_block(snapshot, block, signer_of(snapshot, block), self._epoch_length)
        return snapshot

    async def _recents(self, checkpoint: SealedBlock) -> tuple[bytes, ...]:
        """Who sealed the checkpoint and the blocks below it, as far back as it matters; nobody sealed a genesis block."""
        number = checkpoint.execution.number
        if number == 0:
            return ()
        blocks = await self._blocks.branch(max(1, number - len(checkpoint.signers) // 2), number)
        return tuple(signer for block in blocks if (signer := recover_signer(block)) is not None)
