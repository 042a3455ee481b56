"""Judging proof bundles offline: no network, no store, no clock; trust comes from the reader's checkpoints alone."""

from hutong.relay.audit.auditor import Auditor, Judgement, MissingTrust, Report
from hutong.relay.audit.inquiry import Verdict

__all__ = ["Auditor", "Judgement", "MissingTrust", "Report", "Verdict"]
