"""Audits: seeds that nobody chooses, probes that follow from them, answers and their judgement (docs/spec/storage-audits.md)."""
