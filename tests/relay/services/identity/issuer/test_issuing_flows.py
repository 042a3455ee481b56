"""Offers taken by wallets over HTTP: pre-authorised and code flow, batches, revocation, the log, what stands on the disk."""

from hashlib import sha256

import pytest

from hutong.light_clients.interface import VERIFY
from hutong.light_clients.proofs.merkle import MerkleProof, leaf_hash, verify
from hutong.relay.services.identity.rules.jose import encode_base64url, judge_chain, read_anchors, read_jws
from hutong.relay.services.identity.rules.records.log_record import decode_log_entry
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust, PresentationPolicy, judge_presentation
from hutong.relay.services.identity.rules.sd_jwt.compact import read_compact
from hutong.relay.services.identity.rules.status import ListDemand, judge_status, status_claim_well_formed
from hutong.relay.services.identity.store import grants
from hutong.relay.telemetry import configure_logs
from tests.relay.services.identity.issuer.issuer_world import (
    BASE,
    CALLBACK,
    CLAIMS,
    issuing,
    numbered_signer,
    query_of,
)
from tests.relay.services.identity.rules.actors import NOW_S


def trust(folder) -> IssuerTrust:
    return IssuerTrust((), read_anchors((folder / "authority.pem").read_bytes(), "anchors"))


def judged(folder, text: str, now_s: int = NOW_S):
    return judge_presentation(VERIFY, text, PresentationPolicy(trust(folder), Clock(now_s), None))


async def test_a_batch_is_issued_logged_revoked_and_proven(tmp_path):
    async with issuing(tmp_path) as world:
        offer = await world.offer(reference="case-7")
        answer = await world.wallet.take(offer, 20)
        assert answer.status_code == 200, answer.text
        texts = [one["credential"] for one in answer.json()["credentials"]]
        shown = [judged(tmp_path, text) for text in texts]
        assert [one.claims["cnf"]["jwk"] for one in shown] == [numbered_signer(n).jwk for n in range(20)]
        assert all(one.claims["given_name"] == "Erika" and one.claims["address"] == CLAIMS["address"] for one in shown)
        places = [status_claim_well_formed(one.status) for one in shown]
        assert len({one.index for one in places}) == 20
        salts = {part for text in texts for part in read_compact(text).disclosures}
        assert len(salts) == 20 * 3, "each disclosure has a salt of its own"

        list_url = places[0].uri
        listed = await world.http.get(list_url)
        assert listed.headers["content-type"] == "application/statuslist+jwt"
        assert listed.headers["cache-control"] == "max-age=15"
        demand = ListDemand(trust(tmp_path), Clock(NOW_S), shown[0].issuer)
        assert judge_status(VERIFY, listed.text, places[0], demand).status == 0
        again = await world.http.get(list_url, headers={"if-none-match": listed.headers["etag"]})
        assert again.status_code == 304

        digest = sha256(read_compact(texts[3]).issuer_jwt.encode()).digest()
        place = f"{BASE}/log/0/{places[3].index}"
        proof = (await world.http.get(place, params={"digest": digest.hex(), "size": 20})).json()
        entry = bytes.fromhex(proof["entry"])
        assert decode_log_entry(entry).credential.digest == digest
        aunts = tuple(bytes.fromhex(one) for one in proof["aunts"])
        verify(MerkleProof(20, proof["index"], leaf_hash(entry), aunts), world.issuer.ledger.log.root(20), entry)
        assert (await world.http.get(place, params={"digest": "00" * 32, "size": 20})).status_code == 404

        revoked = await world.desk("/v1/issuer/revocations", {"list": 0, "index": places[3].index})
        assert revoked.json() == {"revoked": 1}
        await world.settle()
        listed = (await world.http.get(list_url)).text
        assert [judge_status(VERIFY, listed, one, demand).status for one in places] == [n == 3 for n in range(20)]
        rest = await world.desk("/v1/issuer/revocations", {"reference": "case-7"})
        assert rest.json() == {"revoked": 19}
        missing = await world.desk("/v1/issuer/revocations", {"reference": "case-8"})
        assert missing.status_code == 404


async def test_the_code_flow_leads_to_a_credential(tmp_path):
    async with issuing(tmp_path) as world:
        offer = await world.offer(by_login=True)
        wallet, http = world.wallet, world.http
        fetched = (await http.get(offer["offer_uri"])).json()
        verifier = "v" * 43
        form = {
            "response_type": "code", "client_id": "wallet-1", "redirect_uri": CALLBACK, "state": "s/1",
            "code_challenge": encode_base64url(sha256(verifier.encode()).digest()), "code_challenge_method": "S256",
            "scope": "residence", "issuer_state": fetched["grants"]["authorization_code"]["issuer_state"],
        }  # fmt: skip
        pushed = await http.post(f"{BASE}/par", data=form, headers={"dpop": wallet.dpop("/par")})
        assert pushed.status_code == 201, pushed.text
        page = await http.get(
            f"{BASE}/authorize", params={"client_id": "wallet-1", "request_uri": pushed.json()["request_uri"]}
        )
        assert page.status_code == 200
        assert "Certificate of residence" in page.text
        secret = page.text.partition('name="page" value="')[2].partition('"')[0]
        agreed = await http.post(
            f"{BASE}/authorize", data={"page": secret, "agree": "yes", "code": offer["transaction_code"]}
        )
        assert agreed.status_code == 303
        said = query_of(agreed.headers["location"])
        assert (said["state"], said["iss"]) == ("s/1", BASE)
        token = await http.post(
            f"{BASE}/token",
            data={
                "grant_type": "authorization_code", "code": said["code"], "client_id": "wallet-1",
                "redirect_uri": CALLBACK, "code_verifier": verifier,
            },
            headers={"dpop": wallet.dpop("/token")},
        )  # fmt: skip
        assert token.status_code == 200, token.text
        access = token.json()["access_token"]
        nonce = await wallet.nonce()
        proofs = {"jwt": [wallet.proof(nonce, iss="wallet-1")]}
        refused = await wallet.ask(access, {"credential_configuration_id": "residence", "proofs": proofs})
        assert refused.json()["error"] == "invalid_proof", "an anonymous wallet has no name to sign"
        proofs = {"jwt": [wallet.proof(await wallet.nonce())]}
        answer = await wallet.ask(access, {"credential_configuration_id": "residence", "proofs": proofs})
        assert judged(tmp_path, answer.json()["credentials"][0]["credential"]).vct.endswith("residence")


async def test_nothing_of_a_person_stays_when_an_offer_has_served(tmp_path):
    async with issuing(tmp_path, kind="copies = 1") as world:
        offer = await world.offer(claims={**CLAIMS, "given_name": "Erika Planted"})
        assert (await world.wallet.take(offer)).status_code == 200
        await world.offer(claims={**CLAIMS, "given_name": "Erika Planted"}, expires_in_s=10)
        world.clock[0] += 11
        await world.issuer.ledger.database.run(lambda connection: grants.forget_ended(connection, world.clock[0]))
    files = [path for path in (tmp_path / "state").iterdir() if path.is_file()]
    assert files
    for path in files:
        assert b"Planted" not in path.read_bytes(), path.name


async def test_what_was_issued_is_known_after_a_restart(tmp_path):
    async with issuing(tmp_path) as world:
        offer = await world.offer(reference="case-1")
        text = (await world.wallet.take(offer, 3)).json()["credentials"][0]["credential"]
        root = world.issuer.ledger.log.root()
        await world.desk("/v1/issuer/revocations", {"reference": "case-1"})
    async with issuing(tmp_path) as world:
        assert (world.issuer.ledger.log.size, world.issuer.ledger.log.root()) == (3, root)
        await world.settle()
        place = status_claim_well_formed(judged(tmp_path, text).status)
        assert sum(state.used for state in world.issuer.ledger.book) == 3
        listed = (await world.http.get(place.uri)).text
        demand = ListDemand(trust(tmp_path), Clock(NOW_S))
        assert judge_status(VERIFY, listed, place, demand).status == 1


@pytest.mark.long
async def test_a_second_writer_is_refused_and_nothing_is_lost(tmp_path):
    configure_logs("error")
    async with issuing(tmp_path, name="first") as first, issuing(tmp_path) as second:
        first.wallet.count = 100
        offers = [await second.offer() for _ in range(3)]
        assert (await second.wallet.take(offers[0])).status_code == 200
        late = await first.wallet.take(offers[1])
        assert (late.status_code, late.json()["code"]) == (503, "busy")
        again = await first.wallet.take(offers[2])
        assert (again.status_code, again.json()["error"]) == (503, "server_error")
        assert "another process" in (await first.http.get("/readyz")).text
    async with issuing(tmp_path) as world:
        assert world.issuer.ledger.log.size == 1


async def test_list_tokens_are_signed_anew_in_time(tmp_path):
    async with issuing(tmp_path) as world:
        payloads = []
        for _ in range(4):
            listed = (await world.http.get(f"{BASE}/status/0")).text
            claims = read_jws(listed, "list", 1 << 20).claims()
            assert claims["iat"] <= world.clock[0] < claims["exp"]
            assert (claims["ttl"], claims["sub"]) == (15, f"{BASE}/status/0")
            payloads.append(claims["iat"])
            world.clock[0] += 29
            await world.settle()
        assert payloads == [NOW_S, NOW_S, NOW_S + 58, NOW_S + 58]
        assert (await world.http.get(f"{BASE}/status/9")).status_code == 404
        assert (await world.http.get(f"{BASE}/status/0?time=5")).status_code == 501
        assert (await world.http.get(f"{BASE}/status/0", headers={"accept": "text/html"})).status_code == 406


@pytest.mark.long
async def test_metadata_says_what_is_there_and_is_signed_for_who_asks(tmp_path):
    async with issuing(tmp_path) as world:
        place = "/.well-known/openid-credential-issuer/city"
        plain = (await world.http.get(place)).json()
        assert plain["batch_credential_issuance"] == {"batch_size": 100}
        assert (plain["credential_endpoint"], plain["nonce_endpoint"]) == (f"{BASE}/credential", f"{BASE}/nonce")
        signed = await world.http.get(place, headers={"accept": "application/jwt"})
        assert signed.headers["content-type"] == "application/jwt"
        jws = read_jws(signed.text, "metadata", 1 << 20)
        anchors = read_anchors((tmp_path / "authority.pem").read_bytes(), "anchors")
        key = judge_chain(VERIFY, jws.header["x5c"], anchors, NOW_S).key
        assert key.verifies(jws.signing_input, jws.signature)
        claims = jws.claims()
        assert (jws.header["typ"], claims.pop("iat"), claims.pop("sub")) == (
            "openidvci-issuer-metadata+jwt", NOW_S, BASE,
        )  # fmt: skip
        assert claims == plain
        server = (await world.http.get("/.well-known/oauth-authorization-server/city")).json()
        assert server["issuer"] == BASE
        assert server["require_pushed_authorization_requests"] is True
        assert server["code_challenge_methods_supported"] == ["S256"]
        assert server["dpop_signing_alg_values_supported"] == ["ES256"]
        deferred = await world.http.post(f"{BASE}/deferred_credential")
        assert deferred.json()["error"] == "invalid_token"


async def test_departments_are_told_what_is_wrong(tmp_path):
    wrong = [
        ({"type": "none", "claims": {}}, "type"),
        ({"type": "residence", "claims": {}}, "given_name"),
        ({"type": "residence", "claims": {"given_name": "E", "x": 1}}, "x"),
        ({"type": "residence", "claims": CLAIMS, "reference": "a b"}, "reference"),
        ({"type": "residence", "claims": CLAIMS, "expires_in_s": 0}, "expires_in_s"),
        ({"type": "residence", "claims": CLAIMS, "by_login": "yes"}, "by_login"),
        ({"type": "residence", "claims": CLAIMS, "other": 1}, "other"),
        ({"type": "residence", "claims": {"given_name": "x" * 20_000}}, "claims"),
    ]
    async with issuing(tmp_path) as world:
        for body, said in wrong:
            answer = await world.desk("/v1/issuer/offers", body)
            assert answer.status_code == 422, body
            assert said in answer.json()["field"]
        assert (await world.desk("/v1/issuer/offers", {}, key="hk_wrong")).status_code == 401
        state = await world.http.get("/v1/issuer/state", headers={"authorization": f"Bearer {world.key}"})
        assert state.json() == {"issued": 0, "lists": 1, "free": 1_024, "refusal": None}
