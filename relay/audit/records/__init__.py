"""Judging record bundles offline: what a chain's state held at a height, by the reader's checkpoint alone."""

from hutong.relay.audit.records.auditor import Asked, Finding, RecordAuditor, RecordReport
from hutong.relay.audit.records.words import place_text, statement_text, time_text

__all__ = ["Asked", "Finding", "RecordAuditor", "RecordReport", "place_text", "statement_text", "time_text"]
