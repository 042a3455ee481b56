"""Whatever a wallet sends is judged or refused by a typed error: requests, proofs, DPoP proofs, challenges."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, VerificationError
from hutong.relay.services.identity.rules.jose import TrustAnchors
from hutong.relay.services.identity.rules.openid4vci.client_attestations import judge_client_attestation
from hutong.relay.services.identity.rules.openid4vci.credential_request import read_credential_request
from hutong.relay.services.identity.rules.openid4vci.dpop import DpopDemand, judge_dpop
from hutong.relay.services.identity.rules.openid4vci.key_proofs import ProofDemand, judge_proofs, judge_seal_proofs
from hutong.relay.services.identity.rules.openid4vci.pkce import challenge_well_formed, verifier_fits
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock
from tests.relay.services.identity.certificates import AUTHORITY
from tests.relay.services.identity.rules.actors import HOLDER_KEY, NOW_S, raw_token

CLOCK = Clock(NOW_S)
DEMAND = ProofDemand("https://id.example", {"n"}, None, CLOCK, TrustAnchors((AUTHORITY,)))
NAMES = st.sampled_from(
    ["credential_configuration_id", "credential_identifier", "proofs", "proof", "jwt", "attestation", "typ", "alg", "jwk",
     "x5c", "iat", "exp", "nonce", "aud", "htm", "htu", "ath", "jti", "cnf", "sub", "attested_keys", "hutong_seal_proofs",
     "credential_response_encryption", "key_attestation"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**53), st.text(max_size=8), st.just(HOLDER_KEY.jwk),
    st.sampled_from(["ES256", "n", "https://id.example", "POST", "openid4vci-proof+jwt", "dpop+jwt", "a.b.c"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)


@pytest.mark.long
@settings(max_examples=60)
@given(body=OBJECTS, header=OBJECTS, claims=OBJECTS, text=st.text(max_size=60))
def test_whatever_a_wallet_sends_is_judged_or_refused_by_a_typed_error(body, header, claims, text):
    typ = {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": HOLDER_KEY.jwk}
    token = raw_token(json.dumps({**typ, **header}).encode(), json.dumps(claims).encode(), HOLDER_KEY.sign)
    bound = raw_token(
        json.dumps({**typ, "typ": "dpop+jwt", **header}).encode(), json.dumps(claims).encode(), HOLDER_KEY.sign
    )
    demand = DpopDemand("POST", "https://id.example/token", CLOCK)
    anchors = TrustAnchors((AUTHORITY,))
    for judged in (
        lambda: read_credential_request(body),
        lambda: judge_proofs(VERIFY, body.get("proofs"), DEMAND),
        lambda: judge_proofs(VERIFY, {"jwt": [token, text]}, DEMAND),
        lambda: judge_proofs(VERIFY, {"attestation": [token]}, DEMAND),
        lambda: judge_seal_proofs(VERIFY, [token], DEMAND),
        lambda: judge_dpop(VERIFY, bound, demand),
        lambda: judge_dpop(VERIFY, text, demand),
        lambda: judge_client_attestation(VERIFY, token, text, anchors, "https://id.example", CLOCK),
        lambda: challenge_well_formed(text, "S256"),
        lambda: verifier_fits(text, "x" * 43),
    ):
        try:
            judged()
        except VerificationError as error:
            assert str(error)
