"""What Transfer and Mailbox demand of a send. It is checked before an allowance is asked for: after that nothing can be tried."""

from hutong.adapters.evm.administration.transfer import hub_client_of
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import RefusedByChain
from hutong.relay.api.reading.ways import Way
from hutong.relay.web.problems import refused_field

FORWARD_MARGIN = Function("FORWARD_MARGIN", (), ("uint64",))
MAX_TIMEOUT_DURATION_S = 86_400
"""MAX_TIMEOUT_DURATION of Router, Transfer and Mailbox."""


async def check_send(execution: ExecutionRpc, application: bytes, way: Way, timeout_timestamp_s: int) -> None:
    """Hub client and timeout, as the contract judges them at the newest block. Both applications have the same rules.

    Receivers need no more than the address rules: an address of any chain is plain text without quotes.

    Args:
        application: the Transfer's or Mailbox's address, 20 bytes.
        timeout_timestamp_s: of the packet, Unix time.

    Raises:
        ApiProblem: `timeout_s` leaves less time than the contract asks for, or more.
        RefusedByChain: the contract forwards over another client, or over no client.
        AdapterError: the chain does not answer.
    """
    least_s = 1
    if way.next_client is not None:
        hub_client = await hub_client_of(execution, application)
        if hub_client != way.client:
            raise RefusedByChain("NotHubClient", f"{way.client}; it forwards over {hub_client or 'no client'}")
        (margin_s,) = FORWARD_MARGIN.decode(await execution.call(application, FORWARD_MARGIN.encode()))
        least_s += int(margin_s)
    block = await execution.latest_block()
    left_s = timeout_timestamp_s - block.time_s
    if not least_s <= left_s <= MAX_TIMEOUT_DURATION_S:
        raise refused_field(
            "timeout_s",
            f"ends {left_s} s after the newest block, and the contract takes {least_s} to {MAX_TIMEOUT_DURATION_S} s:"
            f" ask for {'more' if left_s < least_s else 'less'}",
        )
