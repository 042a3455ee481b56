"""Gas of accepting a credential; printed with `pytest -s`, bounded so that a regression fails."""

import pytest

from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.identity_cache import encode_sync
from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import GOVERNANCE, encode_accreditation_record
from hutong.relay.services.identity.rules.records.list_record import encode_list_record
from hutong.relay.services.identity.rules.seals import gated_call_hash
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE
from hutong.relay.services.identity.rules.seals.issuer_records import walk_records
from tests.contracts.evm import SENDER
from tests.contracts.identity.gate_lane import (
    GOOD,
    ISSUER,
    MAX_AGE_S,
    MIDDLE,
    QUERY,
    ROOT,
    SCHEMA,
    GateLane,
    Shown,
    accreditation,
    list_record,
    ready,
)
from tests.contracts.lane import LOCAL_CLIENT, Lane
from tests.contracts.records.record_tree import deep_tree_of
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers

WARM_BOUND, COLD_BOUND = 120_000, 750_000
DEPTHS = {"10^3": 11, "10^6": 21}
"""Steps to a leaf in a tree of so many keys, on average."""
ABOVE = {1: (GOVERNANCE, 0), 2: (ROOT, 0), 3: (MIDDLE, 0)}
"""Whose accreditation the issuer has, by the number of levels down from governance."""


def accept_call(world, gate, names=("age_over_18",), **said):
    selector = gate.selector("accept", 2)
    shown = Shown(names=names, nonce=2**63 + 12_345, **said)
    members = tuple(world.acceptance(shown, gated_call_hash(selector, SCHEMA), gate.address, SENDER))
    return selector + encode_abi((ACCEPTANCE_TUPLE, "bytes32"), [members, SCHEMA])


def test_gas_of_a_warm_acceptance():
    """A list of a million entries, eight claims in the seal; the first use of the holder's nonces, as with one-time keys."""
    world = ready()
    gate = world.evm.deploy("BareGate", world.cache.address, MAX_AGE_S)
    figures = {
        count: world.gas(gate.address, accept_call(world, gate, names))
        for count, names in ((0, ()), (1, ("age_over_18",)), (2, ("age_over_18", "family_name")))
    }
    print(
        f"\naccept, warm, by claims shown: {figures}; ExampleAgeGate.mint {world.gas(world.gate.address, world.mint_call())}"
    )
    assert figures[1] <= WARM_BOUND


@pytest.mark.long
@pytest.mark.parametrize("size", DEPTHS)
def test_gas_of_a_cold_acceptance(size):
    """A hub of four validators: update of the client, and everything about the issuer that the chain has never seen."""
    for levels, (above, depth) in ABOVE.items():
        world = GateLane(Lane(chain=SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(signers(4), 10))))
        time_ns = world.lane.chain.latest.header.time_ns + 10**9
        content = GOOD | {keys.list_key(ISSUER, 0): encode_list_record(list_record())}
        content |= {keys.accreditation_key(ISSUER, SCHEMA): encode_accreditation_record(accreditation(above, depth))}
        needed, _ = walk_records(QUERY, time_ns // 10**9, content.get)
        tree, root = deep_tree_of({key: content[key] for key in needed}, DEPTHS[size])
        height = world.lane.chain.advance(app_hash=root, time_ns=time_ns).header.height
        world.evm.timestamp_s = time_ns // 10**9 + 1
        update = world.lane.router.transact("updateClient", LOCAL_CLIENT, world.lane.update_message(height)).gas_used
        shown = ShownRecords.of(world.lane.chain.height(height), *prove_many(tree, root, sorted(set(needed))))
        data = encode_sync((QUERY.issuer, QUERY.schema, QUERY.thumbprint, list(QUERY.lists)), needed, shown)
        sync = world.gas(world.cache.address, data)
        world.evm.send(world.cache.address, data)
        gate = world.evm.deploy("BareGate", world.cache.address, MAX_AGE_S)
        accept = world.gas(gate.address, accept_call(world, gate))
        print(
            f"\n{size} keys on the hub, {levels} levels: update {update}, sync {sync}, of {len(data)} bytes;"
            f" cold {update + sync}, with the acceptance {update + sync + accept} in three transactions"
        )
        assert update + sync <= COLD_BOUND
        assert accept <= WARM_BOUND
