"""The logs of one contract from its beginning on, in ranges that endpoints serve and up to a bound."""

from typing import Any

from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer, RpcRefused

LOG_RANGE_BLOCKS = 5_000
MAX_EVENTS = 10_000
"""Of one contract: whoever has made more has something else in mind than a bridge."""


async def history_of(
    execution: ExecutionRpc, contract: bytes, what: str, heights: range, topics: list[Any]
) -> list[Log]:
    """Logs of `contract` (20 bytes) in the blocks of `heights`, in order. One that refuses a range is asked for half of it.

    Args:
        what: the contract's kind, for the refusal.
        topics: filter as in `eth_getLogs`; an endpoint may ignore it.

    Raises:
        BadAnswer: there are more than MAX_EVENTS.
        RpcRefused: the node refuses the logs of even one block.
        EndpointUnavailable: no endpoint gave logs of a range.
    """
    logs: list[Log] = []
    blocks = LOG_RANGE_BLOCKS
    first = heights.start
    while first < heights.stop:
        end = min(heights.stop, first + blocks) - 1
        try:
            logs += await execution.logs(contract, first, end, topics)
        except RpcRefused:
            if blocks == 1:
                raise
            blocks = max(1, blocks // 2)
            continue
        if len(logs) > MAX_EVENTS:
            raise BadAnswer("eth_getLogs", "logs", f"are more than {MAX_EVENTS} of one {what}", len(logs))
        first = end + 1
    return logs
