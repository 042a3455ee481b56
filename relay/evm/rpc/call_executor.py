"""Where the calls of others are executed: `eth_call` and `eth_estimateGas` cost their sender nothing."""

from typing import Protocol

import trio

from hutong.relay.evm.chain.blocks import EvmBlock
from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.rpc.callers import CALLER
from hutong.relay.evm.rpc.fair_turns import FairTurns
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult
from hutong.relay.evm.vm.stack import run_with_evm_stack

MAX_EXECUTIONS = 2
"""At once: more would only slow block production down."""
CALL_DEADLINE_S = 5.0
"""For one call or estimate, as geth has it (`--rpc.evmtimeout`)."""


class CallAborted(Exception):
    """The execution took more than a call may: one sentence for whoever asked."""


class CallExecutor(Protocol):
    """Runs on the state after a block. Raises CallAborted, TooManyWaiting and StatePruned."""

    async def call(self, block: EvmBlock, message: CallMessage) -> CallResult:
        """Run `message` without effect on the state after `block` (`eth_call`).

        `message.gas` is already capped by the caller. A revert or a halt is a result, not an exception.

        Raises:
            CallAborted: it took longer than a call may, or the node cannot execute now.
            TooManyWaiting: this caller, or all together, have too many calls waiting.
            StatePruned: the state after the block is no longer stored.
        """

    async def estimate_gas(self, block: EvmBlock, message: CallMessage) -> int | CallResult:
        """A gas limit at which `message` succeeds, or the failed result with all the gas that is allowed.

        The bound of time is for the whole search, not for each try.

        Raises:
            CallAborted, TooManyWaiting, StatePruned: as `call`.
        """


class CallThreads:
    """In threads of this process: for chains that nobody depends on, since Python's threads share one interpreter lock
    and no thread can be ended. The caller gets an answer at the deadline; the thread goes on until its gas is used
    up."""

    def __init__(self, chain: EvmChain, deadline_s: float = CALL_DEADLINE_S) -> None:
        self._chain = chain
        self._deadline_s = deadline_s
        self._turns = FairTurns(MAX_EXECUTIONS)
        self._threads = trio.CapacityLimiter(MAX_EXECUTIONS)

    async def call(self, block: EvmBlock, message: CallMessage) -> CallResult:
        """As `CallExecutor.call`, in a thread of this process.

        After the deadline the caller has its answer and the thread goes on with its scratch state until its gas is used
        up.

        Raises:
            CallAborted, TooManyWaiting, StatePruned: as `CallExecutor.call`.
        """
        result = await self._execute(block, message, estimate=False)
        assert isinstance(result, CallResult)
        return result

    async def estimate_gas(self, block: EvmBlock, message: CallMessage) -> int | CallResult:
        """As `CallExecutor.estimate_gas`, in a thread of this process.

        Raises:
            CallAborted, TooManyWaiting, StatePruned: as `CallExecutor.call`.
        """
        return await self._execute(block, message, estimate=True)

    async def _execute(self, block: EvmBlock, message: CallMessage, *, estimate: bool) -> int | CallResult:
        def run() -> int | CallResult:
            state = self._chain.state_after(block)
            return state.estimate_gas(message) if estimate else state.call(message)

        async with self._turns.turn(CALLER.get()):
            with trio.move_on_after(self._deadline_s):
                # A node that stops does not wait for a stranger's call: it works on a scratch state.
                return await trio.to_thread.run_sync(
                    lambda: run_with_evm_stack(run), limiter=self._threads, abandon_on_cancel=True
                )
        raise timed_out(self._deadline_s)


def timed_out(deadline_s: float) -> CallAborted:
    """The error for a call that has run for `deadline_s` seconds, in geth's words, which wallets know."""
    return CallAborted(f"execution aborted (timeout = {deadline_s:g}s)")
