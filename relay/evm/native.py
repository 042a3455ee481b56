"""Native modules: Python code behind an EVM address (design rule 5), and the journal that ties their stores to the EVM."""

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

    def snapshot(self) -> int: ...

    def revert(self, snapshot_id: int) -> None: ...

    def commit(self, snapshot_id: int) -> None: ...


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
    def caller(self) -> Address: ...

    @property
    def origin(self) -> Address: ...

    @property
    def data(self) -> bytes: ...

    @property
    def is_static(self) -> bool: ...

    @property
    def depth(self) -> int: ...

    @property
    def gas_remaining(self) -> int: ...

    @property
    def gas_available_for_call(self) -> int:
        """What an inner call can be given now: all but the 1/64 that EIP-150 keeps back."""

    @property
    def block_number(self) -> int: ...

    @property
    def timestamp_s(self) -> int: ...

    @property
    def journaled(self) -> tuple[Journaled, ...]:
        """The stores attached to the state that this call runs on, as given to `EvmState`."""

    def charge(self, gas: int, reason: str) -> None:
        """Consume gas. Out of gas ends the call (all its gas burnt, all its writes undone) and must not be caught."""

    def require_writable(self) -> None:
        """Refuse under STATICCALL. Call it before the first write: a store cannot know its frame."""

    def emit(self, topics: tuple[bytes, ...], data: bytes) -> None:
        """Log under the module's address: up to 4 topics of 32 bytes. Charges what LOG costs, refuses under STATICCALL."""

    def call_contract(self, target: Address, data: bytes, gas: int, *, static: bool = False) -> InnerCallResult:
        """Call `target` with exactly `gas`, value 0, msg.sender = this module; the unused part comes back.

        The target's failure is a value, its writes are undone. Charges the account access (EIP-2929). Out of gas
        where `gas` is above `gas_available_for_call`.
        """

    def call_self(self, data: bytes, gas: int) -> InnerCallResult:
        """Run this module again in a frame of its own with exactly `gas`; it sees the same `caller`.

        What a contract does by a self-delegatecall: the frame's failure is a value and leaves nothing behind.
        """

    def code_of(self, address: Address) -> bytes:
        """The code of an account (no gas charged: charge for it)."""


class NativeModule(Protocol):
    """Code behind an address. Its account carries code in genesis, else EIP-161 would clear it."""

    @property
    def address(self) -> Address: ...

    def run(self, call: NativeCall) -> bytes:
        """Answer with return data, raise `NativeRevert`, or let out-of-gas through. Any other exception halts the node."""


NativeModules: TypeAlias = Mapping[Address, NativeModule]
