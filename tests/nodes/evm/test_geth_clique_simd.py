"""An unmodified ibc-go chain and geth's own Clique, over the hub: neither is ours."""

import pytest
import trio

from hutong.relay.local.chain import until
from tests.nodes.cosmos.simd_lane import TOKEN_DENOM, EvmSide, simd_lane
from tests.nodes.evm.clique_geth import CONSENSUS, clique_network
from tests.nodes.evm.geth_network import GethNetwork
from tests.nodes.evm.outside_lane import outside_table

pytestmark = pytest.mark.nodes

OUT = [1_000, 1_001, 1_002]
LATE = [77]
POLL_S = 0.5
SETTLE_S = 900


class CliqueSide(EvmSide):
    """geth in place of the dev chain."""

    network: GethNetwork

    async def start(self, nursery, plan, home):
        funded = [plan.owner.address, plan.relayer.address, plan.user.address]
        self.network = clique_network(home, plan.chain_id, plan.port, funded)
        await self.network.start(nursery)

    async def table(self, plan, deployment):
        return outside_table(plan, self.network, deployment, CONSENSUS)


async def wait(condition):
    with trio.fail_after(SETTLE_S):
        await until(condition, POLL_S)


async def test_tokens_both_ways_and_home_and_a_refund_while_the_signers_change(tmp_path):
    side = CliqueSide()
    async with simd_lane(tmp_path, side=side) as lane:
        assert lane.alpha.client_on_hub.startswith("clique-")
        token, voucher, on_simd = lane.alpha.token_address, lane.voucher_on_alpha(TOKEN_DENOM), lane.voucher_on_simd
        held, minted = lane.on_simd(TOKEN_DENOM), lane.alpha.token_supply(lane.alpha.token_address)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.send_from_simd, OUT, TOKEN_DENOM)
            nursery.start_soon(trio.to_thread.run_sync, lane.send_from_alpha, OUT, token)
            nursery.start_soon(vote_in, side.network)
        await wait(lambda: lane.on_alpha(voucher) == sum(OUT) and lane.on_simd(on_simd.local_name) == sum(OUT))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.send_from_simd, OUT, on_simd.local_name)
            nursery.start_soon(trio.to_thread.run_sync, lane.send_from_alpha, OUT, voucher)
            nursery.start_soon(vote_out, side.network)
        await wait(lambda: lane.on_alpha(voucher) == 0 and lane.on_simd(TOKEN_DENOM) == held)

        # nobody can receive at an address of another kind: an error acknowledgement, and the sender's again
        await lane.send_from_simd(LATE, TOKEN_DENOM, receiver="nobody")
        with trio.fail_after(SETTLE_S):
            await lane.until_unsettled(lambda ids: not ids)
        assert lane.on_simd(TOKEN_DENOM) == held
        assert lane.alpha.token_supply(voucher) == 0
        assert lane.on_alpha(token) == minted == lane.alpha.token_supply(token)
        assert await trio.to_thread.run_sync(lane.simd.supply, on_simd.local_name) == 0
        assert await trio.to_thread.run_sync(lane.simd.client_status, lane.simd_client) == "Active"


async def vote_in(network):
    await network.vote(network.candidate, add=True)


async def vote_out(network):
    await network.vote(network.sealers[1], add=False)
