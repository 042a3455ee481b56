"""What must not become of a person on a hub, each beside what does: one typed refusal, and nothing is stored."""

import pytest

from hutong.light_clients.crypto import sha256
from hutong.relay.hub.application import abi, gas
from hutong.relay.hub.application.identity import interface, persons
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.services.identity.rules.persons.changing import changed, encode_control
from hutong.relay.services.identity.rules.persons.person import Place
from hutong.relay.services.identity.rules.persons.person_recovery_record import decode_person_recovery_record
from hutong.relay.services.identity.rules.persons.recovery_policy import encode_person_policy
from hutong.relay.services.identity.rules.persons.registering import REGISTRATION_BYTES, encode_registrations
from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from hutong.relay.services.identity.rules.persons.signed import cancel_digest, recovery_digest
from hutong.relay.services.identity.rules.records import keys
from tests.relay.hub.application.identity.organisations import (
    HUB,
    OUTSIDER,
    SCHEMA,
    accredit_root,
    held,
    refused_by_rule,
    root_of,
)
from tests.relay.hub.application.identity.registrars import GAS, Registrar, let_persons_in, registrar_on
from tests.relay.hub.application.machine.test_hub_native_modules import deploy, passing_on
from tests.relay.hub.simulated_hub import SimulatedHub
from tests.relay.services.identity.rules.persons.people import (
    control,
    guardians_sign,
    person,
    policy,
    registration,
    signed,
)

GUARDED = policy(["guardian 1", "guardian 2"], 2, registrar_may=True)


@pytest.fixture(scope="module")
def registrar():
    """One for all tests, each of which adds people of its own and leaves the tree as the hub has it."""
    return registrar_on(SimulatedHub())


@pytest.fixture
def hub(registrar):
    return registrar.hub


def refuses(outcome, error: abi.Error, before: dict[bytes, bytes], hub) -> tuple:
    found = outcome.reverted_with(error)
    assert found is not None, (outcome.code, outcome.log, outcome.data)
    assert held(hub) == before
    return found


def test_attack_N91_only_what_persons_signed_is_registered(registrar):
    """And what the hub keeps of a whole batch is one record of 161 bytes."""
    first = registrar.register("n91 a", "n91 b")
    before = held(registrar.hub)
    bad = registration(person("n91 c"), "n91 d", registrar.shard)
    call = interface.REGISTER_PERSONS.call(registrar.writer(), 0, registrar.tree.edge(), encode_registrations([bad]))
    assert refused_by_rule(registrar.write(call)) == "people_hold_their_keys"
    assert held(registrar.hub) == before
    registrar.register("n91 c")
    after = held(registrar.hub)
    assert after.keys() == before.keys() and registrar.record().count == first + 3
    assert len(after[keys.shard_key(*registrar.shard)]) == 161


def test_attack_N92_a_batch_after_another_shows_the_edge_that_follows(registrar):
    """Two batches made from one edge: the second is refused as a whole."""
    people = [[(person(f"n92 {n} {m}"), f"n92 {n} {m}") for m in range(3)] for n in range(2)]
    one, other = (registrar.registering(batch) for batch in people)
    assert registrar.write(one).ok
    before = held(registrar.hub)
    assert refused_by_rule(registrar.write(other)) == "edge_leads_to_root"
    assert held(registrar.hub) == before
    registrar.people += [said for said, _ in people[0]]
    registrar.register_people(people[1])


def test_attack_N96_one_leaf_in_two_transactions_of_a_block(registrar, hub):
    """The registrar's batch and the person's own operation: the first one counts, the other finds another root."""
    index = registrar.register("n96")
    own = registrar.changing_own(registrar.change_of(index, control("n96 own"), "n96"))
    entry = registrar.change_of(index, control("n96 batch"), "n96")
    raw = [
        hub.raw(IDENTITY_ADDRESS, registrar.changing([entry]), registrar.organisation.logging, gas=4_000_000),
        hub.raw(IDENTITY_ADDRESS, own, gas=4_000_000),
    ]
    first, second = hub.advance(*raw)
    assert first.ok and refused_by_rule(second) == "changes_lead_from_root"
    registrar.took(entry)


def test_attack_N97_a_silent_registrar_keeps_nobody_from_changing(registrar, hub):
    index = registrar.register("n97")
    entry = registrar.change_of(index, control("n97 2"), "n97")
    assert registrar.send(registrar.changing_own(entry)).ok
    # The block's time was fixed by the commit before it.
    own_s = registrar.record().changed.time_s
    registrar.took(entry, own_s)
    again = registrar.change_of(index, control("n97 3"), "n97 2")
    assert refused_by_rule(registrar.send(registrar.changing_own(again))) == "own_change_is_due"
    assert registrar.write(registrar.changing([again])).ok
    registrar.took(again)
    late = registrar.change_of(index, control("n97 4"), "n97 3")
    hub.advance(time_s=own_s + 86_400)
    assert registrar.send(registrar.changing_own(late)).ok
    registrar.took(late, registrar.record().changed.time_s)


def recovery_of(registrar: Registrar, index: int, new: str, signers=("guardian 1", "guardian 2"), life_s: int = 600):
    """The call by which guardians begin a recovery."""
    expires_s, following = registrar.hub.time_s + life_s, control(new)
    digest = recovery_digest(HUB, Place(*registrar.shard, index), registrar.leaf(index), following, expires_s)
    said = (encode_control(following), encode_person_policy(GUARDED), expires_s, guardians_sign(signers, digest))
    return interface.START_PERSON_RECOVERY.call(registrar.place(index), *registrar.shown(index), *said)


def own_recovery_of(registrar: Registrar, index: int, new: str):
    """The one by which the registrar does."""
    said = (encode_control(control(new)), encode_person_policy(GUARDED))
    shown = registrar.shown(index)
    return interface.START_PERSON_RECOVERY_AS_REGISTRAR.call(registrar.writer(), 0, index, *shown, *said)


def standing(registrar: Registrar, index: int):
    raw = registrar.hub.view().get(keys.person_recovery_key(*registrar.shard, index))
    return None if raw is None else decode_person_recovery_record(raw)


def cancelling(registrar: Registrar, index: int, key: str) -> bytes:
    raw = registrar.hub.view().get(keys.person_recovery_key(*registrar.shard, index))
    digest = cancel_digest(HUB, Place(*registrar.shard, index), sha256(raw))
    return interface.CANCEL_PERSON_RECOVERY.call(registrar.place(index), signed(key, digest))


def completing(registrar: Registrar, index: int) -> bytes:
    return interface.COMPLETE_PERSON_RECOVERY.call(registrar.place(index), *registrar.shown(index))


def guarded(registrar: Registrar, name: str) -> int:
    return registrar.register_people([(person(name, policy=GUARDED), name)])


def test_attack_N98_guardians_short_of_their_quorum_recover_nobody(registrar):
    index = guarded(registrar, "n98")
    before = held(registrar.hub)
    assert (
        refused_by_rule(registrar.send(recovery_of(registrar, index, "n98 2", ["guardian 1"]))) == "guardians_approve"
    )
    assert held(registrar.hub) == before
    assert registrar.send(recovery_of(registrar, index, "n98 2")).ok
    assert standing(registrar, index).effective_s == standing(registrar, index).started.time_s + 3_600


def test_attack_N99_a_person_cancels_in_the_delays_last_second_and_not_after(registrar, hub):
    """In one block of that second the recovery does not take effect yet; in one of the next the person cancels no more."""
    first, second = guarded(registrar, "n99 a"), guarded(registrar, "n99 b")
    assert registrar.send(recovery_of(registrar, first, "n99 a 2")).ok
    hub.advance(time_s=standing(registrar, first).effective_s - 1)
    calls = completing(registrar, first), cancelling(registrar, first, "n99 a")
    early, cancelled = hub.advance(*(hub.raw(IDENTITY_ADDRESS, call, gas=4_000_000) for call in calls))
    assert refused_by_rule(early) == "person_recovery_is_due" and cancelled.ok
    assert standing(registrar, first).is_cancelled
    assert registrar.send(recovery_of(registrar, second, "n99 b 2")).ok
    following = standing(registrar, second).following
    hub.advance(time_s=standing(registrar, second).effective_s)
    calls = cancelling(registrar, second, "n99 b"), completing(registrar, second)
    late, done = hub.advance(*(hub.raw(IDENTITY_ADDRESS, call, gas=4_000_000) for call in calls))
    assert refused_by_rule(late) == "recovery_can_be_cancelled" and done.ok
    registrar.people[second] = changed(registrar.people[second], following)
    assert registrar.holds() and standing(registrar, second) is None


def test_attack_N100_a_cancelled_approval_is_shown_again(registrar):
    index = guarded(registrar, "n100")
    call = recovery_of(registrar, index, "n100 2")
    assert registrar.send(call).ok
    assert registrar.send(cancelling(registrar, index, "n100")).ok
    before = held(registrar.hub)
    assert refused_by_rule(registrar.send(call)) == "no_recovery_waits"
    assert held(registrar.hub) == before
    assert registrar.send(recovery_of(registrar, index, "n100 2", life_s=1_200)).ok


def test_attack_N102_neither_guardians_nor_registrar_take_the_others_room(registrar, hub, monkeypatch):
    """As many as may wait of each; what a recovery counts for comes back when it ends."""
    indices = [guarded(registrar, f"n102 {number}") for number in range(3)]
    counts = [
        int.from_bytes(hub.view().get(keys.person_recoveries_key(registrar.did, by)) or b"", "big") for by in (1, 2)
    ]
    monkeypatch.setattr(persons, "MAX_RECOVERIES", counts[0] + 1)
    assert registrar.send(recovery_of(registrar, indices[0], "n102 a")).ok
    refuses(registrar.send(recovery_of(registrar, indices[1], "n102 b")), interface.TOO_MANY_RECORDS, held(hub), hub)
    monkeypatch.setattr(persons, "MAX_RECOVERIES", max(counts[0], counts[1]) + 1)
    assert registrar.write(own_recovery_of(registrar, indices[1], "n102 b")).ok
    cleared = interface.CLEAR_PERSON_RECOVERY.call(registrar.place(indices[1]))
    assert refused_by_rule(registrar.send(cleared)) == "recovery_is_over"
    refuses(
        registrar.send(interface.CLEAR_PERSON_RECOVERY.call(registrar.place(indices[2]))),
        interface.NO_PERSON_RECOVERY,
        held(hub),
        hub,
    )


def test_attack_N103_only_an_accredited_registrars_log_key_writes(registrar, hub):
    index = registrar.register("n103")
    people = [(person("n103 b"), "n103 b")]
    call = registrar.registering(people)
    entry = registrar.change_of(index, control("n103 2"), "n103")
    before = held(hub)
    refuses(hub.send(IDENTITY_ADDRESS, call, OUTSIDER), interface.NOT_THE_ACCOUNT_OF_THE_KEY, before, hub)
    refuses(registrar.send(registrar.changing([entry])), interface.NOT_THE_ACCOUNT_OF_THE_KEY, before, hub)
    other = Registrar(root_of(hub, "n103 other", schema=SCHEMA))
    before = held(hub)
    refuses(other.write(other.registering(people)), interface.NOT_ACCREDITED, before, hub)
    wrong = interface.REGISTER_PERSONS.call(registrar.writer(), 1, [], call[-1:])
    assert registrar.write(wrong).reverted_with(interface.SHARD_HAS_ROOM) == (registrar.did, 0)
    far = interface.REGISTER_PERSONS.call(registrar.writer(), persons.MAX_SHARDS, [], b"")
    assert registrar.write(far).reverted_with(interface.TOO_MANY_RECORDS)
    registrar.register_people(people)
    assert accredit_root(hub, registrar.did, PERSONS_SCHEMA, window=(0, 0)).ok
    more = [(person("n103 c"), "n103 c")]
    refuses(registrar.write(registrar.registering(more)), interface.NOT_ACCREDITED, held(hub), hub)
    guarded_call = own_recovery_of(registrar, index, "n103 d")
    refuses(registrar.write(guarded_call), interface.NOT_ACCREDITED, held(hub), hub)
    assert registrar.write(registrar.changing([entry])).ok
    registrar.took(entry)
    assert accredit_root(hub, registrar.did, PERSONS_SCHEMA).ok
    registrar.register_people(more)


def test_attack_N103_a_hub_of_organisations_registers_no_person(registrar, hub):
    """Its genesis says so, or governance later; who is registered keeps control."""
    index = registrar.register("n103 off")
    let_persons_in(hub, persons=False)
    try:
        people = [(person("n103 off b"), "n103 off b")]
        refuses(registrar.write(registrar.registering(people)), interface.PERSONS_ARE_OFF, held(hub), hub)
        entry = registrar.change_of(index, control("n103 off 2"), "n103 off")
        assert registrar.send(registrar.changing_own(entry)).ok
        registrar.took(entry, registrar.record().changed.time_s)
    finally:
        let_persons_in(hub)
    registrar.register_people(people)


def test_attack_N104_a_batch_is_paid_for_before_it_is_looked_at(registrar, hub):
    """With gas for all but the last entries nothing is done, and what was done took less time than was paid for."""
    people = [(person(f"n104 {number}"), f"n104 {number}") for number in range(6)]
    call, before = registrar.registering(people), held(hub)
    whole = registrar.hub.call(IDENTITY_ADDRESS, call, sender=bytes.fromhex(registrar.organisation.logging.address[2:]))
    assert whole.success
    needed = whole.gas_used
    for short in (1, gas.STORE_WRITE, 3 * 65 * gas.CLIENT_MESSAGE_BYTE):
        outcome = registrar.write(call, gas=needed - short)
        assert outcome.code != 0 and held(hub) == before, short
    price = 65 * gas.CLIENT_MESSAGE_BYTE
    assert needed > len(people) * (price + 16 * REGISTRATION_BYTES // 2)
    registrar.register_people(people)


def test_attack_N105_a_contract_changes_no_shard(registrar, hub):
    """What it passes on would not stand in a transaction's own data, from which anybody rebuilds the leaves."""
    index = registrar.register("n105")
    entry = registrar.change_of(index, control("n105 2"), "n105")
    own, proxy = registrar.changing_own(entry), deploy(hub, passing_on("CALL", IDENTITY_ADDRESS))
    before = held(hub)
    assert hub.send(proxy, own, gas=GAS).data == bytes(32) and held(hub) == before
    called = hub.call(proxy, interface.GET_PARAMETERS.call())
    assert called.return_data == bytes(31) + b"\x01"
    assert registrar.send(own).ok
    registrar.took(entry, registrar.record().changed.time_s)
