"""What a department holds until it releases it: asked for now, given later, to who asked and to nobody else."""

import json

import pytest
from sqlalchemy import select

from hutong.relay.services.identity.store import grants
from tests.relay.services.identity.issuer.issuer_world import BASE, issuing
from tests.relay.services.identity.issuer.suite_wallet import ATTESTED, suite
from tests.relay.services.identity.rules.actors import STRANGER

HELD = {"hold": True, "reference": "case-7", "transaction_code": False}


async def later(world, token, said, **changes):
    """At the deferred end point, with a proof for it."""
    wallet = world.wallet
    dpop = changes.pop("dpop", None) or wallet.dpop("/deferred_credential", token)
    headers = {"authorization": f"DPoP {token}", "dpop": dpop, "content-type": "application/json"}
    return await world.http.post(f"{BASE}/deferred_credential", content=json.dumps(said), headers=headers)


async def asked(world, count=2, **offer):
    """Token and transaction of a held offer."""
    wallet = world.wallet
    token = (await wallet.token(await world.offer(**{**HELD, **offer}))).json()["access_token"]
    nonce = await wallet.nonce()
    body = {
        "credential_configuration_id": "residence",
        "proofs": {"jwt": [wallet.proof(nonce, number) for number in range(count)]},
    }
    answer = await wallet.ask(token, body)
    assert (answer.status_code, answer.json()["interval"]) == (202, 5), answer.text
    again = await wallet.ask(token, body)
    assert again.json()["error"] in ("invalid_nonce", "credential_request_denied"), (
        "a nonce serves once, also for later"
    )
    return token, {"transaction_id": answer.json()["transaction_id"]}


async def released(world, reference="case-7"):
    return await world.desk("/v1/issuer/releases", {"reference": reference})


async def test_what_is_held_is_given_when_it_is_released(tmp_path):
    async with issuing(tmp_path) as world:
        metadata = (await world.http.get("/.well-known/openid-credential-issuer/city")).json()
        assert metadata["deferred_credential_endpoint"] == f"{BASE}/deferred_credential"
        token, transaction = await asked(world)
        for _ in range(2):
            answer = await later(world, token, transaction)
            assert (answer.status_code, answer.json()) == (202, {**transaction, "interval": 5})
        assert world.issuer.ledger.log.size == 0
        assert (await released(world, "case-8")).status_code == 404
        assert (await released(world)).json() == {"released": 1} and (await released(world)).status_code == 404
        world.clock[0] += 2 * 3_600  # longer than a token lives that waits for nothing
        answer = await later(world, token, transaction)
        assert answer.status_code == 200 and len(answer.json()["credentials"]) == 2, answer.text
        assert world.issuer.ledger.log.size == 2
        assert (await world.desk("/v1/issuer/revocations", {"reference": "case-7"})).json() == {"revoked": 2}


async def test_what_is_held_has_a_reference_and_is_said_to_be_so(tmp_path):
    async with issuing(tmp_path) as world:
        for wrong in ({"reference": None}, {"hold": "yes"}):
            said = {"type": "residence", "claims": {"given_name": "Erika"}, **HELD, **wrong}
            assert (await world.desk("/v1/issuer/offers", said)).status_code == 422
        for wrong in ({}, {"reference": 7}, {"reference": "case-7", "x": 1}):
            assert (await world.desk("/v1/issuer/releases", wrong)).status_code == 422


@pytest.mark.long
async def test_attack_N209_what_comes_later_comes_to_who_asked(tmp_path):
    """Another token, key, transaction, end point; twice; after the offer has ended; beyond what the type allows."""
    async with issuing(tmp_path, kind="copies = 4") as world:
        token, transaction = await asked(world)
        other, others = await asked(world, reference="case-9")
        wrong = {
            "another token": (other, transaction, {}),
            "another transaction": (token, others, {}),
            "none": (token, {"transaction_id": "A" * 43}, {}),
            "a proof for the other end point": (token, transaction, {"dpop": world.wallet.dpop("/credential", token)}),
            "another key": (token, transaction, {"dpop": world.wallet.dpop("/deferred_credential", token, key=STRANGER)}),
            "no text": (token, {"transaction_id": 7}, {}),
            "no member": (token, {}, {}),
            "an encryption that nobody has": (token, {**transaction, "credential_response_encryption": {"enc": "X"}}, {}),
        }  # fmt: skip
        await released(world)
        codes = {}
        for name, (bearer, said, how) in wrong.items():
            answer = await later(world, bearer, said, **how)
            codes[name] = (answer.status_code, answer.json()["error"])
        assert codes == {
            "another token": (400, "invalid_transaction_id"), "another transaction": (400, "invalid_transaction_id"),
            "none": (400, "invalid_transaction_id"),
            "a proof for the other end point": (401, "invalid_dpop_proof"), "another key": (401, "invalid_dpop_proof"),
            "no text": (400, "invalid_credential_request"), "no member": (400, "invalid_credential_request"),
            "an encryption that nobody has": (400, "invalid_encryption_parameters"),
        }  # fmt: skip
        assert world.issuer.ledger.log.size == 0
        nonce = await world.wallet.nonce()
        three = {"jwt": [world.wallet.proof(nonce, number) for number in range(10, 13)]}
        many = await world.wallet.ask(token, {"credential_configuration_id": "residence", "proofs": three})
        assert many.json()["error"] == "credential_request_denied", "two of four are counted as issued"
        assert len((await later(world, token, transaction)).json()["credentials"]) == 2
        assert (await later(world, token, transaction)).json()["error"] == "invalid_transaction_id"
        await world.desk("/v1/issuer/revocations", {"reference": "case-9"})
        assert (await later(world, other, others)).json()["error"] == "invalid_transaction_id"
        assert world.issuer.ledger.log.size == 2
        kept = await world.issuer.ledger.database.run(
            lambda connection: connection.execute(
                select(grants.SECRETS.c.document).where(grants.SECRETS.c.kind == "deferred")
            ).all()
        )
        assert kept == [], "of what was served or is over no key stays"


@pytest.mark.long
async def test_what_nobody_waits_for_is_erased_with_the_last_copy(tmp_path):
    async with issuing(tmp_path, kind="copies = 2") as world:
        token, transaction = await asked(world)
        await released(world)
        assert len((await later(world, token, transaction)).json()["credentials"]) == 2
        nonce = await world.wallet.nonce()
        more = {"jwt": [world.wallet.proof(nonce, 9)]}
        answer = await world.wallet.ask(token, {"credential_configuration_id": "residence", "proofs": more})
        assert answer.json()["error"] == "invalid_token", "what the access token was for is over"


@pytest.mark.long
async def test_attack_N210_an_attested_wallet_answers_a_challenge_of_this_server(tmp_path):
    """None, one of nobody, one of another purpose, and one that is over; the refusal brings one that is taken."""
    async with suite(tmp_path, f"{ATTESTED}\nattestation_challenges = true") as wallet:
        http, issuer = wallet.world.http, wallet.world.issuer
        server = (await http.get("/.well-known/oauth-authorization-server/city")).json()
        assert server["challenge_endpoint"] == f"{BASE}/challenge"
        answer = await http.post(f"{BASE}/challenge")
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        good = answer.json()["attestation_challenge"]
        for wrong in (None, "A" * 54, issuer.nonces.new(), issuer.dpop_nonces.new()):
            proof = wallet.possession(**({} if wrong is None else {"challenge": wrong}))
            refused = await wallet.push(wallet.headers("/par", oauth_client_attestation_pop=proof))
            assert (refused.status_code, refused.json()["error"]) == (400, "use_attestation_challenge")
            brought = refused.headers["oauth-client-attestation-challenge"]
        for challenge in (good, brought):
            proof = wallet.possession(challenge=challenge)
            taken = await wallet.push(wallet.headers("/par", oauth_client_attestation_pop=proof))
            assert taken.status_code == 201, taken.text
        wallet.world.clock[0] += 3_600
        proof = wallet.possession(challenge=good)
        late = await wallet.push(wallet.headers("/par", oauth_client_attestation_pop=proof))
        assert late.json()["error"] == "use_attestation_challenge"
    (tmp_path / "plain").mkdir()
    async with suite(tmp_path / "plain") as wallet:
        assert (await wallet.world.http.post(f"{BASE}/challenge")).status_code == 404
        assert (await wallet.push()).status_code == 201
