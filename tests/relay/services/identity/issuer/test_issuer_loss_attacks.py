"""Attacks N200 and N201 on what an issuer takes back and what it has left; each with what is taken beside it."""

import pytest

from hutong.relay.services.identity.issuer.credentials import CredentialMaker
from hutong.relay.services.identity.issuer.role import forget_what_ended
from hutong.relay.services.identity.store import grants
from tests.relay.services.identity.issuer.issuer_world import BASE, issuing


def asking(*proofs: str) -> dict:
    return {"credential_configuration_id": "residence", "proofs": {"jwt": list(proofs)}}


async def token_of(world, offer) -> str:
    return (await world.wallet.token(offer)).json()["access_token"]


async def take(world, token: str, number: int):
    wallet = world.wallet
    return await wallet.ask(token, asking(wallet.proof(await wallet.nonce(), number)))


async def revoked(world, reference: str):
    return await world.desk("/v1/issuer/revocations", {"reference": reference})


@pytest.mark.long
async def test_attack_N200_more_of_what_was_revoked(tmp_path):
    """A type has many copies: whoever was given one would take the others after its revocation, and they would hold."""
    async with issuing(tmp_path, kind="copies = 3") as world:
        offers = {name: await world.offer(reference=name) for name in ("case-7", "case-8", "case-9")}
        first, second = [await token_of(world, offers[name]) for name in ("case-7", "case-8")]
        assert [(await take(world, token, number)).status_code for number, token in enumerate((first, second))] == [
            200
        ] * 2
        assert (await revoked(world, "case-7")).json() == {"revoked": 1}
        assert (await take(world, first, 2)).json()["error"] == "invalid_token"
        assert (await take(world, second, 3)).status_code == 200, "another case goes on"

        answers = [await revoked(world, "case-9") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert ["offers that ended: 1" in answer.text for answer in answers] == [True, False]
        assert (await world.http.get(offers["case-9"]["offer_uri"])).status_code == 404, "what nobody took ends too"


async def test_attack_N200_an_issuance_during_the_revocation(tmp_path, monkeypatch):
    """The offer ends after it was read and before the credential is on the disk."""
    async with issuing(tmp_path, kind="copies = 3") as world:
        token, make = await token_of(world, await world.offer(reference="case-7")), CredentialMaker.make

        def made_late(*said):
            world.issuer.ledger.database.run_now(lambda one: grants.end_offers_of(one, "case-7"))
            return make(*said)

        monkeypatch.setattr(CredentialMaker, "make", made_late)
        assert (await take(world, token, 0)).json()["error"] == "invalid_token"
        assert world.issuer.ledger.log.size == 0
        assert sum(one.used for one in world.issuer.ledger.book) == 0


@pytest.mark.long
async def test_attack_N201_requests_that_are_refused_use_up_no_list(tmp_path):
    """One person with an offer repeats a request until no index is left for anybody."""
    async with issuing(tmp_path) as world:
        wallet, token = world.wallet, await token_of(world, await world.offer())
        body = asking(wallet.proof(await wallet.nonce()))
        dpop = wallet.dpop("/credential", token)
        assert (await wallet.ask(token, body, dpop=dpop)).status_code == 200
        (listed,) = world.issuer.ledger.book
        for said in ({"dpop": dpop}, {}):
            assert (await wallet.ask(token, body, **said)).status_code == 400
            assert listed.used == 1 == sum(octet.bit_count() for octet in listed.taken)
        for place in (f"{2**70}/0", f"0/{2**70}", "0/-1"):
            assert (await world.http.get(f"{BASE}/log/{place}?digest=00&size=1")).status_code == 422


@pytest.mark.long
async def test_claims_of_an_offer_that_nobody_fetches_go(tmp_path):
    async with issuing(tmp_path) as world:
        offer, later = await world.offer(expires_in_s=60), await world.offer(expires_in_s=600)
        world.clock[0] += 61
        await forget_what_ended(world.issuer)
        read = world.issuer.ledger.database.run
        assert (await read(lambda one: grants.offer_by_id(one, offer["id"]))).document == {}
        assert (await read(lambda one: grants.offer_by_id(one, later["id"]))).document["claims"]
