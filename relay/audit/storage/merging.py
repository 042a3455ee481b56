"""What all files of a period say together, and where two of them say different things of one record."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TypeVar

from hutong.relay.audit.storage.entries import PeriodEntry
from hutong.relay.audit.storage.findings import StorageFinding, StorageFindingKind
from hutong.relay.audit.storage.shown import OfOperator
from hutong.relay.services.storage.rules.records.rounds import SecretRecord
from hutong.relay.services.storage.rules.records.values import SeedRecord, SetRecord, VerdictRecord

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class MergedRecords:
    """As `ShownStorage`, of all files that hold."""

    seeds: dict[int, SeedRecord] = field(default_factory=dict)
    sets: dict[OfOperator, SetRecord | None] = field(default_factory=dict)
    verdicts: dict[OfOperator, VerdictRecord | None] = field(default_factory=dict)
    secrets: dict[tuple[int, bytes], SecretRecord] = field(default_factory=dict)

    @property
    def audits(self) -> set[OfOperator]:
        """Operators and epochs of which something is shown, but that they were not asked."""
        return {of for of, one in self.sets.items() if one is not None} | self.verdicts.keys()


def merge(entries: Iterable[PeriodEntry]) -> tuple[MergedRecords, list[StorageFinding]]:
    """What holds, and a finding for each record of which two files differ.

    A record that was not there yet may be there later: a verdict that is shown takes the place of its absence.
    """
    merged, findings = MergedRecords(), list[StorageFinding]()
    for entry in entries:
        if entry.failure is not None:
            continue
        shown = entry.shown
        for epoch in _differing(merged.seeds, shown.seeds):
            findings.append(_contradiction(epoch, None, "seed", entry.name))
        for operator, epoch in _differing(merged.sets, shown.sets):
            findings.append(_contradiction(epoch, operator, "set", entry.name))
        for operator, epoch in _differing(merged.verdicts, shown.verdicts):
            findings.append(_contradiction(epoch, operator, "verdict", entry.name))
        # faults are added to the record of a secret later, so the newest number of them is kept
        for at, secret in shown.secrets.items():
            known = merged.secrets.get(at)
            if known is None or known.faults < secret.faults:
                merged.secrets[at] = secret
    return merged, findings


def _differing(known: MutableMapping[Key, Value], shown: Mapping[Key, Value]) -> list[Key]:
    found = []
    for key, value in shown.items():
        if key in known and known[key] is not None and value is not None and known[key] != value:
            found.append(key)
        elif value is not None or key not in known:
            known[key] = value
    return found


def _contradiction(epoch: int, operator: bytes | None, what: str, name: str) -> StorageFinding:
    reason = f"another file says another {what}"
    return StorageFinding(StorageFindingKind.CONTRADICTION, epoch, operator, reason, name)
