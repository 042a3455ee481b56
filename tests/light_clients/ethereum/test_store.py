"""LightClientStore: how the specification's store moves, is forced, and ranks updates. Its own vectors are judged by `-m vectors`."""

from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import LightClientStore, Update, supermajority
from hutong.light_clients.ethereum.store import is_better_update
from hutong.light_clients.interface import PredicateFailed
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon
from tests.light_clients.ethereum.verifying import chain_of

PERIOD_SLOTS = 64


def store_of(chain: SimulatedBeacon) -> LightClientStore:
    slot = chain.first_slot
    return LightClientStore.initialize(chain.network, chain.blocks[slot].root, chain.bootstrap(slot))


def refused(predicate: str, act) -> None:
    with pytest.raises(PredicateFailed) as caught:
        act()
    assert caught.value.predicate == predicate


def bare(update: Update) -> Update:
    """An optimistic update: no finality, no committee."""
    return replace(
        update, finalized_header=None, finality_branch=(), next_sync_committee=None, next_sync_committee_branch=()
    )


def test_bootstrap_of_another_block_or_committee_is_refused():
    chain = chain_of()
    slot = chain.first_slot
    other = chain.blocks[slot + 1].root
    refused(
        "bootstrap_header_trusted",
        lambda: LightClientStore.initialize(chain.network, other, chain.bootstrap(slot)),
    )
    wrong = replace(chain.bootstrap(slot), current_sync_committee=chain.committee(9))
    refused(
        "current_committee_proven",
        lambda: LightClientStore.initialize(chain.network, chain.blocks[slot].root, wrong),
    )
    swapped = replace(
        chain.bootstrap(slot),
        header=replace(chain.blocks[slot].header, execution=chain.blocks[slot + 1].header.execution),
    )
    refused(
        "bootstrap_header_valid",
        lambda: LightClientStore.initialize(chain.network, chain.blocks[slot].root, swapped),
    )


def test_finality_moves_both_headers_and_brings_the_committee():
    chain = chain_of()
    update = chain.update(FIRST_SLOT + 1, with_committee=True)
    store = store_of(chain).process_update(update, update.signature_slot)
    assert store.finalized_header == chain.blocks[FIRST_SLOT + 1].header
    assert store.optimistic_header == update.attested_header
    assert store.next_sync_committee == chain.committee(3)
    assert store.best_valid_update is None


def test_optimistic_update_moves_the_optimistic_header_alone():
    chain = chain_of()
    update = bare(chain.update(FIRST_SLOT + 1))
    store = store_of(chain).process_update(update, update.signature_slot)
    assert store.finalized_header == chain.blocks[FIRST_SLOT].header
    assert store.optimistic_header == update.attested_header
    assert store.best_valid_update == update


def test_few_participants_are_valid_and_move_nothing_final():
    chain = chain_of()
    size = supermajority(32)
    update = chain.update(FIRST_SLOT + 1, members=range(size - 1))
    store = store_of(chain).process_update(update, update.signature_slot)
    assert store.finalized_header == chain.blocks[FIRST_SLOT].header
    assert store.best_valid_update == update
    enough = chain.update(FIRST_SLOT + 1, members=range(size))
    assert store.process_update(enough, enough.signature_slot).finalized_slot == FIRST_SLOT + 1


def test_safety_threshold_holds_the_optimistic_header_back():
    chain = chain_of()
    first = bare(chain.update(FIRST_SLOT + 1))
    store = store_of(chain).process_update(first, first.signature_slot)
    assert store.safety_threshold == 16
    for members, moves in ((16, False), (17, True)):
        update = bare(chain.update(FIRST_SLOT + 2, members=range(members)))
        moved = store.process_update(update, update.signature_slot)
        assert (moved.optimistic_header == update.attested_header) is moves


def test_update_that_attests_to_nothing_new_is_refused():
    chain = chain_of(blocks=5)
    update = chain.update(FIRST_SLOT + 3, with_committee=True)
    store = store_of(chain).process_update(update, update.signature_slot)
    older = chain.update(FIRST_SLOT + 1, attested_slot=FIRST_SLOT + 2)
    refused("update_is_relevant", lambda: store.process_update(older, older.signature_slot))


def test_older_update_that_brings_an_unknown_committee_is_relevant():
    chain = chain_of(blocks=5)
    later = LightClientStore.initialize(
        chain.network, chain.blocks[FIRST_SLOT + 4].root, chain.bootstrap(FIRST_SLOT + 4)
    )
    update = chain.update(FIRST_SLOT + 1, with_committee=True)
    store = later.process_update(update, update.signature_slot)
    assert store.next_sync_committee == chain.committee(3)
    assert store.finalized_slot == FIRST_SLOT + 4


def test_committees_rotate_with_the_finalized_period():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 3, blocks=6)
    first = chain.update(chain.first_slot, with_committee=True)
    store = store_of(chain).process_update(first, first.signature_slot)
    second = chain.update(3 * PERIOD_SLOTS + 1, with_committee=True)
    store = store.process_update(second, second.signature_slot)
    assert (store.current_sync_committee, store.next_sync_committee) == (chain.committee(3), chain.committee(4))
    assert store.previous_max_active_participants == 32


def test_force_waits_for_a_period_without_finality_and_then_takes_the_best_attested_header():
    chain = chain_of(blocks=40)
    update = bare(chain.update(FIRST_SLOT + 1, attested_slot=FIRST_SLOT + 40))
    store = store_of(chain).process_update(update, update.signature_slot)
    assert store.force_update(FIRST_SLOT + PERIOD_SLOTS) is store
    forced = store.force_update(FIRST_SLOT + PERIOD_SLOTS + 1)
    assert forced.finalized_header == update.attested_header
    assert forced.best_valid_update is None
    assert forced.force_update(10**6) is forced


def test_force_does_not_skip_a_committee_that_is_not_known():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 3, blocks=6)
    update = bare(chain.update(chain.first_slot, attested_slot=3 * PERIOD_SLOTS - 2))
    store = store_of(chain).process_update(update, update.signature_slot)
    ahead = replace(store, best_valid_update=replace(update, attested_header=chain.blocks[3 * PERIOD_SLOTS + 1].header))
    refused("next_committee_known", lambda: ahead.force_update(10**6))


def test_updates_rank_as_the_specification_says():
    """Each is better than the one after it (update_ranking of the consensus-specs tests, in small)."""
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 10, blocks=14)
    slot = chain.first_slot + 2
    few = range(supermajority(32) - 1)
    ranked = [
        chain.update(slot, with_committee=True),
        chain.update(slot, with_committee=True, members=range(31)),
        chain.update(slot, with_committee=True, members=range(31), attested_slot=slot + 2),
        chain.update(slot, with_committee=True, members=range(31), attested_slot=slot + 2, signature_slot=slot + 4),
        chain.update(3 * PERIOD_SLOTS - 2, with_committee=True, attested_slot=3 * PERIOD_SLOTS + 1),
        replace(chain.update(slot, with_committee=True), finality_branch=(), finalized_header=None),
        chain.update(slot),
        bare(chain.update(slot)),
        chain.update(slot, with_committee=True, members=few),
        bare(chain.update(slot, members=few)),
        chain.update(slot, with_committee=True, members=range(5)),
    ]
    for better, worse in zip(ranked, ranked[1:], strict=False):
        assert is_better_update(better, worse, chain.network)
        assert not is_better_update(worse, better, chain.network)
    assert not is_better_update(ranked[0], ranked[0], chain.network)
