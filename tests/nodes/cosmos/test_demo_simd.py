"""The demo's own stock chain: made by simd's commands, read through the node's REST and RPC."""

import os

import pytest
import trio

from hutong.adapters.cosmos.transactions.addresses import account_address
from hutong.light_clients.crypto import secp256k1
from hutong.relay.demo.cosmos.chain import CosmosChain
from hutong.relay.local.member import TOKEN_SUPPLY
from hutong.relay.local.processes import wait_until_serving
from hutong.relay.local.simd import FEE_DENOM, FUNDS, PREFIX, STAKE, TOKEN_DENOM, SimdPlan
from tests.nodes.provision import simd

pytestmark = pytest.mark.nodes

START_LIMIT_S = 300
NEVER_MADE = "07-tendermint-7"


async def test_a_home_that_runs_with_the_accounts_that_were_asked_for(tmp_path, nursery):
    user = account_address(PREFIX, secp256k1.public_key_of(os.urandom(32)))
    plan = SimdPlan.of(tmp_path, simd())
    await plan.initialise({user: {FEE_DENOM: FUNDS, TOKEN_DENOM: TOKEN_SUPPLY}})
    process = await plan.start(nursery, tmp_path / "simd.log")
    with trio.fail_after(START_LIMIT_S):
        await wait_until_serving(plan.serves, plan.ask_for_supply())
    chain = CosmosChain("simd", plan.rpc_url, plan.rest_url, PREFIX, TOKEN_DENOM, NEVER_MADE, "07-tendermint-0")

    def read() -> None:
        first = chain.time_s()
        assert chain.balance(user, TOKEN_DENOM) == chain.supply(TOKEN_DENOM) == TOKEN_SUPPLY
        assert chain.total_escrow(TOKEN_DENOM) == chain.balance(chain.escrow_address(), TOKEN_DENOM) == 0
        assert chain.client_status() == "Unknown"
        assert list(chain.transactions()) == []
        # The validator's funds and the user's; nothing is minted from block to block.
        assert chain.supply(FEE_DENOM) == 2 * FUNDS > STAKE
        assert chain.time_s() >= first

    try:
        await trio.to_thread.run_sync(read)
    finally:
        chain.close()
    assert process.process.returncode is None
    nursery.cancel_scope.cancel()
