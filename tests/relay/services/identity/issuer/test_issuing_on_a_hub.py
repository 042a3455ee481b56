"""An issuer's lists, log and bits on a hub with its real rules: what was issued stands there, whatever was lost on the way."""

import itertools

import pytest

from hutong.adapters.interface import EndpointUnavailable
from hutong.light_clients.interface import VERIFY
from hutong.light_clients.proofs.merkle import MerkleProof, leaf_hash, verify
from hutong.relay.services.identity.rules.organisations.issued import Judged, judge_issued
from hutong.relay.services.identity.rules.organisations.resolving import judge_did
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.records.log_record import decode_log_entry
from hutong.relay.services.identity.rules.seals.seal_file import seal_of_json
from hutong.relay.services.identity.rules.seals.signatures import seal_is_signed
from hutong.relay.services.identity.rules.status import root_of_statuses
from tests.relay.hub.application.identity.organisations import held
from tests.relay.services.identity.issuer.issuer_world import account, issuing
from tests.relay.services.identity.issuer.simulated_door import (
    CREDENTIAL_THUMBPRINT,
    KIND,
    SimulatedDoor,
    city_on_hub,
    hub_table,
)

pytestmark = pytest.mark.long


async def issued_with_seals(world, count: int = 2):
    offer = await world.offer(reference="case-1")
    token = (await world.wallet.token(offer)).json()["access_token"]
    nonce = await world.wallet.nonce()
    proofs = [world.wallet.proof(nonce, number) for number in range(count)]
    seals = [world.wallet.proof(nonce, key=account(number)) for number in range(count)]
    body = {"credential_configuration_id": "residence", "proofs": {"jwt": proofs}, "hutong_seal_proofs": seals}
    answer = await world.wallet.ask(token, body)
    assert answer.status_code == 200, answer.text
    return answer.json()["credentials"]


async def test_credentials_and_seals_stand_on_the_hub(tmp_path):
    city = city_on_hub()
    door = SimulatedDoor(city)
    async with issuing(tmp_path, hub_table(city, tmp_path), KIND, door) as world:
        assert "no status list" in (await world.http.get("/readyz")).text
        await door.sync.pass_once()
        assert (await world.http.get("/readyz")).json()["ready"] is True
        issued = await issued_with_seals(world)
        await door.sync.pass_once()
        assert city.log().size == 2
        assert city.log().root == world.issuer.ledger.log.root()
        proven = judge_did(VERIFY, city.did, held(city.hub))
        for number, one in enumerate(issued):
            sealed = seal_of_json(one["hutong_seal"])
            digest = seal_is_signed(sealed.seal, sealed.signature, proven.keys[sealed.key_thumbprint])
            place = f"/city/log/0/{sealed.seal.index}?digest={digest.hex()}&size=2"
            proof = (await world.http.get(place)).json()
            entry = bytes.fromhex(proof["entry"])
            aunts = tuple(bytes.fromhex(aunt) for aunt in proof["aunts"])
            verify(MerkleProof(2, proof["index"], leaf_hash(entry), aunts), city.log().root, entry)
            read = decode_log_entry(entry)
            assert read.seal.digest == digest
            judged = Judged(0, sealed.seal.index, read.credential, KeyPurpose.SIGNING)
            assert judge_issued(VERIFY, proven, judged, city.hub.time_s).use.purposes == KeyPurpose.SIGNING
            named = {claim.name: claim.value for claim in sealed.claims}
            assert named == {"given_name": "Erika", "district": "Ost", "age_over_18": True}, "objects are left out"
            assert sealed.seal.holder.hex() in str(one["hutong_seal"])
            assert number == proof["index"]
        assert city.list(0).bound.key_thumbprint == CREDENTIAL_THUMBPRINT


async def test_a_revocation_reaches_the_hub_and_its_token_is_named(tmp_path):
    city = city_on_hub()
    door = SimulatedDoor(city)
    async with issuing(tmp_path, hub_table(city, tmp_path), KIND, door) as world:
        await door.sync.pass_once()
        await issued_with_seals(world)
        await door.sync.pass_once()
        epoch = city.epoch()
        await world.desk("/v1/issuer/revocations", {"reference": "case-1"})
        await door.sync.pass_once()
        assert city.epoch() == epoch + 1
        assert city.list(0).root == root_of_statuses(world.issuer.ledger.book.statuses(0))
        served = world.tokens.current(0)
        assert city.list(0).token_hash == served.hash
        sent = door.sent
        await door.sync.pass_once()
        assert door.sent == sent, "nothing is sent twice"
        world.clock[0] += 31
        await door.sync.pass_once()
        assert city.list(0).token_hash == world.tokens.current(0).hash != served.hash


async def test_a_full_list_is_sealed_and_its_bits_still_rise(tmp_path):
    """The hub lets 64 lists be open under a key: an issuer that left them so could open no more, and then tell it nothing."""
    city = city_on_hub()
    door = SimulatedDoor(city)
    async with issuing(tmp_path, hub_table(city, tmp_path), KIND, door) as world:
        await door.sync.pass_once()
        await issued_with_seals(world)
        book = world.issuer.ledger.book
        for index in range(city.list(0).shape.size * 7 // 8 - 3):
            book.take(0, index)
        await door.sync.pass_once()
        assert not city.list(0).is_sealed and city.record().counts.lists == 2, "one place is left"
        book.take(0, 0)
        await door.sync.pass_once()
        assert city.list(0).is_sealed and not city.list(1).is_sealed
        assert not book.is_open(0) and book.is_open(1)
        await world.desk("/v1/issuer/revocations", {"reference": "case-1"})
        await door.sync.pass_once()
        assert city.list(0).root == root_of_statuses(book.statuses(0)) and city.list(0).updates == 1
        sent = door.sent
        await door.sync.pass_once()
        assert door.sent == sent, "nothing is sealed twice"
        (issued, *_) = await issued_with_seals(world, 1)
        assert seal_of_json(issued["hutong_seal"]).seal.list_number == 1


async def test_whatever_is_lost_on_the_way_the_next_pass_heals(tmp_path):
    """Before and after every transaction of opening, appending and revoking; with a restart between."""
    for number, (step, fate) in enumerate(itertools.product(range(3), (False, True))):
        folder = tmp_path / str(number)
        folder.mkdir()
        city = city_on_hub()
        door = SimulatedDoor(city)
        async with issuing(folder, hub_table(city, folder), KIND, door) as world:
            door.lost = [fate] if step == 0 else []
            await passing(door, fails=step == 0)
            await passing(door)
            await issued_with_seals(world)
            door.lost = [fate] if step == 1 else []
            await passing(door, fails=step == 1)
            await world.desk("/v1/issuer/revocations", {"reference": "case-1"})
            door.lost = [None, fate] if step == 1 else [fate]
            await passing(door, fails=step == 2 or step == 0)
        later = SimulatedDoor(city)
        async with issuing(folder, hub_table(city, folder), KIND, later) as world:
            await later.sync.pass_once()
            assert world.issuer.ledger.refusal is None
            assert city.log().root == world.issuer.ledger.log.root()
            assert city.list(0).root == root_of_statuses(world.issuer.ledger.book.statuses(0))
            assert city.record().counts.lists == 1


async def passing(door, *, fails: bool = False) -> None:
    if fails:
        with pytest.raises(EndpointUnavailable):
            await door.sync.pass_once()
    else:
        try:
            await door.sync.pass_once()
        except EndpointUnavailable:
            assert not door.lost


async def test_a_hub_with_another_log_stops_all_issuing(tmp_path):
    city = city_on_hub()
    door = SimulatedDoor(city)
    async with issuing(tmp_path, hub_table(city, tmp_path), KIND, door) as world:
        await door.sync.pass_once()
        assert city.append(b"an entry that this database does not have").ok
        await door.sync.pass_once()
        assert "database" in world.issuer.ledger.refusal
        ready = await world.http.get("/readyz")
        assert ready.status_code == 503
        answer = await world.wallet.take(await world.offer())
        assert (answer.status_code, answer.json()["error"]) == (503, "server_error")
