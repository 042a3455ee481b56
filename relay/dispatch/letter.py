"""A job that failed and rests: what is stored of it beside its record."""

import json
from dataclasses import dataclass

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.dispatch.errors import RecordRefused
from hutong.relay.dispatch.record import MAX_RECORD_BYTES, Job, decode_job

MAX_DEAD_LETTER_BYTES = 6 * MAX_RECORD_BYTES + 64 * 1024
"""The record stands in it as text, where a character takes up to six bytes."""
MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`attempts` are its failures of all kinds, `probes` those of them that cost nothing, for the `cause` of the last.

    `job` is None if its record cannot be read. `dead`: it failed often enough to be shown as a dead letter.
    """

    id: str
    route: str
    reason: str
    attempts: int
    at_ms: int
    job: Job | None
    cause: str = "other"
    probes: int = 0
    dead: bool = True

    def as_dict(self) -> dict[str, object]:
        """The fields that operators' programs read."""
        return {
            "job": self.id,
            "packet": self.id.partition(":")[2],
            "route": self.route,
            "cause": self.cause,
            "failures": self.attempts,
            "unpaid_failures": self.probes,
            "reason": self.reason,
            "at_ms": self.at_ms,
        }


def encode_letter(letter: DeadLetter, record: bytes) -> bytes:
    """The bytes that are stored of a letter.

    Args:
        record: the job's own record, or the bytes that stood in its place and could not be read.
    """
    document = {
        "route": letter.route,
        "reason": letter.reason[:MAX_REASON_CHARS],
        "attempts": letter.attempts,
        "at_ms": letter.at_ms,
        "cause": letter.cause,
        "probes": letter.probes,
        "dead": letter.dead,
        "record": record[:MAX_RECORD_BYTES].decode(errors="replace"),
    }
    return json.dumps(document, sort_keys=True).encode()


def decode_letter(job_id: str, data: bytes) -> DeadLetter:
    """Inverse of `encode_letter`, also of letters that an older hutong wrote without a cause.

    Nothing is raised: bytes that cannot be read give a letter without a job that says so.
    """
    try:
        document = parse_json(data, "dead letter", MAX_DEAD_LETTER_BYTES)
        return DeadLetter(
            job_id,
            str(document["route"]),
            str(document["reason"]),
            int(document["attempts"]),
            int(document["at_ms"]),
            _readable(document["record"]),
            str(document.get("cause", "other")),
            int(document.get("probes", 0)),
            bool(document.get("dead", True)),
        )
    except (MalformedInput, ValueError, KeyError, TypeError, AttributeError):
        return DeadLetter(job_id, "", "its dead letter is damaged", 0, 0, None)


def _readable(record: str) -> Job | None:
    try:
        return decode_job(record.encode())
    except RecordRefused:
        return None
