"""The cache keeps what the hub says, good or bad, of the issuer that was asked about, under one header, by proofs alone."""

from dataclasses import replace
from random import Random

import pytest

from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.identity_cache import SYNC, encode_sync
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.records.multiproof import Claim
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    GOVERNANCE,
    encode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import DidState, encode_did_record
from hutong.relay.services.identity.rules.seals.issuer_records import Flaw, walk_records
from tests.contracts.evm import Reverted
from tests.contracts.identity.gate_lane import (
    ISSUER,
    MAX_AGE_S,
    MIDDLE,
    OTHER_SCHEMA,
    QUERY,
    ROOT,
    SCHEMA,
    GateLane,
    accreditation,
    did_record,
    ready,
)
from tests.contracts.lane import LOCAL_CLIENT, deploy_hub_client
from tests.contracts.records.record_tree import tree_of

INFO = ("bft-evm-0", (b"",))
DAY_S = 86_400


@pytest.fixture
def world():
    return ready()


def refused(call, error):
    with pytest.raises(Reverted) as caught:
        call()
    assert caught.value.name == error, caught.value
    return caught.value.arguments


def granted(subject, *said, schema=SCHEMA, **window):
    return {keys.accreditation_key(subject, schema): encode_accreditation_record(accreditation(*said, **window))}


def test_attack_N75_a_middle_level_that_is_revoked_ends_what_is_below_it_and_nothing_else(world):
    """The issuer's other schema, for which governance itself accredits it, is unaffected."""
    other = replace(QUERY, schema=OTHER_SCHEMA)
    assert world.sync(granted(ISSUER, GOVERNANCE, 0, schema=OTHER_SCHEMA), other) == Flaw.NONE
    assert world.sync(granted(MIDDLE, ROOT, 1, revoked_s=5)) == Flaw.ACCREDITATION_REVOKED
    assert refused(world.mint, "AccreditationRevoked") == (ISSUER,)
    assert world.sync(query=other) == Flaw.NONE
    assert world.sync(granted(MIDDLE, ROOT, 1)) == Flaw.NONE
    world.mint()


@pytest.mark.long
def test_attack_N75_a_broken_chain_is_kept_as_broken_at_every_level(world):
    """Revoked, over, not begun, of another schema, too deep, a circle, an accreditor gone, another root: each refuses, and is
    mended. The hub records none of the deeper ones; the cache does not rely on that."""
    good = {
        ISSUER: granted(ISSUER, MIDDLE, 0),
        MIDDLE: granted(MIDDLE, ROOT, 1),
        ROOT: granted(ROOT, GOVERNANCE, 4),
    }
    world.mint()
    ahead_s = world.evm.timestamp_s + 10**6
    broken = [
        ({keys.accreditation_key(one, SCHEMA): None}, one, "AccreditationUnknown") for one in (ISSUER, MIDDLE, ROOT)
    ]
    for one, above, depth in ((ISSUER, MIDDLE, 0), (MIDDLE, ROOT, 1), (ROOT, GOVERNANCE, 4)):
        broken += [
            (granted(one, above, depth, revoked_s=5), one, "AccreditationRevoked"),
            (granted(one, above, depth, window=(0, 5)), one, "AccreditationOutOfWindow"),
            (granted(one, above, depth, window=(ahead_s, 2**40)), one, "AccreditationOutOfWindow"),
        ]
    broken += [
        (granted(ISSUER, MIDDLE, 1), ISSUER, "DepthExceeded"),
        (granted(MIDDLE, ROOT, 4), MIDDLE, "DepthExceeded"),
        (granted(ISSUER, MIDDLE, 0, OTHER_SCHEMA), ISSUER, "SchemaNotCovered"),
        (granted(MIDDLE, ISSUER, 1), MIDDLE, "DepthExceeded"),
        (granted(MIDDLE, MIDDLE, 1), MIDDLE, "DepthExceeded"),
    ]
    for change, subject, error in broken:
        world.sync(change)
        assert refused(world.mint, error) == (ISSUER,)
        world.sync(good[subject])
        world.mint()
    for one in (MIDDLE, ROOT):
        for state in (None, encode_did_record(did_record(DidState.DEACTIVATED))):
            world.sync({keys.did_key(one): state})
            refused(world.mint, "AccreditorNotActive")
            world.sync({keys.did_key(one): encode_did_record(did_record())})
            world.mint()
    world.sync(granted(ISSUER, GOVERNANCE, 0))
    world.mint()


def test_attack_N75_the_chain_ends_after_five_levels(world):
    """Six levels whose depths fall: no hub records them."""
    names = [bytes([0xC0 + number]) * 32 for number in range(5)]
    chain = granted(ISSUER, names[0], 0)
    for number, one in enumerate(names):
        above = names[number + 1] if number < 4 else GOVERNANCE
        chain |= granted(one, above, min(number + 1, 4)) | {keys.did_key(one): encode_did_record(did_record())}
    assert world.sync(chain) == Flaw.DEPTH_EXCEEDED
    refused(world.mint, "DepthExceeded")
    assert world.sync(granted(names[3], GOVERNANCE, 4)) == Flaw.NONE
    world.mint()


def test_attack_N75_a_window_that_ends_between_header_and_block_ends_the_standing(world):
    until_s = world.evm.timestamp_s + 6
    world.sync(granted(MIDDLE, ROOT, 1, window=(0, until_s)))
    with world.evm.at(until_s - 1):
        world.mint()
    with world.evm.at(until_s):
        assert refused(world.mint, "StandingOver") == (until_s, until_s)


@pytest.mark.long
def test_attack_N75_random_records_have_one_verdict(world):
    """Whatever the records say, the contract keeps the flaw that the rules find: compared in `sync`."""
    random, found = Random(70), set()
    subjects = (ISSUER, MIDDLE, ROOT)
    for _ in range(24):
        change = {}
        for one in random.sample(subjects, 2):
            above = random.choice((GOVERNANCE, ROOT, MIDDLE))
            window = random.choice(((0, 2**40), (0, 2**40), (0, 5), (2**39, 2**40)))
            parent = bytes(32) if above == GOVERNANCE else random.choice((SCHEMA, SCHEMA, OTHER_SCHEMA))
            revoked_s = random.choice((0, 0, 0, 9))
            change |= granted(one, above, random.randrange(5), parent, window=window, revoked_s=revoked_s)
        state = random.choice((DidState.ACTIVE, DidState.ACTIVE, DidState.DEACTIVATED))
        change[keys.did_key(random.choice((MIDDLE, ROOT)))] = encode_did_record(did_record(state))
        found.add(world.sync(change))
    assert len(found) >= 4


def shown_of(world, height, wanted):
    tree, root = tree_of(world.lane.chain.states[height - 1])
    return ShownRecords.of(world.lane.chain.height(height), *prove_many(tree, root, sorted(set(wanted))))


def needed_at(world, height, query=QUERY):
    content = world.lane.chain.states[height - 1]
    return walk_records(query, world.evm.timestamp_s, content.get)[0]


@pytest.mark.long
def test_attack_N80_the_records_are_those_that_are_asked_for_and_no_byte_of_them_is_another(world):
    height = world.publish()
    needed = needed_at(world, height)
    shown = shown_of(world, height, needed)
    fields = (QUERY.issuer, QUERY.schema, QUERY.thumbprint, list(QUERY.lists))
    place_of = {record.key: place for place, record in enumerate(shown.records)}
    places = [place_of[key] for key in needed]

    def send(places=places, shown=shown, fields=fields):
        data = SYNC.encode(fields, shown.record_fields, places, shown.proof_fields[1], shown.height_fields)
        world.evm.send(world.cache.address, data, keep=False)

    send()
    assert refused(lambda: send([]), "WrongPlaces") == (0, 1)
    assert refused(lambda: send(places[:-1]), "WrongPlaces") == (len(places) - 1, len(places))
    assert refused(lambda: send([*places, 0]), "WrongPlaces") == (len(places) + 1, len(places))
    for number in range(len(places)):
        moved = [*places]
        moved[number] = (places[number] + 1) % len(shown.records)
        assert refused(lambda moved=moved: send(moved), "WrongRecord") == (number,)
    refused(lambda: send([200, *places[1:]]), "WrongRecord")
    random = Random(80)
    for index, record in enumerate(shown.records):
        for _ in range(3):
            place = random.randrange(len(record.value))
            forged = record.value[:place] + bytes([record.value[place] ^ 1]) + record.value[place + 1 :]
            records = (*shown.records[:index], Claim(record.key, forged), *shown.records[index + 1 :])
            refused(lambda records=records: send(shown=replace(shown, records=records)), "InvalidProof")
        absent = (*shown.records[:index], Claim(record.key, b""), *shown.records[index + 1 :])
        refused(lambda absent=absent: send(shown=replace(shown, records=absent)), "InvalidProof")
    other = replace(QUERY, issuer=MIDDLE)
    refused(lambda: send(fields=(other.issuer, *fields[1:])), "WrongRecord")
    later = replace(shown, height=world.lane.chain.height(height + 50))
    refused(lambda: send(shown=later), "UnknownHeight")
    with pytest.raises(MalformedInput):
        encode_sync(fields, needed[1:], shown)


@pytest.mark.long
def test_attack_N80_a_record_of_another_version_or_width_is_refused(world):
    """No hub writes such ones: the cache does not rely on that."""
    query = QUERY
    good = dict(world.lane.chain.state)
    wrong_places = {
        keys.did_key(ISSUER): 3,
        keys.key_key(ISSUER, QUERY.thumbprint): 6,
        keys.epoch_key(ISSUER): 0,
        keys.list_key(ISSUER, 0): 5,
        keys.accreditation_key(ISSUER, SCHEMA): 4,
    }
    # in the order of the right records, so that the walk of the rules does not meet the wrong ones
    needed = needed_at(world, world.publish())
    for key, word in wrong_places.items():
        value = good[key]
        wide = value[: 1 + 32 * word] + b"\x01" + value[2 + 32 * word :]
        for wrong in (b"\x02" + value[1:], value[:-1], value + b"\x00", wide):
            height = world.publish({key: wrong})
            shown = shown_of(world, height, needed)
            data = encode_sync((query.issuer, query.schema, query.thumbprint, [0]), needed, shown)
            refused(lambda data=data: world.evm.send(world.cache.address, data), "MalformedIdentityRecord")
        world.publish({key: value})
    height = world.publish({keys.epoch_key(ISSUER): None})
    data = encode_sync((query.issuer, query.schema, query.thumbprint, [0]), needed, shown_of(world, height, needed))
    assert refused(lambda: world.evm.send(world.cache.address, data), "EpochMissing") == (ISSUER,)
    world.sync({keys.epoch_key(ISSUER): good[keys.epoch_key(ISSUER)]})
    world.mint()


def freeze(world):
    lane = world.lane
    height = lane.advance(3)
    one = lane.chain.update(height, lane.trusted)
    two = lane.chain.update(height, lane.trusted, lane.chain.fork(height, app_hash=b"\xee" * 32))
    lane.router.transact("submitMisbehaviour", LOCAL_CLIENT, lane.misbehaviour_message(one, two))


def test_attack_N79_nothing_is_read_over_a_client_that_is_frozen_or_was_migrated_away(world):
    data, _ = world.sync_call(world.publish())
    world.evm.send(world.cache.address, data)
    world.mint()
    freeze(world)
    assert refused(world.mint, "HubClientNotActive") == (1,)
    assert refused(lambda: world.evm.send(world.cache.address, data), "HubClientNotActive") == (1,)
    height = world.lane.advance(2)
    substitute = deploy_hub_client(world.evm, world.lane.chain, height)
    world.lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    world.lane.client, world.lane.trusted = substitute, height
    assert refused(world.mint, "ListNotSynced") == (ISSUER, 0), "it may be of another branch of the hub"
    world.sync()
    world.mint()


def test_attack_N79_nothing_is_read_over_a_client_that_has_expired(world):
    gate = world.evm.deploy("ExampleAgeGate", world.cache.address, 2**40, SCHEMA)
    world.gate = gate
    with world.evm.at(world.evm.timestamp_s + 6 * DAY_S):
        world.mint()
    with world.evm.at(world.evm.timestamp_s + 8 * DAY_S):
        assert refused(world.mint, "HubClientNotActive") == (2,)


def test_a_cache_stands_on_a_hub_client_and_a_gate_on_a_cache():
    world = GateLane()
    assert (world.cache.call("router"), world.cache.call("clientId")) == (world.lane.router.text, LOCAL_CLIENT)
    assert world.cache.call("hubClient") == world.lane.client.text
    with pytest.raises(Reverted, match="IBCClientNotFound"):
        world.evm.deploy("IdentityCache", world.lane.router.address, "client-9")
    with pytest.raises(Reverted):
        world.evm.deploy("ExampleAgeGate", world.lane.router.address, MAX_AGE_S, SCHEMA)
