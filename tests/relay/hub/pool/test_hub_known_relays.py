"""Whom a node knows as a relay: by work that was new, by its operator's word, and not for what anybody can emit."""

import pytest

from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.chain.pool_lanes import PoolLanes
from hutong.relay.evm.errors import InvalidTransaction
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import name_writer_action
from hutong.relay.hub.application.governance.block_proposals import MAX_PASSED_OVER
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.pool.known_relays import KnownRelays, governors, is_writer, pool_of
from tests.relay.hub.application.observations.observed_chains import WRITER, observing_hub
from tests.relay.hub.simulated_hub import (
    ADMINS,
    DAPP,
    RELAYER,
    STRANGER,
    RemoteChain,
    SimulatedHub,
    address_of,
    decoded,
)


def known(hub, **options):
    return KnownRelays(hub.application.blocks, governors(hub.genesis), **options)


def test_audit_L2_who_brought_an_update_is_known_and_who_brought_it_again_is_not(hub):
    chain = RemoteChain(hub, salt=1)
    relays = known(hub)
    height = chain.seal()
    call = chain.update_call(height)
    assert hub.send(ROUTER_ADDRESS, call, DAPP).ok
    relays.learn(hub.height)
    assert relays.knows(address_of(DAPP))
    assert hub.send(ROUTER_ADDRESS, call, STRANGER).ok, "a no-op"
    relays.learn(hub.height)
    failed = hub.send(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(chain.client, b"junk"), STRANGER)
    assert not failed.ok
    relays.learn(hub.height)
    assert not relays.knows(address_of(STRANGER))


def test_who_governs_and_whom_the_operator_names_is_known(hub):
    relays = KnownRelays(hub.application.blocks, (*governors(hub.genesis), address_of(STRANGER)))
    assert all(relays.knows(address_of(admin)) for admin in ADMINS)
    assert relays.knows(address_of(STRANGER))
    assert not known(hub).knows(address_of(STRANGER))


def test_audit_L2_a_named_writer_is_no_stranger_while_it_is_named():
    """By the newest state, so that members who name one later need no restart, and a taken name counts no more."""
    hub = observing_hub()
    relays = KnownRelays(hub.application.blocks, (), is_writer(hub.application))
    writer = address_of(WRITER)
    assert relays.knows(writer) and not relays.knows(address_of(STRANGER))
    full = PoolLanes(relays.knows)
    (opening,) = decoded(hub.raw(OBSERVATIONS_ADDRESS, b"", WRITER, gas=30_000))
    (strangers,) = decoded(hub.raw(OBSERVATIONS_ADDRESS, b"", STRANGER, gas=30_000))
    full.check_room(opening, 1, len(opening.raw))
    with pytest.raises(InvalidTransaction):
        full.check_room(strangers, 1, len(strangers.raw))
    assert hub.execute(name_writer_action(hub.next_salt(), writer, 0)).ok
    assert not relays.knows(writer)


def test_a_restart_reads_the_newest_blocks(hub):
    RemoteChain(hub, salt=1).update()
    assert known(hub).knows(address_of(RELAYER))


def test_who_relays_nothing_for_long_is_a_stranger_again(hub, monkeypatch):
    chain = RemoteChain(hub, salt=1)
    chain.update()
    monkeypatch.setattr("hutong.relay.hub.pool.known_relays.KNOWN_BLOCKS", 5)
    relays = known(hub)
    assert relays.knows(address_of(RELAYER))
    for _ in range(6):
        hub.advance()
        relays.learn(hub.height)
    assert not relays.knows(address_of(RELAYER))


def test_a_bounded_number_is_known_and_the_longest_idle_goes_first(hub, monkeypatch):
    monkeypatch.setattr("hutong.relay.hub.pool.known_relays.MOST_KNOWN", 2)
    chain = RemoteChain(hub, salt=1)
    relays = KnownRelays(hub.application.blocks)
    for account in (RELAYER, DAPP, STRANGER):
        assert hub.send(ROUTER_ADDRESS, chain.update_call(chain.seal()), account).ok
        relays.learn(hub.height)
    assert [relays.knows(address_of(account)) for account in (RELAYER, DAPP, STRANGER)] == [False, True, True]


def test_lanes_are_for_hubs_without_fees(hub):
    assert pool_of(hub.genesis, known(hub)).statistics().transactions == 0
    from hutong.relay.hub.application.machine.fees import NOBODY, FeeRules
    from tests.relay.hub.simulated_hub import hub_genesis

    paying = SimulatedHub(genesis=hub_genesis(fees=FeeRules(7, NOBODY)))
    pool = pool_of(paying.genesis, known(paying))
    raw = [paying.raw(bytes(19) + b"\x05", b"", account, gas=30_000) for account in (DAPP,)]
    for transaction in decoded(*raw):
        pool.add(transaction, 0)
    assert list(pool.select(7)) == [], "the order is that of tips, above the base fee"


def test_nobody_ends_a_block_by_stating_much_gas(hub):
    """What does not fit is passed over, with all later ones of its sender."""
    most = hub.genesis.params.transaction_max_gas
    to = bytes(19) + b"\x05"
    small = [hub.raw(to, b"", DAPP, gas=30_000) for _ in range(3)]
    large = [hub.raw(to, b"", STRANGER, gas=most), hub.raw(to, b"", STRANGER, gas=30_000)]
    candidates = decoded(small[0], *large, *small[1:])
    chosen = hub.application.prepare_proposal(candidates, 10**6).transactions
    assert list(chosen) == small
    assert MAX_PASSED_OVER > 1


@pytest.mark.parametrize("lanes", [True, False])
def test_a_pool_with_and_without_lanes_gives_each_senders_by_nonce(hub, lanes):
    pool = pool_of(hub.genesis, known(hub)) if lanes else Mempool()
    raw = [hub.raw(bytes(19) + b"\x05", b"", account, gas=30_000) for account in (DAPP, STRANGER, DAPP, STRANGER)]
    for transaction in decoded(*raw):
        pool.add(transaction, 0)
    for account in (DAPP, STRANGER):
        assert [item.nonce for item in pool.select() if item.sender == address_of(account)] == [0, 1]
