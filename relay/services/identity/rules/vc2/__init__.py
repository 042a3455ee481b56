"""Credentials of VC Data Model 2.0, as an export that others read: the documents, their envelopes and their proofs."""

from hutong.relay.services.identity.rules.vc2.contexts import BASE_CONTEXT, Vocabulary
from hutong.relay.services.identity.rules.vc2.data_integrity import SUITES, judge_integrity, signed_bytes
from hutong.relay.services.identity.rules.vc2.data_model import (
    MAX_DOCUMENT_BYTES,
    bare_credentials_are_the_holders,
    base_contexts,
    credential_is_in_time,
    judge_credential_model,
    judge_presentation_model,
    members_are_defined,
)
from hutong.relay.services.identity.rules.vc2.date_time import date_time_ns
from hutong.relay.services.identity.rules.vc2.envelope import (
    Enveloped,
    Presented,
    TokenForm,
    judge_credential_token,
    judge_presentation_token,
)

__all__ = [
    "BASE_CONTEXT",
    "MAX_DOCUMENT_BYTES",
    "SUITES",
    "Enveloped",
    "Presented",
    "TokenForm",
    "Vocabulary",
    "bare_credentials_are_the_holders",
    "base_contexts",
    "credential_is_in_time",
    "date_time_ns",
    "judge_credential_model",
    "judge_credential_token",
    "judge_integrity",
    "judge_presentation_model",
    "judge_presentation_token",
    "members_are_defined",
    "signed_bytes",
]
