"""GoQuorum's nodes under QBFT and under the first IBFT, over the hub to a dev chain and back, while their validators change."""

import os
from functools import partial

import pytest

from hutong.light_clients.bft_evm import Consensus, QuorumRule, decode_extra_data, header_of
from hutong.light_clients.bft_evm.predicates import commit_seals_of_validators, quorum_of_own_validators
from hutong.light_clients.interface import Height
from tests.nodes.evm.goquorum import goquorum_network
from tests.nodes.evm.goquorum_contract import CONTRACT, contract_network
from tests.nodes.evm.outside_lane import carried_across_changes, outside_lane
from tests.nodes.provision import GOQUORUM_VARIABLE

pytestmark = [
    pytest.mark.nodes,
    pytest.mark.skipif(not os.environ.get(GOQUORUM_VARIABLE), reason=f"{GOQUORUM_VARIABLE} names no GoQuorum"),
]

LARGE_MESSAGES = 14
"""84 KB and their proofs. GoQuorum takes transactions of 64 KiB (`txnSizeLimit` of its genesis file), other nodes of 128 KiB."""


@pytest.mark.parametrize("consensus", [Consensus.QBFT, Consensus.ISTANBUL], ids=lambda one: one.name.lower())
async def test_messages_and_tokens_both_ways_across_changes_of_validators(tmp_path, consensus):
    rules = f'consensus = "{consensus.name.lower()}"\n'
    async with outside_lane(tmp_path, partial(goquorum_network, consensus=consensus), rules) as lane:
        begin, end = await carried_across_changes(lane, LARGE_MESSAGES)
        extras = [decode_extra_data(header.extra_data, consensus) for header in lane.network.headers(begin + 1, end)]
        assert {len(extra.validators) for extra in extras} == {5}
        if consensus is Consensus.QBFT:
            assert any(extra.round for extra in extras), "one stood still, and no block was committed in a later round"


async def test_validators_that_a_contract_selects(tmp_path):
    rules = f'consensus = "qbft"\nvalidator_contract = {{ address = "{CONTRACT}", slot = 0 }}\n'
    async with outside_lane(tmp_path, contract_network, rules) as lane:
        begin, end = await carried_across_changes(lane)
        extras = [decode_extra_data(header.extra_data) for header in lane.network.headers(begin + 1, end)]
        assert {extra.validators for extra in extras} == {()}
        assert any(extra.round for extra in extras)
        for header in lane.network.headers(1, lane.network.height()):
            # what the light client takes for the rule: the list after the parent block seals
            selected = lane.network.selected(header.number - 1)
            committers = commit_seals_of_validators(header_of(Height(0, 0), header, ()), selected)
            quorum_of_own_validators(len(selected), committers, QuorumRule.CEIL_TWO_THIRDS)
