"""Row 26, the whole lane: a relay whose account is on a token that goes away, comes back, and whose process is killed."""

import os
import signal

import pytest
import trio
import trio.testing

from hutong.relay.keys import Signer
from tests.nodes.tokens.soft_token import children, softhsm_token
from tests.relay.core.world import FORTUNE_WEI, World, making_blocks

pytestmark = pytest.mark.nodes

TIMES_FASTER = 8
"""Blocks of a second, and pauses of the relay: the token's own time is not changed by it."""


@pytest.fixture
def mock_clock():
    return trio.testing.MockClock(rate=TIMES_FASTER)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


async def test_row_26_a_lane_loses_nothing_with_its_token(world, tmp_path, mock_clock):
    token = softhsm_token(tmp_path / "token")
    await token.generate()
    before = set(children())
    source = token.source(timeout_ms=60_000)
    signer = Signer(source)
    for chain in world.chains.values():
        chain.fund(signer.address, FORTUNE_WEI)
    process = world.relay(signer=signer)
    async with making_blocks(world), process.running():
        world.send("alpha", 3)
        await world.all_settled(3, at_most_s=300)
        for sent in (6, 9):
            token.leave()
            world.send("alpha", 3)
            await trio.sleep(30)
            assert len(world.unsettled()) == 3, "nothing is signed without the token"
            token.come_back()
            await world.all_settled(sent, at_most_s=300)
        for sent in (11, 13):
            for pid in set(children()) - before:
                os.kill(pid, signal.SIGKILL)
            world.send("alpha", 2)
            await world.all_settled(sent, at_most_s=300)
    await source.aclose()
    assert world.received() == 13 and world.paid_in_vain() == 0
    for chain in world.chains:
        nonces = [
            one.transaction.nonce for one in world.transactions(chain) if one.transaction.sender == signer.address
        ]
        assert sorted(nonces) == list(range(len(nonces))), "each nonce was used once, and none is missing"
