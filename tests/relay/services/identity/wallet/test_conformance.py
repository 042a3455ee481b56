"""Modules of the OpenID conformance suite's plan `oid4vp-1final-wallet-haip-test-plan` for `direct_post.jwt`, done as the suite's
verifier does them. docs/identity/conformance.md says which module stands in which test."""

import json
from collections.abc import Iterator

import pytest

from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.relay.services.identity.wallet import Wallet
from tests.relay.services.identity.wallet.peers import (
    ENCRYPTION_KEY,
    QUERY,
    VCT,
    ScriptedIssuer,
    ScriptedVerifier,
    make_wallet,
    open_wallet,
)

(ASKED,) = QUERY["credentials"]
NOBODYS = {"id": "other", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:conformance:nobody-has-it"]}}
FORMATS = {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}}
UNUSABLE = [
    {"kty": "AKP", "alg": "ML-KEM-9999", "kid": "unusable-pq-enc-key", "use": "enc", "pub": "Z0FO"},
    {"kty": "OIDF-CONFORMANCE-UNSUPPORTED", "alg": "OIDF-CONFORMANCE-UNSUPPORTED", "kid": "unusable", "use": "enc"},
]


@pytest.fixture(scope="module")
def holder(tmp_path_factory) -> Iterator[tuple[ScriptedVerifier, Wallet]]:
    """A verifier to change, and a wallet that holds a batch."""
    issuer, verifier = ScriptedIssuer(), ScriptedVerifier()
    with open_wallet(make_wallet(tmp_path_factory.mktemp("holder")), issuer, verifier) as wallet:
        wallet.accept(wallet.open_offer(issuer.link()), most=8)
        yield verifier, wallet


def asking(verifier: ScriptedVerifier, **claims) -> ScriptedVerifier:
    verifier.claims, verifier.header, verifier.text, verifier.answers = claims, {}, None, []
    verifier.state, verifier.nonce, verifier.by_post, verifier.wallet_nonce = (
        "s1",
        "n-0S6_WzA2MjZr5TnQxE1c",
        False,
        None,
    )
    return verifier


def shown(verifier: ScriptedVerifier, wallet: Wallet) -> dict[str, list[str]]:
    """Names of the disclosures by query; the verifier has judged the answer."""
    consent = wallet.propose(wallet.fetch_request(verifier.link()))
    assert wallet.present(consent) == "https://verifier.example/done"
    ((presentations, judged),) = verifier.answers
    return {name: sorted(judged[name][0].claims) for name in presentations}


def keys(**changes) -> dict:
    key = {**ENCRYPTION_KEY.jwk, "kid": "e1", "use": "enc", "alg": "ECDH-ES", **changes}
    return {name: value for name, value in key.items() if value is not None}


def metadata(*listed: dict) -> dict:
    return {
        "jwks": {"keys": list(listed)}, "encrypted_response_enc_values_supported": ["A128GCM"], "vp_formats_supported": FORMATS,
    }  # fmt: skip


ALWAYS = ["cnf", "exp", "iat", "level", "nationalities", "status", "vct"]
"""Of every credential that the scripted issuer makes."""


def test_oid4vp_1final_wallet_happy_flows(holder):
    """Without state; then with long state and nonce, members that nobody knows, a key without `use`, and the link's parameters
    in another order."""
    verifier, wallet = holder
    asking(verifier)
    verifier.state = None
    assert shown(verifier, wallet) == {"licence": sorted([*ALWAYS, "address"])}
    asking(verifier, iss="https://other.example", q7="unknown", client_metadata=metadata(keys(use=None)))
    verifier.state, verifier.nonce = "s" * 64, "n" * 43
    consent = wallet.propose(wallet.fetch_request(reordered(verifier.link())))
    assert wallet.present(consent) == "https://verifier.example/done"
    assert len(verifier.answers) == 1


def reordered(link: str) -> str:
    head, _, query = link.partition("?")
    return f"{head}?{'&'.join(reversed(query.split('&')))}"


def test_oid4vp_1final_wallet_request_uri_method_post(holder):
    verifier, wallet = holder
    asking(verifier).by_post = True
    assert shown(verifier, wallet)
    assert verifier.wallet_nonce


def test_oid4vp_1final_wallet_ignores_unusable_encryption_key(holder):
    verifier, wallet = holder
    asking(verifier, client_metadata=metadata(*UNUSABLE, keys()))
    assert shown(verifier, wallet)


def test_oid4vp_1final_wallet_queries(holder):
    """Fewer claims than there are, an optional credential that nobody has, and no claims at all."""
    verifier, wallet = holder
    locality = {**ASKED, "claims": [{"path": ["given_name"]}]}
    asking(verifier, dcql_query={"credentials": [locality]})
    assert shown(verifier, wallet) == {"licence": sorted([*ALWAYS, "given_name"])}
    sets = [{"options": [["licence"]]}, {"options": [["other"]], "required": False}]
    asking(verifier, dcql_query={"credentials": [ASKED, NOBODYS], "credential_sets": sets})
    assert list(shown(verifier, wallet)) == ["licence"]
    bare = {name: value for name, value in ASKED.items() if name != "claims"}
    asking(verifier, dcql_query={"credentials": [bare]})
    assert shown(verifier, wallet) == {"licence": ALWAYS}
    assert bare["meta"] == {"vct_values": [VCT]}


def test_oid4vp_1final_wallet_required_non_matching_credential(holder):
    verifier, wallet = holder
    sets = [{"options": [["licence"]]}, {"options": [["other"]]}]
    asking(verifier, dcql_query={"credentials": [ASKED, NOBODYS], "credential_sets": sets})
    with pytest.raises(PredicateFailed):
        wallet.propose(wallet.fetch_request(verifier.link()))
    assert not verifier.answers


def test_oid4vp_1final_wallet_negative_tests(holder):
    """Not shown to the holder, and nothing is posted."""
    verifier, wallet = holder
    data = [json.dumps({"type": "urn:conformance:unknown", "credential_ids": ["licence"]})]
    for name, claims in {
        "mismatched-client-id": {"client_id": "x509_hash:" + "A" * 43},
        "redirect-uri-with-direct-post": {"redirect_uri": "https://verifier.example/cb"},
        "missing-nonce": {"nonce": None},
        "invalid-client-id-prefix": {"client_id": "invalid_scheme:verifier.example"},
        "unknown-transaction-data-type": {"transaction_data": data},
    }.items():
        asking(verifier, **claims)
        with pytest.raises(VerificationError):
            wallet.fetch_request(verifier.link())
        assert not verifier.answers, name
    asking(verifier)
    head, _, signature = verifier.request().rpartition(b".")
    verifier.text = head + b"." + (b"A" * len(signature))
    with pytest.raises(VerificationError):
        wallet.fetch_request(verifier.link())
    asking(verifier)
    with pytest.raises(VerificationError):
        wallet.fetch_request(verifier.link(client_id="invalid_scheme:verifier.example"))
    assert not verifier.answers
