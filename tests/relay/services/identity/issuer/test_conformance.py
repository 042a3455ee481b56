"""Modules of the OpenID conformance suite's plan `oid4vci-1_0-issuer-haip-test-plan`, done as the suite's wallet does them.

docs/identity/conformance.md names the commit that was read, which module stands in which test, and what is not supported.
"""

import json
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from hutong.light_clients.interface import VERIFY
from hutong.relay.services.identity.rules.jose import encode_base64url, judge_chain, read_anchors, read_jws
from hutong.relay.services.identity.rules.sd_jwt import read_compact
from tests.relay.services.identity.issuer.issuer_world import BASE, issuing, numbered_signer
from tests.relay.services.identity.issuer.suite_wallet import LOREM, VERIFIER, Suite, suite
from tests.relay.services.identity.issuer.test_issuing_flows import judged
from tests.relay.services.identity.rules.actors import HOLDER_KEY, STRANGER, Signer, raw_token

METADATA = "/.well-known/openid-credential-issuer/city"
SERVER = "/.well-known/oauth-authorization-server/city"
TYPE = "https://id.example/types/residence"
JWK = {**HOLDER_KEY.jwk, "use": "enc", "alg": "ECDH-ES", "kid": "k"}
REGISTRY = jwe.JWERegistry(algorithms=["ECDH-ES", "A128GCM", "A256GCM"])
OAUTH_REFUSALS = ("invalid_client", "invalid_request", "invalid_client_attestation")


def refused(answer: Any, *codes: str, status: tuple[int, ...] = (400, 401)) -> None:
    """An error as OAuth has them, in the clear, with no member that wallets do not know and no line end in its text."""
    assert answer.status_code in status, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert said["error"] in codes, said
    assert set(said) <= {"error", "error_description", "error_uri"}
    assert not set(said.get("error_description", "")) & set("\r\n\t")


async def credential_is_right(suite: Suite, folder, text: str, number: int = 0) -> dict[str, Any]:
    """The suite's conditions of an issued credential; its claims."""
    jws = read_jws(read_compact(text).issuer_jwt, "credential")
    shown = judged(folder, text, suite.now_s)
    header, claims = jws.header, jws.claims()
    assert header["typ"] == "dc+sd-jwt" and len(header["x5c"]) == 1, "the anchor is not in the chain"
    assert claims["vct"] == TYPE and claims["iat"] % 86_400 == claims["exp"] % 86_400 == 0
    assert claims["cnf"] == {"jwk": numbered_signer(number).jwk}
    listed = await suite.world.http.get(shown.status["status_list"]["uri"])
    assert listed.headers["content-type"] == "application/statuslist+jwt"
    chain = judge_chain(
        VERIFY, read_jws(listed.text, "list", 1 << 20).header["x5c"], read_anchors((folder / "authority.pem").read_bytes(), "a"), suite.now_s
    )  # fmt: skip
    assert chain.key is not None
    kind = (await suite.world.http.get(TYPE)).json()
    assert kind["vct"] == claims["vct"]
    for claim in kind["claims"]:
        (name,) = claim["path"]
        assert not claim["mandatory"] or name in shown.claims
        assert (name in claims) == (name in shown.claims and claim["sd"] == "never"), name
    return dict(shown.claims)


@pytest.mark.long
async def test_oid4vci_1_0_issuer_metadata_test(tmp_path):
    async with suite(tmp_path, 'wallet_providers = "authority.pem"\nkey_attesters = "authority.pem"') as wallet:
        http = wallet.world.http
        answer = await http.get(METADATA)
        assert answer.headers["content-type"] == "application/json"
        said = answer.json()
        assert said["credential_issuer"] == BASE
        assert all(said[name].startswith("https://") for name in ("credential_endpoint", "nonce_endpoint"))
        for name, kind in said["credential_configurations_supported"].items():
            assert (kind["format"], kind["scope"]) == ("dc+sd-jwt", name)
            assert kind["credential_signing_alg_values_supported"] == ["ES256"]
            assert kind["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"] == ["ES256"]
            assert {one["locale"] for one in kind["credential_metadata"]["display"]} == {"en"}
        for name in ("credential_request_encryption", "credential_response_encryption"):
            assert set(said[name]["enc_values_supported"]) == {"A128GCM", "A256GCM"}
            assert "zip_values_supported" not in said[name]
        (key,) = said["credential_request_encryption"]["jwks"]["keys"]
        assert "d" not in key and key["kid"]
        answer = await http.get(SERVER)
        assert answer.headers["content-type"] == "application/json"
        server = answer.json()
        assert server["issuer"] == BASE and "jwks_uri" not in server
        assert all(server[name].startswith("https://") for name in server if name.endswith("_endpoint"))
        assert server["token_endpoint_auth_methods_supported"] == ["attest_jwt_client_auth"]
        for name in ("client_attestation", "client_attestation_pop", "dpop"):
            assert server[f"{name}_signing_alg_values_supported"] == ["ES256"]
        assert server["authorization_details_types_supported"] == ["openid_credential"]
        assert set(said["credential_configurations_supported"]) == set(server["scopes_supported"])
        assert "authorization_code" in server["grant_types_supported"]
        assert "refresh_token" not in server["grant_types_supported"]


@pytest.mark.long
async def test_oid4vci_1_0_issuer_happy_flow(tmp_path):
    """Plain, begun by the wallet and by the issuer, with parameters that nobody knows at every end point."""
    async with suite(tmp_path) as wallet:
        token = await wallet.token(q7="unknown")
        answer = await wallet.ask(token, await wallet.body())
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
        assert set(answer.json()) == {"credentials"}, "nothing deferred, nothing to be notified of"
        (one,) = answer.json()["credentials"]
        assert set(one) == {"credential"}
        claims = await credential_is_right(wallet, tmp_path, one["credential"])
        assert claims["given_name"] == "Erika"
        offer = await wallet.world.offer(by_login=True)
        fetched = (await wallet.world.http.get(offer["offer_uri"])).json()
        state = fetched["grants"]["authorization_code"]["issuer_state"]
        wallet.offer = {"link": "", "transaction_code": offer["transaction_code"]}
        page = await wallet.page(await wallet.uri(issuer_state=state))
        assert 'name="offer"' not in page.text
        code = (await wallet.answered(page))["code"]
        answer = await wallet.exchange(code, q7="unknown")
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"


@pytest.mark.long
async def test_oid4vci_1_0_issuer_happy_flow_encrypted(tmp_path):
    """The request and the response, and once more where the wallet names a compression that is not offered."""
    async with suite(tmp_path) as wallet:
        token = await wallet.token()
        (server,) = (await wallet.world.http.get(METADATA)).json()["credential_request_encryption"]["jwks"]["keys"]
        public = ECKey.import_key({name: server[name] for name in ("kty", "crv", "x", "y")})
        secret = ECKey.import_key({**HOLDER_KEY.jwk, "d": encode_base64url(HOLDER_KEY.secret.to_bytes(32, "big"))})

        async def asked(number: int, encryption: dict[str, Any], **changes: Any) -> Any:
            body = await wallet.body(number, credential_response_encryption=encryption, **changes)
            header = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": server["kid"]}
            sealed = jwe.encrypt_compact(header, json.dumps(body).encode(), public, registry=REGISTRY)
            return await wallet.ask(token, sealed.encode(), **{"content-type": "application/jwt"})

        for number, also in enumerate(({}, {"zip": "DEF"})):
            answer = await asked(number, {"jwk": JWK, "enc": "A256GCM", **also})
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwt"), answer.text
            opened = jwe.decrypt_compact(answer.text, secret, registry=REGISTRY)
            assert "zip" not in opened.headers()
            (one,) = json.loads(opened.plaintext)["credentials"]
            await credential_is_right(wallet, tmp_path, one["credential"], number)
        unknown = await asked(2, {"jwk": JWK, "enc": "A256GCM"}, credential_configuration_id="passport")
        refused(unknown, "unknown_credential_configuration", status=(400,))
        refused(await asked(3, {"jwk": JWK, "enc": "A128CBC"}), "invalid_encryption_parameters", status=(400,))


@pytest.mark.long
async def test_oid4vci_1_0_issuer_happy_flow_additional_requests(tmp_path):
    async with suite(tmp_path) as wallet:
        token = await wallet.token()
        fapi = {"x-fapi-auth-date": "Tue, 11 Sep 2012 19:43:31 GMT", "x-fapi-interaction-id": "a" * 36}
        for number, headers in enumerate((
            {"x-fapi-customer-ip-address": "198.51.100.119", **fapi},
            {"x-fapi-customer-ip-address": "2001:db8::1893:25c8:1946", "accept": "application/json; charset=utf-8"},
            {"accept": "application/json, application/*+json, */*"},
        )):  # fmt: skip
            answer = await wallet.ask(token, await wallet.body(number), **headers)
            assert answer.status_code == 200, answer.text


@pytest.mark.long
async def test_oid4vci_1_0_issuer_happy_flow_multiple_clients(tmp_path):
    async with suite(tmp_path) as first:
        second = Suite(first.world, "wallet-2", first.redirect + LOREM, Signer(0x1258), Signer(0xD90A))
        taken = []
        for number, wallet in enumerate((first, second)):
            wallet.offer = await wallet.world.offer(by_login=True)
            uri = await wallet.uri(state="s" * 128)
            swapped = await wallet.world.http.get(
                f"{BASE}/authorize", params={"request_uri": uri, "client_id": wallet.client}
            )
            said = await wallet.answered(swapped)
            assert said["state"] == "s" * 128
            assert ("dummy1" in said) == (wallet is second)
            token = (await wallet.exchange(said["code"])).json()["access_token"]
            answer = await wallet.ask(token, await wallet.body(number))
            (one,) = answer.json()["credentials"]
            taken.append(await credential_is_right(wallet, tmp_path, one["credential"], number))
        assert taken[0]["iat"] == taken[1]["iat"], "days, which tell nobody apart"
        with_first = first.dpop("/credential", token)
        answer = await second.ask(token, await second.body(9), with_first)
        refused(answer, "invalid_dpop_proof")


@pytest.mark.long
async def test_oid4vci_1_0_issuer_fail_client_attestations(tmp_path):
    async with suite(tmp_path) as wallet:
        good = wallet.attested()
        head, body, signature = good.split(".")
        pop = wallet.possession()
        broken = {
            "fail-invalid-client-attestation-signature": {"attestation": f"{head}.{body}.{'A' * len(signature)}"},
            "fail-invalid-client-attestation-pop-signature": {"pop": pop[: pop.rindex(".") + 1] + "A" * 86},
            "fail-client-attestation-exp-in-past": {"attestation": wallet.attested(exp=wallet.now_s - 600)},
            "fail-client-attestation-no-sub": {"attestation": wallet.attested(sub=None)},
            "fail-client-attestation-pop-wrong-aud": {"pop": wallet.possession(aud="https://other.example")},
            "fail-mismatched-client-attestation-pop-key": {"pop": wallet.possession(key=STRANGER)},
            "none": {"attestation": None, "pop": None},
        }
        for name, said in broken.items():
            headers = {
                "oauth_client_attestation": said.get("attestation", good),
                "oauth_client_attestation_pop": said.get("pop", wallet.possession()),
            }
            answer = await wallet.push(wallet.headers("/par", **headers))
            refused(answer, *OAUTH_REFUSALS)
            assert "request_uri" not in answer.text, name
        assert (await wallet.push()).status_code == 201


@pytest.mark.long
async def test_oid4vci_1_0_issuer_fail_credential_requests(tmp_path):
    async with suite(tmp_path) as wallet:
        token = await wallet.token()
        body = await wallet.body()
        (proof,) = body["proofs"]["jwt"]
        foreign = wallet.world.wallet.proof("n-0S6_WzA2Mj")
        unsigned = proof[: proof.rindex(".") + 1] + "A" * 86
        for code, changes in (
            ("invalid_nonce", {"proofs": {"jwt": [foreign]}}),
            ("invalid_proof", {"proofs": {"jwt": [unsigned]}}),
            ("invalid_proof", {"proofs": None}),
            ("unknown_credential_configuration", {"credential_configuration_id": "passport"}),
            (
                "unknown_credential_identifier",
                {"credential_configuration_id": None, "credential_identifier": "passport"},
            ),
        ):
            said = {name: value for name, value in (body | changes).items() if value is not None}
            refused(await wallet.ask(token, said), code, status=(400,))
        content = json.dumps(body).encode()
        url = f"{BASE}/credential?access_token={token}"
        headers = {"dpop": wallet.dpop("/credential", token), "content-type": "application/json"}
        refused(await wallet.world.http.post(url, content=content, headers=headers), "invalid_token")
        assert wallet.world.issuer.ledger.log.size == 0
        assert (await wallet.ask(token, body)).status_code == 200


@pytest.mark.long
async def test_fapi2_authorization_requests_that_succeed(tmp_path):
    """States of all kinds, a person who says no, keys named before and in time, a page that is loaded twice."""
    async with suite(tmp_path) as wallet:
        wallet.offer = await wallet.world.offer(by_login=True)
        denied = await wallet.answered(await wallet.page(await wallet.uri(state="s" * 128)), agree="no")
        assert denied == {"error": "access_denied", "state": "s" * 128, "iss": BASE}
        for inside, outside in ((None, None), (None, "outside"), ("inside", "other"), ("s" * 1_000, None)):
            wallet.offer = await wallet.world.offer(by_login=True)
            also = {} if outside is None else {"state": outside}
            said = await wallet.answered(await wallet.page(await wallet.uri(state=inside), **also))
            assert said.get("state") == inside and set(said) <= {"code", "state", "iss"}
        own = encode_base64url(wallet.dpop_key.public.thumbprint())
        await wallet.token(dpop_jkt=own)
        wallet.offer = await wallet.world.offer(by_login=True)
        pushed = await wallet.push(wallet.headers("/par", dpop=None), dpop_jkt=own)
        code = (await wallet.answered(await wallet.page(pushed.json()["request_uri"])))["code"]
        soon = wallet.dpop("/token", nbf=wallet.now_s, exp=wallet.now_s + 300, iat=wallet.now_s - 10)
        token = (await wallet.exchange(code, wallet.headers("/token", dpop=soon))).json()["access_token"]
        for number, (scheme, changes) in enumerate((
            ("dpop", {}), ("DPOP", {"iat": wallet.now_s + 10}), ("DPoP", {"iat": wallet.now_s - 10}),
            ("DPoP", {"nbf": wallet.now_s, "exp": wallet.now_s + 300}),
        )):  # fmt: skip
            proof = wallet.dpop("/credential", token, **changes)
            assert (await wallet.ask(token, await wallet.body(number), proof, scheme)).status_code == 200, changes
        wallet.offer = await wallet.world.offer(by_login=True)
        uri = await wallet.uri()
        first, again = await wallet.page(uri), await wallet.page(uri)
        assert first.status_code == 200
        assert "code" in await wallet.answered(again)


@pytest.mark.long
async def test_fapi2_authorization_requests_that_fail(tmp_path):
    async with suite(tmp_path) as wallet:
        for changes, codes in (
            ({"redirect_uri": None}, ("invalid_request",)),
            ({"redirect_uri": "https://suite.example/callback#x"}, ("invalid_request",)),
            ({"response_type": "token"}, ("unsupported_response_type",)),
            ({"response_type": "code id_token"}, ("unsupported_response_type",)),
            ({"code_challenge": None, "code_challenge_method": None}, ("invalid_request",)),
            ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, ("invalid_request",)),
            ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, ("invalid_request",)),
            ({"client_id": "wallet-2"}, ("invalid_client",)),
            ({"dpop_jkt": "A" * 43}, ("invalid_dpop_proof",)),
        ):
            refused(await wallet.push(**changes), *codes)
        assert (await wallet.push(redirect_uri="https://elsewhere.example/cb")).status_code == 201, "it is attested"
        assert (await wallet.world.http.get(f"{BASE}/par")).status_code == 405
        plain = {
            "client_id": wallet.client,
            "response_type": "code",
            "scope": "residence",
            "redirect_uri": wallet.redirect,
        }
        refused(await wallet.world.http.get(f"{BASE}/authorize", params=plain), "invalid_request")
        uri = await wallet.uri()
        other = Suite(wallet.world, "wallet-2", instance=Signer(0x1258))
        refused(await other.page(uri), "invalid_request")
        wallet.offer = await wallet.world.offer(by_login=True)
        first, second = await wallet.page(uri), await wallet.page(uri)
        assert "code" in await wallet.answered(second)
        secret = first.text.partition('name="page" value="')[2].partition('"')[0]
        late = await wallet.world.http.post(f"{BASE}/authorize", data={"page": secret, "agree": "yes"})
        refused(late, "invalid_request")
        refused(await wallet.page(uri), "invalid_request")
        for offer in (await wallet.world.offer(), {"link": "x", "transaction_code": "123456"}):
            wallet.offer = offer  # of another grant, and none
            said = await wallet.answered(await wallet.page(await wallet.uri()))
            assert said["error"] == "access_denied" and "code" not in said
        uri = await wallet.uri()
        wallet.world.clock[0] += 90
        refused(await wallet.page(uri), "invalid_request")


@pytest.mark.long
async def test_fapi2_token_requests_that_fail(tmp_path):
    async with suite(tmp_path) as wallet:
        other = Suite(wallet.world, "wallet-2", wallet.redirect, Signer(0x1258), wallet.dpop_key)
        elsewhere = Suite(wallet.world, dpop_key=Signer(0xD90A), count=1_000)
        code = await wallet.code()
        refused(await wallet.exchange(code, wallet.headers("/token", dpop=None)), "invalid_dpop_proof")
        refused(await wallet.exchange(code, client_id="wallet-2"), "invalid_client")
        refused(await wallet.exchange(await wallet.code(), code_verifier=None), "invalid_grant", status=(400,))
        refused(await wallet.exchange(await wallet.code(), code_verifier="w" * 43), "invalid_grant", status=(400,))
        refused(await other.exchange(await wallet.code()), "invalid_grant", status=(400,))
        refused(await elsewhere.exchange(await wallet.code()), "invalid_dpop_proof")
        other_key = encode_base64url(elsewhere.dpop_key.public.thumbprint())
        wallet.offer = await wallet.world.offer(by_login=True)
        pushed = await wallet.push(wallet.headers("/par", dpop=None), dpop_jkt=other_key)
        named = (await wallet.answered(await wallet.page(pushed.json()["request_uri"])))["code"]
        refused(await wallet.exchange(named), "invalid_dpop_proof")
        code = await wallet.code()
        token = (await wallet.exchange(code)).json()["access_token"]
        wallet.world.clock[0] += 1
        refused(await wallet.exchange(code), "invalid_grant", status=(400,))
        refused(await wallet.ask(token, await wallet.body()), "invalid_token", status=(401,))
        code = await wallet.code()
        wallet.world.clock[0] += 62
        refused(await wallet.exchange(code), "invalid_grant", status=(400,))
        refused(await wallet.exchange("", grant_type="refresh_token"), "unsupported_grant_type", status=(400,))


@pytest.mark.long
async def test_fapi2_dpop_negative_tests(tmp_path):
    async with suite(tmp_path) as wallet:
        token = await wallet.token()
        make, now_s = wallet.dpop, wallet.now_s
        good = make("/credential", token)
        claims = json.dumps({"jti": "none", "htm": "POST", "htu": f"{BASE}/credential", "iat": now_s}).encode()
        jwk = json.dumps(wallet.dpop_key.jwk).encode()
        number = 0
        for dpop, scheme in (
            ([good, make("/credential", token)], "DPoP"),
            ("not.a.jwt", "DPoP"),
            (make("/credential", token, {"typ": None}), "DPoP"),
            (make("/credential", token, {"typ": "JWT"}), "DPoP"),
            (raw_token(b'{"typ":"dpop+jwt","jwk":' + jwk + b"}", claims, wallet.dpop_key.sign), "DPoP"),
            (make("/credential", token, {"jwk": None}), "DPoP"),
            (make("/credential", token, {"jwk": {**wallet.dpop_key.jwk, "d": "A" * 43}}), "DPoP"),
            (make("/credential", token, jti=None), "DPoP"),
            (make("/credential", token, htm=None), "DPoP"),
            (make("/credential", token, htm="PUT"), "DPoP"),
            (make("/credential", token, htu=None), "DPoP"),
            (make("/credential", token, htu="https://other.example/credential"), "DPoP"),
            (make("/credential", token, iat=None), "DPoP"),
            (make("/credential", token, iat=now_s + 3_600), "DPoP"),
            (make("/credential", token, iat=now_s - 3_600), "DPoP"),
            (make("/credential"), "DPoP"),
            (make("/credential", token, ath="A" * 43), "DPoP"),
            (raw_token(b'{"alg":"none","typ":"dpop+jwt","jwk":' + jwk + b"}", claims, lambda _: b""), "DPoP"),
            (good[: good.rindex(".") + 1] + "A" * 86, "DPoP"),
            (make("/credential", token, key=STRANGER), "DPoP"),
            ([], "DPoP"),
            ([], "Bearer"),
        ):
            refused(await wallet.ask(token, await wallet.body(), dpop, scheme), "invalid_dpop_proof", "invalid_token")
        for dpop in (
            make("/credential", token, htu=f"{BASE}/credential?query=1#fragment"),
            make("/credential", token, {"extra": 1}, extra=[1]),
            make("/credential", token, htu="HTTPS://ID.EXAMPLE/city/credential"),
            make("/credential", token, htu="https://id.example:443/city/credential"),
            make("/credential", token, jti="fixed"),
        ):
            number += 1
            assert (await wallet.ask(token, await wallet.body(number), dpop)).status_code == 200, number
        again = make("/credential", token, jti="fixed")
        refused(await wallet.ask(token, await wallet.body(20), again), "invalid_dpop_proof")


async def test_a_type_is_described_where_its_url_leads(tmp_path):
    """SD-JWT VC §6: made of the configuration; of a type elsewhere there is nothing here."""
    async with issuing(tmp_path) as world:
        kind = await world.http.get(TYPE)
        assert (kind.status_code, kind.headers["content-type"]) == (200, "application/json")
        said = kind.json()
        assert said["vct"] == TYPE and said["display"] == [{"locale": "en", "name": "Certificate of residence"}]
        first, second = said["claims"][:2]
        label = {"locale": "en", "label": "Given name"}
        assert first == {"path": ["given_name"], "mandatory": True, "sd": "always", "display": [label]}
        assert (second["path"], second["sd"]) == (["district"], "never")
        assert (await world.http.get("/types/other")).status_code == 404
