"""A job in work, read from the answer of its route's stream."""

from dataclasses import dataclass
from typing import Any

from hutong.relay.dispatch.errors import RecordRefused
from hutong.relay.dispatch.record import Job, Route, decode_job


@dataclass(frozen=True, slots=True)
class Taken:
    """A job in work; `entry` names it to the server.

    `attempts` counts the failures that cost something or spoiled a batch, `probes` those that a simulation foresaw.
    """

    job: Job
    entry: str
    attempts: int
    probes: int = 0

    @property
    def failures(self) -> int:
        """How often it has failed: as a job, and when it was tried again while it rested."""
        return self.attempts + self.probes


def stream_entries(answer: Any) -> list[tuple[bytes, Any]]:
    """(name of the entry, its fields) of what XREADGROUP answers in either version of the protocol."""
    if not answer:
        return []
    streams = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer]
    found: list[tuple[bytes, Any]] = []
    for entries in streams:
        # RESP3 answers wrap the entries in one more list.
        found.extend(entries[0] if len(entries) == 1 and isinstance(entries[0], list) else entries)
    return found


def taken_of(route: Route, entry: bytes, fields: dict[bytes, bytes]) -> Taken:
    """The job of one entry of the route's stream.

    Raises:
        RecordRefused: its record cannot be read, or is of another route or job.
    """
    job = decode_job(fields.get(b"record", b""))
    if job.route != route:
        raise RecordRefused("route", f"{job.route.name} in the queue of {route.name}")
    if job.id.encode() != fields.get(b"id"):
        raise RecordRefused("id", "is not that of its record")
    counts = [fields.get(name, b"0") for name in (b"attempts", b"probes")]
    if any(not count.isdigit() or len(count) > 6 for count in counts):
        raise RecordRefused("attempts", "is not a number")
    return Taken(job, entry.decode(), *map(int, counts))
