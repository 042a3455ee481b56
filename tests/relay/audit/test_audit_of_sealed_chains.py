"""Auditors judge IBFT 2.0 and Istanbul headers by the client's own rules; what they cannot judge is named."""

import json
from dataclasses import replace

import pytest

from hutong.light_clients.bft_evm import (
    BftEvmClient,
    Consensus,
    QuorumRule,
    SealRules,
    block_hash,
    encode_extra_data,
)
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import (
    VERIFY,
    Height,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
    audit,
)
from hutong.relay.archive.bundle import ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import BftEvmTrust, Checkpoint, decode_checkpoint, encode_checkpoint
from hutong.relay.audit.bft_evm import BftEvmRules
from hutong.relay.core.archiving.bundling.known import kind_of, known_header, seal_rules_of
from tests.light_clients.bft_evm.simulated_chain import CONTRACT, ROUTER, SimulatedChain, proof_nodes

RULES = {
    "ibft2": SealRules(Consensus.IBFT2),
    "istanbul": SealRules(Consensus.ISTANBUL, QuorumRule.TWO_F_PLUS_ONE),
}
each_rule = pytest.mark.parametrize("rules", RULES.values(), ids=RULES)


def chain_of(rules: SealRules) -> SimulatedChain:
    chain = SimulatedChain(5, rules=rules)
    chain.advance(4)
    return chain


def checkpoint_of(chain: SimulatedChain, height: int = 2) -> Checkpoint:
    header, extra = chain.headers[height]
    return Checkpoint(
        chain_id="1337",
        kind=ChainKind.BFT_EVM,
        height=height,
        hash=block_hash(header, extra),
        time_ns=header.timestamp_s * 10**9,
        trusting_period_s=1_000,
        max_clock_drift_s=15,
        clients={},
        trust=BftEvmTrust(ROUTER, chain.rules.consensus, chain.rules.quorum_rule),
        header=None,
    )


def entry(chain: SimulatedChain, height: int, *, bare: bool = False) -> HeaderEntry:
    header, extra = chain.headers[height]
    if bare:
        header = replace(header, extra_data=encode_extra_data(extra.without_seals_and_round()))
    nodes = proof_nodes(chain.states[height].account_trie, ROUTER)
    return HeaderEntry(encode_header(header), None, nodes)


@each_rule
def test_headers_are_believed_by_their_seals_and_bare_ones_by_their_hash(rules):
    chain = chain_of(rules)
    rules_of_chain = BftEvmRules(checkpoint_of(chain), checkpoint_of(chain).trust, ())
    trusted, block = rules_of_chain.parse(entry(chain, 2)), rules_of_chain.parse(entry(chain, 5))
    rules_of_chain.judge_seals(VERIFY, block)
    verdicts = audit(rules_of_chain.judge_forward, block, trusted, chain.now_ns)
    assert all(verdict.held for verdict in verdicts)
    assert f"{rules.consensus.name.lower()}_constant_fields" in [verdict.name for verdict in verdicts]
    found = rules_of_chain.judge_state(VERIFY, block)
    assert found.consensus_state == chain.consensus_state(5)
    BftEvmClient().create(found.client_state, found.consensus_state, chain.now_ns)
    bare = rules_of_chain.parse(entry(chain, 4, bare=True))
    assert bare.is_bare
    assert bare.hash == block.parent_hash


@each_rule
def test_seals_that_are_not_enough_are_named(rules):
    chain = chain_of(rules)
    chain.headers[5] = chain.propose(5, signers=chain.keys[:2])
    rules_of_chain = BftEvmRules(checkpoint_of(chain), checkpoint_of(chain).trust, ())
    with pytest.raises(PredicateFailed) as caught:
        rules_of_chain.judge_seals(VERIFY, rules_of_chain.parse(entry(chain, 5)))
    assert caught.value.predicate == "quorum_of_own_validators"


@each_rule
def test_checkpoints_name_the_rule_and_have_one_form(rules):
    checkpoint = checkpoint_of(chain_of(rules))
    encoded = encode_checkpoint(checkpoint)
    assert decode_checkpoint(encoded) == checkpoint
    document = json.loads(encoded)
    assert document["consensus"] == rules.consensus.name.lower()
    for changed in ({"consensus": "qbft"}, {"consensus": "clique"}, {"quorum_rule": "half"}, {"consensus": 2}):
        with pytest.raises(MalformedInput):
            decode_checkpoint(json.dumps(document | changed).encode())


def test_a_qbft_checkpoint_says_nothing_of_it():
    checkpoint = checkpoint_of(chain_of(SealRules()))
    document = json.loads(encode_checkpoint(checkpoint))
    assert not {"consensus", "quorum_rule"} & set(document)
    assert decode_checkpoint(json.dumps(document).encode()) == checkpoint


@each_rule
def test_evidence_is_taken_apart_by_the_clients_rules(rules):
    chain = chain_of(rules)
    assert seal_rules_of(ChainKind.BFT_EVM, chain.client_state(2)) == rules
    known = known_header(ChainKind.BFT_EVM, chain.header(5, 2), rules)
    assert (known.height, known.entry.header) == (5, encode_header(chain.headers[5][0]))
    with pytest.raises(MalformedInput):
        known_header(ChainKind.BFT_EVM, chain.header(5, 2), SealRules())


def test_what_bundles_do_not_carry_is_named():
    with pytest.raises(UnsupportedOperation, match="bitcoin"):
        kind_of("bitcoin", b"")
    selected = SimulatedChain(rules=SealRules(validator_contract=CONTRACT)).client_state(1)
    assert kind_of("bft-evm", selected) is ChainKind.BFT_EVM_CONTRACT, "its lists are in no header"
    with pytest.raises(UnsupportedOperation, match="bft-evm-contract"):
        kind_of("bft-evm-contract", selected)
    assert seal_rules_of(ChainKind.BFT_EVM_CONTRACT, selected).validator_contract == CONTRACT
    assert kind_of("bft-evm", SimulatedChain().client_state(1)) is ChainKind.BFT_EVM
    assert BftEvmRules(checkpoint_of(chain_of(SealRules())), BftEvmTrust(ROUTER), ()).height_of(3) == Height(0, 3)


def test_what_was_read_by_one_rule_is_not_taken_for_another():
    """An auditor remembers headers that it has read; two chains may have headers of the same bytes, and other rules."""
    readings = {
        BftEvmRules(checkpoint_of(chain_of(rules)), BftEvmTrust(ROUTER, rules.consensus), ()).reading
        for rules in (SealRules(), *RULES.values())
    }
    assert len(readings) == 3
