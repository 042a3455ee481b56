"""Batches on the hub: placed by the map, signed by enough operators, appended to the logs of those who signed."""

from dataclasses import replace

import pytest

from hutong.relay.hub.application import abi
from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.rules.calls import STORAGE_ADDRESS
from hutong.relay.services.storage.rules.commitments.entries import LOG_ENTRY_BYTES
from hutong.relay.services.storage.rules.lifecycle.signed import parts_hash
from tests.relay.hub.application.storage.storage_hub import (
    GAS,
    OTHER_WRITER,
    OUTSIDER,
    REPAIRER,
    WRITER,
    Batch,
    StorageHub,
    abi_values,
    account_of,
)
from tests.relay.hub.simulated_hub import address_of
from tests.relay.services.storage.rules.held import named


@pytest.fixture
def world() -> StorageHub:
    return StorageHub()


def refused(outcome, predicate: str) -> None:
    found = outcome.reverted_with(abi.VERIFICATION_FAILED)
    assert found is not None, outcome
    assert found[0] == predicate


def reverts(outcome, error: abi.Error) -> tuple:
    found = outcome.reverted_with(error)
    assert found is not None, outcome
    return found


def test_a_batch_goes_into_the_logs_of_those_who_signed(world):
    batch = world.batch(0)
    late = sorted(batch.shards)[4]
    batch.unsigned = {late}
    outcome = world.store(batch)
    assert outcome.ok
    told = {log.topics[1]: abi_values(interface.LOGGED_EVENT, log) for log in outcome.logs if len(log.data) > 100}
    record = world.batch_of(0)
    assert (record.writer, record.owner, record.sequence, record.count) == (WRITER, WRITER, 0, 6)
    assert record.signed == 0b101111 and record.parts == parts_hash(batch.parts)
    assert record.group == world.hub.read(STORAGE_ADDRESS, interface.GROUP_OF, WRITER, 0)
    for operator in batch.shards:
        log = world.log(operator)
        assert (log is None) == (operator == late)
        if log is not None:
            assert log.operator_set == world.operators[operator].set
            number, entry = told[operator]
            assert number == 0 and len(entry) == LOG_ENTRY_BYTES
    assert world.store(world.batch(5)).ok and world.batch_of(1).sequence == 5
    assert any(world.log(operator).size == 2 for operator in batch.shards if operator != late)


def test_an_operator_that_was_late_signs_its_part_once(world):
    batch = world.batch(0)
    late = sorted(batch.shards)[4]
    batch.unsigned = {late}
    assert world.store(batch).ok
    batch.unsigned = set()
    hashes, given = world.hashes(batch), batch.given()
    send = lambda index, part, shown=hashes: world.send(interface.SIGN_PART, 0, index, shown, part)  # noqa: E731
    refused(send(3, given[4]), "part_is_of_the_batch")
    refused(send(4, given[4], hashes[:5]), "part_is_of_the_batch")
    refused(send(4, (*given[4][:4], given[3][4])), "struct_is_signed_by")
    reverts(send(3, given[3]), interface.PART_IS_SIGNED)
    outcome = send(4, given[4])
    assert outcome.ok and world.batch_of(0).signed == 0b111111
    world.held(batch, outcome)
    assert world.log(late).operator_set == world.operators[late].set
    assert reverts(send(4, given[4]), interface.PART_IS_SIGNED) == (0, 4)
    reverts(world.send(interface.SIGN_PART, 9, 4, hashes, given[4]), interface.UNKNOWN_BATCH)


def test_attack_S9_a_batch_that_too_few_operators_signed_is_refused(world):
    batch = world.batch(0)
    batch.unsigned = set(sorted(batch.shards)[:2])
    refused(world.store(batch), "enough_parts_are_signed")
    batch.unsigned = set(sorted(batch.shards)[:1])
    assert world.store(batch).ok  # five of six: data + 2


def test_attack_S9_a_part_signed_by_another_or_for_another_batch_is_refused(world):
    batch, other = world.batch(0), world.batch(1)
    operator = sorted(batch.shards)[0]
    refused(world.store(batch, given=batch.given({operator: OUTSIDER})), "struct_is_signed_by")
    replayed = [(*row[:4], old[4]) for row, old in zip(batch.given(), other.given(), strict=True)]
    refused(world.store(batch, given=replayed), "struct_is_signed_by")
    smaller = [(row[0], row[1] - 1, *row[2:]) for row in batch.given()]
    refused(world.store(batch, given=smaller), "struct_is_signed_by")
    assert world.store(batch).ok


def test_attack_S9_nobody_stores_in_a_writers_name(world):
    batch = world.batch(0)
    refused(world.store(batch, signature=batch.signature(OUTSIDER)), "struct_is_signed_by")
    refused(world.store(batch, signature=world.batch(1).signature()), "struct_is_signed_by")
    stranger = replace(world.batch(0), writer=named("nobody"))
    assert reverts(world.store(stranger), interface.UNKNOWN_PARTY) == (1, named("nobody"))
    assert world.store(batch).ok
    assert reverts(world.store(batch), interface.BATCH_EXISTS) == (WRITER, 0, 0)


def test_attack_S20_a_batch_outside_of_its_group_is_refused(world):
    """Eight operators, six in a group: a writer cannot put its shards with its friends."""
    batch = world.batch(0)
    inside, outside = sorted(batch.shards)[0], next(one for one in world.operators if one not in batch.shards)
    moved = dict(batch.shards)
    moved[outside] = moved.pop(inside)
    refused(world.store(replace(batch, shards=moved)), "batch_is_placed")
    fewer = {one: batch.shards[one] for one in sorted(batch.shards)[:5]}
    refused(world.store(replace(batch, shards=fewer)), "batch_is_placed")
    more = batch.shards | {outside: batch.shards[inside]}
    refused(world.store(replace(batch, shards=more)), "batch_is_placed")
    assert world.store(batch).ok


def test_attack_S20_parts_of_other_sizes_and_twice_the_same_operator_are_refused(world):
    batch = world.batch(0, heights=(1, 0))
    first = sorted(batch.shards)[0]
    uneven = replace(batch, shards=batch.shards | {first: batch.shards[first][:1]})
    refused(world.store(uneven), "parts_are_alike")
    given = batch.given()
    refused(world.store(batch, given=[given[0], *given[:5]]), "parts_are_one_batch")
    refused(world.store(batch, given=given[::-1]), "parts_are_one_batch")
    assert world.store(batch).ok


def test_a_batch_may_be_under_way_while_the_map_changes_once(world):
    batch, before = world.batch(0), world.newest_map
    outside = next(one for one in world.operators if one not in batch.shards)
    assert all(one.ok for one in world.decide(world.state(outside, 3)))
    assert world.newest_map == before + 1 and len(world.map(before + 1).candidates) == 7
    assert world.store(batch, map=before).ok
    assert all(one.ok for one in world.decide(world.state(outside, 2)))
    late = world.batch(1)
    assert reverts(world.store(late, map=before), interface.UNKNOWN_MAP) == (before,)
    reverts(world.store(late, map=before + 3), interface.UNKNOWN_MAP)
    assert world.store(late).ok


def test_operators_that_are_drained_take_what_is_under_way_and_those_that_left_nothing(world):
    batch, before = world.batch(0), world.newest_map
    one = sorted(batch.shards)[0]
    assert all(done.ok for done in world.decide(world.state(one, 3)))
    assert world.store(batch, map=before).ok
    gone = world.batch(1)
    assert one not in gone.shards
    assert all(done.ok for done in world.decide(world.state(one, 4)))
    repair = Batch(REPAIRER, 0, {one: batch.shards[one]})
    account = account_of(REPAIRER)
    outcome = world.send(interface.REPAIR_BATCH, REPAIRER, 0, WRITER, repair.given(), account=account)
    assert reverts(outcome, interface.OPERATOR_STATE_FORBIDS) == (one, 4)


def test_rebuilt_shards_go_to_any_active_operator_in_the_owners_name(world):
    batch = world.batch(0)
    assert world.store(batch).ok
    lost, other = sorted(batch.shards)[0], next(one for one in world.operators if one not in batch.shards)
    repair = Batch(REPAIRER, 0, {other: batch.shards[lost]})

    def send(account=account_of(REPAIRER), owner=WRITER, given=None):
        rows = repair.given() if given is None else given
        return world.send(interface.REPAIR_BATCH, REPAIRER, 0, owner, rows, account=account)

    reverts(send(account=OUTSIDER), interface.NOT_THE_NAMED_ACCOUNT)
    reverts(send(account=account_of(WRITER)), interface.NOT_THE_NAMED_ACCOUNT)
    reverts(send(owner=named("nobody")), interface.UNKNOWN_PARTY)
    refused(send(given=[(*repair.given()[0][:4], b"")]), "enough_parts_are_signed")
    outcome = send()
    assert outcome.ok
    world.held(repair, outcome)
    record = world.batch_of(1)
    assert (record.writer, record.owner, record.map, record.signed) == (REPAIRER, WRITER, 0, 1)
    assert world.log(other).operator_set == world.operators[other].set
    reverts(send(), interface.BATCH_EXISTS)


def test_impossible_placement_is_refused_before_anything_is_stored():
    world = StorageHub(count=5)
    group = world.hub.read(STORAGE_ADDRESS, interface.GROUP_OF, WRITER, 0)
    result = world.hub.call(STORAGE_ADDRESS, interface.PLACEMENT.call(world.newest_map, group), gas=GAS)
    assert result.return_data[:4] == abi.VERIFICATION_FAILED.selector and b"placement_is_possible" in result.return_data


# --- who is named


def test_operators_are_registered_activated_drained_and_leave_in_this_order(world):
    one = world.operators[sorted(world.operators)[0]]
    state = lambda number: world.decide(world.state(one.id, number))[0]  # noqa: E731
    refused(state(4), "state_may_follow")
    refused(state(1), "state_may_follow")
    refused(state(9), "operator.state")
    assert state(3).ok and state(2).ok and state(3).ok and state(4).ok
    assert world.record(one.id).state == 4 and one.id not in [
        row.operator for row in world.map(world.newest_map).candidates
    ]
    for number in (1, 2, 3):
        refused(state(number), "state_may_follow")
    (renamed,) = world.decide(world.naming(one))
    reverts(renamed, interface.OPERATOR_STATE_FORBIDS)
    (unknown,) = world.decide(world.state(named("nobody"), 2))
    reverts(unknown, interface.UNKNOWN_OPERATOR)


def test_an_operator_drains_itself_and_nobody_else_does(world):
    one = sorted(world.operators)[0]
    reverts(world.send(interface.DRAIN, one, account=OUTSIDER), interface.NOT_THE_NAMED_ACCOUNT)
    assert world.send(interface.DRAIN, one, account=account_of(one)).ok
    assert world.record(one).state == 3
    reverts(world.send(interface.DRAIN, one, account=account_of(one)), interface.OPERATOR_STATE_FORBIDS)


def test_maps_change_with_who_is_active_labels_weights_and_code_alone(world):
    one, before = world.operators[sorted(world.operators)[0]], world.newest_map
    assert world.decide(world.naming(one))[0].ok and world.newest_map == before
    assert world.decide(world.naming(one, account=address_of(OUTSIDER)))[0].ok and world.newest_map == before
    assert world.record(one.id).account == address_of(OUTSIDER)
    assert world.decide(world.naming(one, weight=20))[0].ok and world.newest_map == before + 1
    assert next(row.weight for row in world.map(before + 1).candidates if row.operator == one.id) == 20
    refused(world.decide(world.naming(one, weight=0))[0], "operator.weight")
    refused(
        world.decide(world.naming(one, labels=(b"A".ljust(32, b"\0"), *one.labels[1:])))[0], "operator.organisation"
    )
    refused(world.decide(world.naming(one, account=bytes(20)))[0], "operator.account")


def test_parties_are_named_and_no_longer_named_and_counted(world):
    assert world.decide(world.party(1, OTHER_WRITER, account=bytes(20)))[0].ok
    reverts(world.store(world.batch(0, writer=OTHER_WRITER)), interface.UNKNOWN_PARTY)
    reverts(world.decide(world.party(1, OTHER_WRITER, account=bytes(20)))[0], interface.UNKNOWN_PARTY)
    refused(world.decide(world.party(5, WRITER))[0], "party.role")
    refused(world.decide(world.party(1, bytes(32), account=b"\1" * 20))[0], "party")
    more = world.decide(*(world.party(4, named(f"repairer {at}")) for at in range(16)))
    assert [one.ok for one in more] == [True] * 15 + [False]
    assert reverts(more[-1], interface.TOO_MANY_STORAGE_RECORDS) == ("repairer", 16)
