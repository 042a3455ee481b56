"""The hub's application: ABCI 2.0 over the state tree and the EVM. Deterministic: blocks in, app hashes out.

It reads its store and writes only into the batch that `commit` is given, so that the node lands block and state at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from light_clients.attestation import AttestationClient
from light_clients.bft_evm import BftEvmClient
from light_clients.bitcoin import BitcoinClient
from light_clients.clique import CliqueClient
from light_clients.ethereum import EthereumClient
from light_clients.fisco_bcos import CryptoSuite, FiscoBcosClient
from light_clients.interface import NANOSECONDS_PER_SECOND, LightClient
from light_clients.tendermint.client import TendermintClient
from relay.evm.block_store import BlockStore, store_block
from relay.evm.blocks import EvmBlock, EvmHeader, block_body
from relay.evm.database import KeyValueReader, KeyValueWriter, Table, WritableTable, WriteBatch
from relay.evm.errors import InvalidTransaction
from relay.evm.execution import (
    EMPTY_STATE_ROOT,
    BlockContext,
    EvmState,
    GenesisAccount,
    TransactionOutcome,
)
from relay.evm.intrinsic_gas import least_gas
from relay.evm.rules import EvmRules
from relay.evm.transaction import SignedTransaction, decode_transaction
from relay.evm.work_prices import SLOW_CURVE_PRICES
from relay.hub.application.abci import (
    CODE_INVALID,
    CODE_OK,
    CODE_REVERTED,
    CODE_UNKNOWN_HEIGHT,
    CODE_UNKNOWN_PATH,
    CheckTxResponse,
    ExecTxResult,
    FinalizeBlockRequest,
    FinalizeBlockResponse,
    InfoResponse,
    InitChainResponse,
    ProposalVerdict,
    QueryResponse,
    ValidatorUpdate,
)
from relay.hub.application.evidence_records import write_records
from relay.hub.application.frame import Frame
from relay.hub.application.genesis import RULES_VERSION, Genesis
from relay.hub.application.modules import NATIVE_CODE, native_modules
from relay.hub.application.validators import read_powers, updates_between
from relay.hub.state import GENESIS_KEY, StateView, VersionedState
from relay.hub.state.keys import EVM_STATE_ROOT_KEY, MAX_KEY_BYTES, VALIDATOR_POWER_PREFIX

APPLICATION_NAME = "hutong-hub"
STATE_TABLE = b"hub-state/"
EVM_TABLE = b"hub-evm/"
COINBASE = bytes(20)
"""The hub is fee-free; what a sender offers all the same is burnt at the zero address."""
QUERY_STORE_PATHS = ("/store/ibc/key", "/store/hub/key", "/key")


MAX_RESULT_DATA_BYTES = 4_096
"""Of what a transaction returned, its result holds the first: every engine keeps results for ever, memory costs little gas,
and a full default block could return 34 MB."""


class UnknownRulesVersion(Exception):
    """A block asks for rules that this code does not have: the node must halt and be upgraded."""


class SnapshotLied(Exception):
    """The first block after a restored snapshot is not the one that it named: its headers, which BLOCKHASH answers from, may
    be forged, so the node must halt and be restored anew."""


class OutOfOrder(Exception):
    """The consensus engine called a block that does not follow from the last: the node must halt."""


@lru_cache(maxsize=512)
def decode_cached(raw: bytes, chain_id: int) -> SignedTransaction:
    """A transaction is decoded when it is checked, proposed, judged, executed and forgotten; its sender is recovered once.

    512 transactions of 128 KiB bound the memory, and are more than blocks of usual ones hold between two of these steps.
    """
    return decode_transaction(raw, chain_id)


def standard_light_clients() -> dict[str, LightClient]:
    """The client types of rules version 1."""
    # SM2 and SM3 come from an optional extra: a validator without it would judge otherwise, so the hub offers the suite that all have.
    fisco_bcos = FiscoBcosClient(frozenset({CryptoSuite.ECDSA}))
    clients: tuple[LightClient, ...] = (
        TendermintClient(),
        BftEvmClient(),
        AttestationClient(),
        EthereumClient(),
        fisco_bcos,
        BitcoinClient(),
        CliqueClient(),
    )
    return {client.client_type: client for client in clients}


@dataclass(slots=True)
class _Pending:
    """A finalized block that is not yet committed."""

    height: int
    batch: WriteBatch
    executed: tuple[SignedTransaction, ...]


class HubApplication:
    """`finalize_block` and `commit` alternate on one thread; queries may come from others at any time."""

    def __init__(
        self, store: KeyValueReader, genesis: Genesis, light_clients: Mapping[str, LightClient] | None = None
    ) -> None:
        self._store = store
        self.genesis = genesis
        self.state = VersionedState(Table(store, STATE_TABLE))
        self.light_clients = standard_light_clients() if light_clients is None else dict(light_clients)
        self._genesis_powers = {validator.public_key.data: validator.power for validator in genesis.validators}
        native = native_modules(self.light_clients, genesis.chain_id, genesis.admins, self._genesis_powers)
        self._native = tuple(native)
        # Rules by version: a later version adds its own entry, and blocks of the old one stay executable.
        self._rules: Mapping[int, EvmRules] = {
            RULES_VERSION: EvmRules(
                "prague",
                genesis.evm_chain_id,
                native,
                prices=SLOW_CURVE_PRICES,
                transaction_max_gas=genesis.params.transaction_max_gas,
            )
        }
        self.blocks = BlockStore(store, genesis.evm_chain_id)
        self._pending: _Pending | None = None
        self._checking = Lock()
        self._newest: tuple[int, EvmState] | None = None

    # --- ABCI

    def info(self) -> InfoResponse:
        """Height -1 before InitChain."""
        version = self.state.latest_version()
        app_hash = b"" if version is None else self.state.require_root(version)
        return InfoResponse(APPLICATION_NAME, "1", RULES_VERSION, -1 if version is None else version, app_hash)

    def init_chain(self) -> InitChainResponse:
        """Genesis state: the permanent key, native accounts with code, balances. Committed like a block of height 0."""
        if self.state.latest_version() is not None:
            raise OutOfOrder("the chain was initialised before")
        batch = WriteBatch(self._store)
        evm = EvmState(
            WritableTable(batch, EVM_TABLE),
            EMPTY_STATE_ROOT,
            self._rules_of(self.genesis.rules_version),
            self._context(0, self.genesis.genesis_time_ns, bytes(32)),
        )
        for address in self._native:
            evm.set_account(address, GenesisAccount(nonce=1, code=NATIVE_CODE))
        for address, balance_wei in self.genesis.allocations:
            evm.set_account(address, GenesisAccount(balance_wei=balance_wei))
        state_root = evm.persist()
        view = self.state.view_at(0)
        view.set(GENESIS_KEY, self.genesis.digest)
        view.set(EVM_STATE_ROOT_KEY, state_root)
        app_hash = self.state.commit(WritableTable(batch, STATE_TABLE), 0, view.changes())
        genesis_block = self.evm_block(0, self.genesis.genesis_time_ns, self.genesis.digest, bytes(32), state_root, ())
        store_block(batch, genesis_block, ())
        self._pending = _Pending(0, batch, ())
        return InitChainResponse(app_hash)

    def check_tx(self, raw: bytes) -> CheckTxResponse:
        """Whether the pool may take it, judged at the last block's time and state (a later nonce is fine)."""
        try:
            transaction = decode_cached(raw, self.genesis.evm_chain_id)
            self.check_sender(transaction)
        except InvalidTransaction as error:
            return CheckTxResponse(CODE_INVALID, str(error), 0)
        return CheckTxResponse(CODE_OK, "", transaction.gas_limit)

    def check_sender(self, transaction: SignedTransaction) -> int:
        """Judge as `check_tx` does; returns the sender's nonce. Raises InvalidTransaction.

        CometBFT asks this of all that waits after each block, so a block's state is opened once.
        """
        with self._checking:
            version = self.state.latest_version()
            if self._newest is None or self._newest[0] != version:
                head = self.blocks.head()
                if head is None:
                    raise OutOfOrder("the chain is not initialised")
                self._newest = (head.number, self.state_after(head))
            state = self._newest[1]
            state.check_sender(transaction)
            return state.nonce(transaction.sender)

    def prepare_proposal(self, candidates: Sequence[bytes], max_bytes: int) -> tuple[bytes, ...]:
        """The longest prefix-respecting choice that fits bytes and gas; order is the pool's."""
        chosen, used_bytes, used_gas = [], 0, 0
        for raw in candidates:
            try:
                transaction = decode_cached(raw, self.genesis.evm_chain_id)
            except InvalidTransaction:
                continue
            used_bytes += len(raw) + 8
            used_gas += transaction.gas_limit
            if used_bytes > max_bytes or used_gas > self.genesis.params.block_max_gas:
                break
            chosen.append(raw)
        return tuple(chosen)

    def process_proposal(self, transactions: Sequence[bytes], app_version: int) -> ProposalVerdict:
        """Reject blocks with rules we lack, undecodable transactions, one that states less gas than it costs whatever it
        does, or more gas than a block may use.

        So a proposer can fill a block with no more junk than its gas pays for; pools let none of that in.
        """
        if app_version not in self._rules:
            return ProposalVerdict.REJECT
        rules = self._rules_of(app_version)
        used_gas = 0
        try:
            for raw in transactions:
                transaction = decode_cached(raw, self.genesis.evm_chain_id)
                needed = least_gas(rules, transaction.to, transaction.data, transaction.access_list)
                if not needed <= transaction.gas_limit <= self.genesis.params.transaction_max_gas:
                    return ProposalVerdict.REJECT
                used_gas += transaction.gas_limit
                if used_gas > self.genesis.params.block_max_gas:
                    return ProposalVerdict.REJECT
        except InvalidTransaction:
            return ProposalVerdict.REJECT
        return ProposalVerdict.ACCEPT

    def finalize_block(self, request: FinalizeBlockRequest) -> FinalizeBlockResponse:
        """Execute a decided block. Any exception but those of the rules is a bug, and must halt the node."""
        last = self.state.latest_version()
        if last is None or request.height != last + 1:
            raise OutOfOrder(f"block {request.height} cannot follow {last}")
        self._check_snapshot(request)
        rules = self._rules_of(request.app_version)
        view = self.state.view_at(last)
        parent = self.state.view_at(last)
        frame = Frame(view, parent, request.time_ns, request.height, request.app_version)
        batch = WriteBatch(self._store)
        state_root = self._state_root(view)
        evm = EvmState(
            WritableTable(batch, EVM_TABLE),
            state_root,
            rules,
            self._context(request.height, request.time_ns, request.hash),
            (frame,),
        )
        write_records(view, request.misbehaviours, request.height)
        executed: list[tuple[SignedTransaction, TransactionOutcome]] = []
        results: list[ExecTxResult] = []
        for raw in request.transactions:
            try:
                transaction = decode_cached(raw, self.genesis.evm_chain_id)
                outcome = evm.apply_transaction(transaction)
            except InvalidTransaction as error:
                results.append(ExecTxResult(CODE_INVALID, b"", str(error), 0, 0))
                continue
            executed.append((transaction, outcome))
            results.append(
                ExecTxResult(
                    CODE_OK if outcome.success else CODE_REVERTED,
                    outcome.return_data[:MAX_RESULT_DATA_BYTES] if transaction.to is not None else b"",
                    outcome.failure_detail,
                    transaction.gas_limit,
                    outcome.gas_used,
                )
            )
        if executed:
            state_root = evm.persist()
            view.set(EVM_STATE_ROOT_KEY, state_root)
        changes = view.changes()
        app_hash = self.state.commit(WritableTable(batch, STATE_TABLE), request.height, changes)
        last_block = self.blocks.header(request.height - 1)
        if last_block is None:
            raise OutOfOrder(f"Ethereum block {request.height - 1} is missing")
        body = block_body(executed)
        block = self.evm_block(request.height, request.time_ns, request.hash, last_block[0], state_root, executed)
        store_block(batch, block, body.receipts)
        self._pending = _Pending(request.height, batch, body.transactions)
        updates: tuple[ValidatorUpdate, ...] = ()
        if any(key.startswith(VALIDATOR_POWER_PREFIX) for key in changes):
            updates = updates_between(
                read_powers(parent, self._genesis_powers), read_powers(view, self._genesis_powers)
            )
        return FinalizeBlockResponse(tuple(results), app_hash, updates)

    def commit(self, batch: KeyValueWriter) -> tuple[SignedTransaction, ...]:
        """Write the finalized block into the node's batch; returns what was executed, for the pool to forget."""
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
        """A raw state value; `height` 0 is the newest version. The proof verifies at the returned height's header."""
        latest = self.state.latest_version()
        version = latest if height == 0 else height
        if path not in QUERY_STORE_PATHS:
            return QueryResponse(CODE_UNKNOWN_PATH, f"unknown path; one of {QUERY_STORE_PATHS}", data, b"", b"", 0)
        if not 0 < len(data) <= MAX_KEY_BYTES:
            return QueryResponse(CODE_UNKNOWN_PATH, f"a key has 1 to {MAX_KEY_BYTES} bytes", data, b"", b"", 0)
        if latest is None or version is None or not 0 <= version <= latest:
            return QueryResponse(CODE_UNKNOWN_HEIGHT, f"no state at height {version}", data, b"", b"", 0)
        if self.state.root(version) is None:
            restored = self.blocks.restored()
            since = "" if restored is None else f": this node was restored at {restored.number}"
            return QueryResponse(CODE_UNKNOWN_HEIGHT, f"no state at height {version}{since}", data, b"", b"", 0)
        if prove:
            value, proof = self.state.get_with_proof(version, data)
        else:
            value, proof = self.state.view_at(version).get(data), b""
        return QueryResponse(CODE_OK, "", data, value or b"", proof, version + 1)

    # --- for the JSON-RPC service

    def state_after(self, block: EvmBlock) -> EvmState:
        """A scratch state: the block's post-state and context; native modules see the hub state of that height."""
        view = self.state.view_at(block.number)
        header = block.header
        time_ns = self.block_time_ns(block.number)
        return EvmState(
            Table(self._store, EVM_TABLE),
            header.state_root,
            self._rules_of(RULES_VERSION),
            self._context(block.number, time_ns, header.prev_randao),
            (Frame(view, self.state.view_at(block.number), time_ns, block.number, RULES_VERSION),),
        )

    def block_time_ns(self, height: int) -> int:
        """The exact time, which Ethereum's header rounds down; kept in its extra data."""
        found = self.blocks.header(height)
        if found is None:
            raise OutOfOrder(f"no block {height}")
        return int.from_bytes(found[1].extra_data, "big")

    def view(self) -> tuple[StateView, int, int]:
        """A view of the newest version, its height and its exact block time."""
        latest = self.state.latest_version()
        if latest is None:
            raise OutOfOrder("the chain is not initialised")
        return self.state.view_at(latest), latest, self.block_time_ns(latest)

    @property
    def rules_versions(self) -> tuple[int, ...]:
        """Those that this code can execute."""
        return tuple(sorted(self._rules))

    # --- inside

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

    def _context(self, height: int, time_ns: int, block_hash: bytes) -> BlockContext:
        def ancestor_hash(number: int) -> bytes:
            return self.blocks.hash_of(number) or b""

        return BlockContext(
            number=height,
            timestamp_s=time_ns // NANOSECONDS_PER_SECOND,
            coinbase=COINBASE,
            gas_limit=self.genesis.params.block_max_gas,
            prev_randao=block_hash,
            block_hash=ancestor_hash,
        )

    def evm_block(
        self,
        height: int,
        time_ns: int,
        block_hash: bytes,
        parent_hash: bytes,
        state_root: bytes,
        executed: Sequence[tuple[SignedTransaction, TransactionOutcome]],
    ) -> EvmBlock:
        """The Ethereum block of hub block `height`: one rule for each field."""
        body = block_body(executed)
        header = EvmHeader(
            parent_hash=parent_hash,
            coinbase=COINBASE,
            state_root=state_root,
            transactions_root=body.transactions_root,
            receipts_root=body.receipts_root,
            logs_bloom=body.logs_bloom,
            number=height,
            gas_limit=self.genesis.params.block_max_gas,
            gas_used=body.gas_used,
            timestamp_s=time_ns // NANOSECONDS_PER_SECOND,
            extra_data=time_ns.to_bytes(8, "big"),
            prev_randao=block_hash if height else bytes(32),
            base_fee_wei=0,
        )
        return EvmBlock(block_hash, header, body.transactions)
