"""An upgrade read from a node (one that proves as the simulated chain does), and taken by a client of the chain."""

from contextlib import asynccontextmanager
from random import Random

import pytest

from hutong.adapters.cometbft import CometRpc, CommittedBlocks, ProofSource, identify_chain
from hutong.adapters.cometbft.upgrade import committed_upgrade
from hutong.adapters.cosmos.proofs import UPGRADE_FORMAT
from hutong.adapters.hub.chain import PROOF_FORMAT
from hutong.adapters.interface import BadAnswer, HeightUnavailable, NotSupported
from hutong.adapters.rpc import open_rpc_client
from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.codec import encode_client_state, encode_upgrade
from hutong.light_clients.tendermint.upgrade import (
    UPGRADED_CLIENT,
    UPGRADED_CONSENSUS_STATE,
    committed_consensus,
    upgraded_path,
)
from tests.adapters.cometbft.test_comet_rpc import QUICK, comet_answers, serve
from tests.adapters.rpc.hostile_server import hostile_server
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.light_clients.tendermint.upgrading_chain import PLAN_HEIGHT, UpgradingChain
from tests.light_clients.tendermint.verifying import CLIENT, Verifier


@asynccontextmanager
async def proofs_of(chain):
    async def identify(attempt):
        await identify_chain(attempt, chain.chain_id)

    async with hostile_server() as server:
        serve(server, comet_answers(chain))
        async with open_rpc_client("sim", [server.url], Random(1), QUICK, identify) as client:
            rpc = CometRpc(client)
            yield ProofSource(rpc, CommittedBlocks("sim", rpc), PROOF_FORMAT)


async def test_what_the_node_serves_upgrades_the_client():
    planned = UpgradingChain()
    client = Verifier(planned.old, PLAN_HEIGHT)
    async with proofs_of(planned.old) as proofs:
        message = await committed_upgrade("sim", proofs, client.state)
    assert message == encode_upgrade(planned.upgrade())
    assert CLIENT.verify_upgrade(client.state, client.states, message, client.now_ns).height == Height(2, 1)


@pytest.mark.parametrize("height", [PLAN_HEIGHT - 1, PLAN_HEIGHT + 1])
async def test_at_another_height_nothing_is_committed(height):
    planned = UpgradingChain()
    planned.old.advance(2)
    async with proofs_of(planned.old) as proofs:
        with pytest.raises(HeightUnavailable, match="no planned upgrade"):
            await committed_upgrade("sim", proofs, encode_client_state(planned.old.client_state(height)))


async def test_client_without_a_path():
    planned = UpgradingChain()
    state = planned.old.client_state(PLAN_HEIGHT, upgrade_path=())
    async with proofs_of(planned.old) as proofs:
        with pytest.raises(NotSupported, match="no upgrade path"):
            await committed_upgrade("sim", proofs, encode_client_state(state))


@pytest.mark.parametrize(
    "value",
    [
        committed_consensus(UpgradingChain().consensus_state),
        b"\xff" * 40,
        committed_consensus(UpgradingChain().consensus_state)[:-1],
    ],
    ids=["another type", "no protobuf", "cut"],
)
async def test_values_that_are_no_client_state(value):
    chain = SimulatedChain()
    for item in (UPGRADED_CLIENT, UPGRADED_CONSENSUS_STATE):
        chain.put(upgraded_path(chain.client_state(4), item)[-1], value)
    chain.advance(3)
    async with proofs_of(chain) as proofs:
        with pytest.raises(BadAnswer):
            await committed_upgrade("sim", proofs, encode_client_state(chain.client_state(4)))


def test_store_of_an_sdk_chain():
    """`/store/upgrade/key` is the store that the client's path names first."""
    assert UPGRADE_FORMAT.stores == (b"upgrade",)
    assert UPGRADE_FORMAT.query_path == "/store/upgrade/key"
    assert not UPGRADE_FORMAT.names_header
