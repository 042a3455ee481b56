"""Periods: every bundle of a source judged, and what they show together (docs/spec/audit-replay.md)."""

from relay.audit.period.entries import Entry, EntryState, Failure, LegFacts, PacketId, judge_entry, unreadable_entry
from relay.audit.period.findings import Finding, FindingKind
from relay.audit.period.replay import Inputs, Replay, TrustRoot, summarise

__all__ = [
    "Entry",
    "EntryState",
    "Failure",
    "Finding",
    "FindingKind",
    "Inputs",
    "LegFacts",
    "PacketId",
    "Replay",
    "TrustRoot",
    "judge_entry",
    "summarise",
    "unreadable_entry",
]
