"""Judging proof bundles offline: no network, no store, no clock; trust comes from the reader's checkpoints alone."""

from relay.audit.auditor import Auditor, MissingTrust, Report, Verdict

__all__ = ["Auditor", "MissingTrust", "Report", "Verdict"]
