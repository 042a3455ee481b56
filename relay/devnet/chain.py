"""An EVM consortium chain in one process: py-evm blocks, sealed by the keys that the process holds."""

import math
import secrets
import threading
import time
from collections.abc import Callable

import trio

from hutong.relay.devnet import record
from hutong.relay.devnet.blocks import BASE_FEE_WEI, EMPTY_BODY, mix_hash_of, sealed_block
from hutong.relay.devnet.settings import DEFAULT_VALIDATORS, MAX_VALIDATORS, Consensus, DevnetError, Genesis, Pace
from hutong.relay.devnet.validators import KEY_BYTES, ValidatorSet
from hutong.relay.evm.chain.block_store import BlockStore, store_block
from hutong.relay.evm.chain.blocks import EvmBlock, block_body
from hutong.relay.evm.chain.head_feed import HeadFeed
from hutong.relay.evm.chain.log_backfill import index_older_blocks
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.store.database import KeyValueReader, KeyValueStore, KeyValueWriter, Table, WritableTable
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.outcomes import TransactionOutcome
from hutong.relay.evm.vm.rules import EvmRules, ForkChanges
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.evm.vm.transaction import SignedTransaction, decode_transaction
from hutong.relay.evm.vm.work_prices import TRANSACTION_MAX_GAS

STATE_PREFIX = b"evm-state/"
MAX_BUILD_S = 2.0
"""A block takes what was executed by then; the rest waits for the next one, so that time never stands still."""


class DevnetChain:
    """See `hutong.relay.evm.chain.chain.EvmChain`. Blocks are produced by `run`, or one at a time by `produce_block`."""

    def __init__(
        self,
        store: KeyValueStore,
        genesis: Genesis,
        pace: Pace | None = None,
        *,
        private_keys: tuple[bytes, ...] | None = None,
        validators: int = DEFAULT_VALIDATORS,
        wall_clock_s: Callable[[], float] = time.time,
    ) -> None:
        """Continue the chain in `store`, or begin it there with `private_keys`, or as many random ones as `validators` says."""
        self._store = store
        self._genesis = genesis
        self._pace = pace or Pace()
        self._wall_clock_s = wall_clock_s
        self._rules = EvmRules(
            genesis.fork, genesis.chain_id, changes=ForkChanges(transaction_max_gas=TRANSACTION_MAX_GAS)
        )
        self._blocks = BlockStore(store, genesis.chain_id)
        self._mempool = Mempool()
        self._producing = trio.CapacityLimiter(1)
        self._building = threading.Lock()
        self._ordered: ValidatorSet | None = None
        head = self._blocks.head()
        if head is None:
            keys = private_keys or tuple(secrets.token_bytes(KEY_BYTES) for _ in range(validators))
            head = run_with_evm_stack(lambda: self._store_first_block(ValidatorSet.of(keys)))
        else:
            record.check_genesis(store, genesis)
        self._validators = record.load_validators(store)
        self._heads = HeadFeed(head.number)

    @property
    def chain_id(self) -> int:
        """As the genesis says."""
        return self._genesis.chain_id

    @property
    def consensus(self) -> Consensus:
        """By which rules its blocks are sealed, as the genesis says."""
        return self._genesis.consensus

    @property
    def client_version(self) -> str:
        """`hutong-devnet/FORK`."""
        return f"hutong-devnet/{self._genesis.fork}"

    @property
    def blocks(self) -> BlockStore:
        """Every block since the first, none of which is undone: each is final when it is stored."""
        return self._blocks

    @property
    def mempool(self) -> Mempool:
        """What waits for a block. It is in memory, and lost when the process ends."""
        return self._mempool

    @property
    def heads(self) -> HeadFeed:
        """Told of each block after it is stored."""
        return self._heads

    @property
    def call_gas_limit(self) -> int:
        """The limit of one transaction, or of a block where that is lower."""
        return min(TRANSACTION_MAX_GAS, self._genesis.gas_limit)

    @property
    def next_base_fee_wei(self) -> int:
        """Always 0: consortium chains run without a base fee."""
        return BASE_FEE_WEI

    @property
    def head(self) -> EvmBlock:
        """The newest block, read from the store; there is one from the start."""
        head = self._blocks.head()
        if head is None:
            raise RuntimeError("a chain has a first block from the start")
        return head

    @property
    def validators(self) -> tuple[bytes, ...]:
        """Addresses that seal the next block."""
        return (self._ordered or self._validators).addresses

    def state_after(self, block: EvmBlock) -> EvmState:
        """The state after a stored block, with the context of that block, for calls; what is written to it is lost."""
        header = block.header
        context = self._context(header.number, header.timestamp_s, header.coinbase)
        return self._state(self._store, header.state_root, context)

    async def submit_transaction(self, raw: bytes) -> bytes:
        """Check a signed transaction against the newest state and take it into the pool, in a thread.

        Returns:
            The transaction's hash, 32 bytes.

        Raises:
            InvalidTransaction: it cannot be in a block now, or the pool refuses it.
        """
        return await trio.to_thread.run_sync(self.take_transaction, raw)

    def take_transaction(self, raw: bytes) -> bytes:
        """The blocking part of `submit_transaction`, which says what is returned and raised."""
        transaction = decode_transaction(raw, self.chain_id)
        state = self.state_after(self.head)
        state.check_sender(transaction)
        self._mempool.add(transaction, state.nonce(transaction.sender), base_fee_wei=BASE_FEE_WEI)
        return transaction.hash

    def order_validator_change(self, *, add: int, remove: int) -> tuple[bytes, ...]:
        """From the next block on, `remove` of the validators are gone and `add` new ones are there; returns the list.

        The order is lost if the process ends before the next block.

        Returns:
            Their addresses, 20 bytes each, ascending.

        Raises:
            DevnetError: the numbers leave none or more than MAX_VALIDATORS, or the chain is sealed by Clique.
        """
        if self._genesis.consensus == "clique":
            raise DevnetError("signers of a Clique chain come and go by votes, which this one does not cast")
        with self._building:
            current = (self._ordered or self._validators).validators
            if not 0 <= remove <= len(current) or not 0 <= add <= MAX_VALIDATORS:
                raise DevnetError(f"cannot remove {remove} of {len(current)} validators and add {add}")
            count = len(current) - remove + add
            if not 1 <= count <= MAX_VALIDATORS:
                raise DevnetError(f"{count} validators are not within 1 and {MAX_VALIDATORS}")
            kept = tuple(validator.private_key for validator in current[remove:])
            self._ordered = ValidatorSet.of((*kept, *(secrets.token_bytes(KEY_BYTES) for _ in range(add))))
            return self._ordered.addresses

    async def run(self) -> None:
        """Produce blocks until cancelled; a block that has begun is finished and stored first."""
        state_changed = False
        due = trio.current_time()
        while True:
            due = max(due + self._pace.delay_s(state_changed=state_changed), trio.current_time())
            await trio.sleep_until(due)
            root_before = self.head.header.state_root
            block = await self.add_block()
            state_changed = block.header.state_root != root_before

    async def index_older_blocks(self) -> None:
        """Logs of blocks that an older version stored; until it ends they are found by their blooms."""
        await index_older_blocks(self._store, self.chain_id)

    async def add_block(self) -> EvmBlock:
        """`produce_block` in a thread, then tell who waits for heads. One at a time; others wait for their turn."""
        block = await trio.to_thread.run_sync(self.produce_block, limiter=self._producing)
        self._heads.publish(block.number)
        return block

    def produce_block(self) -> EvmBlock:
        """Execute, seal and store the next block; blocks. Atomic: after a crash it is stored whole or not at all.

        Heads are not told: see `add_block`. Transactions that can never run leave the pool with it.
        """
        with self._building:
            return run_with_evm_stack(self._produce_block)

    def _produce_block(self) -> EvmBlock:
        parent = self.head
        validators = self._ordered or self._validators
        number = parent.number + 1
        timestamp_s = max(parent.header.timestamp_s, math.floor(self._wall_clock_s()))
        # A Clique header's beneficiary is whom its signer votes for: nobody.
        is_clique = self._genesis.consensus == "clique"
        coinbase = bytes(20) if is_clique else validators.proposer(number).address
        context = self._context(number, timestamp_s, coinbase)
        dropped: list[bytes] = []
        with self._store.batch() as batch:
            state = self._state(batch, parent.header.state_root, context)
            executed = self._execute(state, dropped)
            root = state.persist() if executed else parent.header.state_root
            body = block_body(executed, BASE_FEE_WEI)
            block = sealed_block(self._genesis, validators, context, parent.hash, root, body)
            store_block(batch, block, body.receipts)
            record.store_validators(batch, validators)
        self._validators, self._ordered = validators, None
        self._mempool.remove_included(block.transactions)
        for transaction_hash in dropped:
            self._mempool.drop(transaction_hash)
        return block

    def _execute(self, state: EvmState, dropped: list[bytes]) -> list[tuple[SignedTransaction, TransactionOutcome]]:
        """Transactions of the pool, in its order, as long as gas and time last; `dropped` gets those that cannot run."""
        executed: list[tuple[SignedTransaction, TransactionOutcome]] = []
        gas_left = self._genesis.gas_limit
        ends_at = time.monotonic() + MAX_BUILD_S
        skipped: set[bytes] = set()
        for transaction in self._mempool.select(BASE_FEE_WEI):
            if time.monotonic() > ends_at:
                break
            if transaction.sender in skipped:
                continue
            if transaction.gas_limit > gas_left:
                skipped.add(transaction.sender)
                continue
            try:
                outcome = state.apply_transaction(transaction)
            except InvalidTransaction as error:
                skipped.add(transaction.sender)
                if error.reason is not InvalidReason.NONCE_TOO_HIGH:
                    dropped.append(transaction.hash)
                continue
            gas_left -= outcome.gas_used
            executed.append((transaction, outcome))
        return executed

    def _store_first_block(self, validators: ValidatorSet) -> EvmBlock:
        if not 1 <= len(validators.validators) <= MAX_VALIDATORS:
            raise DevnetError(f"{len(validators.validators)} validators are not within 1 and {MAX_VALIDATORS}")
        context = self._context(0, math.floor(self._wall_clock_s()), bytes(20))
        with self._store.batch() as batch:
            state = self._state(batch, EMPTY_STATE_ROOT, context)
            for address, amount_wei in sorted(self._genesis.funds_wei.items()):
                state.set_account(address, GenesisAccount(balance_wei=amount_wei))
            block = sealed_block(self._genesis, validators, context, bytes(32), state.persist(), EMPTY_BODY)
            store_block(batch, block, ())
            record.store_genesis(batch, self._genesis)
            record.store_validators(batch, validators)
        return block

    def _context(self, number: int, timestamp_s: int, coinbase: bytes) -> BlockContext:
        return BlockContext(
            number=number,
            timestamp_s=timestamp_s,
            coinbase=coinbase,
            gas_limit=self._genesis.gas_limit,
            prev_randao=mix_hash_of(self._genesis.consensus),
            block_hash=self._block_hash,
            base_fee_wei=BASE_FEE_WEI,
        )

    def _block_hash(self, number: int) -> bytes:
        found = self._blocks.header(number)
        return found[0] if found else b""

    def _state(self, reader: KeyValueReader | KeyValueWriter, root: bytes, context: BlockContext) -> EvmState:
        table = (
            WritableTable(reader, STATE_PREFIX) if isinstance(reader, KeyValueWriter) else Table(reader, STATE_PREFIX)
        )
        return EvmState(table, root, self._rules, context)
