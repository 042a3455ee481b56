"""GoQuorum's nodes under QBFT and under the first IBFT, over the hub to a dev chain and back, while their validators change."""

from functools import partial

import pytest

from light_clients.bft_evm import Consensus, decode_extra_data
from tests.nodes.goquorum import goquorum_network
from tests.nodes.outside_lane import carried_across_changes, outside_lane

pytestmark = pytest.mark.nodes


@pytest.mark.parametrize("consensus", [Consensus.QBFT, Consensus.ISTANBUL], ids=lambda one: one.name.lower())
async def test_messages_and_tokens_both_ways_across_changes_of_validators(tmp_path, consensus):
    rules = f'consensus = "{consensus.name.lower()}"\n'
    async with outside_lane(tmp_path, partial(goquorum_network, consensus=consensus), rules) as lane:
        begin, end = await carried_across_changes(lane)
        extras = [decode_extra_data(header.extra_data, consensus) for header in lane.network.headers(begin + 1, end)]
        assert {len(extra.validators) for extra in extras} == {5}
        if consensus is Consensus.QBFT:
            assert any(extra.round for extra in extras), "one stood still, and no block was committed in a later round"
