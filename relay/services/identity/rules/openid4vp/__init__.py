"""OpenID4VP 1.0 with HAIP: what a verifier signs, what a wallet may believe of it, and what an answer must be."""

from hutong.relay.services.identity.rules.openid4vp.answer import AnswerDemand, judge_vp_token
from hutong.relay.services.identity.rules.openid4vp.client_ids import ClientIdPrefix, client_id_of
from hutong.relay.services.identity.rules.openid4vp.client_metadata import ClientMetadata, EncryptionKey
from hutong.relay.services.identity.rules.openid4vp.link import RequestLink, link_well_formed
from hutong.relay.services.identity.rules.openid4vp.request import (
    REQUEST_MEDIA_TYPE,
    REQUEST_TYPE,
    VERIFIER_PURPOSES,
    AuthorizationRequest,
    Challenge,
    Lifetime,
    RequestDemand,
    ResponseMode,
    judge_request,
    request_well_formed,
    sign_request,
    write_request,
)
from hutong.relay.services.identity.rules.openid4vp.response import (
    VpToken,
    WalletError,
    judge_form,
    write_response,
)

__all__ = [
    "REQUEST_MEDIA_TYPE",
    "REQUEST_TYPE",
    "VERIFIER_PURPOSES",
    "AnswerDemand",
    "AuthorizationRequest",
    "Challenge",
    "ClientIdPrefix",
    "ClientMetadata",
    "EncryptionKey",
    "Lifetime",
    "RequestDemand",
    "RequestLink",
    "ResponseMode",
    "VpToken",
    "WalletError",
    "client_id_of",
    "judge_form",
    "judge_request",
    "judge_vp_token",
    "link_well_formed",
    "request_well_formed",
    "sign_request",
    "write_request",
    "write_response",
]
