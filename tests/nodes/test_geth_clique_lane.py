"""geth's own Clique over the hub to a dev chain and back, while its signers change and an epoch ends."""

import pytest

from tests.nodes.clique_geth import CONSENSUS, clique_network
from tests.nodes.outside_lane import carried_across_changes, outside_lane

pytestmark = pytest.mark.nodes


async def test_messages_and_tokens_both_ways_across_changes_of_signers(tmp_path):
    async with outside_lane(tmp_path, clique_network, CONSENSUS) as lane:
        await carried_across_changes(lane)
