"""Epochs that the hub runs by itself: cut, header, seed, close; and what auditors do in them, rightly and wrongly."""

import pytest

from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.rules.audits.seed import Auditor, epoch_seed, secret_commitment
from hutong.relay.services.storage.rules.records.rounds import Fault, Phase, SecretState
from tests.relay.hub.application.storage.storage_hub import (
    AUDITORS,
    HUB,
    OUTSIDER,
    TABLE,
    StorageHub,
    account_of,
)
from tests.relay.hub.application.storage.test_storage_batches import refused, reverts
from tests.relay.services.storage.rules.held import named

ONE, OTHER, THIRD = AUDITORS


@pytest.fixture
def world() -> StorageHub:
    made = StorageHub()
    assert made.store(made.batch(0)).ok
    return made


def test_nothing_runs_before_the_first_batch():
    made = StorageHub()
    for _ in range(4):
        made.hub.advance()
    assert made.clock is None
    assert made.store(made.batch(0)).ok and made.clock is None
    made.hub.advance()
    assert (made.clock.epoch, made.clock.phase) == (1, Phase.COMMITTING)


def test_sets_are_cut_as_they_stood_before_the_epochs_first_block(world):
    hub, cut = world.hub, {one: world.log(one) for one in world.operators}
    assert world.store(world.batch(1)).ok  # in the very block that begins the epoch
    clock = world.clock
    assert (clock.epoch, clock.begun_height, clock.header_height) == (1, hub.height, hub.height + TABLE["cut_blocks"])
    for operator, log in cut.items():
        record = world.set_of(operator)
        assert (record is None) == (log is None)
        if record is not None:
            assert record.operator_set == log.operator_set and record.height == hub.height - 1


def test_the_seed_holds_the_header_and_every_secret_that_was_revealed_in_time(world):
    world.seeded()
    clock, seed = world.clock, world.seed()
    header = world.hub.ledger.records.block(clock.header_height).block_id.hash
    assert clock.header == seed.header == header
    auditors = [Auditor(one, secret_commitment(HUB, one, 1, world.secret(one, 1))) for one in AUDITORS]
    expected = epoch_seed(HUB, 1, header, auditors, [world.secret(one, 1) for one in AUDITORS])
    assert (seed.seed, seed.reveals, seed.auditors) == (expected.value, 3, 3)
    assert seed.due_s == clock.due_s and seed.probes == TABLE["probes"]
    assert all(world.secret_of(one).state is SecretState.REVEALED for one in AUDITORS)


def test_epochs_follow_one_another_and_each_seventh_asks_more():
    made = StorageHub(epoch_s=10, cut_blocks=1, reveal_s=1, deadline_s=1)
    assert made.store(made.batch(0)).ok
    begun = []
    for epoch in range(1, 8):
        made.until(Phase.ANSWERING, epoch)
        begun.append(made.clock.begun_s)
    assert all(later - earlier >= 10 for earlier, later in zip(begun, begun[1:], strict=False))
    assert [made.seed(epoch).probes for epoch in range(1, 8)] == [8] * 6 + [16]
    assert all(made.seed(epoch).is_weak for epoch in range(1, 8))


def test_an_epoch_waits_until_the_one_before_is_closed():
    made = StorageHub(epoch_s=10, deadline_s=40)
    assert made.store(made.batch(0)).ok
    made.until(Phase.COMMITTING, 2)
    assert made.clock.begun_s > made.seed(1).due_s


def test_attack_S5_a_withheld_secret_is_recorded_and_leaves_its_commitment_in_the_seed(world):
    world.until(Phase.COMMITTING)
    assert world.commit(ONE).ok and world.commit(OTHER).ok
    world.until(Phase.REVEALING)
    world.hub.advance()
    assert world.reveal(OTHER).ok
    world.until(Phase.ANSWERING)
    seed, clock = world.seed(), world.clock
    assert (seed.reveals, seed.auditors) == (1, 2)
    assert world.hub.time_s > clock.header_s + TABLE["reveal_s"]
    record = world.secret_of(ONE)
    assert record.state is SecretState.LOST and record.faults == Fault.WITHHELD
    late = world.reveal(ONE)
    assert late.ok and world.secret_of(ONE).faults == Fault.WITHHELD | Fault.LATE and world.seed() == seed


def test_attack_S5_an_early_reveal_is_recorded_and_lost(world):
    """Before the header, in the header's own block, and for the next epoch: its proposer could have known the secret."""
    world.until(Phase.COMMITTING)
    assert world.commit(ONE).ok and world.commit(OTHER, epoch=2).ok
    clock = world.clock
    while world.hub.height < clock.header_height - 1:
        world.hub.advance()
    assert world.reveal(ONE).ok and world.hub.height == clock.header_height
    assert world.secret_of(ONE).faults == Fault.EARLY and world.secret_of(ONE).state is SecretState.LOST
    assert world.reveal(OTHER, epoch=2).ok and world.secret_of(OTHER, 2).faults == Fault.EARLY
    assert world.reveal(ONE).ok and world.secret_of(ONE).faults == Fault.EARLY
    world.until(Phase.ANSWERING)
    assert (world.seed().reveals, world.seed().auditors) == (0, 1)


def test_attack_S5_another_secret_and_a_changed_commitment_are_recorded(world):
    world.until(Phase.COMMITTING)
    assert world.commit(ONE).ok
    assert world.commit(ONE).ok and world.secret_of(ONE).faults == Fault(0)
    assert world.commit(ONE, secret=named("another")).ok and world.secret_of(ONE).faults == Fault.CHANGED
    world.until(Phase.REVEALING)
    world.hub.advance()
    assert world.commit(OTHER).reverted_with(interface.UNKNOWN_EPOCH) == (1,)
    assert world.reveal(ONE, secret=named("another")).ok
    record = world.secret_of(ONE)
    assert record.faults == Fault.CHANGED | Fault.OTHER and record.state is SecretState.COMMITTED
    assert world.reveal(ONE).ok and world.secret_of(ONE).state is SecretState.REVEALED
    world.until(Phase.ANSWERING)
    assert world.seed().reveals == 1


def test_attack_S5_a_secret_that_was_public_is_recorded_and_lost(world):
    """Of an epoch before, and of another auditor in the same epoch."""
    world.seeded()
    world.until(Phase.COMMITTING, 2)
    shared = named("shared")
    assert world.commit(ONE, 2, secret=world.secret(ONE, 1)).ok
    assert world.commit(OTHER, 2, secret=shared).ok and world.commit(THIRD, 2, secret=shared).ok
    world.until(Phase.REVEALING, 2)
    world.hub.advance()
    assert world.reveal(ONE, 2, secret=world.secret(ONE, 1)).ok
    assert world.secret_of(ONE, 2).faults == Fault.REUSED and world.secret_of(ONE, 2).state is SecretState.LOST
    assert world.reveal(OTHER, 2, secret=shared).ok and world.reveal(THIRD, 2, secret=shared).ok
    assert world.secret_of(OTHER, 2).state is SecretState.REVEALED
    assert world.secret_of(THIRD, 2).faults == Fault.REUSED
    world.until(Phase.ANSWERING, 2)
    assert (world.seed(2).reveals, world.seed(2).auditors) == (1, 3)


def test_attack_S5_a_copied_secret_burns_nobodys(world):
    """An auditor that sees another's reveal sends it first, as its own."""
    world.until(Phase.COMMITTING)
    assert world.commit(ONE).ok and world.commit(OTHER).ok
    world.until(Phase.REVEALING)
    world.hub.advance()
    assert world.reveal(OTHER, secret=world.secret(ONE, 1)).ok
    assert world.secret_of(OTHER).faults == Fault.OTHER
    assert world.reveal(ONE).ok and world.secret_of(ONE).state is SecretState.REVEALED


def test_nobody_commits_or_reveals_in_anothers_name_or_out_of_time(world):
    world.until(Phase.COMMITTING)
    said = (ONE, 1, secret_commitment(HUB, ONE, 1, world.secret(ONE, 1)))
    reverts(world.send(interface.COMMIT_SECRET, *said, account=OUTSIDER), interface.NOT_THE_NAMED_ACCOUNT)
    stranger = named("nobody")
    found = world.send(interface.COMMIT_SECRET, stranger, 1, named("x"), account=account_of(stranger))
    assert reverts(found, interface.UNKNOWN_PARTY) == (2, stranger)
    refused(world.send(interface.COMMIT_SECRET, ONE, 1, bytes(32), account=account_of(ONE)), "commitment")
    reverts(world.commit(ONE, 3), interface.UNKNOWN_EPOCH)
    reverts(world.reveal(ONE), interface.UNKNOWN_SECRET)
    assert world.commit(ONE, 2).ok
    reverts(world.send(interface.REVEAL_SECRET, ONE, 2, named("x"), account=OUTSIDER), interface.NOT_THE_NAMED_ACCOUNT)
    refused(world.send(interface.REVEAL_SECRET, ONE, 2, bytes(32), account=account_of(ONE)), "secret")


def test_a_seed_is_drawn_as_soon_as_all_have_revealed(world):
    world.seeded()
    clock = world.clock
    assert clock.due_s - TABLE["deadline_s"] < clock.header_s + TABLE["reveal_s"]
