"""What must not become an observation, each beside what does: one typed refusal, and nothing is stored."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.records import SlotPlace, StorePlace
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import set_observations_open_action
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.application.observations.proving import MAX_ITEMS
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State, proof_nodes
from tests.light_clients.records.observed_state import attested_root, by_hash, nodes_for
from tests.relay.hub.application.observations.observed_chains import (
    CHAINS,
    EVM_CHAINS,
    NOBODY,
    NONCE,
    SLOT,
    STRANGER,
    WORD,
    WRITER,
    ObservedAttested,
    ObservedBft,
    ObservedChain,
    ObservedTendermint,
    key_of,
    observe_call,
    observing_hub,
)

OWNED = keccak256(bytes([3]))[:20]
"""An account beside the router, without code."""


@pytest.fixture(params=CHAINS.values(), ids=CHAINS)
def chain(request):
    return request.param(observing_hub())


@pytest.fixture(params=EVM_CHAINS.values(), ids=EVM_CHAINS)
def evm_chain(request):
    return request.param(observing_hub())


def held(hub) -> dict[bytes, bytes]:
    return dict(hub.view().with_prefix(b"observation/"))


def refused(chain: ObservedChain, call: bytes, account=WRITER) -> str:
    """The name of the predicate or field, and nothing was stored."""
    before = held(chain.hub)
    outcome = chain.hub.send(OBSERVATIONS_ADDRESS, call, account, gas=16_000_000)
    failed = outcome.reverted_with(abi.VERIFICATION_FAILED)
    assert failed is not None, (outcome.log, outcome.data)
    assert held(chain.hub) == before
    return failed[0]


def test_attack_J2_the_proof_of_one_chain_is_nothing_to_the_client_of_another():
    hub = observing_hub()
    mine, other = ObservedBft(hub, salt=1), ObservedBft(hub, salt=2)
    height = mine.put()
    while other.put((7).to_bytes(32, "big")) < height:
        pass
    foreign = observe_call(
        other.client, (0, height), mine.shown(height), nodes_for(mine.state(height), [mine.place]), [mine.place]
    )
    assert refused(other, foreign) == "shown_header_is_believed"
    assert mine.observe(height).ok


def test_attack_J3_shown_bytes_nodes_and_names_cut_or_lengthened(evm_chain):
    height = evm_chain.put()
    nodes = nodes_for(evm_chain.state(height), [evm_chain.place])
    for changed in (
        by_hash((*nodes[:-1], nodes[-1][:-1])),
        by_hash((*nodes[:-1], nodes[-1] + b"\0")),
        nodes[::-1],
        (*nodes, nodes[-1]),
        nodes[1:],
        (),
    ):
        assert refused(evm_chain, evm_chain.call(height, nodes=changed)).split("[")[0] in (
            "path_is_complete",
            "nodes",
            "every_node_used",
        )
    shown = evm_chain.shown(height)
    for other in (shown + b"\0", shown[:-1]) if shown else (b"\0",):
        refused(evm_chain, evm_chain.call(height, shown=other))
    assert evm_chain.observe(height).ok


def test_attack_J3_calldata_has_one_form(chain):
    call = chain.call(chain.put())
    assert refused(chain, call + bytes(32)) == "call.observe"
    assert refused(chain, call[:-32]) == "call.observe"
    assert chain.hub.send(OBSERVATIONS_ADDRESS, call, WRITER).ok


def test_attack_J3_items_are_bounded_ascending_and_of_known_kinds(evm_chain):
    height = evm_chain.put()
    shown, client = evm_chain.shown(height), evm_chain.client

    def with_items(*items):
        return interface.OBSERVE.call(client, (0, height), shown, [], list(items))

    slot = (1, ROUTER + SLOT, b"")
    assert refused(evm_chain, with_items()) == "items"
    assert refused(evm_chain, with_items(slot, slot)) == "items"
    many = [(1, ROUTER + number.to_bytes(32, "big"), b"") for number in range(MAX_ITEMS + 1)]
    assert refused(evm_chain, with_items(*many)) == "items"
    assert refused(evm_chain, with_items((4, ROUTER + SLOT, b""))) == "place.kind"
    assert refused(evm_chain, with_items((1, ROUTER, b""))) == "place.name"
    assert refused(evm_chain, with_items((1, ROUTER + SLOT, WORD))) == "items[0].value"
    assert refused(evm_chain, with_items((3, StorePlace(b"bank", b"k").name, b""))) == "place_of_client"


def test_attack_J3_the_most_items_are_observed_at_once(evm_chain):
    places = tuple(SlotPlace(ROUTER, number.to_bytes(32, "big")) for number in range(MAX_ITEMS))
    outcome = evm_chain.hub.send(OBSERVATIONS_ADDRESS, evm_chain.call(evm_chain.put(), places), WRITER, gas=16_000_000)
    assert len(outcome.events(interface.OBSERVED_EVENT)) == MAX_ITEMS


def test_attack_J3_store_values_and_proofs_are_those_of_their_items():
    chain = ObservedTendermint(observing_hub())
    height = chain.put()
    for claims in ({chain.place: b"\x01" * 32}, {}):
        refused(chain, chain.call(height, claims=claims))
    assert refused(chain, chain.call(height, claims={chain.place: bytes(8193)})) == "items[0].value"
    assert refused(chain, chain.call(height, nodes=[])) == "nodes"
    assert refused(chain, chain.call(height, shown=b"\0")) == "nothing_shown"
    slot = observe_call(chain.client, (1, height), b"", [b""], [NONCE])
    assert refused(chain, slot) == "place_of_client"
    assert chain.observe(height).ok


def test_attack_J4_a_slot_of_an_account_without_code_is_refused(evm_chain):
    height = evm_chain.put()
    places = [SlotPlace(NOBODY.account, SLOT)]
    assert refused(evm_chain, evm_chain.call(height, places)) == "account_has_code"
    assert evm_chain.observe(height, (NOBODY,)).ok


def test_attack_J5_proof_of_another_slot_or_account_under_the_same_root(evm_chain):
    height = evm_chain.put()
    state = evm_chain.state(height)
    others = by_hash((*proof_nodes(state.account_trie, OWNED), *proof_nodes(state.storage_trie, SLOT)))
    assert refused(evm_chain, evm_chain.call(height, nodes=others)) == "path_is_complete"
    with_more = by_hash((*nodes_for(state, [evm_chain.place]), *proof_nodes(state.account_trie, OWNED)))
    assert refused(evm_chain, evm_chain.call(height, nodes=with_more)) == "every_node_used"
    assert evm_chain.observe(height).ok


def test_attack_J5_a_store_proof_is_of_its_own_store_and_key():
    chain = ObservedTendermint(observing_hub())
    height = chain.put()
    proof = chain.remote.proof(chain.place.key, height)
    other = StorePlace(b"", b"another key")
    refused(chain, observe_call(chain.client, (1, height), b"", [proof], [other], {other: WORD}))
    in_store = StorePlace(b"bank", chain.place.key)
    refused(chain, observe_call(chain.client, (1, height), b"", [proof], [in_store], {in_store: WORD}))
    assert chain.observe(height).ok


def test_attack_J6_an_older_height_never_replaces_a_newer_one(chain):
    old = chain.put((1).to_bytes(32, "big"))
    new = chain.put(WORD)
    assert chain.observe(new).ok
    before = held(chain.hub)
    for account in (WRITER, STRANGER):
        replayed = chain.observe(old, account=account)
        assert replayed.ok and not replayed.events(interface.OBSERVED_EVENT)
        assert held(chain.hub) == before


def test_attack_J6_two_values_of_one_height_contradict_each_other():
    """Attestors that sign two roots of one height: the second one is refused, whoever brings it."""
    chain = ObservedAttested(observing_hub())
    height = chain.put()
    assert chain.observe(height).ok
    lie = State({SLOT: (666).to_bytes(32, "big")})
    shown = attested_root(chain.remote.chain, height, lie.account_trie.root_hash)
    call = chain.call(height, shown=shown, nodes=nodes_for(lie, [chain.place]))
    assert refused(chain, call) == "observation_agrees"
    assert chain.observation().value == WORD


def test_attack_J9_heights_that_the_client_does_not_know(chain):
    height = chain.put()
    unknown = chain.call(height).replace(height.to_bytes(32, "big"), (height + 1_000).to_bytes(32, "big"), 1)
    assert refused(chain, unknown) == "known_height"


def test_attack_J9_the_root_of_another_block_is_refused(evm_chain):
    first = evm_chain.put((1).to_bytes(32, "big"))
    second = evm_chain.put()
    if not evm_chain.shown(second):
        nodes = nodes_for(evm_chain.state(first), [evm_chain.place])
        assert refused(evm_chain, evm_chain.call(second, nodes=nodes)) == "path_is_complete"
        return
    call = evm_chain.call(
        second, shown=evm_chain.shown(first), nodes=nodes_for(evm_chain.state(first), [evm_chain.place])
    )
    assert refused(evm_chain, call) in (
        "shown_header_is_believed",
        "shown_header_is_stored",
        "shown_root_is_attested",
    )
    assert evm_chain.observe(second).ok


def test_attack_J8_a_stranger_opens_no_key(chain):
    height = chain.put()
    before = held(chain.hub)
    outcome = chain.observe(height, account=STRANGER)
    assert outcome.reverted_with(interface.OBSERVATIONS_NOT_OPEN) == (STRANGER.address.lower(),)
    assert held(chain.hub) == before
    assert chain.observe(height).ok


def test_attack_J8_a_writer_opens_no_more_keys_than_its_limit():
    hub = observing_hub(limit=2)
    chain = ObservedBft(hub)
    height = chain.put()
    outcome = chain.observe(height, (chain.place, chain.absent, NONCE))
    assert outcome.reverted_with(interface.TOO_MANY_OBSERVATIONS) == (WRITER.address.lower(), 2)
    assert chain.observation() is None, "one refusal undoes all of the call"
    assert chain.observe(height, (chain.place, chain.absent)).ok
    assert chain.observe(height, (NONCE,)).reverted_with(interface.TOO_MANY_OBSERVATIONS) is not None
    close = interface.CLOSE_OBSERVATION.call(key_of(chain.client, chain.absent))
    assert hub.send(OBSERVATIONS_ADDRESS, close, WRITER).events(interface.OBSERVATION_CLOSED_EVENT)
    assert chain.observe(height, (NONCE,)).ok


def test_attack_J8_nobody_closes_the_key_of_another():
    hub = observing_hub()
    chain = ObservedBft(hub)
    assert chain.observe(chain.put()).ok
    close = interface.CLOSE_OBSERVATION.call(key_of(chain.client, chain.place))
    assert refused(chain, close, STRANGER) == "closed_by_opener"
    assert hub.execute(set_observations_open_action(hub.next_salt(), True)).ok
    assert refused(chain, close, STRANGER) == "closed_by_opener"
    never = interface.CLOSE_OBSERVATION.call(key_of(chain.client, NONCE))
    assert refused(chain, never) == "observation_exists"
    epoch = interface.CLOSE_OBSERVATION.call(b"observation/client/" + chain.client.encode())
    assert refused(chain, epoch) == "observation_key"
    assert hub.send(OBSERVATIONS_ADDRESS, close, WRITER).ok
    assert chain.observation() is None


@settings(max_examples=25, deadline=None)
@given(noise=st.binary(max_size=300), position=st.integers(0, 2_000), byte=st.integers(1, 255))
def test_changed_calldata_is_refused_or_the_same_observation(noise, position, byte):
    chain = _FUZZED
    height = max(chain.remote.chain.headers)
    call = bytearray(chain.call(height))
    call[4 + position % (len(call) - 4)] ^= byte
    before = held(chain.hub)
    for data in (bytes(call), call[:4] + noise):
        outcome = chain.hub.send(OBSERVATIONS_ADDRESS, bytes(data), WRITER)
        assert outcome.code in (0, 1)
        if outcome.ok:
            assert chain.observation() is None or chain.observation().value == WORD
        elif outcome.data:
            assert outcome.data[:4] in REFUSALS
        if not outcome.ok:
            assert held(chain.hub) == before
        before = held(chain.hub)


REFUSALS = {
    error.selector
    for error in (
        abi.VERIFICATION_FAILED,
        abi.CLIENT_NOT_FOUND,
        abi.CLIENT_NOT_ACTIVE,
        abi.UNKNOWN_FUNCTION,
        interface.OBSERVATIONS_NOT_OPEN,
        interface.TOO_MANY_OBSERVATIONS,
    )
}
_FUZZED = ObservedBft(observing_hub())
_FUZZED.put()


def test_attack_J3_an_unknown_client_and_an_identifier_of_another_form():
    hub = observing_hub()
    chain = ObservedBft(hub)
    height = chain.put()
    unknown = observe_call("bft-evm-99", (0, height), b"", (), [NONCE])
    outcome = hub.send(OBSERVATIONS_ADDRESS, unknown, WRITER)
    assert outcome.reverted_with(abi.CLIENT_NOT_FOUND) == ("bft-evm-99",)
    odd = interface.OBSERVE.selector + encode_abi(
        interface.OBSERVE.arguments, ["bft/evm", (0, height), b"", [], [(1, ROUTER + SLOT, b"")]]
    )
    assert refused(chain, odd) == "client_id"


def test_attack_J10_attestors_are_counted_as_they_signed():
    hub = observing_hub()
    chain = ObservedAttested(hub)
    height = chain.put()
    root = chain.state(height).account_trie.root_hash
    alone = attested_root(chain.remote.chain, height, root, keys=chain.remote.chain.keys[:1])
    assert refused(chain, chain.call(height, shown=alone)) == "quorum_of_attestors"
    every = attested_root(chain.remote.chain, height, root, keys=chain.remote.chain.keys)
    assert chain.observe(height, shown=every).ok
    assert (chain.observation().trust.threshold, chain.observation().trust.attestors) == (2, 3)
    elsewhere = replace(chain.remote.chain.scope, destination_client_id="attestation-1")
    foreign = attested_root(chain.remote.chain, height, root, scope=elsewhere)
    assert refused(chain, chain.call(height, (NONCE,), shown=foreign)) == "signed_by_attestors"
