"""geth's own Clique over the hub to a dev chain and back, while its signers change and epochs end."""

import pytest

from hutong.light_clients.clique import sealed_block
from tests.nodes.evm.clique_geth import CONSENSUS, EPOCH_LENGTH, clique_network
from tests.nodes.evm.outside_lane import carried_across_changes, outside_lane

pytestmark = pytest.mark.nodes


async def test_messages_and_tokens_both_ways_across_changes_of_signers(tmp_path):
    async with outside_lane(tmp_path, clique_network, CONSENSUS) as lane:
        start = lane.network.height()
        begin, end = await carried_across_changes(lane)
        assert {header.difficulty for header in lane.network.headers(begin, end)} == {1, 2}, "all were in turn"
        (checkpoint,) = lane.network.headers(*[lane.network.height() // EPOCH_LENGTH * EPOCH_LENGTH] * 2)
        assert checkpoint.number > start and sealed_block(checkpoint).signers
