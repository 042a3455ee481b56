"""Each kind of chain is observed through the hub's transactions, and what is written is what stands in the tree."""

import pytest
from eth_abi.abi import decode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.light_clients.records import TrustKind, encode_observation
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.state import keys
from tests.relay.hub.application.observations.observed_chains import (
    CHAINS,
    EVM_CHAINS,
    NOBODY,
    NONCE,
    STRANGER,
    WORD,
    WRITER,
    key_of,
    observing_hub,
)
from tests.relay.hub.simulated_hub import address_of


@pytest.fixture(params=CHAINS.values(), ids=CHAINS)
def chain(request):
    return request.param(observing_hub())


@pytest.fixture(params=EVM_CHAINS.values(), ids=EVM_CHAINS)
def evm_chain(request):
    return request.param(observing_hub())


def count(hub, account=WRITER) -> tuple[int, int]:
    return tuple(hub.read(OBSERVATIONS_ADDRESS, interface.GET_WRITER, address_of(account)))


def test_a_value_and_an_absence_are_written_with_height_time_and_trust(chain):
    height = chain.put()
    outcome = chain.observe(height, (chain.place, chain.absent))
    assert outcome.ok, (outcome.log, outcome.data)
    present, absent = chain.observation(), chain.observation(chain.absent)
    assert (present.value, absent.value) == (WORD, None)
    for one in (present, absent):
        assert (one.height.revision_number, one.height.revision_height) == (chain.revision, height)
        assert 0 <= chain.hub.time_s - one.source_time_s < 30
        assert (one.trust.threshold, one.trust.attestors) == chain.attested
        assert one.trust.kind is (TrustKind.ATTESTED if chain.attested[0] else TrustKind.PROVEN)
        assert one.epoch == 1
    assert chain.epoch() == (1, True)
    assert count(chain.hub) == (100, 2)


def test_what_is_written_is_proven_under_the_app_hash_and_told_by_its_event(chain):
    height = chain.put()
    outcome = chain.observe(height)
    key, hub = key_of(chain.client, chain.place), chain.hub
    value = encode_observation(chain.observation())
    ((told_key, told_value),) = outcome.events(interface.OBSERVED_EVENT)
    assert (told_key, told_value) == (key, value)
    assert outcome.logs[0].topics[1] == keccak256(key)
    stored, proof = hub.application.state.get_with_proof(hub.height, key)
    assert stored == value
    verify_chained((SMT_SPEC,), proof, hub.app_hash, (key,), value)


def test_fields_of_accounts_are_observed_where_the_chain_has_them(evm_chain):
    height = evm_chain.put()
    assert evm_chain.observe(height, (NONCE, NOBODY)).ok
    assert evm_chain.observation(NONCE).value == (1).to_bytes(32, "big")
    assert evm_chain.observation(NOBODY).value is None


def test_a_newer_height_replaces_and_the_same_or_an_older_one_does_nothing(chain):
    first = chain.put()
    assert chain.observe(first).ok
    second = chain.put((43).to_bytes(32, "big"))
    assert chain.observe(second).events(interface.OBSERVED_EVENT)
    newest = chain.observation()
    assert newest.value == (43).to_bytes(32, "big")
    for height in (first, second):
        again = chain.observe(height)
        assert again.ok and not again.events(interface.OBSERVED_EVENT)
    assert chain.observation() == newest


def test_anybody_renews_what_a_writer_opened(chain):
    assert chain.observe(chain.put()).ok
    height = chain.put((44).to_bytes(32, "big"))
    renewed = chain.observe(height, account=STRANGER)
    assert renewed.events(interface.OBSERVED_EVENT), (renewed.log, renewed.data)
    assert chain.observation().value == (44).to_bytes(32, "big")
    assert count(chain.hub, STRANGER) == (0, 0)


def test_values_come_in_one_answer_with_what_was_written(chain):
    height = chain.put()
    assert chain.observe(height).ok
    result = chain.hub.call(
        OBSERVATIONS_ADDRESS, chain.call(height, (chain.place, chain.absent)), address_of(WRITER), 8_000_000
    )
    assert result.success
    ordered = sorted((chain.place, chain.absent), key=lambda place: key_of(chain.client, place))
    (written,) = decode(interface.OBSERVE.results, result.return_data)
    assert list(written) == [place == chain.absent for place in ordered]


def test_a_hub_that_observes_nothing_holds_nothing_of_it():
    hub = observing_hub()
    rows = dict(hub.view().with_prefix(b"observation/"))
    assert rows == {keys.observation_writer_key(address_of(WRITER)): (100).to_bytes(8, "big")}
