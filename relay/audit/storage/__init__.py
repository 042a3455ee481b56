"""Storage audits judged offline: one file, and all files of a period together (docs/spec/storage-periods.md)."""

from hutong.relay.audit.storage.auditor import JudgedAudit, StorageAuditor, StorageReport
from hutong.relay.audit.storage.entries import EntryFailure, PeriodEntry, judge_file
from hutong.relay.audit.storage.findings import StorageFinding, StorageFindingKind
from hutong.relay.audit.storage.period import Demand, OperatorTotals, StoragePeriod, summarise
from hutong.relay.audit.storage.shown import ShownStorage

__all__ = [
    "Demand",
    "EntryFailure",
    "JudgedAudit",
    "OperatorTotals",
    "PeriodEntry",
    "ShownStorage",
    "StorageAuditor",
    "StorageFinding",
    "StorageFindingKind",
    "StoragePeriod",
    "StorageReport",
    "judge_file",
    "summarise",
]
