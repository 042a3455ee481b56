"""Attack checklist lines against the bft-evm client under IBFT 2.0, Istanbul and contract selection.

What the rules share is attacked under QBFT in test_attacks.py; here is what they have of their own.
"""

from dataclasses import replace

import pytest
import rlp

from hutong.light_clients.bft_evm import (
    BftEvmClient,
    Consensus,
    Header,
    QuorumRule,
    SealedBlock,
    SealRules,
    Vote,
    VoteKind,
    block_hash,
    codec,
    commit_seal_hash,
    contract,
    encode_extra_data,
    encode_header_message,
    predicates,
)
from hutong.light_clients.bft_evm.extra_data import proposer_seal_hash
from hutong.light_clients.bft_evm.predicates import quorum_size
from hutong.light_clients.bft_evm.types import MAX_CONTRACT_VALIDATORS
from hutong.light_clients.crypto import keccak256, secp256k1
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import (
    Height,
    MalformedInput,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    Updated,
)
from hutong.light_clients.protobuf import bft_evm_pb2
from tests.light_clients.bft_evm.simulated_chain import (
    CONTRACT,
    SimulatedChain,
    State,
    address_of,
    key_of,
    proof_nodes,
    slot_of,
    trusting,
)

CLIENT = BftEvmClient()
KEY = b"client-0\x01" + (7).to_bytes(8, "big")
FORK = State({slot_of(KEY): b"\x5a" * 32})
IBFT2 = SealRules(Consensus.IBFT2)
ISTANBUL = SealRules(Consensus.ISTANBUL)
SELECTED = SealRules(validator_contract=CONTRACT)

each_rule = pytest.mark.parametrize("rules", [IBFT2, ISTANBUL, SELECTED], ids=["ibft2", "istanbul", "contract"])
each_listed_rule = pytest.mark.parametrize("rules", [IBFT2, ISTANBUL], ids=["ibft2", "istanbul"])


def chain_of(rules: SealRules, validators: int = 4, blocks: int = 3) -> SimulatedChain:
    chain = SimulatedChain(validators, rules=rules)
    chain.advance(blocks)
    return chain


def judge(chain: SimulatedChain, header: Header, *trusted: int):
    client, states = trusting(chain, *(trusted or (1,)))
    return CLIENT.verify_header(client, states, encode_header_message(header), chain.now_ns)


def refused(predicate: str, chain: SimulatedChain, header: Header, *trusted: int) -> PredicateFailed:
    with pytest.raises(PredicateFailed) as caught:
        judge(chain, header, *trusted)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


def proposal(chain: SimulatedChain, number: int, state: State | None = None, **changes) -> Header:
    return chain.update(number, 1, chain.propose(number, state, **changes), state)


def with_extra(header: Header, **changes) -> Header:
    extra = replace(header.extra, **changes)
    return replace(header, extra=extra, execution=replace(header.execution, extra_data=encode_extra_data(extra)))


# quorum


@each_rule
@pytest.mark.parametrize("validators", [1, 3, 4, 5, 6, 7])
def test_attack_C1_ibft_exactly_two_thirds_rounded_up_passes_and_one_less_fails(rules, validators):
    chain = chain_of(rules, validators)
    needed = quorum_size(validators)
    assert isinstance(judge(chain, proposal(chain, 3, signers=chain.keys[-needed:])), Updated)
    error = refused("quorum_of_own_validators", chain, proposal(chain, 3, signers=chain.keys[: needed - 1]))
    assert (error.got, error.expected) == (needed - 1, f">= {needed}")


def test_attack_C1_ibft_quorum_of_two_f_plus_one_is_the_clients_choice_and_never_below_the_overlap():
    sizes = [quorum_size(count, QuorumRule.TWO_F_PLUS_ONE) for count in range(1, 11)]
    assert sizes == [1, 1, 1, 3, 3, 3, 5, 5, 5, 7]
    assert [quorum_size(count) for count in range(1, 11)] == [1, 2, 2, 3, 4, 4, 5, 6, 6, 7]
    lax = SealRules(Consensus.ISTANBUL, QuorumRule.TWO_F_PLUS_ONE)
    for rules, accepted in ((lax, True), (ISTANBUL, False)):
        chain = chain_of(rules, 6)
        header = proposal(chain, 3, signers=chain.keys[:3])
        if accepted:
            assert isinstance(judge(chain, header), Updated)
        else:
            refused("quorum_of_own_validators", chain, header)
    three = chain_of(lax, 3)
    assert judge(three, proposal(three, 3, signers=three.keys[:1])) == NotEnoughTrust(1, 2, 3)


# seals


@each_rule
def test_attack_C2_ibft_seals_that_count_twice(rules):
    chain = chain_of(rules)
    a, b, c, _ = chain.keys
    good = proposal(chain, 3, signers=[a, b, c])
    assert isinstance(judge(chain, good), Updated)
    refused("commit_seals_of_validators", chain, proposal(chain, 3, signers=[a, b, a]))
    first = good.extra.seals[0]
    high_s = (secp256k1.ORDER - int.from_bytes(first[32:64], "big")).to_bytes(32, "big")
    twin = first[:32] + high_s + bytes([first[64] ^ 1])
    refused("commit_seals_of_validators", chain, with_extra(good, seals=(*good.extra.seals, twin)))
    for v in (2, 27, 28, 255):
        other = first[:64] + bytes([v])
        refused("commit_seals_of_validators", chain, with_extra(good, seals=(other, *good.extra.seals[1:])))


@each_rule
def test_attack_C4_ibft_signatures_made_for_other_purposes_are_no_seals(rules):
    chain = chain_of(rules)
    own = proposal(chain, 3, round_number=1)
    named = block_hash(own.execution, own.extra)
    digests = [keccak256(encode_header(own.execution)), keccak256(named + b"\x01"), keccak256(named)]
    if rules.consensus is Consensus.ISTANBUL:
        digests += [named, proposer_seal_hash(own.execution, own.extra)]
    if rules.consensus is Consensus.IBFT2:
        as_qbft = replace(own.extra, consensus=Consensus.QBFT)
        digests += [named, commit_seal_hash(own.execution, as_qbft)]
    for digest in digests:
        assert digest != commit_seal_hash(own.execution, own.extra)
        others = tuple(secp256k1.sign_recoverable(key, digest) for key in chain.keys)
        refused("commit_seals_of_validators", chain, with_extra(own, seals=others))
    assert isinstance(judge(chain, own), Updated)


@each_rule
def test_attack_C5_ibft_seals_of_strangers_and_over_other_headers(rules):
    chain = chain_of(rules)
    own = chain.update(3, 1)
    stranger = key_of(99)
    error = refused("commit_seals_of_validators", chain, proposal(chain, 3, signers=[*chain.keys[:3], stranger]))
    assert error.got == address_of(stranger)
    other = proposal(chain, 3, gas_used=1)
    refused("commit_seals_of_validators", chain, with_extra(own, seals=other.extra.seals))
    assert isinstance(judge(chain, own), Updated)


def test_attack_C42_ibft2_seals_of_another_round():
    chain = chain_of(IBFT2)
    older, newer = proposal(chain, 3), proposal(chain, 3, round_number=1)
    refused("commit_seals_of_validators", chain, with_extra(newer, seals=older.extra.seals))
    assert isinstance(judge(chain, newer), Updated)


@each_rule
def test_attack_C6_ibft_extra_data_of_one_block_on_another(rules):
    chain = chain_of(rules)
    first, second = chain.update(3, 1), chain.update(4, 1)
    mixed = replace(
        first, extra=second.extra, execution=replace(first.execution, extra_data=second.execution.extra_data)
    )
    refused("commit_seals_of_validators", chain, mixed)
    assert isinstance(judge(chain, first), Updated)


@each_listed_rule
def test_attack_C7_ibft_list_exchanged_or_empty(rules):
    chain = chain_of(rules)
    own = chain.update(3, 1)
    refused("commit_seals_of_validators", chain, with_extra(own, validators=own.extra.validators[:3]))
    refused("validators_are_listed", chain, proposal(chain, 3, validators=(), signers=[]))
    attackers = [key_of(200 + n) for n in range(4)]
    listed = tuple(map(address_of, attackers))
    forged = proposal(chain, 3, validators=listed, signers=attackers, proposer=attackers[0])
    assert judge(chain, forged) == NotEnoughTrust(0, 2, 4)


def test_attack_C4_istanbul_proposer_must_be_a_validator():
    chain = chain_of(ISTANBUL)
    error = refused("proposer_is_listed", chain, proposal(chain, 3, proposer=key_of(99)))
    assert error.got == address_of(key_of(99))
    own = proposal(chain, 3)
    unsealed = with_extra(own, proposer_seal=bytes(65), seals=())
    digest = commit_seal_hash(unsealed.execution, unsealed.extra)
    seals = tuple(secp256k1.sign_recoverable(key, digest) for key in chain.keys)
    refused("proposer_is_listed", chain, with_extra(unsealed, seals=seals))
    assert isinstance(judge(chain, own), Updated)


@each_rule
@pytest.mark.parametrize("r_s", [(0, 1), (1, 0), (secp256k1.ORDER, 1), (5, 1)])
def test_attack_C14_ibft_seals_at_the_edges_of_the_curve(rules, r_s):
    chain = chain_of(rules)
    own = chain.update(3, 1)
    edge = b"".join(number.to_bytes(32, "big") for number in r_s)
    for v in (b"\x00", b"\x01"):
        refused("commit_seals_of_validators", chain, with_extra(own, seals=(*own.extra.seals[:3], edge + v)))


# what is the same block, and what is another


@each_rule
def test_attack_C15_ibft_same_height(rules):
    chain = chain_of(rules)
    client, states = trusting(chain, 1, 3)

    def verdict(header: Header):
        return CLIENT.verify_header(client, states, encode_header_message(header), chain.now_ns)

    assert verdict(chain.update(3, 1)) == NoOp(Height(0, 3))
    assert verdict(proposal(chain, 3, round_number=4, signers=chain.keys[:3])) == NoOp(Height(0, 3))
    fork = FORK if rules is not SELECTED else replace(FORK, selected=chain.states[3].selected)
    conflict = verdict(proposal(chain, 3, fork))
    assert isinstance(conflict, Misbehaved)
    assert conflict.client_state == chain.client_state(3, is_frozen=True)


@each_rule
def test_attack_C16_ibft_one_block_committed_twice_is_no_evidence(rules):
    chain = chain_of(rules)
    client, states = trusting(chain, 1)
    own = chain.update(3, 1)
    again = proposal(chain, 3, round_number=2, signers=chain.keys[1:])
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_misbehaviour(client, states, chain.misbehaviour(own, again), chain.now_ns)
    assert caught.value.predicate == "headers_conflict"
    fork = FORK if rules is not SELECTED else replace(FORK, selected=chain.states[3].selected)
    other = chain.misbehaviour(own, proposal(chain, 3, fork))
    assert CLIENT.check_misbehaviour(client, states, other, chain.now_ns).height == Height(0, 3)


@each_listed_rule
def test_attack_C20_ibft_headers_of_one_rule_are_none_of_another(rules):
    chain = chain_of(rules)
    own = chain.update(3, 1)
    _, states = trusting(chain, 1)
    for other in Consensus:
        client = chain.client_state(1, consensus=other)
        if other is rules.consensus:
            assert isinstance(CLIENT.verify_header(client, states, encode_header_message(own), chain.now_ns), Updated)
            continue
        with pytest.raises((MalformedInput, PredicateFailed)):
            CLIENT.verify_header(client, states, encode_header_message(own), chain.now_ns)


@pytest.mark.parametrize("changed", [{"difficulty": 2}, {"mix_hash": bytes(32)}, {"ommers_hash": bytes(32)}])
@each_listed_rule
def test_constant_fields_of_another_consensus_are_refused(rules, changed):
    chain = chain_of(rules)
    error = refused(f"{rules.consensus.name.lower()}_constant_fields", chain, proposal(chain, 3, **changed))
    assert next(iter(changed)) in error.reason


def test_only_an_istanbul_nonce_may_be_a_vote():
    istanbul, ibft2 = chain_of(ISTANBUL), chain_of(IBFT2)
    assert isinstance(judge(istanbul, proposal(istanbul, 3, nonce=b"\xff" * 8)), Updated)
    refused("istanbul_constant_fields", istanbul, proposal(istanbul, 3, nonce=b"\xff" * 7 + b"\0"))
    refused("ibft2_constant_fields", ibft2, proposal(ibft2, 3, nonce=b"\xff" * 8))


# contract selection


def changed_proof(header: Header, **changes) -> Header:
    assert header.validators_proof is not None
    return replace(header, validators_proof=replace(header.validators_proof, **changes))


def test_attack_C43_contract_header_at_the_very_height_of_a_validator_change():
    chain = chain_of(SELECTED)
    old = list(chain.keys)
    chain.replace_validators([1, 2, 3, 4])
    chain.advance()
    at = chain.height
    assert isinstance(judge(chain, chain.update(at, at - 1), at - 1), Updated), (
        "the block that changes is the old list's"
    )
    chain.advance()
    assert isinstance(judge(chain, chain.update(at + 1, at), at), Updated)
    stale = chain.update(at + 1, at, chain.propose(at + 1, signers=old))
    refused("commit_seals_of_validators", chain, stale, at)
    older = changed_proof(stale, slots=chain.states[at - 1].validators_proof(SealedBlock(*chain.headers[at])).slots)
    refused("node_hash_matches", chain, older, at)


def test_attack_C7_contract_list_in_the_header_is_not_read():
    chain = chain_of(SELECTED)
    listed = tuple(sorted(map(address_of, chain.keys)))
    refused("no_validators_in_header", chain, proposal(chain, 3, validators=listed))
    voted = with_extra(proposal(chain, 3), vote=Vote(listed[0], VoteKind.ADD))
    refused("no_validators_in_header", chain, voted)
    attackers = [key_of(200 + n) for n in range(4)]
    refused("commit_seals_of_validators", chain, proposal(chain, 3, signers=attackers))


def test_attack_C7_contract_parent_that_is_not_the_headers():
    chain = chain_of(SELECTED)
    good = chain.update(3, 1)
    assert isinstance(judge(chain, good), Updated)
    for parent in (chain.headers[1], chain.headers[3], chain.propose(2, gas_used=1)):
        refused("parent_is_linked", chain, changed_proof(good, parent=SealedBlock(*parent)))
    bare = replace(good.validators_proof.parent.extra, seals=(), round=0)
    execution = replace(good.validators_proof.parent.execution, extra_data=encode_extra_data(bare))
    assert isinstance(judge(chain, changed_proof(good, parent=SealedBlock(execution, bare))), Updated)


def test_attack_B37_contract_proofs_of_other_accounts_slots_and_orders():
    chain = chain_of(SELECTED)
    good = chain.update(4, 1)
    proof = good.validators_proof
    length, *elements = proof.slots
    state = chain.states[3]
    router = proof_nodes(state.account_trie, state.router)
    other_slot = proof_nodes(state.contract_trie, bytes(32))
    for changes in (
        {"account_proof": router},
        {"account_proof": ()},
        {"account_proof": proof.account_proof[:-1]},
        {"slots": (other_slot, *elements)},
        {"slots": (length, *reversed(elements))},
        {"slots": (length, *elements[:-1])},
        {"slots": (length, *elements, elements[0])},
        {"slots": (length, *elements[:-1], elements[0])},
        {"slots": ()},
    ):
        with pytest.raises(PredicateFailed):
            judge(chain, changed_proof(good, **changes))
    assert isinstance(judge(chain, good), Updated)


def test_attack_C1_contract_list_cut_to_fit_the_seals():
    """Two seals are the quorum of three, not of the four that the contract selects."""
    chain = chain_of(SELECTED)
    few = proposal(chain, 3, signers=chain.keys[:2])
    error = refused("quorum_of_own_validators", chain, few)
    assert (error.got, error.expected) == (2, ">= 3")
    error = refused(contract.PROVEN, chain, changed_proof(few, slots=few.validators_proof.slots[:-1]))
    assert (error.got, error.expected) == (3, 4)


def test_attack_B36_contract_that_selects_nobody_or_is_not_there():
    chain = SimulatedChain(rules=SELECTED)
    for selected, reason in (((), "lists no validators"), (None, "no contract at")):
        forged = SimulatedChain(rules=SELECTED)
        forged.states[1] = replace(forged.states[1], selected=selected)
        forged.headers[1] = forged.propose(1, forged.states[1])
        forged.advance()
        with pytest.raises(PredicateFailed, match=reason):
            judge(forged, forged.update(2, 1))
    chain.advance()
    assert isinstance(judge(chain, chain.update(2, 1)), Updated)


def test_attack_B38_contract_words_that_are_no_addresses():
    for word in (b"\x01" + bytes(31), b"\x01" * 21):
        chain = SimulatedChain(rules=SELECTED)
        listed = tuple(map(address_of, chain.keys))
        chain.states[1] = replace(chain.states[1], selected=(*listed[:3], word))
        chain.headers[1] = chain.propose(1, chain.states[1])
        chain.advance()
        refused(contract.PROVEN, chain, chain.update(2, 1))


def test_attack_C2_contract_that_lists_a_validator_twice():
    chain = SimulatedChain(rules=SELECTED)
    listed = tuple(map(address_of, chain.keys))
    chain.states[1] = replace(chain.states[1], selected=(*listed, listed[0]))
    chain.headers[1] = chain.propose(1, chain.states[1])
    chain.advance()
    refused("validators_are_listed", chain, chain.update(2, 1))


def test_attack_B40_contract_list_without_a_proof_and_proof_where_none_belongs():
    chain, listed = chain_of(SELECTED), chain_of(SealRules())
    bare = bft_evm_pb2.Header.FromString(encode_header_message(chain.update(3, 1)))
    bare.ClearField("validators_proof")
    bare.ClearField("parent_header_rlp")
    client, states = trusting(chain, 1)
    with pytest.raises(MalformedInput):
        CLIENT.verify_header(client, states, bare.SerializeToString(deterministic=True), chain.now_ns)
    surplus = replace(listed.update(3, 1), validators_proof=chain.update(3, 1).validators_proof)
    with pytest.raises(MalformedInput) as caught:
        judge(listed, surplus)
    assert caught.value.field == "header.validators_proof"


# bounds: work is counted, not timed


class Counted:
    def __init__(self, monkeypatch, module, name: str) -> None:
        self.calls = 0
        real = getattr(module, name)

        def counting(*args, **kwargs):
            self.calls += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)


@pytest.mark.parametrize("rules", [SealRules(), IBFT2, ISTANBUL], ids=["qbft", "ibft2", "istanbul"])
def test_attack_C12_bft_evm_ten_thousand_validators_cost_no_signature(monkeypatch, rules):
    chain = chain_of(rules)
    recovered = Counted(monkeypatch, predicates, "recover_eth_address")
    hashed = Counted(monkeypatch, codec, "encode_header")
    listed = tuple(number.to_bytes(20, "big") for number in range(1, 10_001))
    own = chain.update(3, 1)
    extra = replace(own.extra, validators=listed, seals=own.extra.seals * 2_500)
    data = encode_extra_data(extra)
    execution = replace(own.execution, extra_data=b"")
    raw = rlp.encode([data if index == 12 else item for index, item in enumerate(rlp.decode(encode_header(execution)))])
    message = bft_evm_pb2.Header(header_rlp=raw)
    message.trusted_height.revision_height = 1
    client, states = trusting(chain, 1)
    with pytest.raises(MalformedInput):
        CLIENT.verify_header(client, states, message.SerializeToString(deterministic=True), chain.now_ns)
    assert recovered.calls == hashed.calls == 0


def test_attack_C12_contract_of_too_many_validators_is_not_walked(monkeypatch):
    chain = chain_of(SELECTED)
    own = chain.update(3, 1)
    walked = Counted(monkeypatch, contract, "verify_storage")
    for count in (MAX_CONTRACT_VALIDATORS + 1, 10_000):
        with pytest.raises(MalformedInput):
            judge(chain, changed_proof(own, slots=((b"\x80",),) * (count + 1)))
    assert walked.calls == 0
    with pytest.raises(PredicateFailed):
        judge(chain, changed_proof(own, slots=((b"\x80",),) * (MAX_CONTRACT_VALIDATORS + 1)))
    assert walked.calls == 1, "the length is read first, and 500 elements are not its number"


@pytest.mark.parametrize(
    "rules", [SealRules(), IBFT2, ISTANBUL, SELECTED], ids=["qbft", "ibft2", "istanbul", "contract"]
)
def test_attack_C12_bft_evm_header_of_ten_megabytes_is_not_decoded(monkeypatch, rules):
    chain = chain_of(rules)
    decoded = Counted(monkeypatch, codec, "decode_header")
    client, states = trusting(chain, 1)
    for size in (10 * 1024 * 1024, codec.MAX_HEADER_BYTES + 1):
        with pytest.raises(MalformedInput):
            CLIENT.verify_header(client, states, b"\x12" * size, chain.now_ns)
        with pytest.raises(MalformedInput):
            CLIENT.check_misbehaviour(client, states, b"\x0a" * (2 * size), chain.now_ns)
    assert decoded.calls == 0
