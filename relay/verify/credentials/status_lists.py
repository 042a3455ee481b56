"""Status List Tokens judged from files: what `hutong identity status` reads, and what it found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict, VerificationError
from hutong.light_clients.interface.judge import Audit
from hutong.relay.services.identity.rules.status import (
    MAX_TOKEN_CHARS,
    ListDemand,
    ProvenList,
    StatusReading,
    StatusReference,
    StatusValue,
    judge_status,
    status_is_valid,
)
from hutong.relay.verify.credentials.presentations import issuer_name_fields
from hutong.relay.verify.inputs import read_file
from hutong.relay.verify.verdict_fields import verdict_fields


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What every rule said, and the status where the list holds, whatever the status is."""

    verdicts: tuple[CheckVerdict, ...]
    reading: StatusReading | None

    @property
    def is_valid(self) -> bool:
        """Whether the list holds and says that the credential does."""
        return all(verdict.held for verdict in self.verdicts) and self.reading is not None


def judge_status_file(
    path: Path, reference: StatusReference, demand: ListDemand, proven: ProvenList | None = None
) -> StatusReport:
    """Every rule of a token and of the status in it, up to the first that does not hold.

    With `proven` the token is the one that a hub's record has the hash of, and says what the record's root says.

    Raises:
        UnusableInput: the file cannot be read, or is empty or too long.
    """
    text = read_file(path, MAX_TOKEN_CHARS).decode("latin-1").removesuffix("\n").removesuffix("\r")
    verdicts: list[CheckVerdict] = []
    judge = Audit(verdicts.append)
    reading = None
    try:
        reading = judge_status(judge, text, reference, demand, proven)
        judge(status_is_valid, reading.status)
    except VerificationError as error:
        if not verdicts or verdicts[-1].error is not error:  # raised between rules, by a reader of parts
            verdicts.append(CheckVerdict("token_well_formed", "RFC 7515 §7.1", error))
    return StatusReport(tuple(verdicts), reading)


def status_name(status: int) -> str:
    """The name that every list shares, or the number where only the issuer knows what it means."""
    return StatusValue(status).name.lower().replace("_", "-") if status in tuple(StatusValue) else f"status {status}"


def report_fields(report: StatusReport, reference: StatusReference) -> dict[str, Any]:
    """The report as JSON has it."""
    reading = report.reading
    return {
        "valid": report.is_valid,
        "status": None if reading is None else reading.status,
        "meaning": None if reading is None else status_name(reading.status),
        "uri": reference.uri,
        "index": reference.index,
        "size": None if reading is None else reading.claims.statuses.size,
        "issued_at_s": None if reading is None else reading.claims.issued_at_s,
        "expires_at_s": None if reading is None else reading.claims.expires_at_s,
        "ttl_s": None if reading is None else reading.claims.ttl_s,
        "issuer": None if reading is None else issuer_name_fields(reading.issuer),
        "checks": [verdict_fields(verdict) for verdict in report.verdicts],
    }
