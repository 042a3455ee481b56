"""Judging evidence of application cases offline: proof bundles, record bundles, and what a case concludes from them."""

from hutong.relay.audit.cases.auditor import CaseAuditor, CaseReport
from hutong.relay.audit.cases.document import Evidence, decode_evidence, encode_evidence
from hutong.relay.audit.cases.shown import Shown
from hutong.relay.audit.cases.trust import CaseTrust, decode_trust

__all__ = [
    "CaseAuditor",
    "CaseReport",
    "CaseTrust",
    "Evidence",
    "Shown",
    "decode_evidence",
    "decode_trust",
    "encode_evidence",
]
