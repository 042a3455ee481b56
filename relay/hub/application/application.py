"""The hub's application: ABCI 2.0 over the state tree and the EVM. Deterministic: blocks in, app hashes out.

It reads its store and writes only into the batch that `commit` is given, so that the node lands block and state at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import NamedTuple

from hutong.light_clients.interface import LightClient, VerificationError
from hutong.light_clients.table import clients_with_gm, clients_without_extras
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, skip_is_about
from hutong.relay.evm.chain.block_store import BlockStore, store_block
from hutong.relay.evm.chain.blocks import BlockBody, EvmBlock, block_body
from hutong.relay.evm.chain.mempool import SenderAccount
from hutong.relay.evm.errors import InvalidTransaction, StatePruned
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable, WriteBatch
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import EvmState
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.outcomes import TransactionOutcome
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.transaction import SignedTransaction, decode_cached
from hutong.relay.hub.application.abci import (
    CODE_INVALID,
    CODE_OK,
    CODE_REVERTED,
    CheckTxResponse,
    ExecTxResult,
    FinalizeBlockRequest,
    FinalizeBlockResponse,
    InfoResponse,
    InitChainResponse,
    PreparedProposal,
    ProposalVerdict,
    QueryResponse,
    ValidatorUpdate,
)
from hutong.relay.hub.application.directory.governing import take_up_directory
from hutong.relay.hub.application.ethereum_blocks import EthereumBlocks
from hutong.relay.hub.application.evidence_records import write_records
from hutong.relay.hub.application.frame import Frame
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.genesis_tables import DIRECTORY, IDENTITY, OBSERVATIONS, STORAGE
from hutong.relay.hub.application.governance.authority import Authority
from hutong.relay.hub.application.governance.block_proposals import FRAMING_BYTES, BlockProposals
from hutong.relay.hub.application.governance.coming import ComingBlocks, UnknownRulesVersion
from hutong.relay.hub.application.governance.members import Operator, write_operator
from hutong.relay.hub.application.governance.schedule import rules_version_at, write_stand_in
from hutong.relay.hub.application.identity.governing import take_up_identity
from hutong.relay.hub.application.machine.evm_pruning import EVM_TABLE, land_records, mark_counted
from hutong.relay.hub.application.machine.evm_rules import evm_rules
from hutong.relay.hub.application.machine.fees import base_fee_after, settle_base_fee
from hutong.relay.hub.application.modules import NATIVE_CODE, native_modules
from hutong.relay.hub.application.named_code import runs_any_code, take_up_code_rules
from hutong.relay.hub.application.observations.epochs import close_block
from hutong.relay.hub.application.observations.writers import ObservationRules, Writers
from hutong.relay.hub.application.queries import StateQueries
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.skipped_blocks import (
    CERTIFICATE_RESULT,
    SKIPPED_RESULT,
    SkipBroken,
    SkippedBlocks,
    executed_certificate,
    write_skip,
)
from hutong.relay.hub.application.storage.epochs import OpenedBlock, begin_block
from hutong.relay.hub.application.storage.governing import take_up_storage
from hutong.relay.hub.application.storage.registry import Registry
from hutong.relay.hub.application.validators import read_powers, updates_between
from hutong.relay.hub.state import GENESIS_KEY, StateView, VersionedState
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY, VALIDATOR_POWER_PREFIX
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.storage.rules.audits.seed import hub_id

APPLICATION_NAME = "hutong-hub"
STATE_TABLE = b"hub-state/"


MAX_RESULT_DATA_BYTES = 4_096
"""Of what a transaction returned, its result holds the first: every engine keeps results for ever, memory costs little gas,
and a full default block could return 34 MB."""


class SnapshotLied(Exception):
    """The first block after a restored snapshot is not the one that it named: its headers, which BLOCKHASH answers from, may
    be forged, so the node must halt and be restored anew."""


class OutOfOrder(Exception):
    """The consensus engine called a block that does not follow from the last: the node must halt."""


@dataclass(slots=True)
class _Pending:
    """A finalized block that is not yet committed."""

    height: int
    batch: WriteBatch
    executed: tuple[SignedTransaction, ...]


@dataclass(frozen=True, slots=True)
class _OpenBlock:
    """A block that is being executed, in memory."""

    frame: Frame
    batch: WriteBatch
    """What `commit` writes."""
    scratch: WriteBatch
    """Of the EVM, which also writes what lies between transactions."""
    evm: EvmState
    state_root: bytes
    """Of the EVM before the block, 32 bytes."""
    base_fee_wei: int
    founds_modules: bool
    """Whether the block is the first of rules that have more native modules: their accounts are in the EVM by now."""

    @property
    def view(self) -> StateView:
        return self.frame.view

    @property
    def parent(self) -> StateView:
        return self.frame.parent


class _Applied(NamedTuple):
    """`executed` is None where the transaction could not be executed."""

    result: ExecTxResult
    executed: tuple[SignedTransaction, TransactionOutcome] | None


def offered_clients(genesis: Genesis) -> Mapping[str, LightClient]:
    """The light clients of a hub, by type: what every installation has, and what the libraries that genesis names bring."""
    return clients_with_gm() if genesis.runtime.has_gm else clients_without_extras()


class HubApplication:
    """`finalize_block` and `commit` alternate on one thread; queries may come from others at any time."""

    def __init__(
        self, store: KeyValueReader, genesis: Genesis, light_clients: Mapping[str, LightClient] | None = None
    ) -> None:
        self._store = store
        self.genesis = genesis
        self.state = VersionedState(Table(store, STATE_TABLE))
        self.light_clients = offered_clients(genesis) if light_clients is None else dict(light_clients)
        self._storage_hub = hub_id(genesis.chain_id)
        self._genesis_powers = {validator.public_key.data: validator.power for validator in genesis.validators}
        modules = native_modules(self.light_clients, Authority.of(genesis), dict(genesis.tables))
        self._native = {
            version: {address: module for address, module in modules.items() if module.since <= version}
            for version in rules_versions.ALL
        }
        self._rules: Mapping[int, EvmRules] = {
            version: evm_rules(version, genesis.evm_chain_id, native, genesis.params.transaction_max_gas)
            for version, native in self._native.items()
        }
        self.coming = ComingBlocks(self.state, genesis, tuple(self._rules))
        self.blocks = BlockStore(store, genesis.evm_chain_id)
        self.ethereum = EthereumBlocks(genesis, self.blocks)
        self._proposals = BlockProposals(genesis)
        self._queries = StateQueries(self.state, self.blocks)
        self.skips = SkippedBlocks(store, self.state, genesis, self.blocks)
        self._pending: _Pending | None = None
        self._checking = Lock()
        self._newest: tuple[int, EvmState] | None = None

    # --- ABCI

    def info(self) -> InfoResponse:
        """What is committed: height and app hash (32 bytes) of the newest block, and the rules version of the next.

        Before InitChain the height is -1 and the app hash empty.

        Raises:
            StateDamaged: the root of the newest version is missing.
        """
        version = self.state.latest_version()
        app_hash = b"" if version is None else self.state.require_root(version)
        height = -1 if version is None else version
        rules = self.genesis.rules_version if version is None else self.coming.rules_version(height + 1)
        return InfoResponse(APPLICATION_NAME, "1", rules, height, app_hash)

    def init_chain(self) -> InitChainResponse:
        """Genesis state: the permanent key, native accounts with code, balances. Committed like a block of height 0.

        Raises:
            OutOfOrder: the chain was initialised before.
            UnknownRulesVersion: genesis asks for rules that this code lacks.
        """
        if self.state.latest_version() is not None:
            raise OutOfOrder("the chain was initialised before")
        batch, scratch = WriteBatch(self._store), WriteBatch(self._store)
        rules = self._rules_of(self.genesis.rules_version)
        evm = EvmState(
            WritableTable(scratch, EVM_TABLE),
            EMPTY_STATE_ROOT,
            rules,
            self.ethereum.context(0, self.genesis.genesis_time_ns, bytes(32)),
        )
        for address in self._native[self.genesis.rules_version]:
            evm.set_account(address, GenesisAccount(nonce=1, code=NATIVE_CODE))
        for address, balance_wei in self.genesis.allocations:
            evm.set_account(address, GenesisAccount(balance_wei=balance_wei))
        state_root = evm.persist()
        mark_counted(batch)
        land_records(batch, self._store, scratch, 0, EMPTY_STATE_ROOT, state_root)
        view = self.state.view_at(0)
        view.set(GENESIS_KEY, self.genesis.digest)
        view.set(EVM_STATE_ROOT_KEY, state_root)
        take_up_code_rules(view, self.genesis.rules_version, self.genesis.code_rules)
        observations: ObservationRules | None = dict(self.genesis.tables).get(OBSERVATIONS)
        if observations is not None:
            Writers(view).found(observations)
        take_up_identity(view, self.genesis.rules_version, dict(self.genesis.tables).get(IDENTITY))
        take_up_storage(view, self.genesis.rules_version, dict(self.genesis.tables).get(STORAGE))
        take_up_directory(view, self.genesis.rules_version, dict(self.genesis.tables).get(DIRECTORY))
        if self.genesis.constitution is not None:
            for public_key, account in self.genesis.constitution.operators:
                write_operator(view, public_key, Operator(account))
        app_hash = self.state.commit(WritableTable(batch, STATE_TABLE), 0, view.changes())
        genesis_block = self.ethereum.block(0, self.genesis.genesis_time_ns, self.genesis.digest, bytes(32), state_root)
        store_block(batch, genesis_block, ())
        self._pending = _Pending(0, batch, ())
        return InitChainResponse(app_hash)

    def check_tx(self, raw: bytes) -> CheckTxResponse:
        """Whether the pool may take it, judged at the last block's time and state; a later nonce is fine.

        Bytes that are no transaction get a code and a sentence.

        Raises:
            OutOfOrder: the chain is not initialised.
        """
        try:
            transaction = decode_cached(raw, self.genesis.evm_chain_id)
            self.check_sender(transaction)
        except InvalidTransaction as error:
            return CheckTxResponse(CODE_INVALID, str(error), 0)
        return CheckTxResponse(CODE_OK, "", transaction.gas_limit)

    def check_sender(self, transaction: SignedTransaction, *, held: bool = False) -> SenderAccount:
        """Judge as `check_tx` does; what the sender has. Safe from any thread, one at a time.

        A new one must offer the next block's base fee; one that is `held` may wait for it to fall, at most to its
        least. CometBFT asks this of all that waits after each block, so a block's state is opened once.

        Raises:
            InvalidTransaction: its sender cannot send it now.
            OutOfOrder: the chain is not initialised.
        """
        fees = self.genesis.fees
        least_wei = fees.base_fee_wei if held and fees is not None else self.next_base_fee_wei
        with self._checking:
            state = self._newest_state()
            state.check_sender(transaction, least_wei)
            return SenderAccount(state.nonce(transaction.sender), state.balance_wei(transaction.sender))

    def _newest_state(self) -> EvmState:
        """Under `_checking` only."""
        version = self.state.latest_version()
        if self._newest is None or self._newest[0] != version:
            head = self.blocks.head()
            if head is None:
                raise OutOfOrder("the chain is not initialised")
            self._newest = (head.number, self.state_after(head))
        return self._newest[1]

    @property
    def next_base_fee_wei(self) -> int:
        """Wei a unit of gas in the block that follows the newest; 0 on a fee-free hub.

        Raises:
            OutOfOrder: the chain is not initialised.
        """
        if self.genesis.fees is None:
            return 0
        latest = self.state.latest_version()
        if latest is None:
            raise OutOfOrder("the chain is not initialised")
        return base_fee_after(self.state.view_at(latest), self.genesis.fees)

    def prepare_proposal(self, candidates: Iterable[SignedTransaction], max_bytes: int) -> PreparedProposal:
        """The transactions of the next block, as `BlockProposals.chosen`, of at most `max_bytes`.

        The first is the certificate of the block before, where that was skipped and this node has it.

        Raises:
            OutOfOrder, PredicateFailed: the chain is not initialised.
        """

        def balance_wei(sender: Address) -> int:
            with self._checking:
                return self._newest_state().balance_wei(sender)

        first = self.skips.for_proposal()
        room = max_bytes if first is None else max_bytes - len(first) - FRAMING_BYTES
        proposed = self._proposals.chosen(candidates, room, self.next_base_fee_wei, balance_wei)
        return proposed if first is None else replace(proposed, transactions=(first, *proposed.transactions))

    def process_proposal(self, transactions: Sequence[bytes], app_version: int) -> ProposalVerdict:
        """Whether a proposed block is voted for, by its transactions and rules version alone.

        Rejected are other rules than the state before it decides, or that this code lacks, a block that does not begin
        with the certificate that it needs, and what `BlockProposals.are_worth_a_block` says no to.
        """
        last = self.state.latest_version()
        if app_version not in self._rules or last is None or app_version != self.coming.rules_version(last + 1):
            return ProposalVerdict.REJECT
        rules = self._rules_of(app_version)
        try:
            rest = self.skips.without_certificate(transactions)
        except VerificationError:
            return ProposalVerdict.REJECT
        whole_bytes = sum(len(raw) + FRAMING_BYTES for raw in transactions)
        if rest is not transactions and whole_bytes > self.genesis.params.block_max_bytes:
            return ProposalVerdict.REJECT
        takes = self._proposals.are_worth_a_block(rest, rules, self.next_base_fee_wei)
        return ProposalVerdict.ACCEPT if takes else ProposalVerdict.REJECT

    def finalize_block(self, request: FinalizeBlockRequest) -> FinalizeBlockResponse:
        """Execute a decided block, in memory; `commit` writes it.

        A transaction that cannot be executed has a result and no effect.

        Any exception is a reason to halt the node: those below, and bugs.

        Raises:
            OutOfOrder: the block does not follow from the newest committed one.
            UnknownRulesVersion: the block's rules are not those that the state decides, or this code lacks them.
            RevisionEnded: the chain goes on under its next revision.
            SnapshotLied: the first block after a restoration is not the one that the snapshot named.
            SkipBroken: the certificate in the block, or the one that skips it, does not hold.
            StateDamaged: a record of the state is missing.
        """
        opened = self._open_block(request, self._require_next(request))
        write_records(opened.view, request.misbehaviours, request.height)
        results, executed = self._execute(request, opened)
        close_block(opened.frame, self.light_clients)
        state_root = opened.state_root
        if executed or opened.founds_modules:
            state_root = opened.evm.persist()
            opened.view.set(EVM_STATE_ROOT_KEY, state_root)
            land_records(opened.batch, self._store, opened.scratch, request.height, opened.state_root, state_root)
        genesis, body = self.genesis, block_body(executed, opened.base_fee_wei)
        settle_base_fee(opened.view, genesis.fees, opened.base_fee_wei, body.gas_used, genesis.params.block_max_gas)
        changes = opened.view.changes()
        app_hash = self.state.commit(WritableTable(opened.batch, STATE_TABLE), request.height, changes)
        self._store_block(request, opened, state_root, body)
        self._pending = _Pending(request.height, opened.batch, body.transactions)
        updates: tuple[ValidatorUpdate, ...] = ()
        if any(key.startswith(VALIDATOR_POWER_PREFIX) for key in changes):
            updates = updates_between(
                read_powers(opened.parent, self._genesis_powers), read_powers(opened.view, self._genesis_powers)
            )
        following = rules_version_at(opened.view, request.height + 1, genesis.rules_version)
        return FinalizeBlockResponse(tuple(results), app_hash, updates, following)

    def commit(self, batch: KeyValueWriter) -> tuple[SignedTransaction, ...]:
        """Write the finalized block into the node's batch; what was executed, for the pool to forget.

        Raises:
            OutOfOrder: no block was finalized since the last commit.
        """
        pending = self._pending
        if pending is None:
            raise OutOfOrder("commit without a finalized block")
        for key, value in pending.batch.pending():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._pending = None
        return pending.executed

    def query(self, path: str, data: bytes, height: int, *, prove: bool) -> QueryResponse:
        """A raw state value; `height` 0 is the newest version. The proof verifies at the returned height's header.

        A refused question has a code and a log in the answer, and raises nothing.
        """
        return self._queries.answer(path, data, height, prove=prove)

    # --- for the JSON-RPC service

    def state_after(self, block: EvmBlock, rules_version: int | None = None) -> EvmState:
        """A scratch state: the block's post-state and context; native modules see the hub state of that height.

        `rules_version`: for a block of an earlier revision, whose first rules this genesis does not say.

        Raises:
            StatePruned: this node no longer has the state, and says the oldest that it has.
            UnknownRulesVersion: this code lacks the block's rules.
        """
        if self.state.root(block.number) is None:
            raise StatePruned(block.number, self.oldest_state())
        view = self.state.view_at(block.number)
        header = block.header
        time_ns = self.block_time_ns(block.number)
        version = rules_version or rules_version_at(view, block.number, self.genesis.rules_version)
        return EvmState(
            Table(self._store, EVM_TABLE),
            header.state_root,
            self._rules_of(version),
            self.ethereum.context(block.number, time_ns, header.prev_randao, header.base_fee_wei or 0),
            (
                Frame(
                    view,
                    self.state.view_at(block.number),
                    time_ns,
                    block.number,
                    version,
                    runs_any_code(view, version),
                ),
            ),
        )

    def oldest_state(self) -> int:
        """The height from which on every state is stored; a restored node has that of genesis besides."""
        return self._queries.oldest_state()

    def block_time_ns(self, height: int) -> int:
        """The exact time of a block in nanoseconds, which Ethereum's header rounds down; kept in its extra data.

        Raises:
            OutOfOrder: the block's header is not stored.
        """
        found = self.blocks.header(height)
        if found is None:
            raise OutOfOrder(f"no block {height}")
        return int.from_bytes(found[1].extra_data, "big")

    def view(self) -> tuple[StateView, int, int]:
        """A view of the newest version, its height and its block's exact time in nanoseconds. Safe from any thread.

        Raises:
            OutOfOrder: the chain is not initialised.
        """
        latest = self.state.latest_version()
        if latest is None:
            raise OutOfOrder("the chain is not initialised")
        return self.state.view_at(latest), latest, self.block_time_ns(latest)

    @property
    def rules_versions(self) -> tuple[int, ...]:
        """The versions that this code can execute, ascending."""
        return tuple(sorted(self._rules))

    # --- inside

    def _require_next(self, request: FinalizeBlockRequest) -> int:
        """The rules version of a block that may be executed now. Raises as `finalize_block`."""
        last = self.state.latest_version()
        if last is None or request.height != last + 1:
            raise OutOfOrder(f"block {request.height} cannot follow {last}")
        self._check_snapshot(request)
        self.coming.require_block(request.height)
        expected_version = self.coming.rules_version(request.height)
        if request.app_version != expected_version:
            raise UnknownRulesVersion(
                f"block {request.height} names rules version {request.app_version}, the state before it {expected_version}"
            )
        return expected_version

    def _open_block(self, request: FinalizeBlockRequest, rules_version: int) -> _OpenBlock:
        """Its state before the first transaction, with what the block's height brings about by itself."""
        rules = self._rules_of(rules_version)
        view, parent = self.state.view_at(request.height - 1), self.state.view_at(request.height - 1)
        if self.coming.is_last_but_one(request.height):
            write_stand_in(view, request.height + 1, request.time_ns, read_powers(parent, self._genesis_powers))
        take_up_code_rules(view, rules_version, self.genesis.code_rules)
        take_up_identity(view, rules_version, None)
        take_up_storage(view, rules_version, None)
        take_up_directory(view, rules_version, None)
        if rules_version >= rules_versions.STORAGE:
            registry = Registry(view, Moment(request.height, request.time_ns // 1_000_000_000))
            begin_block(registry, OpenedBlock(self._storage_hub, request.hash))
        frame = Frame(
            view,
            parent,
            request.time_ns,
            request.height,
            rules_version,
            runs_any_code(view, rules_version),
        )
        batch, scratch = WriteBatch(self._store), WriteBatch(self._store)
        state_root = self._state_root(view)
        base_fee_wei = base_fee_after(parent, self.genesis.fees)
        evm = EvmState(
            WritableTable(scratch, EVM_TABLE),
            state_root,
            rules,
            self.ethereum.context(request.height, request.time_ns, request.hash, base_fee_wei),
            (frame,),
        )
        later = (
            address for address, module in self._native[rules_version].items() if module.since > rules_versions.FIRST
        )
        founded = [address for address in later if evm.code(address) != NATIVE_CODE]
        for address in founded:
            evm.found_account(address, NATIVE_CODE)
        return _OpenBlock(frame, batch, scratch, evm, state_root, base_fee_wei, bool(founded))

    def _execute(
        self, request: FinalizeBlockRequest, opened: _OpenBlock
    ) -> tuple[list[ExecTxResult], list[tuple[SignedTransaction, TransactionOutcome]]]:
        """The results of all transactions, and those that were executed. A skipped block executes none."""
        certificate = executed_certificate(opened.frame, request.transactions, self.skips.powers(opened.parent))
        transactions = request.transactions if certificate is None else request.transactions[1:]
        results = [] if certificate is None else [CERTIFICATE_RESULT]
        executed: list[tuple[SignedTransaction, TransactionOutcome]] = []
        if request.skip is None:
            for raw in transactions:
                done = self._apply_transaction(opened.evm, raw)
                results.append(done.result)
                if done.executed is not None:
                    executed.append(done.executed)
        else:
            self._check_skip(request, request.skip)
            write_skip(opened.view, opened.batch, request.skip)
            results += [SKIPPED_RESULT] * len(transactions)
        return results, executed

    def _apply_transaction(self, evm: EvmState, raw: bytes) -> _Applied:
        try:
            transaction = decode_cached(raw, self.genesis.evm_chain_id)
            outcome = evm.apply_transaction(transaction)
        except InvalidTransaction as error:
            return _Applied(ExecTxResult(CODE_INVALID, b"", str(error), 0, 0), None)
        result = ExecTxResult(
            CODE_OK if outcome.success else CODE_REVERTED,
            outcome.return_data[:MAX_RESULT_DATA_BYTES] if transaction.to is not None else b"",
            outcome.failure_detail,
            transaction.gas_limit,
            outcome.gas_used,
        )
        return _Applied(result, (transaction, outcome))

    def _store_block(
        self, request: FinalizeBlockRequest, opened: _OpenBlock, state_root: bytes, body: BlockBody
    ) -> None:
        """Into the batch, as Ethereum has it."""
        last_block = self.blocks.header(request.height - 1)
        if last_block is None:
            raise OutOfOrder(f"Ethereum block {request.height - 1} is missing")
        block = self.ethereum.block(
            request.height, request.time_ns, request.hash, last_block[0], state_root, body, opened.base_fee_wei
        )
        store_block(opened.batch, block, body.receipts)

    def _check_skip(self, request: FinalizeBlockRequest, certificate: SkipCertificate) -> None:
        """The engine's, or this node's own file: an unfit one must not become a state."""
        try:
            self.skips.check(certificate)
            skip_is_about(certificate, self.skips.statement(request.height, request.hash))
        except VerificationError as error:
            raise SkipBroken(f"block {request.height}: {error}") from error

    def _check_snapshot(self, request: FinalizeBlockRequest) -> None:
        restored = self.blocks.restored()
        if restored is None or request.height != restored.number + 1 or request.hash == restored.next_hash:
            return
        raise SnapshotLied(
            f"block {request.height} is {request.hash.hex()}, the snapshot of height {restored.number} named"
            f" {restored.next_hash.hex()}: empty this node's data and join again"
        )

    def _rules_of(self, version: int) -> EvmRules:
        rules = self._rules.get(version)
        if rules is None:
            raise UnknownRulesVersion(f"no rules of version {version}; this hutong has {sorted(self._rules)}")
        return rules

    def _state_root(self, view: StateView) -> bytes:
        root = view.get(EVM_STATE_ROOT_KEY)
        if root is None:
            raise OutOfOrder("the state has no EVM state root")
        return root
