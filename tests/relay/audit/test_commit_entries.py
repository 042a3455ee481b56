"""Commits and validator sets of many validators in a bundle: all of them is read, also above two thirds, where a light
client stops."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VerificationError
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash
from hutong.light_clients.tendermint.predicates import CommitSignatures, two_thirds_signed
from hutong.light_clients.tendermint.types import ABSENT_SIGNATURE, BlockIdFlag, Commit, TrustLevel, ValidatorSet
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust
from hutong.relay.audit.chains import ChainCase, judge_chain
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.memory import HeaderMemory
from hutong.relay.audit.tendermint import TendermintRules, canonical_validator_set
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers

TRUST = TendermintTrust(TrustLevel(1, 3), (b"",), ("smt",))


@pytest.fixture(scope="module")
def chain() -> SimulatedChain:
    made = SimulatedChain()
    for _ in range(5):
        made.advance()
    return made


def checkpoint_of(chain: SimulatedChain, index: int = 0) -> Checkpoint:
    header = chain.blocks[index].header
    return Checkpoint(
        chain.chain_id,
        ChainKind.TENDERMINT,
        header.height,
        header_hash(header),
        header.time_ns,
        604_800,
        10,
        {},
        TRUST,
        codec.encode_header(header),
    )


def sets_of(*sets: ValidatorSet) -> tuple[bytes, ...]:
    named = {validator_set_hash(one): codec.encode_validator_set(canonical_validator_set(one)) for one in sets}
    return tuple(named[name] for name in sorted(named))


def headers_of(chain: SimulatedChain, index: int, commit: Commit | None = None, sets=None) -> ChainHeaders:
    block = chain.blocks[index]
    entry = HeaderEntry(codec.encode_header(block.header), codec.encode_commit(commit or block.signed_header.commit))
    encoded = sets_of(block.validators, chain.blocks[0].next_validators) if sets is None else sets
    return ChainHeaders(chain.chain_id, ChainKind.TENDERMINT, (entry,), encoded)


def refusal(chain: SimulatedChain, headers: ChainHeaders, memory: HeaderMemory | None = None) -> str | None:
    root = checkpoint_of(chain)
    memory = memory or HeaderMemory()
    rules = TendermintRules(root, TRUST, headers.validator_sets, memory)
    case = ChainCase(None, headers, root, rules, frozenset())
    now_ns = chain.blocks[-1].header.time_ns + NANOSECONDS_PER_SECOND
    inquiry = Inquiry()
    try:
        judge_chain(inquiry, case, now_ns, memory)
    except VerificationError as error:
        assert inquiry.refused_by_a_rule(error)
        return inquiry.failure.check.name
    return None


def with_entry(commit: Commit, index: int, **fields) -> Commit:
    entries = list(commit.signatures)
    entries[index] = replace(entries[index], **fields)
    return replace(commit, signatures=tuple(entries))


def test_every_entry_of_an_honest_commit_is_good_and_absent_ones_are_no_fault(chain):
    assert refusal(chain, headers_of(chain, 3)) is None
    commit = chain.blocks[3].signed_header.commit
    entries = (*commit.signatures[:3], ABSENT_SIGNATURE)
    assert refusal(chain, headers_of(chain, 3, replace(commit, signatures=entries))) is None


@pytest.mark.parametrize("index", range(4))
def test_a_changed_byte_in_any_entry_is_refused(chain, index):
    commit = chain.blocks[3].signed_header.commit
    signature = bytearray(commit.signatures[index].signature)
    signature[5] ^= 1
    changed = with_entry(commit, index, signature=bytes(signature))
    found = refusal(chain, headers_of(chain, 3, changed))
    if index == 3:  # three of four are more than two thirds: a light client reads no further
        two_thirds_signed(chain.blocks[3].validators, changed, CommitSignatures(chain.chain_id, changed))
        assert found == "every_entry_signed"
    else:
        assert found in ("trusted_power_signed", "two_thirds_signed")
    later = with_entry(commit, index, timestamp_ns=commit.signatures[index].timestamp_ns + 1)
    assert refusal(chain, headers_of(chain, 3, later)) in (
        "trusted_power_signed",
        "two_thirds_signed",
        "every_entry_signed",
    )


def test_votes_for_nil_and_strange_addresses_have_no_place(chain):
    commit = chain.blocks[3].signed_header.commit
    nil = with_entry(commit, 3, block_id_flag=BlockIdFlag.NIL)
    assert refusal(chain, headers_of(chain, 3, nil)) == "every_entry_signed"
    strange = with_entry(commit, 3, validator_address=commit.signatures[0].validator_address)
    assert refusal(chain, headers_of(chain, 3, strange)) == "every_entry_signed"


def test_remembered_header_with_another_commit_is_judged_anew(chain):
    memory = HeaderMemory()
    assert refusal(chain, headers_of(chain, 3), memory) is None
    assert refusal(chain, headers_of(chain, 3), memory) is None
    commit = chain.blocks[3].signed_header.commit
    changed = with_entry(commit, 0, signature=bytes(64))
    assert refusal(chain, headers_of(chain, 3, changed), memory) is not None


def test_validator_sets_say_what_their_hash_commits_to_and_are_named_by_a_header(chain):
    block = chain.blocks[3]
    (honest,) = sets_of(block.validators)
    first, *others = block.validators.validators
    with_priority = replace(block.validators, validators=(replace(first, proposer_priority=7), *others))
    assert refusal(chain, headers_of(chain, 3, sets=(codec.encode_validator_set(with_priority),))) == (
        "validator_sets_are_canonical"
    )
    claimed = replace(canonical_validator_set(block.validators), claimed_total_voting_power=40)
    assert refusal(chain, headers_of(chain, 3, sets=(codec.encode_validator_set(claimed),))) == (
        "validator_sets_are_canonical"
    )
    stranger = SimulatedChain("other-1", dict.fromkeys(signers(2, label="stranger"), 5)).blocks[0].validators
    assert refusal(chain, headers_of(chain, 3, sets=sets_of(block.validators, stranger))) == "validator_sets_are_named"
    assert refusal(chain, headers_of(chain, 3, sets=())) == "validators_in_bundle"
    assert refusal(chain, headers_of(chain, 3, sets=(honest, honest))) == "validator_sets_are_canonical"
    assert refusal(chain, headers_of(chain, 3, sets=(honest,))) is None


def test_attack_H_remembered_validators_with_the_same_hash_and_another_address_are_judged_anew(chain):
    """A set's hash says nothing of addresses: one that was sound under its bytes vouches for no other bytes."""
    memory = HeaderMemory()
    assert refusal(chain, headers_of(chain, 3), memory) is None
    first, *others = chain.blocks[3].validators.validators
    forged = ValidatorSet.of((replace(first, address=others[0].address), *others))
    assert validator_set_hash(forged) == validator_set_hash(chain.blocks[3].validators)
    sets = (codec.encode_validator_set(canonical_validator_set(forged)),)
    assert refusal(chain, headers_of(chain, 3, sets=sets), memory) == "validator_sets_are_sound"


def test_validator_sets_are_remembered_only_where_a_header_names_every_one(chain):
    """A bundle may bring a thousand large sets that nothing asked for."""
    memory = HeaderMemory()
    strangers = SimulatedChain("other-1", dict.fromkeys(signers(2, label="stranger"), 5)).blocks[0].validators
    sets = sets_of(chain.blocks[3].validators, strangers)
    assert refusal(chain, headers_of(chain, 3, sets=sets), memory) == "validator_sets_are_named"
    assert len(memory.validator_sets) == 0
    (honest,) = sets_of(chain.blocks[3].validators)
    assert refusal(chain, headers_of(chain, 3), memory) is None
    assert memory.validator_sets.get(honest) is not None and len(memory.validator_sets) == 1


def test_changed_validators_vouch_through_a_header_in_between():
    made = SimulatedChain(members=dict.fromkeys(signers(4), 10))
    made.advance()
    made.set_members(dict.fromkeys(signers(4, label="later"), 10))
    for _ in range(4):
        made.advance()
    last = made.blocks[-1]
    alone = headers_of(made, -1, sets=sets_of(last.validators, made.blocks[0].next_validators))
    assert refusal(made, alone) == "trusted_power_signed"
    entries = []
    for block in made.blocks[1:]:
        commit = codec.encode_commit(block.signed_header.commit)
        entries.append(HeaderEntry(codec.encode_header(block.header), commit))
    sets = sets_of(*(block.validators for block in made.blocks), *(block.next_validators for block in made.blocks))
    whole = ChainHeaders(made.chain_id, ChainKind.TENDERMINT, tuple(entries), sets)
    assert refusal(made, whole) is None


def test_remembered_header_is_judged_anew_from_another_trusted_one():
    """Too few of those whom the checkpoint names signed the last header: that another bundle led to it step by step is
    no help to one that does not."""
    made = SimulatedChain(members=dict.fromkeys(signers(4), 10))
    made.advance()
    made.set_members(dict.fromkeys(signers(4, label="later"), 10))
    for _ in range(4):
        made.advance()
    sets = sets_of(made.blocks[-1].validators, made.blocks[0].next_validators)
    alone = headers_of(made, -1, sets=sets)
    entries = tuple(headers_of(made, index).headers[0] for index in range(1, len(made.blocks)))
    memory = HeaderMemory()
    assert refusal(made, replace(alone, headers=entries), memory) is None
    assert refusal(made, alone, memory) == "trusted_power_signed"
