"""Periods: every bundle of a source judged, and what they show together (docs/spec/audit-replay.md)."""

from hutong.relay.audit.period.entries import (
    Entry,
    EntryState,
    Failure,
    LegFacts,
    PacketId,
    judge_entry,
    unreadable_entry,
)
from hutong.relay.audit.period.findings import Finding, FindingKind
from hutong.relay.audit.period.replay import Inputs, Replay, TrustRoot, summarise

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
