"""When the window of a limit ends that a transfer has met: Transfer's error names the limit, and not its time."""

import re
from dataclasses import dataclass

from eth_utils.address import to_canonical_address

from hutong.adapters.evm.administration.moments import moment_text
from hutong.adapters.evm.administration.transfer import Limit, client_limit, origin_limit
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import RefusedByChain

LIMIT_EXCEEDED = "LimitExceeded"
_SAID = re.compile(
    rf"{LIMIT_EXCEEDED}: scope ([^,\s]{{0,512}}), token (0x[0-9a-fA-F]{{40}}), room ([0-9]{{1,78}}), amount ([0-9]{{1,78}})",
    re.ASCII,
)
"""The sentence that a RevertReader makes of the error, alone or within others."""


@dataclass(frozen=True, slots=True)
class MetLimit:
    """A limit that had no room. `scope` is this chain's client, or the hops of an origin: empty for tokens of this chain.

    `token` is an address of 20 bytes, `room` and `amount` in its smallest unit.
    """

    scope: str
    token: bytes
    room: int
    amount: int


def met_limit(said: str | None) -> MetLimit | None:
    """The limit that a refusal names; None where it is about something else."""
    found = None if said is None else _SAID.search(said)
    if found is None:
        return None
    return MetLimit(found[1], bytes(to_canonical_address(found[2])), int(found[3]), int(found[4]))


def window_end_s(limit: Limit, at_s: int) -> int:
    """When the window that holds `at_s` ends, Unix seconds: windows begin at multiples of their length.

    Args:
        limit: with a window; one without has no end.
    """
    return (at_s // limit.window_s + 1) * limit.window_s


async def standing_limit(execution: ExecutionRpc, transfer: bytes, met: MetLimit) -> Limit | None:
    """The limit as it stands now, at the Transfer (20 bytes); None where it was removed.

    Raises:
        RefusedByChain, BadAnswer: no Transfer of ours is there.
        EndpointUnavailable: no endpoint answers.
    """
    # a client's name has no slash, a trace has: the same as the contract's two kinds of scope
    is_client = bool(met.scope) and "/" not in met.scope
    read = client_limit if is_client else origin_limit
    limit = (await read(execution, transfer, met.scope, met.token)).limit
    return limit if limit.window_s else None


async def told_with_window(execution: ExecutionRpc, transfer: bytes, refusal: RefusedByChain) -> RefusedByChain:
    """A send's refusal, and of a limit that it met when the present window ends, and what may be sent until then.

    Raises:
        AdapterError: the chain does not answer.
    """
    met = met_limit(refusal.reason)
    limit = None if met is None else await standing_limit(execution, transfer, met)
    if met is None or limit is None:
        return refusal
    if limit.send_cap is not None and met.amount > limit.send_cap:
        said = f"a window of this limit lets {limit.send_cap} be sent at most: send less at once"
    else:
        now_s = (await execution.latest_block()).time_s
        ends = moment_text(window_end_s(limit, now_s), now_s)
        said = f"the window ends at {ends}: send it after that, or at most {met.room} before"
    return RefusedByChain(refusal.name, f"{refusal.reason}; {said}", refusal.data)
