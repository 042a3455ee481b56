"""An issuer's period from files: records of two heights, what was kept of log and lists, and what they show together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict, MalformedInput, VerificationError
from hutong.light_clients.interface.document import Document
from hutong.light_clients.interface.judge import Audit
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit.records import Asked
from hutong.relay.services.identity.rules.jose import read_jws
from hutong.relay.services.identity.rules.organisations.gate_acceptances import (
    MAX_EXPORT_BYTES,
    AcceptanceCount,
    GateExport,
    decode_gate_export,
    judge_acceptances,
)
from hutong.relay.services.identity.rules.organisations.period import SPEC, Kept, PeriodCount, State, judge_period
from hutong.relay.services.identity.rules.status import MAX_TOKEN_CHARS, list_claims_well_formed
from hutong.relay.services.identity.rules.status.list_claims import MAX_PAYLOAD_BYTES
from hutong.relay.verify.credentials.identity_records import DidQuestion, DidReport, judge_did_file, proven_values
from hutong.relay.verify.inputs import UnusableInput, read_file

MAX_LOG_BYTES = 256 * 1024 * 1024
MAX_ENTRIES = 1_048_576
MAX_ENTRY_BYTES = 1_024
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class PeriodFiles:
    """Record bundles of before and after, the log as JSON, and by list its tokens of before (None: not yet opened) and after."""

    before: Path
    after: Path
    log: Path
    lists: dict[int, tuple[Path | None, Path]]
    acceptances: tuple[Path, ...] = ()
    """Exports of contracts' events."""


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """What every rule said; the count where all held. `heights` are of the two headers."""

    verdicts: tuple[CheckVerdict, ...]
    heights: tuple[str, str]
    count: PeriodCount | None = None
    accepted: tuple[AcceptanceCount, ...] = ()


def judge_period_files(files: PeriodFiles, question: DidQuestion, checkpoint: Checkpoint, now_ns: int) -> PeriodReport:
    """Both states from the checkpoint, and everything between them.

    Args:
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        UnusableInput: a file cannot be read, or is of another hub.
    """
    checks: list[CheckVerdict] = []
    heights: list[str] = []
    states: list[State] = []
    for path in (files.before, files.after):
        report = judge_did_file(path, checkpoint, question, now_ns, Asked())
        checks += [one.check for one in report.records.verdicts]
        checks += report.checks
        if report.is_refused or report.records.bundle is None:
            return PeriodReport(tuple(checks), ("", ""))
        heights.append(str(report.records.bundle.height))
        states.append(_state(report))
    kept, exports = _kept(files), [_export(path) for path in files.acceptances]
    try:
        judge = Audit(checks.append)
        count = judge_period(judge, question.did, states[0], states[1], kept)
        both = (states[0], states[1])
        accepted = tuple(judge_acceptances(judge, question.did, both, kept, one) for one in exports)
    except VerificationError as error:
        if not checks or checks[-1].error is not error:
            checks.append(CheckVerdict("period_well_formed", SPEC, error))
        return PeriodReport(tuple(checks), (heights[0], heights[1]))
    return PeriodReport(tuple(checks), (heights[0], heights[1]), count, accepted)


def _state(report: DidReport) -> State:
    bundle = report.records.bundle
    if bundle is None:
        raise TypeError("a report that holds has a bundle")
    return State(proven_values(bundle), bundle.height.revision_height, report.time_s)


def _kept(files: PeriodFiles) -> Kept:
    try:
        with Document.parse(read_file(files.log, MAX_LOG_BYTES), "log", MAX_LOG_BYTES).members() as fields:
            before = tuple(one.hex(HASH_BYTES) for one in fields["leavesBefore"].items(MAX_ENTRIES))
            named = fields.optional("entriesBefore")
            before_period = {} if named is None else dict(map(_named, named.items(MAX_ENTRIES)))
            entries = tuple(one.hex_of_at_most(MAX_ENTRY_BYTES) for one in fields["entries"].items(MAX_ENTRIES))
    except MalformedInput as error:
        raise UnusableInput(f"{files.log}: {error}") from None
    lists = {
        number: (None if first is None else _statuses(first), _statuses(last))
        for number, (first, last) in files.lists.items()
    }
    return Kept(before, entries, lists, before_period)


def _named(item: Document) -> tuple[int, bytes]:
    with item.members() as fields:
        return fields["position"].integer(0, MAX_ENTRIES), fields["entry"].hex_of_at_most(MAX_ENTRY_BYTES)


def _export(path: Path) -> GateExport:
    try:
        return decode_gate_export(read_file(path, MAX_EXPORT_BYTES))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def _statuses(path: Path) -> bytes:
    text = read_file(path, MAX_TOKEN_CHARS).decode("latin-1").strip()
    try:
        return list_claims_well_formed(read_jws(text, "token", MAX_PAYLOAD_BYTES).claims()).statuses.octets
    except VerificationError as error:
        raise UnusableInput(f"{path}: {error}") from None


def period_fields(report: PeriodReport) -> dict[str, Any]:
    """The report as JSON has it."""
    count, failed = report.count, [one for one in report.verdicts if not one.held]
    shown: dict[str, Any] = {
        "valid": count is not None,
        "from": report.heights[0],
        "to": report.heights[1],
        "predicates": len(report.verdicts),
        "failure": None if not failed else {"name": failed[-1].name, "reason": str(failed[-1].error)},
    }
    if count is None:
        return shown
    return shown | {
        "issued": [{"list": one.list_number, "index": one.index} for one in count.issued],
        "revoked": {str(number): list(indices) for number, indices in count.risen.items()},
        "keys_added": [one.hex() for one in count.keys_added],
        "keys_ended": [one.hex() for one in count.keys_ended],
        "operations": count.operations,
        "epochs": count.epochs,
        "accepted": [_accepted_fields(one) for one in report.accepted],
    }


def _accepted_fields(count: AcceptanceCount) -> dict[str, Any]:
    export = count.export
    undecided = [
        {
            "block": one.block,
            "transaction": one.transaction.hex(),
            "seal": one.seal.hex(),
            "listHeight": one.list_height,
        }
        for one in count.undecided
    ]
    return {
        "chain_id": export.chain_id,
        "gate": f"0x{export.gate.hex()}",
        "from": export.first,
        "to": export.last,
        "valid": count.valid,
        "undecided": undecided,
        "outside": count.outside,
    }
