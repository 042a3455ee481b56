"""The virtual machine of one chain: a fork of py-evm with native modules, attached journals and no system calls."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from eth.abc import ComputationAPI, MessageAPI
from eth.exceptions import OutOfGas, Revert, StackDepthLimit, WriteProtection
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.paris.state import ParisState, ParisTransactionExecutor
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState, PragueTransactionExecutor

from hutong.relay.evm.error_string import error_string
from hutong.relay.evm.vm.extcodesize import OWN_INSTRUCTIONS
from hutong.relay.evm.vm.frames import BoundedFrames
from hutong.relay.evm.vm.instructions import loop_costs
from hutong.relay.evm.vm.named_code import CodePolicy, NamedCodeFrames
from hutong.relay.evm.vm.native import Address, InnerCallResult, Journaled, NativeModule, NativeModules, NativeRevert
from hutong.relay.evm.vm.precompiles import FORK_PRECOMPILES, PrecompileSet
from hutong.relay.evm.vm.stack import EVM_RECURSION_LIMIT
from hutong.relay.evm.vm.touched_accounts import TouchedAccounts, TouchedTransientStorage
from hutong.relay.evm.vm.work_prices import FORK_PRICES, WorkPrices, priced_opcodes, priced_precompile

# py_ecc, which py-evm imports, raises the limit to 100 000, where nested JSON from outside ends the process by a signal.
if sys.getrecursionlimit() > EVM_RECURSION_LIMIT:
    sys.setrecursionlimit(EVM_RECURSION_LIMIT)

Fork: TypeAlias = Literal["paris", "prague"]
FORKS: tuple[Fork, ...] = ("paris", "prague")

MAX_CALL_DEPTH = 1024
GAS_COLD_ACCOUNT_ACCESS = 2600  # EIP-2929
GAS_WARM_ACCESS = 100
GAS_LOG = 375
GAS_LOG_TOPIC = 375
GAS_LOG_BYTE = 8
MAX_BLOCKHASH_DEPTH = 256


@dataclass(frozen=True, slots=True)
class ForkChanges:
    """What a machine has otherwise than its fork; nothing by default."""

    prices: WorkPrices = FORK_PRICES
    precompiles: PrecompileSet = FORK_PRECOMPILES
    transaction_max_gas: int | None = None
    """Most gas that one transaction may ask for; None for no bound but the block's."""
    code_policy: CodePolicy | None = None
    """Who may run code; None for everyone."""


NO_CHANGES = ForkChanges()


class EvmRules:
    """One fork with one chain id and a set of native modules. Build once, share between states and threads."""

    def __init__(
        self, fork: Fork, chain_id: int, native: NativeModules | None = None, changes: ForkChanges = NO_CHANGES
    ) -> None:
        """Build the machine, which takes milliseconds.

        Raises:
            ValueError: the fork is another, or a module is under an address that is not its own or that hides a
                precompile.
        """
        if fork not in FORKS:
            raise ValueError(f"fork {fork!r} is not supported; one of {', '.join(FORKS)}")
        for address, module in (native or {}).items():
            if len(address) != 20 or module.address != address:
                raise ValueError(f"native module at {address.hex()} states the address {module.address.hex()}")
        self.fork: Fork = fork
        self.chain_id = chain_id
        self.native: NativeModules = dict(native or {})
        self.transaction_max_gas = changes.transaction_max_gas
        self.code_policy = changes.code_policy
        self.state_class: type[Any] = _state_class(fork, self.native, changes)

    def is_precompile(self, address: Address) -> bool:
        """Whether this machine has a precompile at the address. Native modules are no precompiles."""
        return address in self.state_class.computation_class.get_precompiles() and address not in self.native

    @property
    def has_init_code_limit(self) -> bool:
        """Whether the fork bounds init code to 49 152 bytes and charges for its words: EIP-3860 (Shanghai)."""
        return self.fork == "prague"

    @property
    def has_data_floor(self) -> bool:
        """Whether call data has a least price, whatever the execution uses: EIP-7623 (Prague)."""
        return self.fork == "prague"


class _JournaledState:
    """Mixed into a fork's State: attached stores are recorded, reverted and committed with the EVM's own journal."""

    journaled: tuple[Journaled, ...] = ()
    block_hash: Callable[[int], bytes]

    def snapshot(self) -> tuple[Any, ...]:
        root, checkpoint = super().snapshot()  # type: ignore[misc]
        return root, checkpoint, tuple(store.snapshot() for store in self.journaled)

    def revert(self, snapshot: tuple[Any, ...]) -> None:
        root, checkpoint, identifiers = snapshot
        super().revert((root, checkpoint))  # type: ignore[misc]
        for store, identifier in zip(self.journaled, identifiers, strict=True):
            store.revert(identifier)

    def commit(self, snapshot: tuple[Any, ...]) -> None:
        root, checkpoint, identifiers = snapshot
        super().commit((root, checkpoint))  # type: ignore[misc]
        for store, identifier in zip(self.journaled, identifiers, strict=True):
            store.commit(identifier)

    def set_system_contracts(self) -> None:
        """None: EIP-2935 and EIP-4788 write in every block, and an empty block must leave the state root as it was."""

    def get_ancestor_hash(self, block_number: int) -> bytes:
        current: int = self.block_number  # type: ignore[attr-defined]
        if not 0 <= block_number < current or current - block_number > MAX_BLOCKHASH_DEPTH:
            return b""
        return self.block_hash(block_number)


class _CheckedBefore:
    """Mixed into a fork's executor: `EvmState` has already refused what cannot be in a block, with a typed error."""

    def validate_transaction(self, transaction: Any) -> None: ...


def _state_class(fork: Fork, native: NativeModules, changes: ForkChanges) -> type[Any]:
    prices, code_policy = changes.prices, changes.code_policy
    base_state, base_computation, base_executor = {
        "paris": (ParisState, ParisComputation, ParisTransactionExecutor),
        "prague": (PragueState, PragueComputation, PragueTransactionExecutor),
    }[fork]
    precompiles: dict[Any, Any] = dict(changes.precompiles.of(base_computation.get_precompiles()))
    for number in {*prices.factors, *prices.precompile_gas}:
        address = number.to_bytes(20, "big")
        if address in precompiles:
            precompiles[address] = priced_precompile(
                precompiles[address], prices.factors.get(number, 1), prices.precompile_gas.get(number, 0)
            )
    for address, module in native.items():
        if address in precompiles:
            raise ValueError(f"native module at {address.hex()} would hide a precompile")
        precompiles[address] = functools.partial(_run_native, module)
    opcodes = priced_opcodes({**base_computation.opcodes, **OWN_INSTRUCTIONS}, prices.opcode_gas)
    attributes = {
        "_precompiles": precompiles,
        "prices": prices,
        "opcodes": opcodes,
        "loop_costs": loop_costs(opcodes),
    }
    frames: tuple[type[Any], ...] = (BoundedFrames, base_computation)
    if code_policy is not None:
        frames = (NamedCodeFrames, *frames)
        attributes["code_policy"] = code_policy
    computation = type("NativeComputation", frames, attributes)
    executor = type("CheckedExecutor", (_CheckedBefore, base_executor), {})
    return type(
        "NativeState",
        (_JournaledState, base_state),
        {
            "computation_class": computation,
            "transaction_executor_class": executor,
            "account_db_class": TouchedAccounts,
            "_transient_storage_class": TouchedTransientStorage,
        },
    )


def _run_native(module: NativeModule, computation: ComputationAPI) -> ComputationAPI:
    message = computation.msg
    # DELEGATECALL and CALLCODE run the module's code on another account's behalf: msg.sender and storage would lie.
    if not module.address == message.code_address == message.storage_address == message.to:
        _refuse(computation, "native module: not by DELEGATECALL or CALLCODE")
    if message.value:
        _refuse(computation, "native module: takes no value")
    call = _Call(module.address, computation)
    try:
        computation.output = bytes(module.run(call))
    except NativeRevert as refusal:
        computation.output = refusal.data
        raise Revert(refusal.data) from refusal
    return computation


def _refuse(computation: ComputationAPI, sentence: str) -> None:
    computation.output = error_string(sentence)
    raise Revert(computation.output)


class _Call:
    """The engine's `NativeCall`."""

    __slots__ = ("_address", "_computation", "_message")

    def __init__(self, address: Address, computation: ComputationAPI) -> None:
        self._address = address
        self._computation: Any = computation
        self._message: MessageAPI = computation.msg

    @property
    def caller(self) -> Address:
        return self._message.sender

    @property
    def origin(self) -> Address:
        origin: Address = self._computation.transaction_context.origin
        return origin

    @property
    def data(self) -> bytes:
        return bytes(self._message.data)

    @property
    def is_static(self) -> bool:
        return self._message.is_static

    @property
    def depth(self) -> int:
        return self._message.depth

    @property
    def gas_remaining(self) -> int:
        remaining: int = self._computation.get_gas_remaining()
        return remaining

    @property
    def gas_available_for_call(self) -> int:
        available = max(0, self.gas_remaining - int(self._computation.prices.frame_gas))
        return available - available // 64

    @property
    def block_number(self) -> int:
        number: int = self._computation.state.block_number
        return number

    @property
    def timestamp_s(self) -> int:
        timestamp: int = self._computation.state.timestamp
        return timestamp

    @property
    def journaled(self) -> tuple[Journaled, ...]:
        stores: tuple[Journaled, ...] = self._computation.state.journaled
        return stores

    def charge(self, gas: int, reason: str) -> None:
        self._computation.consume_gas(gas, reason)

    def require_writable(self) -> None:
        if self._message.is_static:
            raise WriteProtection("native module: state change under STATICCALL")

    def emit(self, topics: tuple[bytes, ...], data: bytes) -> None:
        self.require_writable()
        if len(topics) > 4 or any(len(topic) != 32 for topic in topics):
            raise ValueError("a log has at most 4 topics of 32 bytes")
        self.charge(GAS_LOG + GAS_LOG_TOPIC * len(topics) + GAS_LOG_BYTE * len(data), "native log")
        self._computation.add_log_entry(
            self._address, tuple(int.from_bytes(topic, "big") for topic in topics), bytes(data)
        )

    def call_contract(self, target: Address, data: bytes, gas: int, *, static: bool = False) -> InnerCallResult:
        state = self._computation.state
        warm = state.is_address_warm(target)
        state.mark_address_warm(target)
        self.charge(GAS_WARM_ACCESS if warm else GAS_COLD_ACCOUNT_ACCESS, "native call: account access")
        return self._call(target, data, gas, sender=self._address, static=static)

    def call_self(self, data: bytes, gas: int) -> InnerCallResult:
        self.charge(GAS_WARM_ACCESS, "native call: self")
        return self._call(self._address, data, gas, sender=self._message.sender, static=False)

    def code_of(self, address: Address) -> bytes:
        return bytes(self._computation.state.get_code(address))

    def _call(self, target: Address, data: bytes, gas: int, *, sender: Address, static: bool) -> InnerCallResult:
        computation = self._computation
        if gas > self.gas_available_for_call:
            raise OutOfGas(f"native call: {gas} asked for, {self.gas_available_for_call} can be given")
        if self._message.depth + 1 > MAX_CALL_DEPTH:
            raise StackDepthLimit("native call: call depth")
        computation.consume_gas(gas, "native call")
        message = computation.prepare_child_message(
            gas=gas,
            to=target,
            value=0,
            data=data,
            code=computation.state.get_code(target),
            sender=sender,
            should_transfer_value=False,
            is_static=static or self._message.is_static,
        )
        child = computation.apply_native_child(message)
        remaining = child.get_gas_remaining()
        computation.return_gas(remaining)
        return InnerCallResult(success=child.is_success, return_data=bytes(child.output), gas_used=gas - remaining)
