"""Modules of the OpenID conformance suite's plan `oid4vp-1final-verifier-haip-test-plan`, one test each, named as they are.

The suite plays the wallet; each test does what the module's source does, over HTTP, and demands what the module demands.
docs/identity/conformance.md names the commit that was read, and which condition stands in which test.
"""

from typing import Any

import pytest

from hutong.relay.services.identity.rules.jose import read_jws, write_json
from hutong.relay.services.identity.rules.openid4vp import ResponseMode, link_well_formed
from hutong.relay.services.identity.rules.sd_jwt import CompactSdJwt, read_compact
from tests.relay.services.identity.rules.actors import KB_HEADER, LICENCE, NOW_S, STRANGER, issued, token
from tests.relay.services.identity.verifier.scene import (
    CONFIG,
    Scene,
    credential,
    issuer_chain,
    verifier_scene,
)

YEAR_S = 365 * 86_400


async def test_oid4vp_1final_verifier_happy_flow(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        keys = set()
        for _ in range(2):
            asked = await scene.ask()
            request = await scene.wallet.open(asked["link"])
            # HAIP: an encryption key of each request's own; 128 bits of nonce, in characters that all wallets take
            assert request.metadata.encryption_key is not None
            keys.add(request.metadata.encryption_key.key)
            assert 22 <= len(request.challenge.nonce) <= 43
            answer = await scene.wallet.answer(request)
            assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
            assert answer.json()["redirect_uri"] == "https://verifier.example/verify/answered"
            assert (await scene.http.get(answer.json()["redirect_uri"])).status_code == 200
            shown = (await scene.result(asked))["result"]["credentials"]["licence"][0]
            assert shown["claims"]["given_name"] == "Erika"
        assert len(keys) == 2


async def test_oid4vp_1final_verifier_minimal_cnf_jwk(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        request = await scene.wallet.open((await scene.ask())["link"])
        claims = read_jws(credential().issuer_jwt, "credential").claims()
        confirmed: Any = claims["cnf"]
        assert set(confirmed["jwk"]) == {"kty", "crv", "x", "y"}
        assert (await scene.wallet.answer(request)).status_code == 200


async def test_oid4vp_1final_verifier_request_uri_method_post(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        link = (await scene.ask())["link"]
        assert link_well_formed(link).is_post
        request = await scene.wallet.open(link, wallet_nonce="of-the-wallet")
        assert request.challenge.wallet_nonce == "of-the-wallet"
        assert (await scene.wallet.open(link)).challenge.wallet_nonce is None
        assert (await scene.wallet.answer(request)).status_code == 200


async def test_oid4vp_1final_verifier_request_uri_fetched_twice(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        link = (await scene.ask())["link"]
        first = await scene.wallet.open(link)
        assert await scene.wallet.open(link) == first
        assert (await scene.wallet.answer(first)).status_code == 200


async def _refused(scene: Scene, make: Any) -> str:
    """What the verifier says to an answer made of the request, at once and to whoever asked."""
    asked = await scene.ask()
    request = await scene.wallet.open(asked["link"])
    answer = await scene.wallet.answer(request, make(request))
    assert 400 <= answer.status_code < 500
    found = await scene.result(asked)
    assert found["state"] == "refused" and "credentials" not in found["result"]
    return found["result"]["rule"]


async def test_oid4vp_1final_verifier_invalid_kb_jwt_signature(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        made = scene.wallet.presentation
        assert await _refused(scene, lambda request: made(request, key=STRANGER)) == "signature_verifies"


async def test_oid4vp_1final_verifier_invalid_credential_signature(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        head, body, signature = credential().issuer_jwt.split(".")
        broken = f"{head}.{body}.{signature[:-2]}{'AA' if not signature.endswith('AA') else 'BA'}"
        changed = CompactSdJwt(broken, credential().disclosures, None)
        made = scene.wallet.presentation
        assert await _refused(scene, lambda request: made(request, changed)) == "signature_verifies"


async def test_oid4vp_1final_verifier_invalid_sd_hash(tmp_path):
    async with verifier_scene(tmp_path) as scene:

        def made(request: Any) -> str:
            shown = read_compact(scene.wallet.presentation(request))
            claims = {"iat": NOW_S, "aud": request.client_id, "nonce": request.challenge.nonce, "sd_hash": "A" * 43}
            return shown.without_key_binding + token(KB_HEADER, write_json(claims), scene.wallet.holder)

        assert await _refused(scene, made) == "all_that_was_sent_is_signed"


async def test_oid4vp_1final_verifier_invalid_kb_jwt_nonce(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        made = scene.wallet.presentation
        assert await _refused(scene, lambda request: made(request, nonce="other")) == "presented_for_this_request"


async def test_oid4vp_1final_verifier_invalid_kb_jwt_aud(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        made = scene.wallet.presentation
        other = "https://other.example"
        assert await _refused(scene, lambda request: made(request, audience=other)) == "presented_to_this_verifier"


async def test_oid4vp_1final_verifier_kb_jwt_iat_in_past(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        made = scene.wallet.presentation
        assert await _refused(scene, lambda request: made(request, at_s=NOW_S - YEAR_S)) == "presented_just_now"


async def test_oid4vp_1final_verifier_kb_jwt_iat_in_future(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        made = scene.wallet.presentation
        assert await _refused(scene, lambda request: made(request, at_s=NOW_S + YEAR_S)) == "not_issued_in_the_future"


@pytest.mark.long
async def test_the_plan_holds_for_plain_answers_and_host_names(tmp_path):
    """The suite's other variants: `direct_post` and `x509_san_dns`."""
    text = CONFIG.replace("[verifier]\n", '[verifier]\nclient_id = "x509_san_dns"\n')
    async with verifier_scene(tmp_path, text) as scene:
        asked = await scene.ask("plain")
        request = await scene.wallet.open(asked["link"])
        assert request.response_mode is ResponseMode.DIRECT_POST and request.metadata.encryption_key is None
        assert request.client_id == "x509_san_dns:verifier.example"
        assert (await scene.wallet.answer(request)).status_code == 200
        assert (await scene.result(asked))["state"] == "accepted"
        without = issued({**LICENCE, "status": {"status_list": {"idx": 7, "uri": "https://issuer.example/status/2"}}},
                         header={"x5c": issuer_chain()})  # fmt: skip
        made = scene.wallet.presentation
        assert await _refused(scene, lambda request: made(request, without)) == "status_list_is_reachable"
