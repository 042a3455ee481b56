"""HubReader over real headers of a hub: what it answers, and every record that it refuses, with what it accepts instead."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.adapters.evm.hub_reader import Answer, Presence, ShownRecords
from hutong.light_clients.interface import Height, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.light_clients.records import (
    AccountField,
    ClientEpoch,
    Demand,
    FieldPlace,
    ObservationKey,
    SourceTrust,
    StorePlace,
    TrustKind,
    encode_epoch,
    encode_observation,
    epoch_key,
    judge_observation,
)
from hutong.light_clients.records.multiproof import Claim, claims_are_proven
from tests.contracts.evm import Reverted
from tests.contracts.lane import HUB_SIDE_CLIENT, LOCAL_CLIENT, MERKLE_PREFIX, Lane, deploy_hub_client, new_lane
from tests.contracts.records.reader_lane import ACCOUNT, MAX_AGE_S, OTHER_SOURCE, SOURCE, ReaderLane, slot_key
from tests.light_clients.records.record_strategies import OBSERVATIONS
from tests.light_clients.tendermint.simulated_chain import DAY_NS, SimulatedChain

WORD = (42).to_bytes(32, "big")
INFO = (HUB_SIDE_CLIENT, MERKLE_PREFIX)


@pytest.fixture
def hub():
    return new_lane(ReaderLane)


def refused(call, name):
    with pytest.raises(Reverted) as caught:
        call()
    assert caught.value.name == name, str(caught.value)
    return caught.value.arguments


# what it answers


def test_a_slot_of_another_chain_is_read(hub):
    key = slot_key()
    shown = hub.show({key: hub.observed(WORD)})
    header_time_s = hub.lane.chain.block(shown.height.revision_height).header.time_ns // 10**9
    answer = hub.read(shown)
    assert answer == Answer(Presence.PRESENT, WORD, header_time_s, header_time_s - 2, Height(0, 9), 0, 0)


def test_each_kind_of_place_and_absence_is_read(hub):
    balance = ObservationKey.of(SOURCE, FieldPlace(ACCOUNT, AccountField.BALANCE)).to_bytes()
    store = ObservationKey.of("07-tendermint-2", StorePlace(b"bank", b"\x02aa")).to_bytes()
    other = b"identity/something"
    hub.set_epoch("07-tendermint-2", 3)
    records = {
        balance: hub.observed(bytes(32)),
        store: hub.observed(b"12345", epoch=3, height=(2, 10)),
        slot_key(1): hub.observed(None),
        other: b"the hub's own word",
    }
    height = hub.publish(records)
    shown = hub.shown([*records, slot_key(2), b"identity/nothing"], height, (SOURCE, "07-tendermint-2"))
    answers = dict(zip((record.key for record in shown.records), hub.read_many(shown), strict=True))
    said = {key: (answer.presence, answer.value) for key, answer in answers.items()}
    assert said == {
        balance: (Presence.PRESENT, bytes(32)),
        store: (Presence.PRESENT, b"12345"),
        slot_key(1): (Presence.ABSENT, b""),
        slot_key(2): (Presence.UNWRITTEN, b""),
        other: (Presence.PRESENT, b"the hub's own word"),
        b"identity/nothing": (Presence.UNWRITTEN, b""),
    }
    assert answers[store].source_height == Height(2, 10)
    assert answers[other].source_time_s == answers[slot_key(2)].source_time_s == 0


def test_kept_records_are_read_without_a_proof(hub):
    store = ObservationKey.of(SOURCE, StorePlace(b"", b"key")).to_bytes()
    records = {slot_key(): hub.observed(), store: hub.observed(bytes(range(200))), b"storage/x": b"word"}
    shown = hub.show(records)
    refused(lambda: hub.cached(slot_key()), "NotKept")
    hub.keep(shown)
    keys = [record.key for record in shown.records]
    assert hub.cached(*keys) == hub.read_many(shown)
    assert hub.reader.call("keptEpoch", SOURCE) == (shown.height.revision_height, 1, True)


def test_what_is_kept_is_replaced_by_a_later_root_alone(hub):
    key = slot_key()
    old = hub.show({key: hub.observed(WORD)})
    new = hub.show({key: hub.observed(bytes(31) + b"\x07")})
    hub.keep(new)
    hub.keep(old)
    assert hub.cached(key)[0].value[-1] == 7
    gone = hub.show({key: None})
    hub.keep(gone)
    assert hub.cached(key)[0].presence == Presence.UNWRITTEN


def test_an_epoch_that_is_kept_need_not_be_shown(hub):
    height = hub.publish({slot_key(1): hub.observed(), slot_key(2): hub.observed()})
    alone = hub.shown([slot_key(1)], height, epochs=())
    assert refused(lambda: hub.read(alone), "EpochNotProven") == (SOURCE,)
    hub.keep(hub.shown([], height))
    assert hub.read(alone).value == WORD
    later = hub.shown([slot_key(2)], hub.publish(), epochs=())
    refused(lambda: hub.read(later), "EpochNotProven")


def test_reader_says_whom_it_believes(hub):
    assert hub.reader.call("router") == hub.lane.router.text
    assert hub.reader.call("clientId") == LOCAL_CLIENT
    assert hub.reader.call("hubClient") == hub.lane.client.text


@pytest.mark.parametrize("client_id", ["hub-number-33-bytes-0123456789a-7", "c" * 62 + "-0", "abcdefg-1"])
def test_identifiers_of_every_length_are_kept_whole(hub, client_id):
    hub.evm.timestamp_s += 1
    client = deploy_hub_client(hub.evm, hub.lane.chain, hub.lane.chain.latest.header.height)
    hub.lane.router.transact("addClient", client_id, ("bft-evm-9", MERKLE_PREFIX), client.address)
    assert hub.evm.deploy("HubReader", hub.lane.router.address, client_id).call("clientId") == client_id


def test_reader_of_what_is_not_a_hub_client_is_refused(hub):
    refused(lambda: hub.evm.deploy("HubReader", hub.lane.router.address, "client-9"), "IBCClientNotFound")


# stale


def test_attack_J1_contract_header_as_old_as_the_age(hub):
    shown = hub.show({slot_key(): hub.observed()})
    hub.keep(shown)
    header_s = hub.read(shown).header_time_s
    with hub.evm.at(header_s + 9):
        assert hub.read(shown, 12).value == hub.cached(slot_key(), max_age_s=12)[0].value == WORD
    with hub.evm.at(header_s + 12):
        for read in (lambda: hub.read(shown, 12), lambda: hub.cached(slot_key(), max_age_s=12)):
            assert refused(read, "StaleHeader") == (header_s, 12, header_s + 12)
    refused(lambda: hub.read(shown, 0), "StaleHeader")


def test_attack_J1_contract_headers_go_on_and_observations_stop(hub):
    key = slot_key()
    record = hub.observed()
    shown = hub.show({key: record})
    assert hub.read(shown, 15).value == WORD
    hub.lane.advance(20)
    later = hub.show({key: record})
    hub.keep(later)
    for read in (lambda: hub.read(later, 15), lambda: hub.cached(key, max_age_s=15)):
        source_s, _, now_s = refused(read, "StaleSource")
        assert now_s - source_s >= 15
    fresh = hub.show({key: hub.observed()})
    assert hub.read(fresh, 15).value == WORD


@pytest.mark.parametrize("ahead_s", [30, 61])
def test_attack_J1_contract_source_time_from_the_future(hub, ahead_s):
    shown = hub.show({slot_key(): hub.observed(age_s=-ahead_s - 3)})
    if ahead_s < 60:
        assert hub.read(shown, 1 + MAX_AGE_S).value == WORD
    else:
        refused(lambda: hub.read(shown), "FromFuture")


def test_attack_J1_contract_absence_of_a_record_grows_old_too(hub):
    shown = hub.shown([slot_key()], hub.publish())
    assert hub.read(shown).presence == Presence.UNWRITTEN
    with hub.evm.at(hub.now_s + MAX_AGE_S):
        refused(lambda: hub.read(shown), "StaleHeader")


# foreign


def test_attack_J2_contract_record_of_another_hub(hub):
    """Another hub with the same chain id says something else; its proofs are not under this chain's headers."""
    other = ReaderLane(Lane(chain=SimulatedChain(chain_id="hutong-1")))
    other.lane.chain.state[b"another"] = b"hub"
    forged = other.show({slot_key(): other.observed(bytes(31) + b"\xff")})
    assert other.read(forged).value[-1] == 0xFF
    shown = hub.show({slot_key(): hub.observed()})
    for height in (forged.height, shown.height):
        assert refused(lambda height=height: hub.read(replace(forged, height=height)), "InvalidProof") == (
            "root_matches",
        )
    assert hub.read(shown).value == WORD


def test_attack_J2_contract_record_of_another_key_or_height(hub):
    shown = hub.show({slot_key(1): hub.observed(), slot_key(2): hub.observed(bytes(32))})
    one = hub.shown([slot_key(1)], shown.height.revision_height)
    for key in (slot_key(2), slot_key(1, OTHER_SOURCE), slot_key(1, account=b"\x66" * 20)):
        forged = replace(one, records=(Claim(key, one.records[0].value),))
        refused(lambda forged=forged: hub.read(forged), "InvalidProof")
    unknown = replace(one, height=hub.lane.chain.height(one.height.revision_height + 1))
    refused(lambda: hub.read(unknown), "UnknownHeight")
    other_revision = replace(one, height=Height(2, one.height.revision_height))
    refused(lambda: hub.read(other_revision), "UnknownHeight")
    assert hub.read(one).value == WORD


def test_attack_J2_contract_epoch_of_another_client(hub):
    hub.set_epoch(OTHER_SOURCE, 1)
    height = hub.publish({slot_key(): hub.observed()})
    foreign = hub.shown([slot_key()], height, (OTHER_SOURCE,))
    assert refused(lambda: hub.read(foreign), "EpochNotProven") == (SOURCE,)
    assert hub.read(hub.shown([slot_key()], height)).value == WORD


def test_attack_J2_contract_epoch_of_another_root(hub):
    """The epoch must be under the record's own root: an older one does not say that the client is still readable."""
    old = hub.show({slot_key(): hub.observed()})
    hub.set_epoch(number=2)
    new = hub.show({})
    mixed = replace(hub.shown([slot_key()], new.height.revision_height), epochs=old.epochs)
    refused(lambda: hub.read(mixed), "InvalidProof")
    assert hub.read(old).value == WORD


# malformed


def broken(value):
    """A record with one member out of its rule each."""
    return {
        "version": b"\x02" + value[1:],
        "presence": value[:1] + b"\x02" + value[2:],
        "absent with a value": value[:1] + b"\x00" + value[2:],
        "trust": value[:2] + b"\x03" + value[3:],
        "trust of nobody": value[:2] + b"\x00" + value[3:],
        "proven with attestors": value[:3] + b"\x01\x01" + value[5:],
        "proven with a threshold": value[:3] + b"\x01\x00" + value[5:],
        "attested by none": value[:2] + b"\x02\x00\x01" + value[5:],
        "attested by more than all": value[:2] + b"\x02\x03\x02" + value[5:],
        "attested by 65": value[:2] + b"\x02\x01\x41" + value[5:],
        "epoch zero": value[:5] + bytes(8) + value[13:],
        "time zero": value[:29] + bytes(8) + value[37:],
        "short value": value[:-1],
        "long value": value + b"\x00",
        "no value": value[:37],
        "head cut": value[:36],
        "one byte": value[:1],
    }


@pytest.mark.parametrize("name", sorted(broken(bytes(69))))
def test_attack_J3_contract_malformed_record_that_the_root_holds(hub, name):
    """A hub that wrote such bytes would be wrong, and is not believed: the same refusal as of the Python reader."""
    key = slot_key()
    good = hub.observed()
    bad = broken(good)[name]
    shown = hub.show({key: bad})
    refused(lambda: hub.read(shown), "MalformedRecord")
    refused(lambda: hub.keep(shown), "MalformedRecord")
    assert library_verdict(hub, shown, Demand(hub.now_s, MAX_AGE_S)) is None
    assert hub.read(hub.show({key: good})).value == WORD


@pytest.mark.parametrize("epoch", [b"", b"\x02" + bytes(17), b"\x01\x02" + b"\x01" * 16, b"\x01\x01" + bytes(16)])
def test_attack_J3_contract_malformed_epoch(hub, epoch):
    hub.lane.chain.put(epoch_key(SOURCE), epoch or b"\x01")
    shown = hub.show({slot_key(): hub.observed()})
    refused(lambda: hub.read(shown), "MalformedRecord")
    hub.set_epoch()
    assert hub.read(hub.show({slot_key(): hub.observed()})).value == WORD


def test_attack_J3_contract_keys_that_only_look_like_observations(hub):
    good = slot_key()
    tail = good[-53:]
    for key in (
        good[:-1],
        b"observation/slot/" + tail,
        b"observation/slot/" + b"c" * 65 + tail,
        good[:-53] + b"x" + tail[1:],
    ):
        shown = hub.show({key: hub.observed()})
        refused(lambda shown=shown: hub.read(shown), "MalformedRecord")
    refused(lambda: hub.read(ShownRecords(shown.height, (NoKey(b"k"),), (), shown.proof)), "MalformedRecord")
    assert hub.read(hub.show({good: hub.observed()})).value == WORD


class NoKey(Claim):
    """What the claim's own bounds refuse."""

    def __post_init__(self):
        object.__setattr__(self, "key", b"")


@pytest.mark.long
@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 7])
def test_attack_J3_contract_every_byte_of_what_is_shown_counts(hub, step):
    """CI changes each byte (`long`); the ordinary run every seventh, which is several of every word."""
    shown = hub.show({slot_key(): hub.observed()})
    (record,), (epoch,) = shown.records, shown.epochs
    assert hub.read(shown).value == WORD
    changed = [replace(shown, records=(Claim(record.key, one),)) for one in each_byte(record.value)]
    changed += [replace(shown, records=(Claim(one, record.value),)) for one in each_byte(record.key)]
    changed += [replace(shown, epochs=(Claim(epoch.key, one),)) for one in each_byte(epoch.value)]
    changed += [replace(shown, proof=replace(shown.proof, terminals=one)) for one in each_byte(shown.proof.terminals)]
    for index, sibling in enumerate(shown.proof.siblings):
        for one in each_byte(sibling):
            siblings = (*shown.proof.siblings[:index], one, *shown.proof.siblings[index + 1 :])
            changed.append(replace(shown, proof=replace(shown.proof, siblings=siblings)))
    for forged in changed[::step]:
        with pytest.raises(Reverted) as caught:
            hub.read(forged)
        assert caught.value.name in ("InvalidProof", "MalformedRecord", "EpochNotProven"), str(caught.value)


def each_byte(data):
    """`data` with each byte changed, one after another."""
    for index in range(len(data)):
        yield data[:index] + bytes([data[index] ^ 0x01]) + data[index + 1 :]


def test_attack_J3_contract_values_too_long_to_keep(hub):
    limit = 8229
    at, above = (hub.show({b"storage/large": bytes([1]) * length}) for length in (limit, limit + 1))
    assert refused(lambda: hub.keep(above), "RecordTooLong") == (limit + 1, limit)
    hub.keep(at)
    assert hub.cached(b"storage/large")[0].value == bytes([1]) * limit
    assert hub.read(above).value == bytes([1]) * (limit + 1)


# revoked


@pytest.mark.parametrize(("number", "readable"), [(2, False), (2, True), (3, True), (1, False)])
def test_attack_J7_contract_client_was_frozen_expired_or_recovered(hub, number, readable):
    """What was written before is refused under every root from then on, and from the cache once one was kept."""
    key = slot_key()
    before = hub.show({key: hub.observed()})
    hub.keep(before)
    hub.set_epoch(number=number, readable=readable)
    after = hub.show({})
    after = hub.shown([key], after.height.revision_height)
    name = "EpochRevoked" if readable else "ObservedClientClosed"
    refused(lambda: hub.read(after), name)
    refused(lambda: hub.keep(after), name)
    assert hub.cached(key) == (hub.read(before),)
    hub.keep(hub.shown([], after.height.revision_height))
    refused(lambda: hub.cached(key), name)
    # the reader knows better than the old root
    refused(lambda: hub.read(before), name)
    if number > 1 and readable:
        renewed = hub.show({key: hub.observed(epoch=number)})
        hub.keep(renewed)
        assert hub.cached(key)[0].value == hub.read(renewed).value == WORD


def test_attack_J7_contract_observation_of_a_later_epoch_than_the_clients(hub):
    shown = hub.show({slot_key(): hub.observed(epoch=2)})
    assert refused(lambda: hub.read(shown), "EpochRevoked") == (SOURCE, 2, 1)


def test_attack_J7_contract_one_client_is_closed_and_the_other_is_not(hub):
    hub.set_epoch(OTHER_SOURCE, 5, readable=False)
    other = slot_key(1, OTHER_SOURCE)
    height = hub.publish({slot_key(): hub.observed(), other: hub.observed(epoch=5)})
    both = hub.shown([slot_key(), other], height, (SOURCE, OTHER_SOURCE))
    assert refused(lambda: hub.read_many(both), "ObservedClientClosed") == (OTHER_SOURCE, 5)
    hub.keep(hub.shown([], height, (SOURCE, OTHER_SOURCE)))
    assert hub.read(hub.shown([slot_key()], height)).value == WORD


# trust

ATTESTED = SourceTrust(TrustKind.ATTESTED, 2, 3)


@pytest.mark.parametrize("min_trust", [0, 1, 2, 3, 64, 255])
def test_attack_J10_contract_attested_by_fewer_than_asked(hub, min_trust):
    keys = {"proven": slot_key(1), "attested": slot_key(2)}
    height = hub.publish({keys["proven"]: hub.observed(), keys["attested"]: hub.observed(trust=ATTESTED)})
    shown = hub.shown([keys["attested"]], height)
    hub.keep(hub.shown(keys.values(), height))
    if min_trust <= 2:
        answer = hub.read(shown, min_trust=min_trust)
        assert (answer.threshold, answer.attestors) == (2, 3)
        assert hub.cached(keys["attested"], min_trust=min_trust) == (answer,)
    else:
        assert refused(lambda: hub.read(shown, min_trust=min_trust), "TrustTooLow") == (2, min_trust)
        refused(lambda: hub.cached(keys["attested"], min_trust=min_trust), "TrustTooLow")
    assert hub.read(hub.shown([keys["proven"]], height), min_trust=min_trust).threshold == 0
    assert hub.cached(keys["proven"], min_trust=min_trust)[0].threshold == 0


@pytest.mark.parametrize("min_trust", [65, 128, 254])
def test_attack_J10_contract_trust_that_means_nothing(hub, min_trust):
    shown = hub.show({slot_key(): hub.observed()})
    hub.keep(shown)
    for read in (
        lambda: hub.read(shown, min_trust=min_trust),
        lambda: hub.read_many(shown, min_trust=min_trust),
        lambda: hub.cached(slot_key(), min_trust=min_trust),
    ):
        assert refused(read, "InvalidMinTrust") == (min_trust,)


# the chain's own client of the hub


def test_attack_J11_contract_frozen_hub_client(hub):
    key = slot_key()
    shown = hub.show({key: hub.observed()})
    hub.keep(shown)
    assert hub.cached(key) == (hub.read(shown),)
    freeze(hub)
    for read in (
        lambda: hub.read(shown),
        lambda: hub.read_many(shown),
        lambda: hub.cached(key),
        lambda: hub.keep(shown),
    ):
        assert refused(read, "HubClientNotActive") == (1,)


def test_attack_J11_contract_expired_hub_client(hub):
    key = slot_key()
    shown = hub.show({key: hub.observed()})
    hub.keep(shown)
    for_ever = 2**64 - 1
    with hub.evm.at(hub.now_s + 6 * DAY_NS // 10**9):
        assert hub.cached(key, max_age_s=for_ever) == (hub.read(shown, for_ever),)
    with hub.evm.at(hub.now_s + 8 * DAY_NS // 10**9):
        for read in (lambda: hub.read(shown, for_ever), lambda: hub.cached(key, max_age_s=for_ever)):
            assert refused(read, "HubClientNotActive") == (2,)


def test_attack_J11_contract_what_was_kept_ends_with_the_client(hub):
    """A migrated client may be of another branch of the hub: nothing kept under the old one is read again."""
    key = slot_key()
    hub.keep(hub.show({key: hub.observed()}))
    freeze(hub)
    height = hub.lane.advance(2)
    substitute = deploy_hub_client(hub.evm, hub.lane.chain, height)
    hub.lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    assert hub.reader.call("hubClient") == substitute.text
    refused(lambda: hub.cached(key), "NotKept")
    assert hub.reader.call("keptEpoch", SOURCE) == (0, 0, False)
    refused(lambda: hub.read(hub.shown([key], height, epochs=())), "EpochNotProven")
    shown = hub.shown([key], height)
    hub.keep(shown)
    assert hub.cached(key)[0].value == hub.read(shown).value == WORD


def freeze(hub):
    height = hub.lane.advance(3)
    one = hub.lane.chain.update(height, hub.lane.trusted)
    two = hub.lane.chain.update(height, hub.lane.trusted, hub.lane.chain.fork(height, app_hash=b"\xee" * 32))
    hub.lane.router.transact("submitMisbehaviour", LOCAL_CLIENT, hub.lane.misbehaviour_message(one, two))


# many records


def test_attack_J12_contract_one_lie_among_many_records(hub):
    keys = [slot_key(number) for number in range(8)]
    shown = hub.show({key: hub.observed() for key in keys})
    assert [answer.value for answer in hub.read_many(shown)] == [WORD] * 8
    for index, record in enumerate(shown.records):
        for lie in (b"", hub.observed(bytes(32)), hub.observed(None)):
            records = (*shown.records[:index], Claim(record.key, lie), *shown.records[index + 1 :])
            refused(lambda records=records: hub.read_many(replace(shown, records=records)), "InvalidProof")
    for records in (shown.records[::-1], shown.records[1:], (*shown.records, shown.records[-1])):
        refused(lambda records=records: hub.read_many(replace(shown, records=records)), "InvalidProof")


@pytest.mark.long
@given(OBSERVATIONS, st.integers(0, 3), st.booleans(), st.sampled_from([0, 1, 5, 60, 255]), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_drawn_observations_are_judged_as_the_library_does(twin, observation, raised, readable, min_trust, age_s):
    hub = twin
    time_ns = hub.lane.chain.latest.header.time_ns - age_s * 10**6
    epoch = min(observation.epoch + raised // 3, 2**64 - 1)
    record = encode_observation(replace(observation, source_time_ns=time_ns))
    hub.lane.chain.put(epoch_key(SOURCE), encode_epoch(ClientEpoch(epoch, readable, 0)))
    key = slot_key()
    shown = hub.show({key: record})
    demand = Demand(hub.now_s, MAX_AGE_S, min_trust, 60)
    try:
        said = hub.read(shown, MAX_AGE_S, min_trust)
    except Reverted as error:
        assert error.name in ("MalformedRecord", "ObservedClientClosed", "EpochRevoked", "StaleSource", "TrustTooLow")
        said = None
    judged = library_verdict(hub, shown, demand)
    assert (judged is None) == (said is None)
    if judged is not None:
        assert said.value == (judged.value or b"")
        assert (said.presence == Presence.ABSENT) == (judged.value is None)
        assert (said.threshold, said.attestors) == (judged.trust.threshold, judged.trust.attestors)
        assert (said.source_height, said.source_time_s) == (judged.height, judged.source_time_s)


@pytest.fixture(scope="module")
def twin():
    return ReaderLane()


def library_verdict(hub, shown, demand):
    """What the Python reader says of the same record, under the same root."""
    header = hub.lane.chain.block(shown.height.revision_height).header
    claims = sorted((*shown.records, *shown.epochs), key=lambda claim: claim.path)
    claims_are_proven(header.app_hash, claims, shown.proof)
    proven = {claim.key: claim.value for claim in claims}
    try:
        return judge_observation(VERIFY, shown.records[0].key, proven, header.time_ns // 10**9, demand)
    except VerificationError:
        return None
