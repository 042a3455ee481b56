"""What the nodes of other projects answered (`python -m tests.nodes.evm.record_outside`), through the adapter into the light clients.

Each chain's sealers change twice, one stands still for a while, and epochs of ten blocks end.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hutong.adapters.evm.bft.consensus import BftConsensus
from hutong.adapters.evm.bft.headers import check_seals
from hutong.adapters.evm.clique.consensus import CliqueConsensus
from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.ics26.answers import decode_block
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.bft_evm import (
    BftEvmClient,
    Consensus,
    ExtraData,
    QuorumRule,
    SealRules,
    VoteKind,
    decode_extra_data,
    encode_extra_data,
)
from hutong.light_clients.bft_evm.predicates import quorum_size
from hutong.light_clients.clique import CliqueClient, decode_consensus_state
from hutong.light_clients.evm_header import header_from_rpc
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.adapters.evm.test_evm_consensus import PARAMETERS, Followed, execution
from tests.nodes.recorded_chain import ABSENT, CHAIN_ID, COMMITMENT, EPOCH_LENGTH, ROUTER, STORED

BFT = {
    "qbft": SealRules(),
    "qbft_2f1": SealRules(quorum_rule=QuorumRule.TWO_F_PLUS_ONE),
    "istanbul": SealRules(Consensus.ISTANBUL),
}
each_bft = pytest.mark.parametrize("name", BFT)


class Recorded:
    """A node whose newest block is at `height`."""

    def __init__(self, name: str, height: int | None = None) -> None:
        self.said = json.loads((Path(__file__).parent / f"recorded_{name}.json").read_text())
        self.last = len(self.said["blocks"]) - 1
        self.height = self.last if height is None else height

    @property
    def answers(self) -> dict:
        return {
            "eth_blockNumber": lambda _: hex(self.height),
            "eth_getBlockByNumber": lambda params: self.said["blocks"][self._number(params[0])],
            "eth_getProof": lambda params: self.said["proofs"][params[1][0] if params[1] else "account"],
            "clique_getSigners": lambda params: self.said["signers"][self._number(params[0])],
        }

    def _number(self, tag: str) -> int:
        return self.height if tag == "latest" else int(tag, 16)

    @property
    def now_ns(self) -> int:
        return (int(self.said["blocks"][-1]["timestamp"], 16) + 1) * NANOSECONDS_PER_SECOND

    def extras(self, consensus: Consensus) -> list[ExtraData]:
        headers = map(header_from_rpc, self.said["blocks"])
        return [decode_extra_data(header.extra_data, consensus) for header in headers]


def bft(rpc, name: str) -> BftConsensus:
    return BftConsensus(RouterOnChain(name, CHAIN_ID, bytes.fromhex(ROUTER[2:]), rpc), BFT[name])


@each_bft
def test_the_recording_holds_what_it_is_for(name):
    extras = Recorded(name).extras(BFT[name].consensus)
    assert {len(extra.validators) for extra in extras} == {4, 5}
    assert extras[0].validators != extras[-1].validators and len(extras[-1].validators) == 4
    assert len(extras) > EPOCH_LENGTH
    if name != "istanbul":
        assert {extra.vote.kind for extra in extras if extra.vote} == set(VoteKind)
        assert max(extra.round for extra in extras) > 0


@each_bft
@pytest.mark.parametrize("step", [1, 7, 100])
async def test_a_client_follows_goquorum_across_its_changes(name, step):
    node = Recorded(name, 1)
    async with execution(node.answers) as rpc:
        consensus = bft(rpc, name)
        followed = Followed(BftEvmClient(), await consensus.initial_states("bft-evm", PARAMETERS), node.now_ns)
        while node.height < node.last:
            node.height = min(node.height + step, node.last)
            head = await consensus.head()
            followed.take(
                await consensus.client_messages("bft-evm", followed.state, followed.latest, Height(0, head.height))
            )
        assert followed.latest == Height(0, node.last)
        for proof in await consensus.prove_all([(STORED,), (ABSENT,)], followed.latest, followed.state):
            assert proof.value == (COMMITMENT if proof.path == (STORED,) else None)
            followed.check(proof)


@each_bft
def test_every_block_of_goquorum_has_its_quorum_and_with_fewer_seals_it_is_refused(name):
    rules = BFT[name]
    for answer in Recorded(name).said["blocks"][1:]:
        block = decode_block(Fields("eth_getBlockByNumber", answer))
        sealed = check_seals(block, rules)
        needed = quorum_size(len(sealed.validators), rules.quorum_rule)
        assert len(sealed.committers) >= needed
        extra = decode_extra_data(sealed.header.extra_data, rules.consensus)
        fewer = encode_extra_data(replace(extra, seals=extra.seals[: needed - 1]))
        forged = decode_block(Fields("eth_getBlockByNumber", answer | {"extraData": "0x" + fewer.hex()}))
        with pytest.raises(BadAnswer, match="too few validators"):
            check_seals(forged, rules)


def test_three_seals_of_five_are_a_quorum_under_the_other_rule_alone():
    """GoQuorum with `2FPlus1Enabled` in a transition of its genesis file."""
    for answer in Recorded("qbft_2f1").said["blocks"]:
        block = decode_block(Fields("eth_getBlockByNumber", answer))
        sealed = check_seals(block, BFT["qbft_2f1"])
        if (len(sealed.committers), len(sealed.validators)) == (3, 5):
            with pytest.raises(BadAnswer, match="too few validators"):
                check_seals(block, SealRules())
            return
    pytest.fail("no block has three seals of five")


def clique(rpc, node: Recorded, epoch: int = EPOCH_LENGTH) -> CliqueConsensus:
    said = node.said
    router = RouterOnChain("clique", CHAIN_ID, bytes.fromhex(ROUTER[2:]), rpc)
    return CliqueConsensus(router, confirmations=said["confirmations"], period_s=said["period_s"], epoch_length=epoch)


@pytest.mark.parametrize("step", [1, 5, 100])
async def test_a_client_follows_geths_clique_and_knows_the_signers_that_geth_knows(step):
    node = Recorded("clique", 6)
    assert {len(signers) for signers in node.said["signers"]} == {3, 4}
    assert {block["difficulty"] for block in node.said["blocks"]} == {"0x1", "0x2"}
    async with execution(node.answers) as rpc:
        consensus = clique(rpc, node)
        followed = Followed(CliqueClient(), await consensus.initial_states("clique", PARAMETERS), node.now_ns)
        while node.height < node.last:
            node.height = min(node.height + step, node.last)
            head = await consensus.head()
            followed.take(
                await consensus.client_messages("clique", followed.state, followed.latest, Height(0, head.height))
            )
            signers = decode_consensus_state(followed.states.get(followed.latest)).snapshot.signers
            said = node.said["signers"][followed.latest.revision_height]
            assert sorted("0x" + signer.hex() for signer in signers) == sorted(said)
        assert followed.latest == Height(0, node.last - node.said["confirmations"])
        assert followed.latest.revision_height > EPOCH_LENGTH
        for proof in await consensus.prove_all([(STORED,), (ABSENT,)], followed.latest, followed.state):
            assert proof.value == (COMMITMENT if proof.path == (STORED,) else None)
            followed.check(proof)


async def test_signers_counted_from_a_later_checkpoint_are_the_same():
    whole, node = Recorded("clique"), Recorded("clique")
    async with execution(node.answers) as rpc:
        late = await clique(rpc, node).initial_states("clique", PARAMETERS)
        # the genesis block is a checkpoint of any epoch
        early = await clique(rpc, whole, 10**6).initial_states("clique", PARAMETERS)
    assert late.height == early.height and late.height.revision_height > EPOCH_LENGTH
    signers = [decode_consensus_state(states.consensus_state).snapshot.signers for states in (late, early)]
    assert signers[0] == signers[1]
