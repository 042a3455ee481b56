"""The hub's application over its database, driven by an engine outside the process: one atomic write a block."""

from dataclasses import replace

from hutong.light_clients.protobuf import abci_pb2
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.relay.evm.store.database import KeyValueStore
from hutong.relay.hub.abci.genesis import check_genesis, require_first_revision
from hutong.relay.hub.abci.pool import PoolMirror
from hutong.relay.hub.application.abci import FinalizeBlockRequest, FinalizeBlockResponse, InfoResponse
from hutong.relay.hub.application.application import HubApplication, OutOfOrder
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.skipped_blocks import SkippedBlocks
from hutong.relay.hub.chain.execution_guard import ExecutionGuard
from hutong.relay.hub.chain.ledger import ChainDamaged
from hutong.relay.hub.chain.pruning import Pruner
from hutong.relay.hub.engine.surroundings import why_waiting_for_skip
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.hub.state import GENESIS_KEY


class SkipAwaited(Exception):
    """This validator signed that the block counts as empty: one sentence says what is waited for."""


class HubMachine:
    """Blocking; one thread at a time drives consensus, others may read.

    The genesis state is on disk from the start, so that the node can answer before CometBFT has called it.
    """

    def __init__(self, store: KeyValueStore, genesis: Genesis) -> None:
        """Write the genesis state where the store has no state yet.

        Raises:
            RevisionUnsupported: the genesis continues an earlier revision; nothing is written.
            ChainDamaged: the store is of another genesis, or its last block and state differ in height.
            StateDamaged: the store lacks a record of the newest state.
            StoreFull: the genesis state does not fit.
        """
        require_first_revision(genesis)
        self.store = store
        self.genesis = genesis
        self.application = HubApplication(store, genesis)
        if self.application.info().last_block_height < 0:
            self.application.init_chain()
            with store.batch() as batch:
                self.application.commit(batch)
        self._check()
        self.pruner: Pruner | None = None
        """Takes a step after each block."""
        self.guard: ExecutionGuard | None = None
        self.desk: SkipDesk | None = None
        """Of the home whose application this is."""
        self.pool = PoolMirror(self.application)
        self._block: tuple[bytes, ...] = ()

    def _check(self) -> None:
        height, head = self.height, self.application.blocks.head_number()
        if head != height:
            raise ChainDamaged(f"the last Ethereum block is {head}, the state is at {height}")
        if self.application.state.view_at(height).get(GENESIS_KEY) != self.genesis.digest:
            raise ChainDamaged("the database belongs to another genesis file")

    @property
    def height(self) -> int:
        """The height of the last block whose state is on disk; 0 is genesis."""
        return self.application.info().last_block_height

    def info(self) -> InfoResponse:
        """As `HubApplication.info`: what is on disk. Safe from any thread."""
        return self.application.info()

    def init_chain(self, request: abci_pb2.RequestInitChain) -> bytes:
        """The genesis app hash (32 bytes). CometBFT asks again until it has the first block.

        Raises:
            GenesisDiffers: CometBFT starts another chain.
            OutOfOrder: the state is beyond genesis here.
        """
        check_genesis(self.genesis, request)
        if self.height != 0:
            raise OutOfOrder(f"CometBFT starts the chain anew, but its state is at {self.height} here")
        return self.application.info().last_block_app_hash

    @property
    def skips(self) -> SkippedBlocks:
        """The certificates in this chain's state, and the rules by which a new one is judged."""
        return self.application.skips

    def finalize_block(self, request: FinalizeBlockRequest) -> FinalizeBlockResponse:
        """Execute a decided block in memory, guarded, or as empty where the home has the certificate.

        An engine that calls again after a refusal is answered likewise.

        Raises:
            ExecutionFailed: it cannot be executed within the limits.
            SkipAwaited: this validator signed that the block counts as empty, and its certificate is not here.
            SkipRefused, UnusableHome: the record or a certificate contradicts the block, or cannot be read.
            UnknownRulesVersion, RevisionEnded, OutOfOrder, SnapshotLied, SkipBroken: as
                `HubApplication.finalize_block`.
        """
        request = replace(request, skip=self._skip_of(request))
        if self.guard is None or request.skip is not None or not request.transactions:
            response = self.application.finalize_block(request)
        else:
            prior_app_hash = self.application.info().last_block_app_hash
            response = self.guard.run(
                request.height, request.hash, prior_app_hash, lambda: self.application.finalize_block(request)
            )
        self._block = request.transactions
        return response

    def _skip_of(self, request: FinalizeBlockRequest) -> SkipCertificate | None:
        if self.desk is None or request.height != self.height + 1:
            return None
        found = self.desk.certificate(request.height, request.hash)
        if found is None and self.desk.forbids(request.height, request.hash):
            raise SkipAwaited(why_waiting_for_skip(request.height))
        return found

    def commit(self) -> int:
        """Write the finalized block to disk in one batch, and return its height. The pruner takes a step after it.

        Raises:
            OutOfOrder: no block was finalized since the last commit.
            StoreFull: nothing of the block is stored.
        """
        with self.store.batch() as batch:
            executed = self.application.commit(batch)
        if self.pruner is not None:
            self.pruner.step()
        self.pool.settle(self._block, executed)
        self._block = ()
        return self.height
