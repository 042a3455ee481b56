"""A lane over a hub with a base fee: clients are made and packets relayed as over a free one, and paid for."""

import time
from dataclasses import replace
from functools import partial

import pytest

from hutong.relay.hub.application.machine.fees import FeeRules
from tests.adapters.conformance.lane import RELAYER, address_bytes, new_hub, running_hub, running_lane

LEAST_WEI = 10**9


@pytest.mark.long
async def test_a_message_is_relayed_over_a_hub_that_takes_fees(tmp_path):
    priced = replace(new_hub(), fees=FeeRules(LEAST_WEI))
    async with running_lane(tmp_path / "hub", partial(running_hub, new=priced)) as lane:
        relayer = "0x" + address_bytes(RELAYER).hex()
        before_wei = await lane.hub.execution.balance_wei(relayer)
        sequence = await lane.hub.next_sequence_send(lane.beta.hub_client)
        await lane.second_leg().send(b"paid", int(time.time()) + 3_600)
        # The hub has proven the message, forwarded it, and was paid for the work.
        assert await lane.hub.next_sequence_send(lane.beta.hub_client) == sequence + 1
        paid_wei = before_wei - await lane.hub.execution.balance_wei(relayer)
        assert paid_wei >= LEAST_WEI * 100_000
