"""Execution of transactions and calls on py-evm's state, with a block context that the caller builds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from relay.evm.database import KeyValueReader
from relay.evm.errors import CallFailure
from relay.evm.native import Address, Journaled, NativeModule
from relay.evm.transaction import SignedTransaction

Fork: TypeAlias = Literal["paris", "prague"]


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What the block opcodes answer. `block_hash(n)` is asked for the last 256 blocks only and may answer b"" (zero)."""

    number: int
    timestamp_s: int
    coinbase: Address
    gas_limit: int
    prev_randao: bytes
    block_hash: Callable[[int], bytes]
    base_fee_wei: int = 0


class EvmRules:
    """One fork with one chain id and a set of native modules; builds its VM classes once. Share it between states."""

    def __init__(self, fork: Fork, chain_id: int, native: Mapping[Address, NativeModule] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Log:
    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class TransactionOutcome:
    """An executed transaction, successful or not. `logs` is empty when it failed."""

    success: bool
    gas_used: int
    logs: tuple[Log, ...]
    contract_address: Address | None
    return_data: bytes
    failure: CallFailure | None
    failure_detail: str


@dataclass(frozen=True, slots=True)
class CallMessage:
    """A call outside any block (eth_call). `to` None creates. No balance is needed for gas."""

    sender: Address
    to: Address | None
    data: bytes = b""
    value_wei: int = 0
    gas: int = 0
    """0: the block gas limit."""
    gas_price_wei: int = 0
    access_list: tuple[tuple[Address, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class CallResult:
    success: bool
    return_data: bytes
    gas_used: int
    failure: CallFailure | None
    failure_detail: str


@dataclass(frozen=True, slots=True)
class Account:
    nonce: int
    balance_wei: int
    storage_root: bytes
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class StorageProof:
    slot: int
    value: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """EIP-1186: RLP nodes from the root down, at the state root that the state was opened at."""

    address: Address
    account: Account
    nodes: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]


@dataclass(slots=True)
class GenesisAccount:
    balance_wei: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)


class EvmState:
    """World state at one root, with one block's context. Not thread safe; open as many as needed over one database.

    `database` is a batch (then `persist` may be called) or any reader (scratch: nothing can be written).
    Use a table of its own: trie nodes and code are stored under their bare 32-byte hash.
    """

    def __init__(
        self,
        database: KeyValueReader,
        state_root: bytes,
        rules: EvmRules,
        context: BlockContext,
        journaled: tuple[Journaled, ...] = (),
    ) -> None: ...

    def apply_transaction(self, transaction: SignedTransaction) -> TransactionOutcome:
        """Raises InvalidTransaction (nothing changed) if it cannot be in a block here; any other exception is a bug."""
        raise NotImplementedError

    def call(self, message: CallMessage) -> CallResult:
        """Run without effect: everything, the journaled stores included, is as before when it returns."""
        raise NotImplementedError

    def estimate_gas(self, message: CallMessage) -> int | CallResult:
        """Least gas limit (within 1.5 %, never too low) that succeeds, or the failing result at the cap."""
        raise NotImplementedError

    def persist(self) -> bytes:
        """Write changed nodes and code to the batch and return the new state root. Journaled stores are not touched."""
        raise NotImplementedError

    def state_root(self) -> bytes:
        """The root of the current content, without writing."""
        raise NotImplementedError

    def account(self, address: Address) -> Account | None: ...
    def balance_wei(self, address: Address) -> int: ...
    def nonce(self, address: Address) -> int: ...
    def code(self, address: Address) -> bytes: ...
    def storage(self, address: Address, slot: int) -> int: ...
    def set_account(self, address: Address, account: GenesisAccount) -> None: ...
    def account_proof(self, address: Address, slots: tuple[int, ...] = ()) -> AccountProof: ...
