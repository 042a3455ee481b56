"""Native modules: Python code behind an EVM address (design rule 5), and the journal that ties their stores to the
EVM."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Address: TypeAlias = bytes
"""20 bytes."""


class NativeRevert(Exception):
    """The module refuses the call: an EVM revert with `data` (an ABI-encoded error), unused gas returned."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(data)
        self.data = data


class Journaled(Protocol):
    """A store whose uncommitted writes follow the EVM's snapshots.

    Identifiers nest as a stack. `revert(id)` undoes every write since `snapshot()` returned `id` and forgets
    `id` and all younger ones; `commit(id)` keeps the writes, now belonging to the next older snapshot, and forgets the
    same ones. Both may be called with an id below the youngest.
    """

    def snapshot(self) -> int:
        """Set a mark and return its identifier, above all that are open."""

    def revert(self, snapshot_id: int) -> None:
        """Undo every write since the mark and forget it with all younger ones; it may be below the youngest."""

    def commit(self, snapshot_id: int) -> None:
        """Keep the writes since the mark for the next older one, and forget it with all younger ones."""


@dataclass(frozen=True, slots=True)
class InnerCallResult:
    """How a call made by a native module ended; a failed one has left nothing behind."""

    success: bool
    return_data: bytes
    gas_used: int


class NativeCall(Protocol):
    """One message to a native module, valid until `run` returns.

    The engine has refused DELEGATECALL, CALLCODE and value before `run` is entered.
    """

    @property
    def caller(self) -> Address:
        """`msg.sender`: 20 bytes. In a frame of `call_self` it is the same as outside."""

    @property
    def origin(self) -> Address:
        """`tx.origin`: who signed the transaction, or the call object's sender in `eth_call`; 20 bytes."""

    @property
    def data(self) -> bytes:
        """The call's input, selector included; its gas was paid by the caller, its length has no other bound."""

    @property
    def is_static(self) -> bool:
        """Whether a STATICCALL stands anywhere above: then nothing may be written or logged."""

    @property
    def depth(self) -> int:
        """0 where a transaction calls the module itself, at most 1 024."""

    @property
    def gas_remaining(self) -> int:
        """What is left for the module's own work and its inner calls."""

    @property
    def gas_available_for_call(self) -> int:
        """What an inner call can be given now: all but the price of its frame and the 1/64 that EIP-150 keeps back."""

    @property
    def block_number(self) -> int:
        """The running block's; in `eth_call` that of the block whose post-state is read."""

    @property
    def timestamp_s(self) -> int:
        """The running block's time in whole seconds of Unix time."""

    @property
    def journaled(self) -> tuple[Journaled, ...]:
        """The stores attached to the state that this call runs on, as given to `EvmState`."""

    def charge(self, gas: int, reason: str) -> None:
        """Consume gas; call it before the work that it pays for. `reason` is for traces alone.

        Raises:
            eth.exceptions.OutOfGas: ends the call (all its gas burnt, all its writes undone) and must not be caught.
        """

    def require_writable(self) -> None:
        """Call it before the first write: a store cannot know its frame.

        Raises:
            eth.exceptions.WriteProtection: under STATICCALL; it ends the call and must not be caught.
        """

    def emit(self, topics: tuple[bytes, ...], data: bytes) -> None:
        """Log under the module's address, for what LOG costs.

        Args:
            topics: up to 4, each 32 bytes.

        Raises:
            eth.exceptions.WriteProtection: under STATICCALL.
            eth.exceptions.OutOfGas: the log cannot be paid for.
            ValueError: topics of another number or length, a bug of the module.
        """

    def call_contract(self, target: Address, data: bytes, gas: int, *, static: bool = False) -> InnerCallResult:
        """Call `target` with exactly `gas`, value 0, msg.sender = this module; the unused part comes back.

        The target's failure is a value, its writes are undone. Charges the account access (EIP-2929). `target` may be a
        precompile or another module.

        Raises:
            eth.exceptions.OutOfGas: `gas` is above `gas_available_for_call`, or the access cannot be paid for.
            eth.exceptions.StackDepthLimit: the call would be deeper than 1 024.
        """

    def call_self(self, data: bytes, gas: int) -> InnerCallResult:
        """Run this module again in a frame of its own with exactly `gas`; it sees the same `caller`.

        What a contract does by a self-delegatecall: the frame's failure is a value and leaves nothing behind.

        Raises:
            eth.exceptions.OutOfGas, eth.exceptions.StackDepthLimit: as `call_contract`.
        """

    def code_of(self, address: Address) -> bytes:
        """The code of an account, empty for none. No gas is charged: charge for it."""


class NativeModule(Protocol):
    """Code behind an address. Its account carries code in genesis, else EIP-161 would clear it."""

    @property
    def address(self) -> Address:
        """20 bytes; the address by which the module is given to `EvmRules`."""

    def run(self, call: NativeCall) -> bytes:
        """Answer a call with return data.

        Errors of the EVM that `call` raises must come through. Any other exception halts the node.

        Raises:
            NativeRevert: the module refuses the call.
        """


NativeModules: TypeAlias = Mapping[Address, NativeModule]
