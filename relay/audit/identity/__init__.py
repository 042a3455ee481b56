"""Judging acceptances of credentials and seals offline: a hub's records by the reader's checkpoint, then the rules of identity."""

from hutong.relay.audit.identity.auditor import AcceptanceAuditor, AcceptanceReport, Accepted
from hutong.relay.audit.identity.terms import AcceptanceTerms

__all__ = ["AcceptanceAuditor", "AcceptanceReport", "AcceptanceTerms", "Accepted"]
