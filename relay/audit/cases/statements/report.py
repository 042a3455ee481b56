"""Statements of kind `report`: signed reports that make a round of a feed whose slot another statement shows."""

from dataclasses import dataclass
from typing import Any

from hutong.light_clients.feeds import (
    MAX_SIGNERS,
    FeedDescription,
    Report,
    Round,
    description_document,
    feed_id,
    judge_round,
    read_description,
    read_report,
    round_slot,
)
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.interface.document import Members
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.records import SlotPlace
from hutong.relay.audit.cases.statements.form import SPEC, name_of
from hutong.relay.audit.cases.statements.state import ShownState

REPORT = "report"


@dataclass(frozen=True, slots=True)
class ReportStatement:
    """`reports` are of one round (Unix seconds), ascending by signer. `under` is the statement of a state whose place is
    the slot of this feed in some `Feed`: which one is meant, the case's rule asks."""

    id: str
    feed: FeedDescription
    time_s: int
    reports: tuple[Report, ...]
    under: str


@dataclass(frozen=True, slots=True)
class ShownReport:
    """`made` is the round that the reports make, whether or not it still stands in the feed's slot."""

    statement: ReportStatement
    made: Round
    source: ShownState


def report_fields(statement: ReportStatement) -> dict[str, Any]:
    """As it stands in JSON, without id and kind."""
    return {
        "feed": description_document(statement.feed),
        "time_s": statement.time_s,
        "reports": [
            {"value": str(report.value), "signature": f"0x{report.signature.hex()}"} for report in statement.reports
        ],
        "under": statement.under,
    }


def read_report_statement(name: str, fields: Members) -> ReportStatement:
    """Inverse of `report_fields`.

    Raises:
        MalformedInput: naming the field.
    """
    feed = read_description(fields["feed"])
    time_s = fields["time_s"].integer(1, MAX_UINT64)
    reports = []
    for one in fields["reports"].items(MAX_SIGNERS, least=1):
        with one.members() as parts:
            reports.append(read_report(parts["value"], parts["signature"]))
    return ReportStatement(name, feed, time_s, tuple(reports), name_of(fields["under"], "the name of a statement"))


@rule(SPEC)
def feed_is_shown(statement: ReportStatement, source: object) -> ShownState:
    """The other statement shows the slot of the feed which the description hashes to.

    Raises:
        PredicateFailed: there is no such statement of a state, or it is of another slot: another feed's.
    """
    name = "feed_is_shown"
    if not isinstance(source, ShownState):
        raise PredicateFailed(name, "no state of that name is shown", expected=statement.under)
    slot, what = round_slot(feed_id(statement.feed)), source.statement.what
    if not isinstance(what, SlotPlace) or what.slot != slot:
        raise PredicateFailed(name, "the state is not of this feed's slot", what, slot)
    return source


def judge_report(judge: Judge, statement: ReportStatement, source: object) -> ShownReport:
    """The feed, and every rule of a round of it.

    Raises:
        VerificationError: the first rule that does not hold.
    """
    state = judge(feed_is_shown, statement, source)
    made = judge_round(judge, statement.feed, statement.time_s, statement.reports)
    return ShownReport(statement, made, state)
