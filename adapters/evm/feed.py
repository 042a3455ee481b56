"""Calls of `Feed.sol`, and what they return (docs/spec/feeds.md)."""

from collections.abc import Sequence

from hutong.adapters.ics26.abi import Function
from hutong.adapters.interface import BadAnswer
from hutong.light_clients.feeds import FeedDescription, Report, Round
from hutong.light_clients.interface import MalformedInput

DESCRIPTION_TUPLE = "(address[],uint8,uint8,uint8,uint32,string)"
ROUND_TUPLE = "(int128,uint64,uint64)"

PUSH = Function("push", (DESCRIPTION_TUPLE, "uint64", "int128[]", "bytes"), ("bool",))
READ = Function("read", ("bytes32", "uint64"), (ROUND_TUPLE,))
LATEST = Function("latest", ("bytes32",), (ROUND_TUPLE,))


def encode_push(feed: FeedDescription, time_s: int, reports: Sequence[Report]) -> bytes:
    """Calldata that stores the round which these reports make; they ascend by signer.

    Args:
        time_s: of the round, Unix seconds.
    """
    signers = [f"0x{signer.hex()}" for signer in feed.signers]
    description = (signers, feed.threshold, int(feed.rule), feed.decimals, feed.heartbeat_s, feed.label)
    signatures = b"".join(report.signature for report in reports)
    return PUSH.encode(description, time_s, [report.value for report in reports], signatures)


def decode_latest(returned: bytes) -> Round | None:
    """The newest round that a Feed has; None where there was none.

    Raises:
        BadAnswer: not what a Feed returns.
    """
    ((value, time_s, count),) = LATEST.decode(returned)
    if time_s == 0:
        return None
    try:
        return Round(value, time_s, count)
    except MalformedInput as error:
        raise BadAnswer("latest", "returned", str(error)) from error
