"""Where a packet was received that this relay did not receive itself, told by what the hub sent in the same transaction."""

from collections.abc import Sequence
from dataclasses import replace

from hutong.relay.ledger.values.packets import Sent, StepRecord


def lacks_block(step: StepRecord) -> bool:
    """Whether the step is that of a packet which was found received, by whom and in which block is not known."""
    return (step.kind, step.step, step.height) == ("receive", "superseded", None)


def located(steps: Sequence[StepRecord], onward: Sent | None) -> tuple[StepRecord, ...]:
    """The steps of a first leg, its receive with block and transaction where it was not known.

    Args:
        onward: how the hub sent the second leg, which it does in the transaction that receives the first; None where
            that is not known.
    """
    if onward is None or onward.height is None:
        return tuple(steps)
    return tuple(
        replace(step, height=onward.height, block_time_ns=onward.time_ns, transaction_hash=onward.hash)
        if lacks_block(step)
        else step
        for step in steps
    )
