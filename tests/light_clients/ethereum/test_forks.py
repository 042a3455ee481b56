"""Fork schedules as data: periods, versions, domains, digests, indices and slots at their edges."""

from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import HOODI, MAINNET, NETWORKS, SEPOLIA, Fork
from hutong.light_clients.ethereum.beacon_json import fork_named
from hutong.light_clients.ethereum.forks import NEWEST_FORK, sync_committee_domain
from hutong.light_clients.interface import UnsupportedOperation

SLOTS = 32
PERIOD = 8192


def test_mainnet_periods_and_forks_at_their_edges():
    assert MAINNET.period_at(PERIOD - 1) == 0
    assert MAINNET.period_at(PERIOD) == 1
    for activation in MAINNET.forks[2:]:
        slot = activation.epoch * SLOTS
        assert MAINNET.fork_at(slot) is activation.fork
        assert MAINNET.fork_at(slot - 1) is Fork(activation.fork - 1)
        # A committee signs the block before its slot: the old version holds one slot longer.
        old = MAINNET.forks[activation.fork - 1].version
        root = MAINNET.genesis_validators_root
        assert MAINNET.sync_committee_domain(slot) == sync_committee_domain(old, root)
        assert MAINNET.sync_committee_domain(slot + 1) == sync_committee_domain(activation.version, root)
    assert MAINNET.sync_committee_domain(0) == MAINNET.sync_committee_domain(1)


def test_known_domain_and_digests():
    """Sepolia's Fulu domain and Electra digest, mainnet's Capella digest (as gossip topics have it)."""
    fulu = SEPOLIA.forks[Fork.FULU]
    assert sync_committee_domain(fulu.version, SEPOLIA.genesis_validators_root).hex() == (
        "07000000f52c15272cff99835cd05aa522af469210b5b2c8807e372b6b9ca539"
    )
    assert SEPOLIA.fork_digest(SEPOLIA.forks[Fork.ELECTRA]).hex() == "14045b5a"
    assert SEPOLIA.fork_digest(SEPOLIA.forks[Fork.PHASE0]).hex() == "a8fee8ee"
    assert MAINNET.fork_digest(MAINNET.forks[Fork.CAPELLA]).hex() == "bba4da96"


def test_digests_name_containers_and_those_of_later_forks_mean_the_newest():
    for activation in MAINNET.forks[: Fork.FULU]:
        assert MAINNET.fork_of_digest(MAINNET.fork_digest(activation)) is activation.fork
    assert MAINNET.fork_of_digest(bytes.fromhex("74d01459")) is NEWEST_FORK


def test_generalized_indices_grow_in_electra():
    slot = MAINNET.forks[Fork.ELECTRA].epoch * SLOTS
    before, after = MAINNET.indices_at(slot - 1), MAINNET.indices_at(slot)
    assert (before.finalized_root, before.current_sync_committee, before.next_sync_committee) == (105, 54, 55)
    assert (after.finalized_root, after.current_sync_committee, after.next_sync_committee) == (169, 86, 87)


def test_forks_that_are_not_offered_are_known_by_name():
    gloas = SEPOLIA.forks[-1]
    assert gloas.fork is Fork.GLOAS
    SEPOLIA.fork_at(gloas.epoch * SLOTS - 1)
    with pytest.raises(UnsupportedOperation) as caught:
        SEPOLIA.fork_at(gloas.epoch * SLOTS)
    assert str(caught.value) == (
        "not supported: light client headers of GLOAS; it rules from epoch 353024 on, and the newest fork whose headers are"
        " verified is FULU: such a chain is followed through attestors"
    )


def test_parity_gloas_is_refused_with_the_epoch_from_which_it_rules():
    assert SEPOLIA.unsupported_from is SEPOLIA.forks[-1]
    assert SEPOLIA.epoch_time_s(SEPOLIA.forks[-1].epoch) == 1_791_294_816  # 2026-10-06T13:53:36Z
    assert MAINNET.unsupported_from is None
    with pytest.raises(UnsupportedOperation, match="newest fork whose headers are verified is FULU"):
        fork_named("gloas")


def test_slots_begin_at_their_time():
    network = replace(MAINNET, genesis_time_s=100)
    assert network.slot_time_s(2) == 124
    second = 10**9
    for time_ns, slot in ((100 * second, -1), (100 * second + 1, 0), (112 * second, 0), (112 * second + 1, 1)):
        assert network.slot_before_ns(time_ns) == slot


def test_versions_are_each_networks_own():
    versions = [activation.version for network in NETWORKS.values() for activation in network.forks]
    assert len(set(versions)) == len(versions)
    assert HOODI.forks[-1].version.hex() == "70000910"
