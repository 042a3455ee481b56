"""The rules by which reports make a round, one function a rule (docs/spec/feeds.md). The contract `Feed` has the same."""

from collections.abc import Sequence

from hutong.light_clients.feeds.digest import feed_id, recover_signer, report_digest
from hutong.light_clients.feeds.types import FeedDescription, Report, Round, check_round_time
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule

SPEC = "docs/spec/feeds.md"
MAX_CLOCK_DRIFT_S = 60
"""By which clocks of signers and chain may differ."""


@rule(SPEC)
def description_is_of_the_feed(feed: FeedDescription, expected_id: bytes) -> None:
    """The description hashes to the id that is meant.

    Raises:
        PredicateFailed: it is another feed's.
    """
    if feed_id(feed) != expected_id:
        raise PredicateFailed("description_is_of_the_feed", "it is another feed", feed_id(feed), expected_id)


@rule(SPEC)
def round_not_from_future(time_s: int, now_s: int) -> None:
    """A round's time lies at most `MAX_CLOCK_DRIFT_S` ahead. Both are Unix seconds, now is the block's.

    Raises:
        PredicateFailed: it lies further ahead.
    """
    if time_s > now_s + MAX_CLOCK_DRIFT_S:
        raise PredicateFailed("round_not_from_future", "too far ahead", time_s, f"<= {now_s + MAX_CLOCK_DRIFT_S}")


@rule(SPEC)
def round_is_fresh(time_s: int, max_age_s: int, now_s: int) -> None:
    """A round is refused once it is as old as the reader's limit. All are seconds.

    Raises:
        PredicateFailed: it is as old, or older.
    """
    if now_s >= time_s + max_age_s:
        raise PredicateFailed("round_is_fresh", "too old", now_s - time_s, f"< {max_age_s} s")


@rule(SPEC)
def reports_are_enough(feed: FeedDescription, reports: Sequence[Report]) -> None:
    """As many as the threshold, and no more than there are signers. Counted before any signature is checked.

    Raises:
        PredicateFailed: too few reports or too many.
    """
    if not feed.threshold <= len(reports) <= len(feed.signers):
        raise PredicateFailed(
            "reports_are_enough", "reports", got=len(reports), expected=f"{feed.threshold} to {len(feed.signers)}"
        )


@rule(SPEC)
def signed_by_signers(feed: FeedDescription, time_s: int, reports: Sequence[Report]) -> tuple[bytes, ...]:
    """Every report is a signer's, for this feed and this time, and signers ascend, so that none counts twice.

    Returns the signers in their order.

    Raises:
        PredicateFailed: the first report that is not, by its index.
    """
    known, found, last = set(feed.signers), [], b""
    for index, report in enumerate(reports):
        signer = recover_signer(report_digest(feed_id(feed), time_s, report.value), report.signature)
        if signer is None:
            raise PredicateFailed("signed_by_signers", f"report {index}: no signature with low s and v 27 or 28")
        if signer <= last:
            raise PredicateFailed("signed_by_signers", f"report {index}: signers do not ascend", signer, last)
        if signer not in known:
            raise PredicateFailed(
                "signed_by_signers", f"report {index}: no signer of this feed, or not this report", signer
            )
        found.append(signer)
        last = signer
    return tuple(found)


def median(values: Sequence[int]) -> int:
    """The value in the middle, of an even number the lower of the two there. `values` are not empty."""
    return sorted(values)[(len(values) - 1) // 2]


def judge_round(judge: Judge, feed: FeedDescription, time_s: int, reports: Sequence[Report]) -> Round:
    """The round that reports make, as a contract stores it where none of that time or a later one stands.

    Raises:
        MalformedInput: the time is out of bounds.
        PredicateFailed: the first rule that does not hold.
    """
    check_round_time(time_s)
    judge(reports_are_enough, feed, reports)
    judge(signed_by_signers, feed, time_s, reports)
    return Round(median([report.value for report in reports]), time_s, len(reports))


def in_signer_order(feed: FeedDescription, time_s: int, reports: Sequence[Report]) -> tuple[Report, ...]:
    """Reports as a round carries them: ascending by signer. Whether signers are of the feed is not asked here.

    Raises:
        MalformedInput: a report recovers to nobody, or one signer reported two values.
    """
    by_signer: dict[bytes, Report] = {}
    for report in reports:
        signer = recover_signer(report_digest(feed_id(feed), time_s, report.value), report.signature)
        if signer is None:
            raise MalformedInput("report.signature", "is no signature r, s, v with low s and v 27 or 28")
        if by_signer.setdefault(signer, report).value != report.value:
            raise MalformedInput(
                "report", f"signer 0x{signer.hex()} reported two values for one round", got=report.value
            )
    return tuple(by_signer[signer] for signer in sorted(by_signer))
