"""What is left of the frames that a frame has called: their results for the transaction, and nothing of their memory.

py-evm keeps each finished frame with its input, memory, stack and code until the transaction ends, and walks them all
again at each level. One free transaction took 51 GiB by that (audit C1).
"""

from typing import Any, Final

from eth.constants import CREATE_CONTRACT_ADDRESS

RIPEMD160: Final = b"\x03".rjust(20, b"\0")


class _NoTarget:
    """The message of no call: whom the frames called is in `touched`."""

    to = CREATE_CONTRACT_ADDRESS


class FinishedFrames:
    """Stands in a computation's `children` for all that have ended, and answers what py-evm asks of those."""

    __slots__ = ("_gas_refund", "_logs", "_touched", "deleted", "state")

    msg = _NoTarget()
    is_error = False
    children: tuple[Any, ...] = ()

    def __init__(self, state: Any) -> None:
        self.state = state
        self.deleted: set[bytes] = set()
        self._gas_refund = 0
        self._logs: list[Any] = []
        self._touched: set[bytes] = set()
        """Called accounts and heirs of SELFDESTRUCT, which EIP-161 deletes if they are empty."""

    def get_gas_refund(self) -> int:
        """The sum over all frames that have ended (EIP-3529), before the executor's cap; it may be below zero."""
        return self._gas_refund

    def get_accounts_for_deletion(self) -> set[bytes]:
        """Accounts that destroyed themselves in frames that were not reverted.

        py-evm deletes them when the transaction ends.
        """
        return self.deleted

    def get_self_destruct_beneficiaries(self) -> set[bytes]:
        """Heirs of SELFDESTRUCT and the accounts called.

        py-evm asks for both together, and its executor alone does.
        """
        return self._touched

    def get_raw_log_entries(self) -> list[Any]:
        """Logs of frames that were not reverted, in no order.

        Each begins with its number in the transaction, by which py-evm sorts.
        """
        return self._logs


def after(frames: FinishedFrames | None, ended: Any) -> FinishedFrames:
    """What is left once this child has ended too. `frames` is spent, and so is what `ended` held of its own children.

    Args:
        frames: what the children that ended before have left; None for the first.
        ended: a computation of py-evm that has run to its end, well or not.
    """
    of_child: FinishedFrames = ended.children[0] if ended.children else FinishedFrames(ended.state)
    if ended.is_error:
        # A failed frame leaves nothing, but that it called RIPEMD-160: main net deleted that account once
        # (ethereum/EIPs#716), and py-evm does what main net did.
        called = ended.msg.to == RIPEMD160 or RIPEMD160 in of_child.get_self_destruct_beneficiaries()
        of_child = FinishedFrames(ended.state)
        if called:
            of_child._touched.add(RIPEMD160)
        of_child._gas_refund = ended.msg.refund
    else:
        of_child._gas_refund = ended.get_gas_refund()
        of_child._logs += ended._log_entries
        of_child.deleted.update(ended.accounts_to_delete)
        of_child._touched.update(ended.beneficiaries)
        if ended.msg.to != CREATE_CONTRACT_ADDRESS:
            of_child._touched.add(ended.msg.to)
    return of_child if frames is None else _merged(frames, of_child)


def _merged(first: FinishedFrames, second: FinishedFrames) -> FinishedFrames:
    """The smaller goes into the larger, or what a deep call leaves would be carried up at each return."""
    first._gas_refund += second._gas_refund
    first._logs = _larger(first._logs, second._logs, list.extend)
    first.deleted = _larger(first.deleted, second.deleted, set.update)
    first._touched = _larger(first._touched, second._touched, set.update)
    return first


def _larger(first: Any, second: Any, add: Any) -> Any:
    large, small = (first, second) if len(first) >= len(second) else (second, first)
    add(large, small)
    return large
