"""The hub's adapter passes the conformance suite against four CometBFT validators, as against the embedded engine."""

from contextlib import asynccontextmanager
from random import Random

import pytest
import trio

from hutong.adapters.hub import open_hub_chain
from tests.adapters.conformance.lane import hub_settings, new_hub, running_lane
from tests.adapters.conformance.suite import CHECKS
from tests.nodes.cometbft.cometbft_network import running_network

pytestmark = pytest.mark.nodes

VALIDATORS = 4


@asynccontextmanager
async def cometbft_hub(directory):
    """A hub as the lane wants it: one of its validators is asked, all of them sign."""
    network = running_network(directory, VALIDATORS, new_hub())
    member = (await trio.to_thread.run_sync(network.__enter__)).members[0]
    try:
        settings = hub_settings(member.eth_url.removeprefix("http://"), member.cometbft_url)
        async with open_hub_chain(settings, Random(1)) as chain:
            yield chain
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(network.__exit__, None, None, None)


@pytest.mark.parametrize("leg", ["first_leg", "second_leg"])
async def test_conformance_over_cometbft(leg, short_path):
    async with running_lane(short_path, cometbft_hub) as lane:
        link = getattr(lane, leg)()
        for check in CHECKS:
            try:
                await check(link)
            except BaseException as error:
                error.add_note(f"in {check.__name__} of {leg}")
                raise
