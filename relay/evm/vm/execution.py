"""Execution of transactions and calls on py-evm's state, with a block context that the caller builds."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.execution_context import ExecutionContext
from eth_typing import Address as EthAddress
from eth_typing import BlockNumber, Hash32

from hutong.relay.evm.errors import CallFailure, InvalidReason, InvalidTransaction
from hutong.relay.evm.store.database import KeyValueReader
from hutong.relay.evm.store.trie_database import TrieDatabase
from hutong.relay.evm.vm.accounts import Account, AccountProof, GenesisAccount, prove_account
from hutong.relay.evm.vm.intrinsic_gas import MAX_INIT_CODE_BYTES, intrinsic_gas, least_gas
from hutong.relay.evm.vm.named_code import Start, check_target
from hutong.relay.evm.vm.native import Address, Journaled
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult, Log, TransactionOutcome
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.transaction import AccessList, SignedTransaction

ESTIMATE_TOLERANCE = 0.015
"""Stop bisecting when the bounds are this close; geth's ratio."""
GAS_CALL_STIPEND = 2_300


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What the block opcodes answer. `block_hash(n)` is asked for the last 256 blocks only and may answer b""
    (zero)."""

    number: int
    timestamp_s: int
    coinbase: Address
    gas_limit: int
    prev_randao: bytes
    block_hash: Callable[[int], bytes]
    base_fee_wei: int = 0


class _Executable:
    """What py-evm's executor reads of a transaction."""

    __slots__ = (
        "access_list",
        "data",
        "gas",
        "intrinsic_gas",
        "max_fee_per_gas",
        "max_priority_fee_per_gas",
        "nonce",
        "sender",
        "to",
        "value",
    )
    type_id = 0

    def __init__(
        self,
        *,
        sender: Address,
        nonce: int,
        to: Address | None,
        value_wei: int,
        data: bytes,
        gas: int,
        intrinsic_gas: int,
        access_list: AccessList,
        max_fee_per_gas_wei: int,
        max_priority_fee_per_gas_wei: int,
    ) -> None:
        self.sender = sender
        self.nonce = nonce
        self.to = to or b""
        self.value = value_wei
        self.data = data
        self.gas = gas
        self.intrinsic_gas = intrinsic_gas
        self.access_list = access_list
        self.max_fee_per_gas = max_fee_per_gas_wei
        self.max_priority_fee_per_gas = max_priority_fee_per_gas_wei


class EvmState:
    """World state at one root, with one block's context. Not thread safe; open as many as needed over one database.

    `database` is a batch (then `persist` may be called) or any reader (scratch: nothing can be written).
    Give it a table of its own: trie nodes and code are stored under their bare 32-byte hash.
    """

    def __init__(
        self,
        database: KeyValueReader,
        state_root: bytes,
        rules: EvmRules,
        context: BlockContext,
        journaled: tuple[Journaled, ...] = (),
    ) -> None:
        self.rules = rules
        self.context = context
        self._opened_root = state_root
        self._database = TrieDatabase(database)
        self._vm: Any = rules.state_class(self._database, _execution_context(context, rules.chain_id), state_root)
        self._vm.journaled = journaled
        # 20 gas each: a block of them asks for half a million, and a stored block is decoded for each answer.
        self._vm.block_hash = functools.cache(context.block_hash)

    # --- execution

    def check_transaction(self, transaction: SignedTransaction) -> None:
        """Refuse a transaction that cannot be the next of its sender in a block here (block space apart).

        The signature was checked when it was decoded. Changes nothing.

        Raises:
            InvalidTransaction: as `check_sender`; NONCE_TOO_LOW or NONCE_TOO_HIGH where another nonce is next.
        """
        self._check_static(transaction)
        self._check_fee(transaction, self.context.base_fee_wei)
        nonce = self.nonce(transaction.sender)
        if transaction.nonce != nonce:
            reason = InvalidReason.NONCE_TOO_LOW if transaction.nonce < nonce else InvalidReason.NONCE_TOO_HIGH
            raise InvalidTransaction(reason, "", transaction.nonce, nonce)
        self.check_sender(transaction)

    def check_sender(self, transaction: SignedTransaction, least_fee_wei: int | None = None) -> None:
        """The part of `check_transaction` that does not need the nonce to be the next.

        Args:
            least_fee_wei: stands for the block's base fee where the transaction may wait for a cheaper block; None:
                that fee.

        Raises:
            InvalidTransaction: WRONG_CHAIN_ID, GAS_LIMIT_EXCEEDED (of a block, or EIP-7825), INIT_CODE_TOO_LARGE
                (EIP-3860), INTRINSIC_GAS_TOO_LOW, FEE_CAP_TOO_LOW, SENDER_HAS_CODE (EIP-3607), NOT_A_DEPLOYER or
                CODE_NOT_NAMED where the machine is closed, INSUFFICIENT_FUNDS.
        """
        self._check_static(transaction)
        self._check_fee(transaction, self.context.base_fee_wei if least_fee_wei is None else least_fee_wei)
        if self.code(transaction.sender):
            raise InvalidTransaction(InvalidReason.SENDER_HAS_CODE, "EIP-3607", transaction.sender)
        self._check_target(transaction.sender, transaction.to, transaction.data)
        cost_wei = transaction.most_cost_wei
        balance_wei = self.balance_wei(transaction.sender)
        if balance_wei < cost_wei:
            raise InvalidTransaction(InvalidReason.INSUFFICIENT_FUNDS, "", balance_wei, cost_wei)

    def apply_transaction(self, transaction: SignedTransaction) -> TransactionOutcome:
        """Execute a transaction; a revert or a halt is an outcome, which has used gas and the nonce.

        Attached stores are written by it too. Run it with the EVM's stack (`run_with_evm_stack`).

        Raises:
            InvalidTransaction: it cannot be in a block here, and nothing has changed. Any other exception is a bug.
        """
        self.check_transaction(transaction)
        self._vm.lock_changes()
        executable = _Executable(
            sender=transaction.sender,
            nonce=transaction.nonce,
            to=transaction.to,
            value_wei=transaction.value_wei,
            data=transaction.data,
            gas=transaction.gas_limit,
            intrinsic_gas=intrinsic_gas(transaction.to, transaction.data, transaction.access_list),
            access_list=transaction.access_list,
            max_fee_per_gas_wei=transaction.max_fee_per_gas_wei,
            max_priority_fee_per_gas_wei=transaction.max_priority_fee_per_gas_wei,
        )
        computation = self._vm.apply_transaction(executable)
        failure, detail = _failure(computation)
        return TransactionOutcome(
            success=failure is None,
            gas_used=self._gas_used(executable, computation),
            logs=tuple(
                Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data)
                for address, topics, data in computation.get_log_entries()
            ),
            contract_address=computation.msg.storage_address if transaction.to is None else None,
            return_data=bytes(computation.output),
            failure=failure,
            failure_detail=detail,
        )

    def call(self, message: CallMessage) -> CallResult:
        """Run without effect: everything, the attached stores included, is as before when it returns.

        The base fee reads as 0 and gas is not paid for; value must be there. What it cannot begin with, such as too
        little gas, is a failed result and no exception. `message.gas` is not held to the block's gas limit, nor the
        sender's nonce and code checked.
        """
        gas = message.gas or self.context.gas_limit
        needed = self._least_gas(message.to, message.data, message.access_list)
        if gas < needed:
            return CallResult(
                False, b"", 0, CallFailure.OUT_OF_GAS, f"intrinsic gas too low: have {gas}, want {needed}"
            )
        if message.to is None and self.rules.has_init_code_limit and len(message.data) > MAX_INIT_CODE_BYTES:
            return CallResult(False, b"", 0, CallFailure.EXCEPTIONAL_HALT, InvalidReason.INIT_CODE_TOO_LARGE.value)
        if message.value_wei > self.balance_wei(message.sender):
            return CallResult(False, b"", 0, CallFailure.EXCEPTIONAL_HALT, "insufficient funds for transfer")
        try:
            self._check_target(message.sender, message.to, message.data)
        except InvalidTransaction as error:
            return CallResult(False, b"", 0, CallFailure.EXCEPTIONAL_HALT, str(error))
        executable = _Executable(
            sender=message.sender,
            nonce=self.nonce(message.sender),
            to=message.to,
            value_wei=message.value_wei,
            data=message.data,
            gas=gas,
            intrinsic_gas=intrinsic_gas(message.to, message.data, message.access_list),
            access_list=message.access_list,
            max_fee_per_gas_wei=0,
            max_priority_fee_per_gas_wei=0,
        )
        with self._scratch():
            computation = self._vm.apply_transaction(executable)
            failure, detail = _failure(computation)
            return CallResult(
                success=failure is None,
                return_data=bytes(computation.output),
                gas_used=self._gas_used(executable, computation),
                failure=failure,
                failure_detail=detail,
            )

    def estimate_gas(self, message: CallMessage) -> int | CallResult:
        """A gas limit that succeeds, within 1.5 % of the least one, found by bisection over whole runs.

        Returns:
            The gas limit; or the failed result where all the gas allowed (`message.gas`, else the block's limit) is not
            enough.
        """
        high = message.gas or self.context.gas_limit
        at_cap = self.call(replace(message, gas=high))
        if not at_cap.success:
            return at_cap
        least = max(at_cap.gas_used, self._least_gas(message.to, message.data, message.access_list))
        low = least - 1
        # Most calls succeed with just what they used; most others with that plus what EIP-150 keeps back and refunds hide.
        for guess in (least, (at_cap.gas_used + GAS_CALL_STIPEND) * 64 // 63):
            if not low < guess < high:
                continue
            if self.call(replace(message, gas=guess)).success:
                high = guess
                break
            low = guess
        while low + 1 < high and (high - low) / high > ESTIMATE_TOLERANCE:
            middle = (low + high) // 2
            if self.call(replace(message, gas=middle)).success:
                high = middle
            else:
                low = middle
        return high

    def persist(self) -> bytes:
        """Write changed nodes and code to the batch and return the new 32-byte state root.

        Attached stores are not touched. Call it between transactions.

        Raises:
            TypeError: the state was opened on a mere reader, and something has changed.
        """
        self._vm.lock_changes()
        self._vm.persist()
        return self.state_root()

    def state_root(self) -> bytes:
        """The 32-byte root of the current content, without writing. Call it between transactions."""
        self._vm.lock_changes()
        root: bytes = self._vm.make_state_root()
        return root

    # --- reading and genesis

    def account(self, address: Address) -> Account | None:
        """The account at the current content; None where the trie has no such account. Call between transactions."""
        self.state_root()
        if not self._vm.account_exists(address):
            return None
        found = self._vm._account_db._get_account(address)
        return Account(found.nonce, found.balance, found.storage_root, found.code_hash)

    def balance_wei(self, address: Address) -> int:
        """At the current content; 0 for an absent account."""
        balance: int = self._vm.get_balance(address)
        return balance

    def nonce(self, address: Address) -> int:
        """The nonce that the next transaction of this sender must have; 0 for an absent account."""
        nonce: int = self._vm.get_nonce(address)
        return nonce

    def code(self, address: Address) -> bytes:
        """The runtime code; empty for an account without.

        EIP-170's bound holds for what transactions create, not for what genesis sets.
        """
        return bytes(self._vm.get_code(address))

    def storage(self, address: Address, slot: int) -> int:
        """The slot's value as a number below 2**256; 0 for a slot that was never set.

        Raises:
            eth_utils.ValidationError: the address is not 20 bytes, or `slot` not in [0, 2**256).
        """
        value: int = self._vm.get_storage(address, slot)
        return value

    def set_account(self, address: Address, account: GenesisAccount) -> None:
        """For genesis: set the account as a whole, replacing what is there.

        Raises:
            eth_utils.ValidationError: the address is not 20 bytes, or a number not in [0, 2**256).
        """
        if self._vm.account_exists(address):
            self._vm.delete_account(address)
        self._vm.set_balance(address, account.balance_wei)
        self._vm.set_nonce(address, account.nonce)
        self._vm.set_code(address, account.code)
        for slot, value in sorted(account.storage.items()):
            self._vm.set_storage(address, slot, value)

    def found_account(self, address: Address, code: bytes) -> None:
        """Give an account nonce 1 and code, and leave its balance: what a later block than genesis does by itself.

        Call it between transactions; `persist` writes it.

        Raises:
            eth_utils.ValidationError: the address is not 20 bytes.
        """
        self._vm.set_nonce(address, 1)
        self._vm.set_code(address, code)

    def account_proof(self, address: Address, slots: tuple[int, ...] = ()) -> AccountProof:
        """EIP-1186 at the root that this state was opened at, whatever has been executed since.

        Args:
            slots: storage keys in [0, 2**256), proven in this order.
        """
        return prove_account(self._database, self._opened_root, address, slots)

    # --- inside

    def _check_static(self, transaction: SignedTransaction) -> None:
        if transaction.chain_id != self.rules.chain_id:
            raise InvalidTransaction(InvalidReason.WRONG_CHAIN_ID, "", transaction.chain_id, self.rules.chain_id)
        if transaction.gas_limit > self.context.gas_limit:
            raise InvalidTransaction(
                InvalidReason.GAS_LIMIT_EXCEEDED, "", transaction.gas_limit, self.context.gas_limit
            )
        cap = self.rules.transaction_max_gas
        if cap is not None and transaction.gas_limit > cap:
            raise InvalidTransaction(InvalidReason.GAS_LIMIT_EXCEEDED, "EIP-7825", transaction.gas_limit, cap)
        if transaction.to is None and self.rules.has_init_code_limit and len(transaction.data) > MAX_INIT_CODE_BYTES:
            raise InvalidTransaction(
                InvalidReason.INIT_CODE_TOO_LARGE, "EIP-3860", len(transaction.data), MAX_INIT_CODE_BYTES
            )
        needed = self._least_gas(transaction.to, transaction.data, transaction.access_list)
        if transaction.gas_limit < needed:
            raise InvalidTransaction(InvalidReason.INTRINSIC_GAS_TOO_LOW, "", transaction.gas_limit, needed)

    def _check_target(self, sender: Address, to: Address | None, data: bytes) -> None:
        """Whether the chain lets this run at all. Raises InvalidTransaction."""
        if self.rules.code_policy is None:
            return
        check_target(
            self.rules.code_policy,
            self._vm.journaled,
            self.rules.native,
            Start(
                sender,
                to,
                data,
                is_precompile=to is not None and self.rules.is_precompile(to),
                has_code=to is not None and bool(self.code(to)),
            ),
        )

    @staticmethod
    def _check_fee(transaction: SignedTransaction, demanded_wei: int) -> None:
        if transaction.max_fee_per_gas_wei < demanded_wei:
            raise InvalidTransaction(InvalidReason.FEE_CAP_TOO_LOW, "", transaction.max_fee_per_gas_wei, demanded_wei)

    def _least_gas(self, to: Address | None, data: bytes, access_list: AccessList) -> int:
        return least_gas(self.rules, to, data, access_list)

    def _gas_used(self, executable: _Executable, computation: Any) -> int:
        executor = self._vm.get_transaction_executor()
        used = executable.gas - computation.get_gas_remaining()
        refund = executor.calculate_gas_refund(computation, used)
        floor = executor.calc_data_floor_gas(executable, used, refund)
        total: int = used - refund + floor
        return total

    @contextmanager
    def _scratch(self) -> Iterator[None]:
        self._vm.lock_changes()
        snapshot = self._vm.snapshot()
        context = self._vm.execution_context
        # A call pays nothing, whatever the base fee; geth does the same.
        self._vm.execution_context = _execution_context(replace(self.context, base_fee_wei=0), self.rules.chain_id)
        try:
            yield
        finally:
            self._vm.execution_context = context
            self._vm.revert(snapshot)
            self._vm.lock_changes()


def _execution_context(context: BlockContext, chain_id: int) -> ExecutionContext:
    return ExecutionContext(
        coinbase=EthAddress(context.coinbase),
        timestamp=context.timestamp_s,
        block_number=BlockNumber(context.number),
        difficulty=0,
        mix_hash=Hash32(context.prev_randao),
        gas_limit=context.gas_limit,
        prev_hashes=(),
        chain_id=chain_id,
        base_fee_per_gas=context.base_fee_wei,
        excess_blob_gas=0,
    )


def _failure(computation: Any) -> tuple[CallFailure | None, str]:
    if computation.is_success:
        return None, ""
    error: VMError = computation.error
    if isinstance(error, Revert):
        return CallFailure.REVERTED, ""
    if isinstance(error, OutOfGas):
        return CallFailure.OUT_OF_GAS, str(error)
    return CallFailure.EXCEPTIONAL_HALT, f"{type(error).__name__}: {error}"
