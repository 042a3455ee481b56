"""The evm adapter against execution endpoints that lie about headers, accounts and storage."""

import copy
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.evm.bft.events import FinalBlocks
from hutong.adapters.evm.bft.headers import HeaderSource
from hutong.adapters.evm.proofs import ProofSource, previous_sequence_slot
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.interface import (
    AdapterError,
    BadAnswer,
    EndpointMismatch,
    EndpointUnavailable,
    HeightUnavailable,
    NotSupported,
)
from hutong.adapters.rpc import Fields, RpcOptions, open_rpc_client
from hutong.adapters.simulated import ChainTraits, SimulatedChain
from hutong.adapters.simulated.chain import ROUTER_ADDRESS
from hutong.light_clients.bft_evm import decode_extra_data, encode_extra_data
from hutong.light_clients.evm_header import header_to_rpc
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.ibc.packet import Payload
from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.proofs.mpt import commitment_slot
from tests.adapters.rpc.hostile_server import hostile_server, result

QUICK = RpcOptions(attempt_timeout_s=2, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
GENESIS_TIME_S = 1_760_000_000


def new_chain() -> SimulatedChain:
    alpha = SimulatedChain("alpha", 1001, genesis_time_s=GENESIS_TIME_S)
    beta = SimulatedChain("beta", 1002, genesis_time_s=GENESIS_TIME_S)
    beta.produce_block()
    alpha.produce_block()
    client = alpha.create_client("bft-evm", *beta.states_at(1, 86_400, 10))
    alpha.register_counterparty(client, "client-0", (b"",))
    alpha.produce_block()
    alpha.send(client, GENESIS_TIME_S + 600, Payload("echo", "echo", "v", "e", b"x"))
    alpha.produce_block()
    alpha.produce_block()
    return alpha


CHAIN = new_chain()
KEY = path_key("bft-evm-0", PathKind.COMMITMENT, 1)


def execution_answers(chain: SimulatedChain) -> dict:
    def block(params):
        found = chain.newest if params[0] == "latest" else chain.blocks[int(params[0], 16)]
        return {**header_to_rpc(found.header), "hash": hex_data(found.hash), "transactions": []}

    def proof(params):
        _, slots, tag = params
        found = chain.blocks[int(tag, 16)]
        nodes = chain.store.prove(found.router.storage_root, KEY)
        return {
            "address": hex_data(ROUTER_ADDRESS),
            "accountProof": [hex_data(node) for node in chain.store.account_proof(found.header.state_root)],
            "storageHash": hex_data(found.router.storage_root),
            "storageProof": [{"key": slot, "value": "0x0", "proof": [hex_data(n) for n in nodes]} for slot in slots],
        }

    return {
        "eth_getBlockByNumber": block,
        "eth_getProof": proof,
    }


def serve(server, answers: dict) -> None:
    for method, answer in answers.items():
        server.answers[method] = lambda request, answer=answer: result(request, answer(request["params"]))


def sources(client):
    rpc = ExecutionRpc(client, RevertReader())
    blocks = FinalBlocks("alpha", rpc)
    proofs = ProofSource("alpha", rpc, ROUTER_ADDRESS, blocks.state_root)
    return blocks, proofs, HeaderSource("alpha", blocks.header, proofs.account)


@asynccontextmanager
async def evm(servers):
    async with open_rpc_client("alpha", [s.url for s in servers], Random(1), QUICK) as client:
        yield sources(client)


async def test_honest_endpoint():
    async with hostile_server() as server, evm([server]) as (blocks, proofs, headers):
        serve(server, execution_answers(CHAIN))
        head = await blocks.head()
        assert (head.height, head.hash) == (4, CHAIN.newest.hash)
        proof = await proofs.prove((KEY,), Height(0, 3))
        assert proof.value == CHAIN.store.get(CHAIN.blocks[3].router.storage_root, KEY)
        assert (await proofs.prove((KEY,), Height(0, 2))).value is None
        (message,) = await headers.client_messages("bft-evm", Height(0, 1), Height(0, 4))
        assert message
        assert await headers.client_messages("bft-evm", Height(0, 4), Height(0, 4)) == ()
        with pytest.raises(HeightUnavailable):
            await headers.client_messages("bft-evm", Height(0, 4), Height(0, 1))
        with pytest.raises(NotSupported):
            await headers.client_messages("07-tendermint", Height(0, 1), Height(0, 4))
        with pytest.raises(MalformedInput):
            await proofs.prove((KEY, KEY), Height(0, 3))


async def test_proofs_of_a_new_block_ask_for_its_account_once():
    async with hostile_server() as server, evm([server]) as (_, proofs, _headers):
        serve(server, execution_answers(CHAIN))
        found = await proofs.prove_all([(KEY,)] * 6, Height(0, 3))
        assert {proof.value for proof in found} == {CHAIN.store.get(CHAIN.blocks[3].router.storage_root, KEY)}
        accounts = [request for request in server.requests if request["method"] == "eth_getProof"]
        assert [request["params"][1] for request in accounts].count([]) == 1
        assert len(accounts) == 7
        assert await proofs.prove_all([], Height(0, 2)) == ()
        assert len(server.requests) == len(accounts) + server.methods().count("eth_getBlockByNumber")


async def test_a_router_that_is_not_there_is_no_fault_of_an_endpoint():
    """Its state root proves it, so asking another would not help, and none is called bad for it."""
    async with hostile_server() as server, open_rpc_client("alpha", [server.url], Random(1), QUICK) as client:
        serve(server, execution_answers(CHAIN))
        rpc = ExecutionRpc(client, RevertReader())
        elsewhere = bytes(19) + b"\x07"
        proofs = ProofSource("alpha", rpc, elsewhere, FinalBlocks("alpha", rpc).state_root)
        with pytest.raises(HeightUnavailable, match="there is no router 0x0+7 in its state") as caught:
            await proofs.account(3)
        assert (caught.value.chain, caught.value.height) == ("alpha", 3)
        assert client.statistics()[0].failures == 0


async def refused(answers: dict, ask, match: str) -> None:
    honest = execution_answers(CHAIN)
    async with hostile_server() as liar, hostile_server() as good:
        serve(liar, honest | answers)
        serve(good, honest)
        async with evm([liar]) as parts:
            with pytest.raises(EndpointUnavailable, match=match):
                await ask(*parts)
        async with evm([liar, good]) as parts:
            await ask(*parts)


@pytest.mark.parametrize("field", ["stateRoot", "timestamp", "parentHash", "extraData", "number", "hash"])
async def test_attack_G1_forged_header_field(field):
    def block(params):
        answer = execution_answers(CHAIN)["eth_getBlockByNumber"](params)
        forged = {"timestamp": "0x1", "extraData": "0x00", "number": "0x2"}
        return answer | {field: forged.get(field, hex_data(b"\x66" * 32))}

    await refused(
        {"eth_getBlockByNumber": block}, lambda blocks, *_: blocks.header(3), "eth_getBlockByNumber answered badly"
    )


@pytest.mark.parametrize("what", ["accountProof", "storageProof"])
async def test_attack_G1_proof_of_another_state(what):
    """An honest proof of an older block, served for a newer one."""

    def proof(params):
        answer = execution_answers(CHAIN)["eth_getProof"](params)
        older = execution_answers(CHAIN)["eth_getProof"]([params[0], params[1], "0x2"])
        return answer | {what: older[what]}

    await refused({"eth_getProof": proof}, lambda _, proofs, __: proofs.prove((KEY,), Height(0, 3)), "eth_getProof")


async def test_attack_G1_storage_proof_is_missing_or_endless():
    for entries in ([], [{"key": "0x", "value": "0x0", "proof": ["0x00"] * 100_000}]):

        def proof(params, entries=entries):
            return execution_answers(CHAIN)["eth_getProof"](params) | {"storageProof": entries}

        def answers(params, proof=proof):
            return proof(params) if params[1] else execution_answers(CHAIN)["eth_getProof"](params)

        await refused(
            {"eth_getProof": answers}, lambda _, proofs, __: proofs.prove((KEY,), Height(0, 3)), "eth_getProof"
        )


async def test_attack_G2_fork_of_a_final_block_is_noticed():
    """The endpoint serves another, well-formed chain from a height on: its parent is not the block we know."""
    fork = new_chain()
    fork.blocks[-1:] = []
    fork.send("bft-evm-0", GENESIS_TIME_S + 700, Payload("echo", "echo", "v", "e", b"fork"))
    fork.produce_block()
    fork.blocks[:] = [*fork.blocks]
    other = SimulatedChain("alpha", 1001, genesis_time_s=GENESIS_TIME_S, traits=ChainTraits(seed=9))
    for _ in range(4):
        other.produce_block()
    async with hostile_server() as server, evm([server]) as (blocks, _, __):
        serve(server, execution_answers(CHAIN))
        await blocks.header(3)
        serve(server, execution_answers(other))
        with pytest.raises(BadAnswer, match="forks from a final block"):
            await blocks.header(4)


def forged_chain() -> SimulatedChain:
    """A chain of the liar's own validators, far ahead."""
    chain = SimulatedChain("alpha", 1001, genesis_time_s=GENESIS_TIME_S, traits=ChainTraits(seed=666))
    for _ in range(50):
        chain.produce_block()
    return chain


async def test_attack_G1_endpoint_runs_ahead_with_its_own_validators():
    """Once a head is known, a liar's fabricated chain is left at once and the honest head goes on."""
    chain = new_chain()
    async with hostile_server() as liar, hostile_server() as good:
        async with open_rpc_client("alpha", [liar.url, good.url], Random(1), QUICK) as client:
            blocks, _, __ = sources(client)
            serve(liar, execution_answers(chain))
            serve(good, execution_answers(chain))
            first = await blocks.head()
            serve(liar, execution_answers(forged_chain()))
            assert await blocks.head() == first
            chain.produce_block()
            assert (await blocks.head()).height == first.height + 1
            assert "does not follow" in client.statistics()[0].last_failure


async def test_attack_G1_endpoints_that_disagree_at_first_contact():
    """Nobody can say who lies: an operator must."""
    async with hostile_server() as liar, hostile_server() as good, evm([liar, good]) as (blocks, _, __):
        serve(liar, execution_answers(forged_chain()))
        serve(good, execution_answers(CHAIN))
        with pytest.raises(EndpointMismatch):
            await blocks.head()


async def test_attack_G1_head_without_a_quorum_of_seals():
    chain = new_chain()
    extra = decode_extra_data(chain.newest.header.extra_data)

    def block(params):
        header = replace(chain.newest.header, extra_data=encode_extra_data(replace(extra, seals=extra.seals[:2])))
        return {**header_to_rpc(header), "hash": hex_data(chain.newest.hash), "transactions": []}

    async with hostile_server() as server, evm([server]) as (blocks, _, __):
        serve(server, execution_answers(chain) | {"eth_getBlockByNumber": block})
        with pytest.raises(EndpointUnavailable, match="quorum_of_own_validators"):
            await blocks.head()


async def test_head_follows_validator_changes_over_headers_in_between():
    chain = new_chain()
    async with hostile_server() as server, evm([server]) as (blocks, _, __):
        serve(server, execution_answers(chain))
        await blocks.head()
        for numbers in ((1, 2, 3, 4), (3, 4, 5, 6), (5, 6, 7, 8)):
            chain.set_validators(numbers)
            chain.produce_block()
        assert (await blocks.head()).height == chain.newest.header.number


async def test_slow_endpoint_does_not_hold_up_the_head(autojump_clock):
    """The straggler is waited for one second, not for its timeout."""
    chain = new_chain()
    async with hostile_server() as slow, hostile_server() as good:
        options = RpcOptions(attempt_timeout_s=60, rounds=1)
        async with open_rpc_client("alpha", [slow.url, good.url], Random(1), options) as client:
            blocks, _, __ = sources(client)
            slow.answers["eth_getBlockByNumber"] = lambda request: None
            serve(good, execution_answers(chain))
            start = trio.current_time()
            assert (await blocks.head()).height == chain.newest.header.number
            assert trio.current_time() - start < 5
            assert "slower" in client.statistics()[0].last_failure


class Answering:
    chain = "alpha"

    def __init__(self, answers):
        self.answers = answers

    async def call(self, method, params, decode, at_height=0):
        return decode(Fields(method, self.answers[method](params)))

    async def run(self, operation, work, at_height=0):
        return await work(self)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**70),
    st.text(max_size=6),
    st.sampled_from([[], {}, "0x", "0x0", "0x01", "0x" + "ff" * 32, "0x" + "00" * 600, ["0x00"] * 70, "0x1" * 50]),
)


async def ask_twisted(method: str, position: int, junk) -> None:
    honest = execution_answers(CHAIN)

    def twisted(params):
        answer = copy.deepcopy(honest[method](params))
        targets = [(answer, key) for key in answer if key != "transactions"]
        if method == "eth_getProof":
            targets += [(answer["accountProof"], 0)]
            targets += [(entry, "proof") for entry in answer["storageProof"]]
            targets += [(entry["proof"], 0) for entry in answer["storageProof"]]
        holder, key = targets[position % len(targets)]
        holder[key] = junk
        return answer

    blocks, proofs, _ = sources(Answering(honest | {method: twisted}))
    block_hash, header = await blocks.header(3)
    assert (block_hash, header) == (CHAIN.blocks[3].hash, CHAIN.blocks[3].header)
    proof = await proofs.prove((KEY,), Height(0, 3))
    assert proof.value == CHAIN.store.get(CHAIN.blocks[3].router.storage_root, KEY)


@pytest.mark.long
@given(st.sampled_from(["eth_getBlockByNumber", "eth_getProof"]), st.integers(0, 10**6), JUNK)
@settings(max_examples=250, deadline=None)
def test_attack_H_any_field_of_an_execution_answer_may_be_junk(method, position, junk):
    """The same facts come out, or a typed error."""
    try:
        trio.run(ask_twisted, method, position, junk)
    except AdapterError as caught:
        assert str(caught)


def test_slots_are_those_of_the_store():
    assert commitment_slot(path_key("client-0", PathKind.COMMITMENT, 1)).hex().startswith("79a5307f")
    assert len(previous_sequence_slot("client-0")) == 32
