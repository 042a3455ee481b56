"""The registrar's service: who may ask for what, batches on the hub, and that nothing is lost or done twice."""

import pytest

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.registrar import writing as writing_module
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import encode_change, encode_control
from hutong.relay.services.identity.rules.persons.person import Place, leaf_of
from hutong.relay.services.identity.rules.persons.person_proof import decode_person_proof, judge_person
from hutong.relay.services.identity.rules.persons.person_recovery_record import decode_person_recovery_record
from hutong.relay.services.identity.rules.persons.recovery_policy import encode_person_policy
from hutong.relay.services.identity.rules.persons.registering import decode_registrations
from hutong.relay.services.identity.rules.persons.signed import cancel_digest, recovery_digest
from tests.relay.services.identity.registrar.registrar_world import registering
from tests.relay.services.identity.rules.persons.people import (
    HUB,
    account,
    change,
    control,
    guardians_sign,
    policy,
    signed,
)

pytestmark = pytest.mark.long
"""Each begins with a hub of its own."""
WATCHED = policy(["ann", "ben", "cat"], 2, registrar_may=True)


async def test_persons_register_in_one_batch_and_read_their_proofs(tmp_path):
    async with registering(tmp_path) as world:
        early = await world.post("/proofs", world.asking("ada", 0), code=503)
        assert early["code"] == "chain_unavailable"
        await world.writing.pass_once()
        receipts = [(await world.ask_to_register(name))["receipt"] for name in ("ada", "bo")]
        body = {"shard": 0, "registrations": [world.signed("cy"), world.signed("di")]}
        receipts += [one["receipt"] for one in (await world.post("/batches", body, office=True, code=202))["taken"]]
        await world.writing.pass_once()
        (batch,) = world.door.calls
        assert len(decode_registrations(calls.REGISTER_PERSONS.decode(batch)[3])) == 4
        found = [await world.standing(receipt) for receipt in receipts]
        assert {one["index"] for one in found} == {0, 1, 2, 3} and {one["state"] for one in found} == {"done"}
        ada = found[0]
        shown = await world.post("/proofs", world.asking("ada", ada["index"]), code=200)
        assert shown["did"] == ada["did"]
        did, proof = bytes.fromhex(ada["did"].rpartition(":")[2]), decode_person_proof(bytes.fromhex(shown["proof"]))
        assert judge_person(VERIFY, HUB, did, world.registrar.record(), proof).control.account == account("ada")
        by_office = {"shard": 0, "index": ada["index"]}
        assert (await world.post("/proofs", by_office, office=True, code=200))["proof"] == shown["proof"]
        about = (await world.http.get("/v1/registrar")).json()
        assert (about["shard"], about["free"]) == (0, 2**20 - 4)
        described = (await world.http.get("/openapi.json")).json()
        assert "/v1/registrar/recoveries/cancel" in described["paths"]
        assert "WantedProof" in described["components"]["schemas"]


async def test_attack_N211_strangers_register_read_and_change_nobody(tmp_path):
    async with registering(tmp_path) as world:
        index = await world.registered("ada", following="ada next", policy=WATCHED)
        invitation = await world.invitation()
        own = {"invitation": invitation, "shard": 0, "registration": world.signed("eve")}
        await world.post("/registrations", own | {"invitation": "made up"}, code=403)
        await world.post("/registrations", own | {"shard": 1}, code=422)
        await world.post("/registrations", own | {"registration": world.signed("eve", shard=1)}, code=422)
        await world.post("/registrations", own | {"registration": "00" * 163}, code=422)
        await world.post("/registrations", own | {"more": 1}, code=422)
        await world.post("/batches", {"shard": 0, "registrations": [world.signed("eve")]}, code=401)
        await world.post("/invitations", {}, code=401)
        office, world.key = world.key, world.other
        await world.post("/invitations", {}, office=True, code=403)
        await world.post("/proofs", {"shard": 0, "index": index}, office=True, code=403)
        world.key = office
        many = {"shard": 0, "registrations": [world.signed("eve")] * 1_001}
        await world.post("/batches", many, office=True, code=422)
        await world.post("/registrations", own, code=202)
        await world.post("/registrations", own | {"registration": world.signed("mallory")}, code=403)

        for name in ("eve", "ben"):
            await world.post("/proofs", world.asking(name, index), code=422)
        await world.post("/proofs", world.asking("ada", index, ahead_s=601), code=422)
        await world.post("/proofs", world.asking("ada", index, ahead_s=-1), code=422)
        await world.post("/proofs", world.asking("ada", index) | {"index": index + 1}, code=404)
        await world.post("/proofs", {"shard": 0, "index": index}, code=401)
        shown = {"policy": encode_person_policy(WATCHED).hex()}
        await world.post("/proofs", world.asking("eve", index) | shown, code=422)
        for name in ("ada", "ada next"):
            await world.post("/proofs", world.asking(name, index), code=200)
        await world.post("/proofs", world.asking("ben", index) | shown, code=200)

        ada = world.desk.person(0, index)
        stolen = change(index, ada, control("eve"), "ada", (world.registrar.did, 0))
        assert "following_key" in (await world.post("/changes", as_change(stolen), code=422))["detail"]
        forged = change(index, ada, control("ada next"), "eve", (world.registrar.did, 0))
        assert "signed_by" in (await world.post("/changes", as_change(forged), code=422))["detail"]


async def test_attack_N212_answers_lost_and_restarts_register_nobody_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(writing_module, "BATCH", 2)
    async with registering(tmp_path) as world:
        await world.writing.pass_once()
        receipts = {name: (await world.ask_to_register(name))["receipt"] for name in ("ada", "bo", "cy")}
        world.door.lost = [False]
        with pytest.raises(Exception, match="lost on the way"):
            await world.writing.pass_once()
        registrar = world.registrar
    async with registering(tmp_path, registrar) as world:
        world.door.lost = [True]
        with pytest.raises(Exception, match="answer was lost"):
            await world.writing.pass_once()
        first = world.door.calls[0]
    async with registering(tmp_path, registrar) as world:
        await world.writing.pass_once()
        await world.writing.pass_once()
        assert first not in world.door.calls
        found = {name: await world.standing(receipt) for name, receipt in receipts.items()}
        assert sorted(one["index"] for one in found.values()) == [0, 1, 2]
        assert registrar.record().count == 3
        again = await world.post(
            "/registrations",
            {"invitation": await world.invitation(), "shard": 0, "registration": world.signed("ada")},
            code=202,
        )
        assert again == {"receipt": receipts["ada"], "state": "done"}
        await world.writing.pass_once()
        assert registrar.record().count == 3


async def test_attack_N212_a_batch_that_comes_late_beside_its_second_sending(tmp_path):
    """Somebody whose receipt comes first in the order asks meanwhile: the batch is sent again without anybody new."""
    async with registering(tmp_path) as world:
        await world.writing.pass_once()

        def receipt(name):
            return world.desk.registrations(0, [bytes.fromhex(world.signed(name))])[0].receipt

        first = next(name for name in map(str, range(100)) if receipt(name) < receipt("ada"))
        receipts = [(await world.ask_to_register("ada"))["receipt"]]
        world.door.lost = [False, False]
        with pytest.raises(Exception, match="lost on the way"):
            await world.writing.pass_once()
        receipts.append((await world.ask_to_register(first))["receipt"])
        with pytest.raises(Exception, match="lost on the way"):
            await world.writing.pass_once()
        await world.door.send(world.door.on_the_way[0])
        await world.writing.pass_once()
        assert [(await world.standing(one))["index"] for one in receipts] == [0, 1]
        assert world.registrar.record().count == 2


async def test_what_others_wrote_between_does_not_lose_a_batch(tmp_path):
    """The registrar's command line registers somebody while a batch of the service is lost."""
    async with registering(tmp_path) as world:
        await world.writing.pass_once()
        receipt = (await world.ask_to_register("ada"))["receipt"]
        world.door.lost = [False]
        with pytest.raises(Exception, match="lost on the way"):
            await world.writing.pass_once()
        world.registrar.register("somebody")
        await world.writing.pass_once()
        assert (await world.standing(receipt))["index"] == 1


async def test_changes_go_in_one_multiproof_and_one_waits_for_each_person(tmp_path):
    async with registering(tmp_path) as world:
        indices = [await world.registered(name, following=f"{name} next") for name in ("ada", "bo", "cy")]
        receipts = []
        for index, name in zip(indices, ("ada", "bo", "cy"), strict=True):
            entry = change(index, world.desk.person(0, index), control(f"{name} next"), f"{name} next", world.shard)
            receipts.append((await world.post("/changes", as_change(entry), code=202))["receipt"])
        other = change(
            indices[0], world.desk.person(0, indices[0]), control("ada next", "third"), "ada next", world.shard
        )
        assert (await world.post("/changes", as_change(other), code=503))["code"] == "busy"
        before = len(world.door.calls)
        await world.writing.pass_once()
        assert len(world.door.calls) == before + 1
        assert {(await world.standing(receipt))["state"] for receipt in receipts} == {"done"}
        assert [world.desk.person(0, index).control.account for index in indices] == [
            account(f"{name} next") for name in ("ada", "bo", "cy")
        ]
        assert "changed since" in (await world.post("/changes", as_change(other), code=422))["detail"]


async def test_recovery_by_guardians_is_cancelled_begun_again_and_completed(tmp_path):
    async with registering(tmp_path) as world:
        index = await world.registered("ada", policy=WATCHED)
        place, hub = Place(world.registrar.did, 0, index), world.registrar.hub

        def wanted(names, ahead_s):
            expires, following = hub.time_s + ahead_s, control("ada anew")
            digest = recovery_digest(HUB, place, leaf_of(world.desk.person(0, index)), following, expires)
            return {
                "shard": 0,
                "index": index,
                "following": encode_control(following).hex(),
                "policy": encode_person_policy(WATCHED).hex(),
                "expires": expires,
                "signatures": [one.hex() for one in guardians_sign(names, digest)],
            }

        few = await world.post("/recoveries", wanted(["ann"], 1_000), code=422)
        assert "guardians_approve" in few["detail"]
        begun = await world.post("/recoveries", wanted(["ann", "cat"], 1_000), code=202)
        await world.writing.pass_once()
        found = await world.standing(begun["receipt"])
        assert found["state"] == "done" and found["effective_at_s"] > hub.time_s
        where = {"shard": 0, "index": index}
        assert "person_recovery_is_due" in (await world.post("/recoveries/complete", where, code=422))["detail"]

        raw = bytes.fromhex((await world.post("/proofs", world.asking("ada", index), code=200))["recovery"])
        stop = cancel_digest(HUB, place, sha256(raw))
        await world.post("/recoveries/cancel", where | {"signature": signed("eve", stop).hex()}, code=422)
        ended = await world.post("/recoveries/cancel", where | {"signature": signed("ada", stop).hex()}, code=202)
        await world.writing.pass_once()
        assert (await world.standing(ended["receipt"]))["state"] == "done"

        as_registrar = {name: value for name, value in wanted([], 1).items() if name not in {"expires", "signatures"}}
        await world.post("/recoveries", as_registrar, code=401)
        begun = await world.post("/recoveries", as_registrar, office=True, code=202)
        await world.writing.pass_once()
        assert (await world.standing(begun["receipt"]))["state"] == "done"
        record = decode_person_recovery_record(hub.view().get(world.desk.recovery_key(0, index)))
        hub.advance(time_s=record.effective_s + 1)
        hub.advance(time_s=record.effective_s + 2)
        done = await world.post("/recoveries/complete", where, code=202)
        await world.writing.pass_once()
        assert (await world.standing(done["receipt"]))["state"] == "done"
        assert world.desk.person(0, index).control.account == account("ada anew")


async def test_a_full_queue_and_a_hub_that_refuses_lose_nothing(tmp_path):
    async with registering(tmp_path, more="max_waiting = 1\n") as world:
        await world.writing.pass_once()
        taken = await world.ask_to_register("ada")
        full = await world.ask_to_register("bo", code=503)
        assert full["code"] == "busy"
        writer, world.writing.writer = world.writing.writer, (world.registrar.did, bytes(32))
        await world.writing.pass_once()
        assert world.desk.refusal.startswith("the hub refuses what the registrar sends")
        assert (await world.standing(taken["receipt"]))["state"] == "waiting"
        world.writing.writer = writer
        await world.writing.pass_once()
        assert world.desk.refusal is None
        assert (await world.standing(taken["receipt"]))["state"] == "done"


def as_change(entry):
    return {"shard": 0, "change": encode_change(entry).hex()}
