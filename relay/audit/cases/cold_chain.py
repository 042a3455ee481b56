"""The rule of case 3: the carrier anchored a reading of every hour of the lot's way, none was too warm, and the recall blocked the
lot at both clinics in time.

Statements `hour-root`, `hour-window`, `hour-0000` on: the carrier's anchor on p1, and all of its entries `lot,second,tenths of a
degree`. `recall-e1`, `recall-e2`, `blocked-e1`, `blocked-e2`, and `forged-recall`, which somebody else sent.
"""

import re
from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.archive.anchored_root import AnchoredRoot
from hutong.relay.audit.cases.anchored import judge_window
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.named import message_is_there
from hutong.relay.audit.cases.recalls import Recall, forged_recall_was_refused, judge_recall
from hutong.relay.audit.cases.shown import Shown
from hutong.relay.audit.cases.statements import SPEC
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "cold-chain"
CLINICS = ("e1", "e2")
HOUR_S, WARMEST_TENTHS_C = 3_600, 80
_READING = re.compile(rb"(?P<lot>[a-z0-9-]{1,64}),(?P<time_s>[1-9][0-9]{0,10}),(?P<tenths_c>0|-?[1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class Reading:
    """Tenths of a degree Celsius at a second of Unix time."""

    time_s: int
    tenths_c: int


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    lot = trust.value("lot")
    anchored, entries = judge_window(inquiry, shown, trust, "hour", "readings", "carrier", "anchor")
    judge = inquiry.about("readings")
    readings = [judge(reading_is_of_the_lot, entry, lot) for entry in entries]
    judge(hours_follow_each_other, readings, anchored)
    judge(no_hour_is_too_warm, readings)
    recall, took = judge_recall(inquiry, shown, trust, CLINICS)
    inquiry.about("recall")(lot_is_recalled, recall, lot)
    forged = inquiry.about("forged recall")(message_is_there, shown, "forged-recall")
    inquiry.about("forged recall")(forged_recall_was_refused, forged, trust, CLINICS)
    warmest = max(reading.tenths_c for reading in readings)
    return {"lot": lot, "hours": len(readings), "warmest_tenths_c": warmest, "blocked_after_s": took}


@rule(SPEC)
def reading_is_of_the_lot(entry: bytes, lot: str) -> Reading:
    """An entry is a reading of the lot that the reader means.

    Raises:
        PredicateFailed: it is something else.
    """
    match = _READING.fullmatch(entry)
    if match is None or match["lot"] != lot.encode():
        raise PredicateFailed("reading_is_of_the_lot", "is not a reading of the lot", entry[:80], lot)
    return Reading(int(match["time_s"]), int(match["tenths_c"]))


@rule(SPEC)
def hours_follow_each_other(readings: list[Reading], anchored: AnchoredRoot) -> None:
    """From the window's begin to its end there is one reading an hour: none is missing.

    Raises:
        PredicateFailed: an hour is missing or stands twice, or the window is longer than the readings.
    """
    times = [reading.time_s for reading in readings]
    if times != list(range(anchored.from_time_s, anchored.to_time_s, HOUR_S)):
        raise PredicateFailed(
            "hours_follow_each_other",
            "not every hour of the window has its reading",
            times[:3],
            f"every hour from {anchored.from_time_s} until {anchored.to_time_s}",
        )


@rule(SPEC)
def no_hour_is_too_warm(readings: list[Reading]) -> None:
    """No reading is above 8 degrees.

    Raises:
        PredicateFailed: naming the first that is.
    """
    for reading in readings:
        if reading.tenths_c > WARMEST_TENTHS_C:
            raise PredicateFailed(
                "no_hour_is_too_warm", f"at {reading.time_s}", reading.tenths_c, f"<= {WARMEST_TENTHS_C}"
            )


@rule(SPEC)
def lot_is_recalled(recall: Recall, lot: str) -> None:
    """The recall is of this lot alone.

    Raises:
        PredicateFailed: it is of others.
    """
    expected = keccak256(lot.encode())
    if recall.lots != (expected,):
        raise PredicateFailed("lot_is_recalled", "the recall is of other lots", list(recall.lots)[:4], expected)
