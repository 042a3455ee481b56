"""The reader of CometBFT chains (here as a hub proves) against a CometBFT RPC that lies: every answer is checked against its own hashes and the chain's."""

import base64
import copy
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.cometbft import CometRpc, CommittedBlocks, HeaderSource, ProofSource, QueryAnswer, identify_chain
from hutong.adapters.cometbft.proofs import merkle_proof_bytes
from hutong.adapters.hub.chain import PROOF_FORMAT
from hutong.adapters.interface import (
    AdapterError,
    BadAnswer,
    EndpointMismatch,
    EndpointUnavailable,
    HeightUnavailable,
    NotSupported,
)
from hutong.adapters.rpc import Fields, RpcOptions, open_rpc_client
from hutong.light_clients.interface import Height, MalformedInput, Updated
from hutong.light_clients.protobuf import ics23_pb2
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import decode_tendermint_header, encode_client_state, encode_consensus_state
from hutong.light_clients.tendermint.rpc_json import signed_header_to_rpc, validator_set_to_rpc
from tests.adapters.conformance.suite import StoredStates
from tests.adapters.rpc.hostile_server import error, hostile_server, result
from tests.light_clients.tendermint.simulated_chain import Signer, SimulatedChain

QUICK = RpcOptions(attempt_timeout_s=2, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
KEY = b"client-0\x01\x00\x00\x00\x00\x00\x00\x00\x01"


def new_chain() -> SimulatedChain:
    chain = SimulatedChain(chain_id="hutong-1")
    chain.put(KEY, b"\x07" * 32)
    chain.advance(9)
    return chain


def comet_answers(chain: SimulatedChain) -> dict:
    """Method to an honest result of its parameters."""

    def status(_):
        return {
            "node_info": {"network": chain.chain_id},
            "sync_info": {
                "latest_block_height": str(chain.latest.header.height),
                "latest_block_hash": chain.latest.signed_header.commit.block_id.hash.hex().upper(),
                "latest_block_time": signed_header_to_rpc(chain.latest.signed_header)["header"]["time"],
            },
        }

    def commit(params):
        height = params.get("height")
        signed = (chain.latest if height is None else chain.block(int(height))).signed_header
        return {"signed_header": signed_header_to_rpc(signed), "canonical": True}

    def validators(params):
        height = int(params["height"])
        latest = chain.latest
        chosen = latest.next_validators if height > latest.header.height else chain.block(height).validators
        rows = validator_set_to_rpc(chosen)["validators"]
        size, page = int(params["per_page"]), int(params["page"])
        served = rows[(page - 1) * size : page * size]
        return {
            "block_height": str(height),
            "validators": served,
            "count": str(len(served)),
            "total": str(len(rows)),
        }

    def abci_query(params):
        key, height = bytes.fromhex(params["data"]), int(params["height"])
        proof, _, value = chain.prove(key, height + 1)
        ops = [
            {"type": "ics23:smt", "key": "", "data": base64.b64encode(p.SerializeToString()).decode()}
            for p in ics23_pb2.MerkleProof.FromString(proof).proofs
        ]
        return {
            "response": {
                "code": 0,
                "log": "",
                "key": base64.b64encode(key).decode(),
                "value": base64.b64encode(value).decode() if value else None,
                "proofOps": {"ops": ops},
                "height": str(height + 1),
            }
        }

    def abci_info(_):
        return {"response": {"data": "", "last_block_height": str(chain.latest.header.height)}}

    return {
        "status": status,
        "commit": commit,
        "validators": validators,
        "abci_query": abci_query,
        "abci_info": abci_info,
    }


def serve(server, answers: dict) -> None:
    for method, answer in answers.items():
        server.answers[method] = lambda request, answer=answer: result(request, answer(request["params"]))


@asynccontextmanager
async def comet(servers):
    async def identify(attempt):
        await identify_chain(attempt, "hutong-1")

    async with open_rpc_client("hub", [s.url for s in servers], Random(1), QUICK, identify) as client:
        yield CometRpc(client)


async def test_headers_and_proofs_verify():
    chain = new_chain()
    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(chain))
        blocks = CommittedBlocks("hub", rpc)
        head = await blocks.head()
        assert head.height == chain.latest.header.height
        assert head.time_ns == chain.latest.header.time_ns
        source = HeaderSource("hub", blocks)
        client_state, trusted = encode_client_state(chain.client_state(2)), Height(1, 2)
        (header,) = await source.client_messages("07-tendermint", client_state, trusted, Height(1, 8))
        states = StoredStates({trusted: encode_consensus_state(chain.consensus_state(2))})
        now_ns = chain.latest.header.time_ns
        verdict = TendermintClient().verify_header(client_state, states, header, now_ns)
        assert isinstance(verdict, Updated)
        proof = await ProofSource(rpc, blocks, PROOF_FORMAT).prove((KEY,), Height(1, 8))
        assert proof.value == b"\x07" * 32
        absent = await ProofSource(rpc, blocks, PROOF_FORMAT).prove((KEY + b"x",), Height(1, 8))
        assert absent.value is None
        assert await source.client_messages("07-tendermint", client_state, trusted, trusted) == ()
        with pytest.raises(HeightUnavailable):
            await source.client_messages("07-tendermint", client_state, Height(1, 8), trusted)
        with pytest.raises(NotSupported):
            await source.client_messages("bft-evm", client_state, trusted, Height(1, 8))
        with pytest.raises(MalformedInput):
            await ProofSource(rpc, blocks, PROOF_FORMAT).prove((KEY, KEY), Height(1, 8))


async def test_validators_in_pages():
    members = {Signer.numbered(number): 10 for number in range(130)}
    chain = SimulatedChain(chain_id="hutong-1", members=members)
    chain.advance(3)
    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(chain))
        served = await rpc.validators(3, chain.block(3).header.validators_hash)
        assert len(served.validators) == 130
        assert server.methods().count("validators") == 2


async def test_bisection_follows_validator_changes():
    chain = new_chain()
    for first in (2, 4, 6, 8):
        chain.set_members({Signer.numbered(number): 10 for number in range(first, first + 4)})
        chain.advance(3)
    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(chain))
        source = HeaderSource("hub", CommittedBlocks("hub", rpc))
        client_state = encode_client_state(chain.client_state(2))
        target = Height(1, chain.latest.header.height)
        headers = await source.client_messages("07-tendermint", client_state, Height(1, 2), target)
        assert len(headers) > 1
        states = {Height(1, 2): encode_consensus_state(chain.consensus_state(2))}
        for header in headers:
            verdict = TendermintClient().verify_header(
                client_state, StoredStates(states), header, chain.latest.header.time_ns
            )
            assert isinstance(verdict, Updated)
            states[verdict.height], client_state = verdict.consensus_state, verdict.client_state
        assert target in states
        assert decode_tendermint_header(headers[-1]).height == target


async def refused(answers: dict, ask, match: str) -> None:
    """A lie alone is an error that names it; beside an honest endpoint it costs nothing."""
    honest = comet_answers(new_chain())
    async with hostile_server() as liar, hostile_server() as good:
        serve(liar, honest | answers)
        serve(good, honest)
        async with comet([liar]) as rpc:
            with pytest.raises(EndpointUnavailable, match=match):
                await ask(rpc)
        async with comet([liar, good]) as rpc:
            await ask(rpc)


async def test_attack_G1_hub_endpoint_of_another_chain():
    def status(_):
        return comet_answers(new_chain())["status"](None) | {"node_info": {"network": "hutong-2"}}

    await refused({"status": status}, lambda rpc: rpc.signed_header(5), "chain id is hutong-2, expected hutong-1")


async def test_attack_G1_hub_header_that_its_commit_is_not_for():
    def commit(params):
        answer = copy.deepcopy(comet_answers(new_chain())["commit"](params))
        answer["signed_header"]["header"]["app_hash"] = "AB" * 32
        return answer

    await refused({"commit": commit}, lambda rpc: rpc.signed_header(5), "is not of the header")


async def test_attack_G1_hub_serves_an_older_block():
    def commit(_):
        return comet_answers(new_chain())["commit"]({"height": "3"})

    await refused({"commit": commit}, lambda rpc: rpc.signed_header(5), "is not the asked 5")


async def test_attack_G1_hub_forged_validators():
    chain = new_chain()

    def validators(params):
        answer = copy.deepcopy(comet_answers(chain)["validators"](params))
        answer["validators"][0]["voting_power"] = "1000"
        return answer

    expected = chain.block(5).header.validators_hash
    await refused({"validators": validators}, lambda rpc: rpc.validators(5, expected), "do not hash")


async def test_attack_G1_hub_claims_endless_validators():
    chain = new_chain()

    def validators(params):
        return comet_answers(chain)["validators"](params) | {"total": "999999999"}

    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(chain) | {"validators": validators})
        with pytest.raises(EndpointUnavailable, match="does not fit the pages"):
            await rpc.validators(5, chain.block(5).header.validators_hash)


@pytest.mark.parametrize("lie", ["value", "absence", "presence", "height", "proof", "missing"])
async def test_attack_G1_hub_forged_query(lie):
    chain = new_chain()
    honest = comet_answers(chain)
    key = KEY if lie != "presence" else KEY + b"x"

    def abci_query(params):
        answer = copy.deepcopy(honest["abci_query"](params))
        response = answer["response"]
        if lie in ("value", "presence"):
            response["value"] = base64.b64encode(b"\x08" * 32).decode()
        elif lie == "absence":
            response["value"] = None
        elif lie == "height":
            response["height"] = "3"
        elif lie == "proof":
            response["proofOps"]["ops"][0]["data"] = base64.b64encode(b"\xff" * 40).decode()
        else:
            response["proofOps"] = None
        return answer

    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, honest | {"abci_query": abci_query})
        with pytest.raises((BadAnswer, EndpointUnavailable)):
            await ProofSource(rpc, CommittedBlocks("hub", rpc), PROOF_FORMAT).prove((key,), Height(1, 8))


def forged_chain(blocks: int = 40) -> SimulatedChain:
    """Another chain of the same name, by default far ahead, by the liar's own validators."""
    chain = SimulatedChain(
        chain_id="hutong-1", members={Signer.numbered(number, label="liar"): 10 for number in range(4)}
    )
    chain.advance(blocks)
    return chain


async def test_attack_G1_hub_endpoint_runs_ahead_with_its_own_validators():
    """Once a head is known, a liar's fabricated chain is left at once and the honest head goes on."""
    chain = new_chain()
    async with hostile_server() as liar, hostile_server() as good, comet([liar, good]) as rpc:
        serve(liar, comet_answers(chain))
        serve(good, comet_answers(chain))
        blocks = CommittedBlocks("hub", rpc)
        first = await blocks.head()
        serve(liar, comet_answers(forged_chain()))
        assert await blocks.head() == first
        chain.advance(1)
        assert (await blocks.head()).height == first.height + 1
        assert "is not to be believed" in rpc.client.statistics()[0].last_failure


async def test_attack_G1_hub_endpoints_that_disagree_at_first_contact():
    """Nobody can say who lies: an operator must."""
    async with hostile_server() as liar, hostile_server() as good, comet([liar, good]) as rpc:
        serve(liar, comet_answers(forged_chain()))
        serve(good, comet_answers(new_chain()))
        with pytest.raises(EndpointMismatch) as caught:
            await CommittedBlocks("hub", rpc).head()
        assert caught.value.what == "hash of the validators"


REFUSALS = {
    "unknown height": lambda request: error(request, -32603, "Internal error", "could not find validator set"),
    "internal error": lambda request: error(request, -32603, "Internal error"),
    "its own reason": lambda request: error(request, -32000, "not for you"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("liar_is_first", [True, False])
async def test_attack_G1_hub_far_head_without_validators(refusal, liar_is_first):
    """Who announces a far head and then refuses its validators is left at once, and the honest head goes on."""
    chain, forged = new_chain(), forged_chain()
    async with hostile_server() as liar, hostile_server() as good:
        async with comet([liar, good] if liar_is_first else [good, liar]) as rpc:
            serve(liar, comet_answers(chain))
            serve(good, comet_answers(chain))
            blocks = CommittedBlocks("hub", rpc)
            first = await blocks.head()
            serve(liar, comet_answers(forged))
            liar.answers["validators"] = REFUSALS[refusal]
            assert await blocks.head() == first
            chain.advance(1)
            assert (await blocks.head()).height == first.height + 1
            statistics = {each.name: each for each in rpc.client.statistics()}
            assert "is not to be believed" in statistics[liar.url].last_failure
            assert not statistics[liar.url].usable
            assert statistics[good.url].failures == 0, "nobody asks it for what another made up"


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("blocks_of_liar", [40, 1])
async def test_attack_G1_hub_first_head_without_validators(refusal, blocks_of_liar):
    """A first head that nobody signed for, above or below the honest one, is no second chain: its endpoint is left."""
    chain, forged = new_chain(), forged_chain(blocks_of_liar)
    async with hostile_server() as liar, hostile_server() as good, comet([liar, good]) as rpc:
        serve(liar, comet_answers(forged))
        liar.answers["validators"] = REFUSALS[refusal]
        serve(good, comet_answers(chain))
        assert (await CommittedBlocks("hub", rpc).head()).height == chain.latest.header.height
        of_liar, of_good = rpc.client.statistics()
        assert "is not to be believed" in of_liar.last_failure
        assert not of_liar.usable
        assert of_good.failures == 0, "nobody asks it for what another made up"


async def test_attack_G1_hub_lone_endpoint_without_validators():
    """Nobody else is there: the reason is told, and the head comes back with the validators."""
    chain = new_chain()
    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(chain))
        server.answers["validators"] = REFUSALS["unknown height"]
        blocks = CommittedBlocks("hub", rpc)
        with pytest.raises(EndpointUnavailable, match="could not find validator set"):
            await blocks.head()
        serve(server, comet_answers(chain))
        assert (await blocks.head()).height == chain.latest.header.height


async def test_attack_G1_hub_head_without_enough_signatures():
    chain = new_chain()

    def commit(params):
        answer = copy.deepcopy(comet_answers(chain)["commit"](params))
        if "height" not in params:
            for entry in answer["signed_header"]["commit"]["signatures"][1:]:
                entry.update(block_id_flag=1, validator_address="", timestamp="0001-01-01T00:00:00Z", signature=None)
        return answer

    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(chain) | {"commit": commit})
        with pytest.raises(EndpointUnavailable, match="two_thirds_signed"):
            await CommittedBlocks("hub", rpc).head()


async def test_head_follows_validator_changes():
    chain = new_chain()
    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(chain))
        blocks = CommittedBlocks("hub", rpc)
        for first in (1, 2, 3, 4, 5):
            chain.set_members({Signer.numbered(number): 10 for number in range(first, first + 4)})
            chain.advance(3)
            assert (await blocks.head()).height == chain.latest.header.height


async def test_attack_G10_pruned_state_is_a_clear_error():
    def abci_query(_):
        return {"response": {"code": 4, "log": "no state at height 7", "height": "0"}}

    async with hostile_server() as server, comet([server]) as rpc:
        serve(server, comet_answers(new_chain()) | {"abci_query": abci_query})
        with pytest.raises(HeightUnavailable, match="no state at height 7") as caught:
            await rpc.query("/key", KEY, 7, prove=True)
        assert caught.value.height == 7
        assert rpc.client.statistics()[0].failures == 0, "what a node does not keep is no fault"


class Answering:
    """Stands where the RPC client stands and gives one answer, through the decoder."""

    chain = "hub"

    def __init__(self, answers):
        self.answers = answers

    async def call(self, method, params, decode, at_height=0):
        return decode(Fields(method, self.answers[method](params)))

    async def call_each(self, method, params, decode):
        return [decode(index, Fields(method, self.answers[method](each))) for index, each in enumerate(params)]

    async def run(self, operation, work, at_height=0):
        return await work(self)


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    yield path


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=6),
    st.just([]),
    st.just({}),
    st.sampled_from(["-1", "99999999999999999999999", "AB" * 32, "AQ==", "2020-01-01T00:00:00Z", "\x00"]),
)
CHAIN = new_chain()


async def ask_twisted(method: str, position: int, junk) -> None:
    honest = comet_answers(CHAIN)

    def twisted(params):
        answer = copy.deepcopy(honest[method](params))
        paths = [path for path in leaves(answer) if path]
        path = paths[position % len(paths)]
        target = answer
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = junk
        return answer

    rpc = CometRpc(Answering(honest | {method: twisted}))
    signed = await rpc.signed_header(8)
    assert signed.header == CHAIN.block(8).header
    found = await rpc.validators(8, signed.header.validators_hash)
    assert [v.public_key for v in found.validators] == [v.public_key for v in CHAIN.block(8).validators.validators]
    proof = await ProofSource(rpc, CommittedBlocks("hub", rpc), PROOF_FORMAT).prove((KEY,), Height(1, 8))
    assert proof.value == b"\x07" * 32


@pytest.mark.long
@given(st.sampled_from(["commit", "validators", "abci_query"]), st.integers(0, 10**6), JUNK)
@settings(max_examples=200, deadline=None)
def test_attack_H_any_field_of_a_comet_answer_may_be_junk(method, position, junk):
    """The same facts come out, or a typed error."""
    try:
        trio.run(ask_twisted, method, position, junk)
    except AdapterError as caught:
        assert str(caught)


def test_query_without_commitment_proofs_is_refused():
    with pytest.raises(BadAnswer):
        merkle_proof_bytes(QueryAnswer(b"x", (b"\xff\xff\xff",), 5))
