"""`hutong path create` right after `hutong deploy`, on a chain whose blocks are final some blocks later."""

from functools import partial

import pytest
import trio

from hutong.adapters.interface import HeightUnavailable
from hutong.adapters.simulated import ChainTraits
from hutong.adapters.simulated.adapter import SimulatedAdapter
from hutong.adapters.simulated.chain import SimulatedChain
from hutong.relay.administration.clients.finality import FINALITY_LIMIT_S, FINALITY_POLL_S, until_final


def new_chain() -> SimulatedChain:
    chain = SimulatedChain("alpha", 1001, genesis_time_s=1_700_000_000, traits=ChainTraits(seed=1))
    for _ in range(3):
        chain.produce_block()
    return chain


async def produce(chain: SimulatedChain, interval_s: float) -> None:
    while True:
        await trio.sleep(interval_s)
        chain.produce_block()


async def test_a_final_router_is_not_waited_for(autojump_clock):
    chain = new_chain()
    before = trio.current_time()
    await until_final(SimulatedAdapter(chain), chain.newest.header.number, "it")
    assert trio.current_time() == before


async def test_the_router_s_block_becomes_final(autojump_clock):
    chain = new_chain()
    start = chain.newest.header.number
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(produce, chain, 5.5))
        before = trio.current_time()
        await until_final(SimulatedAdapter(chain), start + 4, "it")
        assert 22 <= trio.current_time() - before <= 22 + FINALITY_POLL_S
        nursery.cancel_scope.cancel()


async def test_a_chain_that_stands_still_is_told_with_where_it_stands(autojump_clock):
    chain = new_chain()
    newest = chain.newest.header.number
    before = trio.current_time()
    with pytest.raises(
        HeightUnavailable, match=rf"it is not final yet, the newest final one is {newest}: try again"
    ) as caught:
        await until_final(SimulatedAdapter(chain), newest + 1, "it")
    assert (caught.value.chain, caught.value.height) == ("alpha", newest + 1)
    assert trio.current_time() - before == pytest.approx(FINALITY_LIMIT_S)
