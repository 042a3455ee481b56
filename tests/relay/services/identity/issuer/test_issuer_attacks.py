"""Attacks N110 to N124 on an issuer, through its HTTP door; each with what is taken beside it."""

import json
from collections import Counter
from hashlib import sha256

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from hutong.relay.services.identity.issuer.list_book import ListBook, NoFreeIndex
from hutong.relay.services.identity.rules.jose import encode_base64url, read_jws
from hutong.relay.services.identity.rules.sd_jwt import read_compact
from hutong.relay.services.identity.rules.status import status_claim_well_formed
from hutong.relay.services.identity.store import issuances
from hutong.relay.telemetry import configure_logs
from hutong.relay.web.api_keys import ApiKey, Scope, digest_of, new_key, read_keys, write_keys
from tests.relay.services.identity.certificates import AUTHORITY_KEY, certify, key_of, pem
from tests.relay.services.identity.issuer.issuer_world import (
    BASE,
    CALLBACK,
    CLAIMS,
    account,
    counted_bytes,
    issuing,
    numbered_signer,
    query_of,
    signed,
)
from tests.relay.services.identity.rules.actors import HOLDER_KEY, STRANGER, Signer, raw_token

CHALLENGE = encode_base64url(sha256(b"v" * 43).digest())
PROVIDER = Signer(0xF00D)


def error_of(answer) -> str:
    return answer.json().get("error", "")


def asking(*proofs: str, **said) -> dict:
    return {"credential_configuration_id": "residence", "proofs": {"jwt": list(proofs)}, **said}


async def token_of(world, **offer) -> str:
    answer = await world.wallet.token(await world.offer(**offer))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


async def pushed(world, state: str, **changes):
    form = {
        "response_type": "code", "client_id": "wallet-1", "redirect_uri": CALLBACK, "scope": "residence",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "issuer_state": state, **changes,
    }  # fmt: skip
    sent = {name: value for name, value in form.items() if value is not None}
    return await world.http.post(f"{BASE}/par", data=sent, headers={"dpop": world.wallet.dpop("/par")})


async def state_of(world, offer) -> str:
    fetched = (await world.http.get(offer["offer_uri"])).json()
    return fetched["grants"]["authorization_code"]["issuer_state"]


async def page_of(world, offer) -> str:
    """The form's secret; the cookie is in the client."""
    uri = (await pushed(world, await state_of(world, offer))).json()["request_uri"]
    page = await world.http.get(f"{BASE}/authorize", params={"client_id": "wallet-1", "request_uri": uri})
    return page.text.partition('name="page" value="')[2].partition('"')[0]


async def code_of(world, offer) -> str:
    page = await page_of(world, offer)
    form = {"page": page, "agree": "yes", "code": offer["transaction_code"]}
    return query_of((await world.http.post(f"{BASE}/authorize", data=form)).headers["location"])["code"]


async def exchanged(world, code: str, **changes):
    form = {
        "grant_type": "authorization_code", "code": code, "client_id": "wallet-1", "redirect_uri": CALLBACK,
        "code_verifier": "v" * 43, **changes,
    }  # fmt: skip
    dpop = form.pop("dpop", None) or world.wallet.dpop("/token")
    return await world.http.post(f"{BASE}/token", data=form, headers={"dpop": dpop})


@pytest.mark.long
async def test_attack_N110_codes_are_taken_once(tmp_path):
    async with issuing(tmp_path) as world:
        offer = await world.offer()
        fetched = (await world.http.get(offer["offer_uri"])).json()
        code = next(iter(fetched["grants"].values()))["pre-authorized_code"]
        assert (await world.wallet.token(offer)).status_code == 200
        again = await world.wallet.token(offer, **{"pre-authorized_code": code})
        assert error_of(again) == "invalid_grant"
        assert (await world.http.get(offer["offer_uri"])).status_code == 404, "nor is the offer shown again"

        code = await code_of(world, await world.offer(by_login=True))
        token = (await exchanged(world, code)).json()["access_token"]
        assert error_of(await exchanged(world, code)) == "invalid_grant"
        nonce = await world.wallet.nonce()
        answer = await world.wallet.ask(token, asking(world.wallet.proof(nonce)))
        assert error_of(answer) == "invalid_token", "what was given for a code that comes twice has ended"


@pytest.mark.long
async def test_attack_N111_a_transaction_code_cannot_be_guessed(tmp_path):
    async with issuing(tmp_path) as world:
        offer = await world.offer()
        right = offer["transaction_code"]
        wrong = [f"{(int(right) + n) % 10**6:06d}" for n in range(1, 6)]
        answers = [error_of(await world.wallet.token(offer, tx_code=one)) for one in wrong[:4]]
        assert answers == ["invalid_grant"] * 4
        assert error_of(await world.wallet.token(offer, tx_code=None)) == "invalid_request"
        assert (await world.wallet.token(offer)).status_code == 200, "four wrong ones leave it as it is"
        offer = await world.offer()
        code = next(iter((await world.http.get(offer["offer_uri"])).json()["grants"].values()))["pre-authorized_code"]
        right = offer["transaction_code"]
        for number in range(1, 6):
            await world.wallet.token(offer, tx_code=f"{(int(right) + number) % 10**6:06d}")
        assert error_of(await world.wallet.token(offer, **{"pre-authorized_code": code})) == "invalid_grant"
        unasked = await world.offer(transaction_code=False)
        assert error_of(await world.wallet.token(unasked, tx_code="123456")) == "invalid_request"
        assert (await world.wallet.token(unasked)).status_code == 200


@pytest.mark.long
async def test_attack_N112_a_nonce_serves_once_and_only_here(tmp_path):
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world)
        nonce = await wallet.nonce()
        assert (await wallet.ask(token, asking(wallet.proof(nonce)))).status_code == 200
        used = await wallet.ask(token, asking(wallet.proof(nonce, 1)))
        assert error_of(used) == "invalid_nonce"
        old = await wallet.nonce()
        dpop_nonce = world.issuer.dpop_nonces.new()
        changed = nonce[:-1] + ("A" if nonce[-1] != "A" else "B")
        for foreign in ("", "n-0S6", dpop_nonce, changed, None):
            assert error_of(await wallet.ask(token, asking(wallet.proof(foreign)))) == "invalid_nonce", foreign
        two = asking(wallet.proof(await wallet.nonce(), 2), wallet.proof(await wallet.nonce(), 3))
        assert error_of(await wallet.ask(token, two)) == "invalid_nonce"
        world.clock[0] += 301
        assert error_of(await wallet.ask(token, asking(wallet.proof(old, 4)))) == "invalid_nonce"
        assert (await wallet.ask(token, asking(wallet.proof(await wallet.nonce(), 5)))).status_code == 200


@pytest.mark.long
async def test_attack_N113_proofs_of_other_keys_times_and_audiences(tmp_path):
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world)
        nonce, now_s = await wallet.nonce(), world.clock[0]
        key = numbered_signer(0)
        claims = {"aud": BASE, "iat": now_s, "nonce": nonce}
        unsigned = json.dumps({"alg": "none", "typ": "openid4vci-proof+jwt", "jwk": key.jwk}).encode()
        by_hash = json.dumps({"alg": "HS256", "typ": "openid4vci-proof+jwt", "jwk": key.jwk}).encode()
        wrong = {
            "alg none": raw_token(unsigned, json.dumps(claims).encode(), lambda _: b"")[:-1] + ".",
            "an HMAC": raw_token(by_hash, json.dumps(claims).encode(), lambda _: b"\x01" * 32),
            "another type": wallet.proof(nonce, header={"typ": "JWT"}),
            "another audience": wallet.proof(nonce, aud="https://other.example"),
            "two audiences": wallet.proof(nonce, aud=[BASE, "https://other.example"]),
            "an old one": wallet.proof(nonce, iat=now_s - 361),
            "one from the future": wallet.proof(nonce, iat=now_s + 61),
            "no time": wallet.proof(nonce, iat=None),
            "an expired one": wallet.proof(nonce, exp=now_s - 61),
            "signed by another key": wallet.proof(nonce, key=STRANGER, header={"jwk": HOLDER_KEY.jwk}),
            "a key by name": wallet.proof(nonce, header={"kid": "did:jwk:x#0"}),
            "a private key": wallet.proof(nonce, header={"jwk": {**key.jwk, "d": key.jwk["x"]}}),
            "an unknown critical header": wallet.proof(nonce, header={"crit": ["x"], "x": 1}),
            "secp256k1": wallet.proof(nonce, key=account(1)),
            "another client's name": wallet.proof(nonce, iss="wallet-9"),
        }
        for name, proof in wrong.items():
            answer = await wallet.ask(token, asking(proof))
            assert (answer.status_code, error_of(answer)) == (400, "invalid_proof"), name
        for name, body in {
            "both names": asking(wallet.proof(nonce), credential_identifier="residence"),
            "neither name": {"proofs": {"jwt": [wallet.proof(nonce)]}},
            "deferred": asking(wallet.proof(nonce), transaction_id="t"),
        }.items():
            assert error_of(await wallet.ask(token, body)) == "invalid_credential_request", name
        for body in ({"proof": {}}, {}, {"proof": {}, "proofs": {"jwt": [wallet.proof(nonce)]}}):
            said = {"credential_configuration_id": "residence", **body}
            assert error_of(await wallet.ask(token, said)) == "invalid_proof", body
        for proofs in ({}, {"jwt": []}, {"jwt": [1]}, {"jwt": ["x"], "attestation": ["y"]}, {"attestation": ["x"]}, 7):
            body = {"credential_configuration_id": "residence", "proofs": proofs}
            assert error_of(await wallet.ask(token, body)) == "invalid_proof", proofs
        assert (await wallet.ask(token, asking(wallet.proof(nonce, exp=now_s - 59)))).status_code == 200


@pytest.mark.long
async def test_attack_N114_dpop_proofs_of_other_requests_tokens_and_keys(tmp_path):
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world)
        other, now_s = await token_of(world), world.clock[0]
        nonce = await wallet.nonce()
        good = wallet.dpop("/credential", token, jti="once")
        assert (await wallet.ask(token, asking(wallet.proof(nonce)), dpop=good)).status_code == 200
        wrong = {
            "replayed": good,
            "another method": wallet.dpop("/credential", token, htm="GET"),
            "another address": wallet.dpop("/nonce", token),
            "another host": wallet.dpop("/credential", token, htu="https://evil.example/city/credential"),
            "another token": wallet.dpop("/credential", other),
            "no token": wallet.dpop("/credential"),
            "another key": wallet.dpop("/credential", token, key=STRANGER),
            "an old one": wallet.dpop("/credential", token, iat=now_s - 121),
            "no identifier": wallet.dpop("/credential", token, jti=""),
            "another type": signed(wallet.dpop_key, {"typ": "JWT", "jwk": wallet.dpop_key.jwk}, {"jti": "x"}),
            "not a token": "x.y.z",
        }
        for number, (name, dpop) in enumerate(wrong.items(), 1):
            nonce = await wallet.nonce()
            answer = await wallet.ask(token, asking(wallet.proof(nonce, number)), dpop=dpop)
            assert error_of(answer) == "invalid_dpop_proof", name
        said = wallet.dpop("/credential", token, htu="HTTPS://ID.example:443/city/credential")
        answer = await wallet.ask(token, asking(wallet.proof(await wallet.nonce(), 50)), dpop=said)
        assert answer.status_code == 200, "another spelling of the same address is the same"
        without = await world.http.post(f"{BASE}/token", data={"grant_type": "x"})
        assert error_of(without) == "invalid_dpop_proof"


@pytest.mark.long
async def test_attack_N114_a_servers_nonce_is_asked_for_where_it_is_configured(tmp_path):
    async with issuing(tmp_path, "dpop_nonces = true") as world:
        offer = await world.offer()
        code = next(iter((await world.http.get(offer["offer_uri"])).json()["grants"].values()))["pre-authorized_code"]
        refused = await world.wallet.token(offer)
        assert error_of(refused) == "use_dpop_nonce"
        foreign = world.wallet.dpop("/token", nonce=world.issuer.nonces.new())
        assert error_of(await world.wallet.token(offer, dpop=foreign)) == "use_dpop_nonce"
        right = world.wallet.dpop("/token", nonce=refused.headers["dpop-nonce"])
        answer = await world.wallet.token(offer, dpop=right, **{"pre-authorized_code": code})
        assert answer.status_code == 200


@pytest.mark.long
async def test_attack_N115_batches_have_a_bound_and_distinct_keys(tmp_path):
    async with issuing(tmp_path, kind="copies = 102") as world:
        wallet, token = world.wallet, await token_of(world)
        nonce = await wallet.nonce()
        proofs = [wallet.proof(nonce, number) for number in range(101)]
        assert error_of(await wallet.ask(token, asking(*proofs))) == "invalid_proof"
        twice = [wallet.proof(nonce, 7), wallet.proof(nonce, 7, iat=world.clock[0] - 1)]
        assert error_of(await wallet.ask(token, asking(*twice))) == "invalid_proof"
        answer = await wallet.ask(token, asking(*proofs[:100]))
        assert len(answer.json()["credentials"]) == 100
        nonce = await wallet.nonce()
        many = [wallet.proof(nonce, 200 + number) for number in range(3)]
        assert error_of(await wallet.ask(token, asking(*many))) == "credential_request_denied"
        assert (await wallet.ask(token, asking(*many[:2]))).status_code == 200


@pytest.mark.long
async def test_attack_N116_nothing_is_read_in_two_ways(tmp_path):
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world)
        nonce = await wallet.nonce()
        proof = wallet.proof(nonce)
        body = json.dumps(asking(proof)).encode()
        for twice in (
            body[:-1] + b',"credential_configuration_id":"library"}',
            body.replace(b'{"jwt"', b'{"jwt":["x"],"jwt"'),
            body[:-1] + b',"x":1e400}', body[:-1] + b',"x":NaN}', b"\xef\xbb\xbf" + body, b"[" * 100 + b"]" * 100, b"", b"[]",
        ):  # fmt: skip
            assert error_of(await wallet.ask(token, twice)) == "invalid_credential_request", twice[:60]
        repeated = raw_token(
            b'{"alg":"ES256","typ":"openid4vci-proof+jwt","typ":"openid4vci-proof+jwt","jwk":'
            + json.dumps(numbered_signer(0).jwk).encode() + b"}",
            json.dumps({"aud": BASE, "iat": world.clock[0], "nonce": nonce}).encode(),
            numbered_signer(0).sign,
        )  # fmt: skip
        assert error_of(await wallet.ask(token, asking(repeated))) == "invalid_proof"
        for path in ("/token", "/par", "/authorize"):
            form = "grant_type=x&grant_type=y"
            headers = {"content-type": "application/x-www-form-urlencoded", "dpop": wallet.dpop(path)}
            answer = await world.http.post(f"{BASE}{path}", content=form, headers=headers)
            assert error_of(answer) == "invalid_request", path
        offer = json.dumps({"type": "residence", "claims": CLAIMS}).encode()
        twice = offer[:-1] + b',"type":"library"}'
        answer = await world.desk("/v1/issuer/offers", twice)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
        assert (await world.desk("/v1/issuer/offers", offer)).status_code == 201
        assert (await wallet.ask(token, asking(proof))).status_code == 200


def attested(key: Signer, claims: dict, header: dict, certificate) -> str:
    x5c = [pem(certificate).decode().partition("-----\n")[2].partition("\n-----")[0].replace("\n", "")]
    return signed(key, {"x5c": x5c, **header}, claims)


@pytest.mark.long
async def test_attack_N117_forged_key_attestations(tmp_path):
    provider = certify("provider", key_of(PROVIDER.secret).public_key(), by="authority", key=AUTHORITY_KEY)
    forger = certify("provider", key_of(STRANGER.secret).public_key(), by="authority", key=key_of(STRANGER.secret))
    kind = "needs_key_attestation = true"
    async with issuing(tmp_path, 'key_attesters = "authority.pem"', kind) as world:
        wallet, token = world.wallet, await token_of(world)
        nonce, now_s = await wallet.nonce(), world.clock[0]
        claims = {"iat": now_s, "exp": now_s + 900, "attested_keys": [numbered_signer(n).jwk for n in range(2)]}
        typ = {"typ": "key-attestation+jwt"}
        good = attested(PROVIDER, claims, typ, provider)
        wrong = {
            "none": None,
            "by another authority": attested(STRANGER, claims, typ, forger),
            "by another key than certified": attested(STRANGER, claims, typ, provider),
            "another type": attested(PROVIDER, claims, {"typ": "JWT"}, provider),
            "over": attested(PROVIDER, {**claims, "exp": now_s - 61}, typ, provider),
            "without an end": attested(PROVIDER, {k: v for k, v in claims.items() if k != "exp"}, typ, provider),
            "of other keys": attested(PROVIDER, {**claims, "attested_keys": [STRANGER.jwk]}, typ, provider),
            "of no keys": attested(PROVIDER, {**claims, "attested_keys": []}, typ, provider),
            "without certificates": signed(PROVIDER, typ, claims),
        }
        for name, attestation in wrong.items():
            header = {} if attestation is None else {"key_attestation": attestation}
            answer = await wallet.ask(token, asking(wallet.proof(nonce, header=header)))
            assert error_of(answer) == "invalid_proof", name
        alone = {"credential_configuration_id": "residence", "proofs": {"attestation": [good]}}
        assert error_of(await wallet.ask(token, alone)) == "invalid_nonce", "as a proof it needs a nonce"
        header = {"key_attestation": good}
        assert (await wallet.ask(token, asking(wallet.proof(nonce, header=header)))).status_code == 200
        fresh = attested(PROVIDER, {**claims, "nonce": await wallet.nonce()}, typ, provider)
        both = await wallet.ask(token, {**alone, "proofs": {"attestation": [fresh]}})
        assert len(both.json()["credentials"]) == 2


@pytest.mark.long
async def test_attack_N117_forged_wallet_attestations(tmp_path):
    provider = certify("provider", key_of(PROVIDER.secret).public_key(), by="authority", key=AUTHORITY_KEY)
    forger = certify("provider", key_of(STRANGER.secret).public_key(), by="authority", key=key_of(STRANGER.secret))
    async with issuing(tmp_path, 'wallet_providers = "authority.pem"') as world:
        now_s, instance = world.clock[0], Signer(0x1257)
        claims = {"sub": "wallet-1", "exp": now_s + 900, "cnf": {"jwk": instance.jwk}}
        typ = {"typ": "oauth-client-attestation+jwt"}

        def possession(jti: str, key: Signer = instance, **changes) -> str:
            said = {"iss": "wallet-1", "aud": BASE, "iat": now_s, "jti": jti, **changes}
            return signed(key, {"typ": "oauth-client-attestation-pop+jwt"}, said)

        good = attested(PROVIDER, claims, typ, provider)
        wrong = {
            "none": (None, None),
            "no possession": (good, None),
            "by another authority": (attested(STRANGER, claims, typ, forger), possession("1")),
            "over": (attested(PROVIDER, {**claims, "exp": now_s - 61}, typ, provider), possession("2")),
            "of no wallet": (
                attested(PROVIDER, {k: v for k, v in claims.items() if k != "sub"}, typ, provider),
                possession("8"),
            ),
            "possession of another key": (good, possession("3", STRANGER)),
            "possession for another server": (good, possession("4", aud="https://other.example")),
            "an old possession": (good, possession("5", iat=now_s - 361)),
            "another wallet's possession": (good, possession("6", iss="wallet-2")),
        }
        offer = await world.offer()
        code = next(iter((await world.http.get(offer["offer_uri"])).json()["grants"].values()))["pre-authorized_code"]
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
            "pre-authorized_code": code, "tx_code": offer["transaction_code"],
        }  # fmt: skip

        async def token(attestation, proof):
            headers = {"dpop": world.wallet.dpop("/token")}
            if attestation is not None:
                headers["oauth-client-attestation"] = attestation
            if proof is not None:
                headers["oauth-client-attestation-pop"] = proof
            return await world.http.post(f"{BASE}/token", data=form, headers=headers)

        for name, pair in wrong.items():
            answer = await token(*pair)
            assert (answer.status_code, error_of(answer)) == (401, "invalid_client"), name
        assert (await token(good, possession("7"))).status_code == 200
        assert error_of(await token(good, possession("7"))) == "invalid_client", "it comes once"


@pytest.mark.long
async def test_attack_N118_a_form_of_somebody_elses_page(tmp_path):
    async with issuing(tmp_path) as world:
        offer = await world.offer(by_login=True)
        page = await page_of(world, offer)
        form = {"page": page, "agree": "yes", "code": offer["transaction_code"]}
        kept = dict(world.http.cookies)
        world.http.cookies.clear()
        assert error_of(await world.http.post(f"{BASE}/authorize", data=form)) == "invalid_request"
        world.http.cookies.set("hutong-issuer-page", "x" * 43)
        assert error_of(await world.http.post(f"{BASE}/authorize", data=form)) == "invalid_request"
        world.http.cookies.clear()
        for name, value in kept.items():
            world.http.cookies.set(name, value)
        evil = await world.http.post(f"{BASE}/authorize", data=form, headers={"origin": "https://evil.example"})
        assert evil.status_code == 403
        unknown = await world.http.post(f"{BASE}/authorize", data={**form, "page": "y"})
        assert "location" not in unknown.headers
        agreed = await world.http.post(f"{BASE}/authorize", data=form, headers={"origin": "https://id.example"})
        assert agreed.status_code == 303
        again = await world.http.post(f"{BASE}/authorize", data=form)
        assert error_of(again) == "invalid_request", "a form serves once"


@pytest.mark.long
async def test_attack_N118_stolen_and_misled_codes(tmp_path):
    async with issuing(tmp_path) as world:
        for name, change, said in (
            ("another verifier", {"code_verifier": "w" * 43}, "invalid_grant"),
            ("no verifier", {"code_verifier": ""}, "invalid_grant"),
            ("another place", {"redirect_uri": "https://evil.example"}, "invalid_grant"),
            ("another client", {"client_id": "wallet-2"}, "invalid_grant"),
            ("another key", {"dpop": None}, "invalid_dpop_proof"),
        ):
            code = await code_of(world, await world.offer(by_login=True))
            if "dpop" in change:
                change = {"dpop": world.wallet.dpop("/token", key=STRANGER)}
            assert error_of(await exchanged(world, code, **change)) == said, name
        offer = await world.offer(by_login=True)
        state = await state_of(world, offer)
        for name, change in (
            ("plain", {"code_challenge_method": "plain"}),
            ("no challenge", {"code_challenge": None}),
            ("elsewhere", {"redirect_uri": "https://evil.example/cb"}),
            ("a script", {"redirect_uri": "javascript:alert(1)"}),
            ("a request inside", {"request_uri": "urn:x"}),
            ("no client", {"client_id": None}),
        ):
            assert error_of(await pushed(world, state, **change)) == "invalid_request", name
        assert error_of(await pushed(world, state, scope="openid")) == "invalid_scope"
        assert error_of(await pushed(world, state, response_type="token")) == "unsupported_response_type"
        uri = (await pushed(world, state)).json()["request_uri"]
        direct = {"client_id": "wallet-1", "response_type": "code", "scope": "residence"}
        assert error_of(await world.http.get(f"{BASE}/authorize", params=direct)) == "invalid_request"
        other = {"client_id": "wallet-2", "request_uri": uri}
        assert error_of(await world.http.get(f"{BASE}/authorize", params=other)) == "invalid_request"
        page = await page_of(world, offer)
        refused = await world.http.post(f"{BASE}/authorize", data={"page": page, "agree": "yes", "code": "000000x"})
        assert query_of(refused.headers["location"])["error"] == "access_denied"
        assert (await exchanged(world, await code_of(world, offer))).status_code == 200


def test_attack_N119_indices_cannot_be_foretold():
    book = ListBook(counted_bytes())
    book.add(0, 1_024, is_open=True)
    drawn = [book.draw()[1] for _ in range(896)]
    assert len(set(drawn)) == 896
    steps = Counter(after - before for before, after in zip(drawn, drawn[1:], strict=False))
    assert steps.most_common(1)[0][1] < 20, "no step is taken often"
    ascending = sum(after > before for before, after in zip(drawn, drawn[1:], strict=False))
    assert 380 < ascending < 520
    halves = Counter(index // 128 for index in drawn[:400])
    assert set(halves) == set(range(8)), "every part of the list is drawn from at once"
    with pytest.raises(NoFreeIndex):
        book.draw()
    book.add(1, 1_024, is_open=True)
    assert book.draw()[0] == 1


async def test_attack_N120_nothing_leaves_whose_log_entry_is_lost(tmp_path, monkeypatch):
    """The disk refuses at the last instant: nothing is handed out, and the nonce serves another time."""
    configure_logs("error")
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world)
        nonce = await wallet.nonce()
        real = issuances.add_issuances

        def failing(connection, rows):
            real(connection, rows)
            raise OSError("the disk is gone")

        monkeypatch.setattr(issuances, "add_issuances", failing)
        answer = await wallet.ask(token, asking(wallet.proof(nonce)))
        assert answer.status_code == 500
        assert "credentials" not in answer.text
        assert world.issuer.ledger.log.size == 0
        monkeypatch.setattr(issuances, "add_issuances", real)
        answer = await wallet.ask(token, asking(wallet.proof(nonce)))
        assert answer.status_code == 200
        place = status_claim_well_formed(claims_of(answer)["status"])
        kept = await world.issuer.ledger.database.run(lambda one: issuances.entry_at(one, 0, place.index))
        assert kept is not None
        assert kept.position == 0


def claims_of(answer) -> dict:
    text = answer.json()["credentials"][0]["credential"]
    return read_jws(read_compact(text).issuer_jwt, "credential").claims()


@pytest.mark.long
async def test_attack_N121_a_token_without_its_key_or_for_something_else(tmp_path):
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world)
        proof = wallet.proof(await wallet.nonce())
        for name, header in {
            "as a bearer": f"Bearer {token}", "unknown": "DPoP unknown", "empty": "DPoP ", "basic": "Basic eDp5",
        }.items():  # fmt: skip
            answer = await wallet.ask(token, asking(proof), authorization=header)
            assert (answer.status_code, error_of(answer)) == (401, "invalid_token"), name
            assert answer.headers["www-authenticate"].startswith("DPoP")
        in_query = await world.http.post(f"{BASE}/credential?access_token={token}", json=asking(proof))
        assert (in_query.status_code, error_of(in_query)) == (401, "invalid_token")
        other = await wallet.ask(token, asking(proof, credential_configuration_id="library"))
        assert error_of(other) == "credential_request_denied"
        unknown = await wallet.ask(token, asking(proof, credential_configuration_id="passport"))
        assert error_of(unknown) == "unknown_credential_configuration"
        named = {"credential_identifier": "residence", "proofs": {"jwt": [proof]}}
        assert error_of(await wallet.ask(token, named)) == "unknown_credential_identifier"
        assert (await wallet.ask(token, asking(proof))).status_code == 200
        world.clock[0] += 3_600
        late = await wallet.ask(token, asking(wallet.proof(await wallet.nonce(), 1)))
        assert error_of(late) == "invalid_token"


@pytest.mark.long
async def test_attack_N122_encryption_in_no_way_but_those_offered(tmp_path):
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world)
        proof = wallet.proof(await wallet.nonce())
        key = ECKey.import_key({**HOLDER_KEY.jwk, "d": encode_base64url(HOLDER_KEY.secret.to_bytes(32, "big"))})
        jwk = {**HOLDER_KEY.jwk, "use": "enc", "alg": "ECDH-ES", "kid": "k"}
        wrong = [
            {"jwk": jwk, "enc": "A128CBC-HS256"}, {"jwk": {**jwk, "alg": "RSA-OAEP"}, "enc": "A128GCM"},
            {"jwk": {**jwk, "d": "AA"}, "enc": "A128GCM"}, {"enc": "A128GCM"}, {"jwk": jwk},
            {"jwk": jwk, "enc": "A128GCM", "zip": "GZ"}, {"jwk": {**jwk, "x": jwk["y"]}, "enc": "A128GCM"},
        ]  # fmt: skip
        for said in wrong:
            answer = await wallet.ask(token, asking(proof, credential_response_encryption=said))
            assert error_of(answer) == "invalid_encryption_parameters", said
        assert world.issuer.ledger.log.size == 0
        metadata = (await world.http.get("/.well-known/openid-credential-issuer/city")).json()
        server = metadata["credential_request_encryption"]["jwks"]["keys"][0]
        body = json.dumps(asking(proof, credential_response_encryption={"jwk": jwk, "enc": "A256GCM"})).encode()
        header = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": server["kid"]}
        plain = ECKey.import_key({name: server[name] for name in ("kty", "crv", "x", "y")})
        registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A128GCM", "A256GCM"])
        sealed = jwe.encrypt_compact(header, body, plain, registry=registry)
        for broken in (sealed[:-2] + "AA", sealed.replace(".", "", 1), sealed + "=", "x"):
            answer = await wallet.ask(token, broken.encode(), content_type="application/jwt")
            assert error_of(answer) == "invalid_encryption_parameters"
        answer = await wallet.ask(token, sealed.encode(), content_type="application/jwt")
        assert answer.headers["content-type"] == "application/jwt"
        opened = jwe.decrypt_compact(answer.text, key, registry=registry).plaintext
        assert len(json.loads(opened)["credentials"]) == 1


@pytest.mark.long
async def test_attack_N124_departments_doors_are_closed_to_others(tmp_path):
    async with issuing(tmp_path) as world:
        other = new_key()
        made = ApiKey("other", frozenset({Scope.WRITE}), digest_of(other), "2026-01-01T00:00:00Z")
        write_keys(tmp_path / "api-keys.json", [*read_keys(tmp_path / "api-keys.json"), made])
        body = {"type": "residence", "claims": CLAIMS}
        for path, said in (("/v1/issuer/offers", body), ("/v1/issuer/revocations", {"reference": "x"})):
            assert (await world.http.post(path, json=said)).status_code == 401
            assert (await world.desk(path, said, key=other)).status_code == 403
            assert (await world.desk(path, said, key="hk_" + "x" * 43)).status_code == 401
        assert (await world.desk("/v1/issuer/offers", body)).status_code == 201
        wallets = await world.http.post(f"{BASE}/nonce", headers={"authorization": "Bearer hk_wrong"})
        assert wallets.status_code == 200, "a wallet's Authorization is no key of this server"
