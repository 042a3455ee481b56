"""Frames of the machine: paid by their caller, run by our loop, and gone when they have ended."""

from typing import Any

from eth.exceptions import VMError
from eth.vm.memory import Memory

from relay.evm.finished_frames import after
from relay.evm.instructions import run_instructions
from relay.evm.program import Code
from relay.evm.work_prices import FORK_PRICES, WorkPrices


class OneCopyMemory(Memory):
    """py-evm copies what it reads twice (audit M6)."""

    __slots__ = ()

    def read_bytes(self, start_position: int, size: int) -> bytes:
        with memoryview(self._bytes) as view:
            return bytes(view[start_position : start_position + size])


class BoundedFrames:
    """Mixed into a fork's computation. Gas, results and roots are py-evm's; time and memory are not."""

    prices: WorkPrices = FORK_PRICES
    loop_costs: tuple[int, ...] = ()

    def __init__(self, state: Any, message: Any, transaction_context: Any) -> None:
        super().__init__(state, message, transaction_context)  # type: ignore[call-arg]
        self.code = Code(message.code)
        self._memory = OneCopyMemory()

    @classmethod
    def apply_computation(
        cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None
    ) -> Any:
        """py-evm's own, with our loop."""
        with cls(state, message, transaction_context) as computation:  # type: ignore[attr-defined]
            if computation.is_origin_computation:
                computation.contracts_created = []
                if message.is_create:
                    cls.consume_initcode_gas_cost(computation)  # type: ignore[attr-defined]
            if parent_computation is not None:
                computation.contracts_created = parent_computation.contracts_created
            if message.is_create:
                computation.contracts_created.append(message.storage_address)
            precompile = computation.precompiles.get(message.code_address)
            if precompile is None:
                run_instructions(computation, cls.loop_costs)
            elif not message.is_delegation:
                precompile(computation)
        if computation.is_error:
            forget_frames_of(computation.error)
        return computation

    def apply_child_computation(self, child_msg: Any) -> Any:
        """The caller pays for each frame before it is entered."""
        gas = self.prices.of_frame(len(child_msg.data), len(child_msg.code))
        if gas:
            self.consume_gas(gas, "call frame")  # type: ignore[attr-defined]
        return super().apply_child_computation(child_msg)  # type: ignore[misc]

    def apply_native_child(self, child_msg: Any) -> Any:
        """A call by a native module, whose input is none of the EVM's memory."""
        if self.prices.frame_gas:
            self.consume_gas(self.prices.frame_gas, "call frame")  # type: ignore[attr-defined]
        return super().apply_child_computation(child_msg)  # type: ignore[misc]

    def add_child_computation(self, child_computation: Any) -> None:
        """Keep of an ended child its results only (audit C1)."""
        super().add_child_computation(child_computation)  # type: ignore[misc]
        before = self.children[0] if len(self.children) > 1 else None  # type: ignore[has-type]
        self.children = [after(before, child_computation)]


def forget_frames_of(error: VMError) -> None:
    """An error holds the frames that raised it, they hold the computation with its memory, and that holds the error: only the
    garbage collector would find them."""
    while error is not None:
        error.__traceback__ = None
        error.__context__, error = None, error.__context__  # type: ignore[assignment]
