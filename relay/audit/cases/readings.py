"""A day's readings of a feed, anchored: the anchor counts every round whose reports are stated, and no other."""

from collections.abc import Sequence

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.feeds import feed_id
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.archive.anchored_root import AnchoredRoot
from hutong.relay.audit.cases.statements import SPEC, ReportStatement

READING = ("bytes32", "uint64", "int128[]", "bytes")


def reading_of(statement: ReportStatement) -> bytes:
    """A round as it is anchored: the hash of feed, time, values and signatures, as they are pushed."""
    signatures = b"".join(report.signature for report in statement.reports)
    values = [report.value for report in statement.reports]
    return keccak256(encode_abi(READING, (feed_id(statement.feed), statement.time_s, values, signatures)))


@rule(SPEC)
def readings_are_anchored(entries: Sequence[bytes], rounds: Sequence[ReportStatement], window: AnchoredRoot) -> None:
    """The anchored entries are the rounds' reports in their order, and the window is their time.

    Raises:
        PredicateFailed: a round is missing, too many, or other reports made it; or the window is of another time.
    """
    name = "readings_are_anchored"
    if list(entries) != [reading_of(one) for one in rounds]:
        raise PredicateFailed(name, "other readings are anchored", len(entries), len(rounds))
    expected = (rounds[0].time_s, rounds[-1].time_s + 1)
    if (window.from_time_s, window.to_time_s) != expected:
        raise PredicateFailed(name, "the window is of another time", (window.from_time_s, window.to_time_s), expected)
