"""Frames of the machine: paid by their caller, run by our loop, and gone when they have ended."""

from typing import Any

from eth.exceptions import VMError
from eth.vm.memory import Memory

from hutong.relay.evm.vm.finished_frames import after
from hutong.relay.evm.vm.instructions import run_instructions
from hutong.relay.evm.vm.program import Code
from hutong.relay.evm.vm.work_prices import FORK_PRICES, WorkPrices


class OneCopyMemory(Memory):
    """py-evm copies what it reads twice (audit M6)."""

    __slots__ = ()

    def read_bytes(self, start_position: int, size: int) -> bytes:
        """The bytes from `start_position` on, copied once. The caller has paid for the memory and extended it."""
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
        """py-evm's own, with our loop: run one message to its end.

        A failure of the EVM's is in the computation's `error`, not raised; any other exception comes through.

        Args:
            parent_computation: the frame that calls; None for the transaction's first.
        """
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
        """Run a call or creation by the EVM's code; the caller pays for each frame before it is entered.

        Raises:
            eth.exceptions.OutOfGas: the caller cannot pay for the frame: the caller fails, not the child.
        """
        gas = self.prices.of_frame(len(child_msg.data), len(child_msg.code))
        if gas:
            self.consume_gas(gas, "call frame")  # type: ignore[attr-defined]
        return super().apply_child_computation(child_msg)  # type: ignore[misc]

    def apply_native_child(self, child_msg: Any) -> Any:
        """Run a call by a native module, whose input is none of the EVM's memory and so costs nothing by its length.

        Raises:
            eth.exceptions.OutOfGas: the module's call cannot pay for the frame.
        """
        if self.prices.frame_gas:
            self.consume_gas(self.prices.frame_gas, "call frame")  # type: ignore[attr-defined]
        return super().apply_child_computation(child_msg)  # type: ignore[misc]

    def add_child_computation(self, child_computation: Any) -> None:
        """Keep of an ended child its results only (audit C1), so that memory is bounded by the depth of calls."""
        super().add_child_computation(child_computation)  # type: ignore[misc]
        before = self.children[0] if len(self.children) > 1 else None  # type: ignore[has-type]
        self.children = [after(before, child_computation)]


def forget_frames_of(error: VMError) -> None:
    """Cut an error, and those before it, loose from the frames that raised them.

    An error holds the frames that raised it, they hold the computation with its memory, and that holds the error: only
    the garbage collector would find them. Afterwards each has neither traceback nor `__context__`.
    """
    while error is not None:
        error.__traceback__ = None
        error.__context__, error = None, error.__context__  # type: ignore[assignment]
