"""Clique chains, and QBFT chains whose validators a contract selects, in checkpoints and bundles (parity row 47)."""

import base64
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest
import trio

from hutong.adapters.evm.bft.consensus import BftConsensus
from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.interface import ClientInfo, HeightUnavailable
from hutong.light_clients import clique as clique_client
from hutong.light_clients.interface import (
    VERIFY,
    ClientStatus,
    Height,
    MalformedInput,
    UnsupportedOperation,
    VerificationError,
)
from hutong.relay.archive.bundle import ChainHeaders, ChainKind
from hutong.relay.archive.checkpoint import decode_checkpoint, encode_checkpoint
from hutong.relay.audit.chains import ChainCase, judge_chain
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.light_clients import LIGHT_CLIENTS
from hutong.relay.audit.memory import HeaderMemory
from hutong.relay.core.archiving.bundling import read_checkpoint
from hutong.relay.core.archiving.bundling.headers import HeaderCollector
from hutong.relay.core.archiving.bundling.known import kind_of, seal_rules_of
from tests.adapters.evm.test_evm_consensus import (
    KEY,
    OTHER_KEY,
    PARAMETERS,
    ROUTER,
    RULES,
    VALUE,
    bft_answers,
    clique,
    clique_answers,
    execution,
    grown,
)
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain

PERIOD_NS = PARAMETERS.trusting_period_s * 10**9
STEPS = 3


def adapter_of(consensus, chain_id: str):
    """What checkpoints and bundles ask of a chain's adapter, by its consensus in front of a node over HTTP."""

    async def there(_height):
        return None

    return SimpleNamespace(
        name="alpha",
        chain_id=chain_id,
        head=consensus.head,
        wait_for_height=there,
        initial_states=consensus.initial_states,
        client_messages=consensus.client_messages,
        bare_header=consensus.bare_header,
        prove_all=consensus.prove_all,
    )


@asynccontextmanager
async def sealed_world(kind: ChainKind):
    """(adapter, advance, time in ns, commit) of a chain of that kind."""
    if kind is ChainKind.CLIQUE:
        chain = grown()
        async with execution(clique_answers(chain.main)) as rpc:
            adapter = adapter_of(clique(rpc, epoch=5), str(clique_client_id(chain)))
            yield adapter, chain.main.advance, lambda: chain.time_ns(chain.main.height), chain.main.commit
        return
    chain = SimulatedChain(4, rules=RULES["contract"])
    chain.advance(3)
    async with execution(bft_answers(chain)) as rpc:
        consensus = BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), RULES["contract"])

        turns = count(1)

        def advance(blocks: int) -> None:
            first = next(turns)  # the contract selects another of the four meanwhile
            chain.replace_validators(range(first, first + 4))
            chain.advance(blocks)

        yield adapter_of(consensus, "1337"), advance, lambda: chain.now_ns, chain.commit


def clique_client_id(_chain) -> int:
    from tests.light_clients.clique.simulated_clique_chain import CHAIN_ID

    return CHAIN_ID


def follower(kind: ChainKind, states, client_id: str = "client-on-hub") -> ClientInfo:
    return ClientInfo(
        client_id,
        kind.client_type,
        ClientStatus.ACTIVE,
        states.height,
        0,
        PERIOD_NS,
        "client-0",
        (b"",),
        states.client_state,
    )


@pytest.fixture(scope="module", params=[ChainKind.CLIQUE, ChainKind.BFT_EVM_CONTRACT])
def made(request):
    """(kind, checkpoint out of its file, headers, proof heights, proofs at the last, time)."""
    kind = request.param

    async def make():
        async with sealed_world(kind) as (adapter, advance, now_ns, commit):
            states = await adapter.initial_states(kind.client_type, PARAMETERS)
            info = follower(kind, states)
            assert kind_of(info.client_type, info.client_state) is kind
            checkpoint = await read_checkpoint(adapter, [], [info], None)
            heights = [Height(0, checkpoint.height)]
            commit(KEY, VALUE)
            for _ in range(STEPS):
                advance(4)
                heights.append(Height(0, (await adapter.head()).height))
            rules = seal_rules_of(kind, info.client_state)
            collector = HeaderCollector(adapter, kind, checkpoint, rules)
            headers = await collector.collect(heights, info.client_state)
            assert await collector.collect(heights, info.client_state) == headers
            with pytest.raises(HeightUnavailable, match="older one"):
                await collector.collect([Height(0, checkpoint.height - 1)], info.client_state)
            with pytest.raises(UnsupportedOperation, match="without a checkpoint"):
                await HeaderCollector(adapter, kind, None, rules).collect(heights, info.client_state)
            proofs = await adapter.prove_all([(KEY,), (OTHER_KEY,)], heights[-1], info.client_state)
            return kind, decode_checkpoint(encode_checkpoint(checkpoint)), headers, heights, proofs, now_ns()

    return trio.run(make)


def judged(checkpoint, headers: ChainHeaders, proof_heights, now: int):
    names = []
    case = ChainCase(None, headers, checkpoint, None, frozenset(proof_heights))
    chain = judge_chain(Inquiry(lambda verdict: names.append(verdict.check.name)), case, now, HeaderMemory())
    return chain, names


def refused(checkpoint, headers, proof_heights, now) -> str:
    inquiry = Inquiry()
    try:
        judge_chain(inquiry, ChainCase(None, headers, checkpoint, None, frozenset(proof_heights)), now, HeaderMemory())
    except VerificationError as error:
        assert inquiry.refused_by_a_rule(error)
        return inquiry.failure.check.name
    raise AssertionError("nothing was refused")


def test_parity_row_47_updates_are_believed_from_the_checkpoint_on_by_the_clients_own_rules(made):
    kind, checkpoint, headers, heights, proofs, now = made
    chain, names = judged(checkpoint, headers, heights, now)
    assert set(chain.states) == set(heights) and len(headers.headers) >= STEPS
    own = "majority_of_signers_sealed" if kind is ChainKind.CLIQUE else "quorum_of_own_validators"
    for name in (own, "router_account_proven", "update_is_used", "update_starts_at_the_one_before"):
        assert names.count(name) == len(headers.headers), name
    assert names.count("checkpoint_hash_matches") == 1 and "followed from checkpoint" in chain.mode
    state = chain.states[heights[-1]]
    for proof in proofs:
        LIGHT_CLIENTS[kind].judge_membership(
            VERIFY, state.client_state, state.consensus_state, proof.proof, proof.path, proof.value
        )
    with pytest.raises(VerificationError):
        LIGHT_CLIENTS[kind].judge_membership(
            VERIFY, state.client_state, state.consensus_state, proofs[0].proof, proofs[0].path, b"\x5b" * 32
        )


def test_parity_row_47_what_a_bundle_may_not_do_with_updates(made):
    _, checkpoint, headers, heights, _, now = made
    entries = headers.headers

    def of(*chosen):
        return replace(headers, headers=tuple(chosen))

    proofs = set(heights)
    assert refused(checkpoint, of(*entries[1:]), proofs, now) == "update_starts_at_the_one_before"
    assert refused(checkpoint, of(entries[0], *entries[2:]), proofs, now) == "update_starts_at_the_one_before"
    assert refused(checkpoint, of(*entries, entries[-1]), proofs, now) == "update_starts_at_the_one_before"
    assert refused(checkpoint, headers, {heights[0]}, now) == "update_is_used"
    for spoilt in (replace(entries[0], commit=b"x"), replace(entries[0], account_proof=(b"x",))):
        assert refused(checkpoint, of(spoilt, *entries[1:]), proofs, now) == "update_stands_alone"
    assert refused(checkpoint, replace(headers, validator_sets=(b"x",)), proofs, now) == "update_stands_alone"
    junk = replace(entries[0], header=b"x")
    assert refused(checkpoint, of(junk, *entries[1:]), proofs, now) == "update_starts_at_the_one_before"
    assert refused(checkpoint, headers, proofs, checkpoint.expires_at_ns + PERIOD_NS) == "within_trusting_period"
    assert refused(replace(checkpoint, kind=ChainKind.BFT_EVM), headers, proofs, now) == "checkpoint_is_of_kind"
    early = checkpoint.time_ns - 20 * 10**9
    assert refused(checkpoint, headers, proofs, early) == "header_not_from_future"


@pytest.mark.parametrize("place", [40, -1])
def test_parity_row_47_a_changed_byte_of_an_update_is_refused(made, place):
    _, checkpoint, headers, heights, _, now = made
    entry = headers.headers[0]
    at = place % len(entry.header)
    changed = entry.header[:at] + bytes([entry.header[at] ^ 1]) + entry.header[at + 1 :]
    spoilt = replace(headers, headers=(replace(entry, header=changed), *headers.headers[1:]))
    assert refused(checkpoint, spoilt, heights, now)


def test_parity_row_47_a_checkpoint_says_what_its_states_say_or_is_none(made):
    kind, checkpoint, headers, heights, _, now = made
    document = json.loads(encode_checkpoint(checkpoint))
    assert document["kind"] == kind.value
    changes = {
        "chain_id": "5",
        "height": checkpoint.height + 1,
        "hash": "0x" + "11" * 32,
        "time": "2026-01-01T00:00:00Z",
        "trusting_period_s": 5,
        "max_clock_drift_s": 77,
    }
    for name, value in changes.items():
        with pytest.raises(MalformedInput, match=f"checkpoint.{name}"):
            decode_checkpoint(json.dumps(document | {name: value}).encode())
    # One that was made in memory is judged as well.
    assert refused(replace(checkpoint, hash=b"\x11" * 32), headers, heights, now) == "checkpoint_hash_matches"
    with pytest.raises(MalformedInput):
        decode_checkpoint(json.dumps({k: v for k, v in document.items() if k != "consensus_state"}).encode())
    if kind is ChainKind.CLIQUE:
        client = clique_client.decode_client_state(checkpoint.trust.client_state)
        frozen = clique_client.encode_client_state(client.frozen())
        with pytest.raises(MalformedInput, match="client_state"):
            decode_checkpoint(json.dumps(document | {"client_state": "0x" + frozen.hex()}).encode())
    else:
        with pytest.raises(MalformedInput, match="header"):
            decode_checkpoint(json.dumps({k: v for k, v in document.items() if k != "header"}).encode())
        header = base64.b64decode(document["header"])
        other = base64.b64encode(header[:-1] + bytes([header[-1] ^ 1])).decode()
        with pytest.raises(MalformedInput):
            decode_checkpoint(json.dumps(document | {"header": other}).encode())


async def test_followers_that_trust_by_different_rules_have_no_checkpoint_in_common():
    async with sealed_world(ChainKind.CLIQUE) as (adapter, _advance, _now, _commit):
        states = await adapter.initial_states("clique", PARAMETERS)
        client = clique_client.decode_client_state(states.client_state)
        deeper = clique_client.encode_client_state(replace(client, confirmations=client.confirmations + 1))
        other = replace(follower(ChainKind.CLIQUE, states), client_id="clique-1", client_state=deeper)
        with pytest.raises(UnsupportedOperation, match="clique-1"):
            await read_checkpoint(adapter, [], [follower(ChainKind.CLIQUE, states), other], None)
        await read_checkpoint(adapter, [], [follower(ChainKind.CLIQUE, states)], (await adapter.head()).height - 1)
