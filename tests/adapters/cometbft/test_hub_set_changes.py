"""The relay's headers and the administrator's list, read from a hub whose set has changed often, over its own CometBFT RPC."""

from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest
import trio

from hutong.adapters.cometbft import CometRpc, CommittedBlocks, HeaderSource
from hutong.adapters.hub.validators import node_key, signing_set
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import open_rpc_client
from hutong.light_clients.interface import Height, Updated
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from hutong.light_clients.tendermint.rpc_json import signed_header_to_rpc
from hutong.light_clients.tendermint.types import ABSENT_SIGNATURE
from hutong.relay.evm.rpc.server import serve as serve_http
from hutong.relay.hub.rpc.cometbft_http import CometBftRpcApp
from hutong.relay.hub.rpc.cometbft_methods import CometBftMethods
from tests.adapters.cometbft.test_comet_rpc import QUICK, comet, comet_answers, new_chain, serve
from tests.adapters.conformance.suite import StoredStates
from tests.adapters.rpc.hostile_server import hostile_server
from tests.relay.hub.application.governance.validator_run import POOL, ValidatorRun

HEIGHT = 250
SEED = 23


@pytest.fixture(scope="module")
def hub():
    run = ValidatorRun(SEED, changes=0.2)
    for _ in run.run(HEIGHT):
        pass
    return run.hub


@asynccontextmanager
async def rpc_of(hub):
    methods = CometBftMethods(hub.ledger, POOL[0].public_key)
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_http, CometBftRpcApp(methods), "127.0.0.1", 0)
        async with open_rpc_client("hub", (f"http://127.0.0.1:{port}",), Random(1), QUICK) as client:
            yield CometRpc(client)
        nursery.cancel_scope.cancel()


@pytest.mark.long
async def test_bisection_reaches_the_head_of_a_hub_over_many_changes(hub):
    counts = []
    async with rpc_of(hub) as rpc:
        source = HeaderSource("hub", CommittedBlocks("hub", rpc))
        for trusted in range(2, HEIGHT, 10):
            client_state = encode_client_state(hub.client_state(trusted))
            first, target = Height(1, trusted), Height(1, HEIGHT)
            messages = await source.client_messages("07-tendermint", client_state, first, target)
            states = {first: encode_consensus_state(hub.consensus_state(trusted))}
            for message in messages:
                now_ns = hub.ledger.tip.time_ns
                verdict = TendermintClient().verify_header(client_state, StoredStates(states), message, now_ns)
                assert isinstance(verdict, Updated), trusted
                states[verdict.height], client_state = verdict.consensus_state, verdict.client_state
            assert max(states) == target
            counts.append(len(messages))
    assert min(counts) == 1 < max(counts)


@pytest.mark.long
async def test_the_signing_set_is_that_of_the_newest_header(hub):
    async with rpc_of(hub) as rpc:
        found = await signing_set(rpc)
        key = await node_key(rpc)
    assert found.height == HEIGHT
    assert found.validators.validators == hub.ledger.records.validators(HEIGHT).validators
    assert (key.address, key.alone) == (POOL[0].public_key.address, True)


async def test_a_set_that_did_not_sign_its_header_is_not_listed():
    chain = new_chain()
    signed = chain.latest.signed_header
    entries = (ABSENT_SIGNATURE,) * len(signed.commit.signatures)
    unsigned = replace(signed, commit=replace(signed.commit, signatures=entries))
    answers = comet_answers(chain) | {
        "commit": lambda _: {"signed_header": signed_header_to_rpc(unsigned), "canonical": True}
    }
    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, answers)
        with pytest.raises(BadAnswer, match="two_thirds_signed"):
            await signing_set(rpc)
        serve(server, comet_answers(chain))
        assert (await signing_set(rpc)).height == chain.latest.header.height
