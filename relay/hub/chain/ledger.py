"""One hub's chain on disk: application, block records and state under one store, one atomic batch a block."""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.light_clients.tendermint.hashing import results_hash
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.light_clients.tendermint.types import BlockId, Commit, ValidatorSet
from hutong.relay.evm.store.database import KeyValueStore
from hutong.relay.hub.application.abci import (
    CODE_INVALID,
    CODE_SKIPPED,
    FinalizeBlockRequest,
    FinalizeBlockResponse,
    ProposalVerdict,
)
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.skipped_blocks import SkippedBlocks
from hutong.relay.hub.chain.block_records import (
    BlockRecords,
    BlockResults,
    store_block_records,
    store_revision_genesis,
    store_validators,
)
from hutong.relay.hub.chain.execution_guard import ExecutionGuard
from hutong.relay.hub.chain.ledger_evidence import LedgerEvidence, misbehaviours_of
from hutong.relay.hub.chain.pruning import Pruner
from hutong.relay.hub.consensus.blocks import ChainTip, RevisionStart, check_block, genesis_tip
from hutong.relay.hub.consensus.commits import NOTHING_KNOWN, check_commit
from hutong.relay.hub.consensus.evidence import decode_block_evidence
from hutong.relay.hub.consensus.types import EMPTY_COMMIT, Block, Vote
from hutong.relay.hub.consensus.validators import advance_proposer, genesis_validators, with_changes
from hutong.relay.hub.home.params import consensus_params
from hutong.relay.hub.state import GENESIS_KEY


class ChainDamaged(Exception):
    """What is on disk contradicts itself or the genesis file: the node must not go on from it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A block that is on disk."""

    height: int
    app_hash_changed: bool
    executed: tuple[bytes, ...]
    """Hashes of the transactions that were executed."""
    refused: tuple[bytes, ...]
    """Raw transactions of the block that could not be executed, or were skipped with it."""


class HubLedger:
    """Blocking; one thread applies blocks, others may read."""

    def __init__(self, store: KeyValueStore, genesis: Genesis) -> None:
        self.store = store
        self.genesis = genesis
        self.application = HubApplication(store, genesis)
        self.records = BlockRecords(store)
        self.params = consensus_params(genesis)
        self.evidence = LedgerEvidence(self.application, self.records)
        self.pruner: Pruner | None = None
        """Takes a step after each block."""
        self.guard: ExecutionGuard | None = None
        """Of the home whose node executes; None where blocks are applied that others vouch for."""
        if self.application.info().last_block_height < 0 and genesis.continues is None:
            self._initialise()
        self._check()
        self._begin_revision()
        self.tip = self._load_tip()

    @property
    def skips(self) -> SkippedBlocks:
        """The certificates in this chain's state, and the rules by which a new one is judged."""
        return self.application.skips

    @property
    def height(self) -> int:
        """Of the newest block on disk."""
        return self.tip.height

    def _execute(self, request: FinalizeBlockRequest) -> FinalizeBlockResponse:
        """Guarded where there is something that may run away."""
        if self.guard is None or request.skip is not None or not request.transactions:
            return self.application.finalize_block(request)
        return self.guard.run(
            request.height, request.hash, self.tip.app_hash, lambda: self.application.finalize_block(request)
        )

    def _initialise(self) -> None:
        validators = genesis_validators([(v.public_key, v.power) for v in self.genesis.validators])
        self.application.init_chain()
        with self.store.batch() as batch:
            self.application.commit(batch)
            store_validators(batch, 1, validators)
            store_validators(batch, 2, advance_proposer(validators, 1))

    def _check(self) -> None:
        height = self.records.latest_height()
        info = self.application.info()
        if info.last_block_height < 0:
            raise ChainDamaged(
                f"{self.genesis.chain_id} begins with the state after block {self.genesis.base_height}, the database is empty:"
                " run `hutong hub join` with a header that you trust"
            )
        if info.last_block_height != height:
            raise ChainDamaged(f"the last block is {height}, the state is at {info.last_block_height}")
        digest = self.application.state.view_at(info.last_block_height).get(GENESIS_KEY)
        if digest != self.genesis.origin:
            raise ChainDamaged("the database belongs to another genesis file")
        self._check_continuation(height)
        results = self.records.results(height)
        if results is not None and results.app_hash != info.last_block_app_hash:
            raise ChainDamaged(f"the app hash after block {height} is not the recorded one")

    def _check_continuation(self, height: int) -> None:
        """The newest block is of this revision. Of a later one the database holds the end of the one before, and that very
        one, unless it was restored or pruned above it."""
        genesis, continues = self.genesis, self.genesis.continues
        newest = None if height <= genesis.base_height else self.records.header(height)
        if newest is not None and newest.header.chain_id != genesis.chain_id:
            raise ChainDamaged(
                f"the database is of {newest.header.chain_id} already, the genesis file of {genesis.chain_id}"
            )
        if continues is None:
            return
        begun = self.records.revision_genesis()
        if height > continues.height and begun not in (None, genesis.digest):
            raise ChainDamaged(f"the database follows another genesis file of {genesis.chain_id}")
        if self.records.first_height() > continues.height:
            return
        if height < continues.height:
            raise ChainDamaged(
                f"{genesis.chain_id} continues {continues.chain_id} after block {continues.height}, the database ends at"
                f" {height}"
            )
        last, results = self.records.header(continues.height), self.records.results(continues.height)
        if last is None or results is None:
            raise ChainDamaged(f"block {continues.height} is incomplete")
        if (last.block_id.hash, results.app_hash) != (continues.block_hash, continues.app_hash):
            raise ChainDamaged(
                f"block {continues.height} or the state after it is not the one that the genesis file names"
            )

    def _begin_revision(self) -> None:
        """The sets of the first two blocks, as every engine makes them of the genesis file."""
        base = self.genesis.base_height
        if base == 0 or self.records.latest_height() != base:
            return
        validators = genesis_validators([(v.public_key, v.power) for v in self.genesis.validators])
        with self.store.batch() as batch:
            store_revision_genesis(batch, self.genesis.digest)
            store_validators(batch, base + 1, validators)
            store_validators(batch, base + 2, advance_proposer(validators, 1))

    def _load_tip(self) -> ChainTip:
        height = self.records.latest_height()
        validators, next_validators = self._validators(height + 1), self._validators(height + 2)
        version = self.application.coming.rules_version(height + 1)
        if height == self.genesis.base_height:
            app_hash = self.application.info().last_block_app_hash
            genesis = self.genesis
            start = RevisionStart(genesis.chain_id, genesis.genesis_time_ns, self.params, version, height)
            return genesis_tip(start, app_hash, validators, next_validators)
        stored, results = self.records.header(height), self.records.results(height)
        if stored is None or results is None:
            raise ChainDamaged(f"block {height} is incomplete")
        return ChainTip(
            self.genesis.chain_id,
            height,
            stored.block_id,
            stored.header.time_ns,
            results.app_hash,
            _results_hash(results),
            self._validators(height),
            validators,
            next_validators,
            self.params,
            version,
        )

    def _validators(self, height: int) -> ValidatorSet:
        validators = self.records.validators(height)
        if validators is None:
            raise ChainDamaged(f"no validators of height {height}")
        return validators

    def last_commit(self) -> Commit:
        """The commit that the next block carries: the tip's, as this node saw it; empty for a revision's first block.

        Raises:
            ChainDamaged: the commit of the tip is not on disk.
        """
        if self.tip.height == self.genesis.base_height:
            return EMPTY_COMMIT
        commit = self.records.commit(self.tip.height)
        if commit is None:
            raise ChainDamaged(f"no commit of height {self.tip.height}")
        return commit

    def accepts(self, block: Block, known: Mapping[int, Vote] = NOTHING_KNOWN) -> bool:
        """Whether the application takes the transactions and rules version of `block`, which must follow from the tip.

        `known` are precommits of the tip by their index, whose signatures were verified before and are not verified
        again.

        Raises:
            MalformedInput: a field of the block does not follow from the tip, or its commit or evidence does not hold.
            EvidenceOutOfReach: evidence is about a block that this node lacks.
        """
        tip = self.tip
        check_block(tip, block)
        if tip.last_validators is not None:
            check_commit(tip.chain_id, tip.last_validators, tip.height, tip.block_id, block.last_commit, known)
        self.evidence.check(tip, block)
        return self.accepts_transactions(block)

    def accepts_transactions(self, block: Block) -> bool:
        """What `accepts` asks last: transactions and rules version alone. The rest of the block is not looked at."""
        verdict = self.application.process_proposal(block.transactions, block.header.version_app)
        return verdict is ProposalVerdict.ACCEPT

    def apply(self, block: Block, block_id: BlockId, commit: Commit, skip: SkipCertificate | None = None) -> Applied:
        """Execute a decided block, as empty where `skip` is given; block, commit, results and state land in one batch.

        Blocking, in the one thread that applies blocks. That the block follows, and that `commit` is of more than two
        thirds, is not checked here: `accepts` and `verify_commit` do. After the batch the pruner takes a step.

        Raises:
            ExecutionFailed: a guard is set, and the block cannot be executed within its limits.
            UnknownRulesVersion, RevisionEnded: no block may follow by this code, or by the chain's own decision.
            OutOfOrder: the block does not follow from the state.
            SkipBroken: `skip` is not a certificate of this block, or the block lacks the one of the block before it.
            SnapshotLied: the first block after a restoration is not the one that the snapshot named.
            MalformedInput: the block's evidence does not decode.
            StoreFull: nothing of the block is stored.
        """
        header = block.header
        evidence = decode_block_evidence(block.evidence, self.params.evidence_max_bytes)
        request = FinalizeBlockRequest(
            header.height,
            header.time_ns,
            block_id.hash,
            header.proposer_address,
            block.transactions,
            header.version_app,
            misbehaviours_of(evidence),
            skip,
        )
        response = self._execute(request)
        updates = response.validator_updates
        results = BlockResults(response.tx_results, response.app_hash, updates)
        changed_set = with_changes(self.tip.next_validators, [(update.public_key, update.power) for update in updates])
        next_validators = advance_proposer(changed_set, 1)
        with self.store.batch() as batch:
            executed = self.application.commit(batch)
            store_block_records(batch, block, block_id, commit, results)
            store_validators(batch, header.height + 2, next_validators)
        changed = response.app_hash != self.tip.app_hash
        self.tip = ChainTip(
            self.tip.chain_id,
            header.height,
            block_id,
            header.time_ns,
            response.app_hash,
            _results_hash(results),
            self.tip.validators,
            self.tip.next_validators,
            next_validators,
            self.params,
            response.rules_version,
        )
        self.evidence.after_block(self.tip, evidence)
        if self.pruner is not None:
            self.pruner.step()
        refused = tuple(
            raw
            for raw, result in zip(block.transactions, response.tx_results, strict=True)
            if result.code in (CODE_INVALID, CODE_SKIPPED)
        )
        return Applied(header.height, changed, tuple(item.hash for item in executed), refused)


def _results_hash(results: BlockResults) -> bytes:
    return results_hash([(item.code, item.data, item.gas_wanted, item.gas_used) for item in results.tx_results])
