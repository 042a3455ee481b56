"""The epoch of a client: what was written before a freeze, an expiry or a recovery is no longer read as good."""

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.light_clients.records import Demand, epoch_key, judge_observation
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import recover_client_action
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, OBSERVATIONS_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.application.observations import interface
from tests.relay.hub.application.observations.observed_chains import (
    WORD,
    WRITER,
    ObservedBft,
    ObservedEthereum,
    key_of,
    observing_hub,
)
from tests.relay.hub.simulated_hub import ADMINS


@pytest.fixture
def chain():
    return ObservedBft(observing_hub())


def read(chain, place=None):
    """As an auditor does, from the newest state: with the epoch, and patience for any age."""
    view, key = chain.hub.view(), key_of(chain.client, place or chain.place)
    proven = {one: view.get(one) for one in (key, epoch_key(chain.client))}
    now_s = chain.hub.time_s
    return judge_observation(VERIFY, key, proven, now_s, Demand(now_s, 10**6))


def refusal(chain) -> str:
    with pytest.raises(PredicateFailed) as refused:
        read(chain)
    return refused.value.predicate


def recover(chain) -> str:
    """By a fresh client of the same chain."""
    substitute = chain.remote.substitute()
    chain.first = chain.remote.trusted
    outcome = chain.hub.execute(recover_client_action(chain.hub.next_salt(), chain.client, substitute))
    assert outcome.ok, (outcome.log, outcome.data)
    return substitute


def test_attack_J7_a_freeze_ends_what_was_written_before_it(chain):
    height = chain.put()
    assert chain.observe(height).ok
    assert read(chain).value == WORD
    chain.remote.freeze()
    assert chain.epoch() == (2, False)
    assert refusal(chain) == "client_is_readable"
    assert chain.observe(height).reverted_with(abi.CLIENT_NOT_ACTIVE) == (chain.client,)


def test_attack_J7_the_freezing_block_itself_closes_the_epoch(chain):
    """No later transaction is needed: the next header's root has it."""
    assert chain.observe(chain.put()).ok
    chain.remote.seal()
    hub = chain.hub
    before = hub.app_hash
    (outcome,) = hub.advance(hub.raw(ROUTER_ADDRESS, chain.remote.misbehaviour_call()))
    assert outcome.events(abi.MISBEHAVIOUR_EVENT) and hub.app_hash != before
    assert hub.application.state.get_with_proof(hub.height, epoch_key(chain.client))[0][1] == 0


def test_attack_J7_expiry_closes_the_epoch_without_any_transaction(chain):
    assert chain.observe(chain.put()).ok
    hub = chain.hub
    edge_s = chain.remote.chain.headers[chain.remote.trusted][0].timestamp_s + 1_000
    hub.advance(time_s=edge_s - 1)
    hub.advance(time_s=edge_s)
    assert chain.epoch() == (1, True) and read(chain).value == WORD
    hub.advance()
    assert chain.epoch() == (2, False)
    assert refusal(chain) == "client_is_readable"
    hub.advance()
    assert chain.epoch() == (2, False), "one epoch a change"


def test_attack_J7_recovery_does_not_bring_old_records_back(chain):
    assert chain.observe(chain.put()).ok
    chain.remote.freeze()
    recover(chain)
    assert chain.epoch() == (3, True)
    assert refusal(chain) == "epoch_is_current"
    height = chain.put((50).to_bytes(32, "big"))
    assert chain.observe(height).ok
    assert read(chain).value == (50).to_bytes(32, "big")
    assert chain.observation().epoch == 3


def test_a_lower_height_replaces_a_record_of_an_earlier_epoch(chain):
    """After a recovery by a lower substitute the chain's own heights are written, not those of the fork."""
    height = chain.put()
    assert chain.observe(height).ok
    for _ in range(3):
        chain.put()
    assert chain.observe(chain.put()).ok
    forked = chain.observation()
    chain.remote.freeze()
    chain.remote.trusted = height
    chain.first = height
    substitute = chain.remote.create_client(height)
    assert chain.hub.execute(recover_client_action(chain.hub.next_salt(), chain.client, substitute)).ok
    lower = chain.remote.chain.header(height + 1, height)
    assert chain.hub.send(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(chain.client, lower)).ok
    assert chain.observe(height + 1).events(interface.OBSERVED_EVENT)
    assert chain.observation().height < forked.height and read(chain).epoch == 3


def executing(hub, action) -> bytes:
    """The raw transaction that executes an action which enough admins have approved."""
    hub.approve(action)
    return hub.raw(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0])


def test_frozen_and_recovered_in_one_block_is_another_epoch_all_the_same(chain):
    assert chain.observe(chain.put()).ok
    hub, known = chain.hub, chain.remote.trusted
    substitute = chain.remote.substitute()
    recover_it = executing(hub, recover_client_action(hub.next_salt(), chain.client, substitute))
    chain.remote.trusted = known
    chain.remote.seal()
    freeze = hub.raw(ROUTER_ADDRESS, chain.remote.misbehaviour_call())
    outcomes = hub.advance(freeze, recover_it)
    assert [outcome.ok for outcome in outcomes] == [True, True]
    assert chain.epoch() == (2, True)
    assert refusal(chain) == "epoch_is_current"


def test_what_is_observed_in_the_block_of_a_recovery_is_of_the_new_epoch():
    chain = ObservedEthereum(observing_hub())
    hub, slot = chain.hub, chain.put()
    assert chain.observe(slot).ok
    assert hub.send(ROUTER_ADDRESS, chain.remote.misbehaviour_call(slot)).ok
    newest = chain.remote.finalize()
    substitute = chain.remote.create()
    recover_it = executing(hub, recover_client_action(hub.next_salt(), chain.client, substitute))
    observe = hub.raw(OBSERVATIONS_ADDRESS, chain.call(newest), WRITER)
    assert [outcome.ok for outcome in hub.advance(recover_it, observe)] == [True, True]
    assert chain.epoch() == (3, True)
    assert read(chain).epoch == 3


def test_epochs_of_clients_that_nobody_observes_are_not_kept(chain):
    chain.remote.freeze()
    assert chain.epoch() == (0, False)
    assert chain.hub.view().get(epoch_key(chain.client)) is None


def test_a_beacon_chains_fork_closes_its_epoch():
    chain = ObservedEthereum(observing_hub())
    slot = chain.put()
    assert chain.observe(slot).ok
    frozen = chain.hub.send(ROUTER_ADDRESS, chain.remote.misbehaviour_call(slot))
    assert frozen.events(abi.MISBEHAVIOUR_EVENT)
    assert chain.epoch() == (2, False) and refusal(chain) == "client_is_readable"
