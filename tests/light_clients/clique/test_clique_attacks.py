"""Attack checklist lines against the clique client, each refusal beside a twin that differs in the attacked part only."""

from dataclasses import replace

import pytest

from hutong.light_clients.clique import (
    CliqueClient,
    Header,
    Misbehaviour,
    Vote,
    codec,
    decode_client_state,
    decode_consensus_state,
    encode_consensus_state,
    encode_header_message,
    encode_misbehaviour,
    predicates,
    recover_signer,
    sealed_block,
)
from hutong.light_clients.clique.snapshot import NONCE_ADD, recents_before
from hutong.light_clients.clique.types import MAX_HEADERS, MAX_OPEN_VOTES, MAX_SIGNERS
from hutong.light_clients.crypto import keccak256, secp256k1
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    Misbehaved,
    NoOp,
    PredicateFailed,
    UnknownHeight,
    Updated,
    VerificationError,
)
from hutong.light_clients.protobuf import clique_pb2, ibc_pb2
from tests.light_clients.bft_evm.simulated_chain import EMPTY_ROOT, ROUTER, State, proof_nodes, slot_of
from tests.light_clients.clique.simulated_clique_chain import (
    PERIOD_S,
    Branch,
    SimulatedCliqueChain,
    address_of,
    key_of,
    seal,
    trusting,
)

CLIENT = CliqueClient()
KEY = b"client-0\x01" + (7).to_bytes(8, "big")
VALUE = b"\x5a" * 32


def chain_of(signers: int = 3, blocks: int = 12, **kwargs) -> SimulatedCliqueChain:
    chain = SimulatedCliqueChain(signers, **kwargs)
    chain.main.advance(blocks)
    return chain


class Stored:
    """A client that was created at a height, and what it has stored since."""

    def __init__(self, chain: SimulatedCliqueChain, height: int = 2) -> None:
        self.chain = chain
        self.state, self.states = trusting(chain, height)
        self.now_ns = chain.time_ns(chain.main.height)

    def judge(self, header: Header | bytes, now_ns: int | None = None):
        message = header if isinstance(header, bytes) else encode_header_message(header)
        return CLIENT.verify_header(self.state, self.states, message, self.now_ns if now_ns is None else now_ns)

    def update(self, header: Header) -> Updated:
        verdict = self.judge(header)
        assert isinstance(verdict, Updated), verdict
        self.state = verdict.client_state
        self.states = self.states.with_state(verdict.height, verdict.consensus_state)
        return verdict

    def refused(self, predicate: str, header: Header, now_ns: int | None = None) -> PredicateFailed:
        with pytest.raises(PredicateFailed) as caught:
            self.judge(header, now_ns)
        assert caught.value.predicate == predicate, caught.value
        return caught.value


def update_of(chain: SimulatedCliqueChain, branch: Branch, height: int, trusted: int = 2) -> Header:
    """Everything that the branch has, to believe `height`."""
    return chain.update(height, trusted, branch, branch.height)


def with_block(branch: Branch, number: int, block) -> Branch:
    """The branch with another block in one place: what stands above does not know."""
    changed = branch.fork(branch.height)
    changed.blocks[number - 1] = replace(changed.at(number), block=block)
    return changed


# who sealed


def test_attack_C5_clique_seal_over_another_header():
    chain, client = chain_of(), Stored(chain_of())
    own = chain.main.at(5).block
    assert isinstance(client.judge(chain.update(5, 2)), Updated)
    stolen = sealed_block(
        replace(own.execution, extra_data=own.execution.extra_data[:-65] + chain.main.at(6).block.seal)
    )
    top = with_block(chain.main.fork(5), 5, stolen)
    with pytest.raises(PredicateFailed) as caught:
        client.judge(chain.update(3, 2, top, 5))
    assert caught.value.predicate == "signer_is_authorized"


def test_attack_C5_clique_seal_of_a_stranger():
    chain, client = chain_of(), Stored(chain_of())
    branch = chain.main.fork(4)
    sealed, _ = branch.propose(key=key_of(99))
    branch.add(sealed)
    error = client.refused("signer_is_authorized", update_of(chain, branch, 3))
    assert error.got == address_of(key_of(99))


def test_attack_C2_clique_signer_that_seals_too_often():
    """One of any ⌊n/2⌋ + 1 blocks in a row: so a minority can never lengthen a branch on its own."""
    chain, client = chain_of(5), Stored(chain_of(5))
    for back in (1, 2, 3):
        branch = chain.main.fork(6)
        signer = branch.snapshot.recents[-back]
        sealed, _ = branch.propose(signer)
        branch.add(sealed)
        if back < 3:
            error = client.refused("signer_is_not_recent", update_of(chain, branch, 4))
            assert error.got == signer
        else:
            assert isinstance(client.judge(update_of(chain, branch, 5)), Updated)


def test_attack_C1_clique_a_minority_is_never_enough():
    """Two of five build as long as they may; with one more, a majority has sealed."""
    chain = chain_of(5, confirmations=1)
    client = Stored(chain, 6)
    branch = chain.main.fork(6)
    free = [signer for signer in branch.snapshot.signers if signer not in recents_before(branch.snapshot)]
    branch.advance(1, free[0])
    branch.advance(1, free[1])
    error = client.refused("majority_of_signers_sealed", update_of(chain, branch, 7, 6))
    assert (error.got, error.expected) == (2, ">= 3 of 5")
    with pytest.raises(PredicateFailed) as caught:
        again = branch.fork(branch.height)
        again.add(again.propose(free[0])[0])
        client.judge(update_of(chain, again, 7, 6))
    assert caught.value.predicate == "signer_is_not_recent"
    branch.advance(1)
    assert isinstance(client.judge(update_of(chain, branch, 7, 6)), Updated)


def test_attack_C42_clique_seal_of_another_height_or_chain():
    chain = chain_of()
    client = Stored(chain)
    other = SimulatedCliqueChain(4)
    other.main.advance(12)
    client.refused("blocks_are_linked", other.update(5, 2))
    mixed = replace(chain.update(5, 2), blocks=(*chain.update(5, 2).blocks[:-1], other.main.at(7).block))
    client.refused("blocks_are_linked", mixed)


@pytest.mark.parametrize("v", [2, 26, 27, 28, 255])
def test_attack_D2_clique_only_one_form_of_v_is_read(v):
    chain = chain_of()
    client = Stored(chain)
    tip = chain.main.at(7).block
    odd = sealed_block(replace(tip.execution, extra_data=tip.execution.extra_data[:-1] + bytes([v])))
    client.refused("seal_is_a_signature", chain.update(5, 2, with_block(chain.main, 7, odd), 7))


@pytest.mark.parametrize("r_s", [(0, 0), (0, 1), (1, 0), (secp256k1.ORDER, 1), (1, secp256k1.ORDER), (5, 1)])
def test_attack_C14_clique_seals_at_the_edges_of_the_curve(r_s):
    chain = chain_of()
    client = Stored(chain)
    tip = chain.main.at(7).block
    edge = b"".join(number.to_bytes(32, "big") for number in r_s)
    for v in (b"\x00", b"\x01"):
        odd = sealed_block(replace(tip.execution, extra_data=tip.execution.extra_data[:-65] + edge + v))
        client.refused("seal_is_a_signature", chain.update(5, 2, with_block(chain.main, 7, odd), 7))


def test_attack_D2_clique_high_s_twin_is_the_same_signer_and_never_a_second_one():
    """Nodes take both forms and the seal is in the block hash, so the twin is another block by the same signer: it is read,
    and it takes the signer's one place."""
    chain = chain_of()
    client = Stored(chain)
    tip = chain.main.at(7).block
    high_s = (secp256k1.ORDER - int.from_bytes(tip.seal[32:64], "big")).to_bytes(32, "big")
    twin = sealed_block(
        replace(
            tip.execution,
            extra_data=tip.execution.extra_data[:-65] + tip.seal[:32] + high_s + bytes([tip.seal[64] ^ 1]),
        )
    )
    assert twin.hash != tip.hash
    assert recover_signer(twin) == recover_signer(tip)
    assert isinstance(client.judge(chain.update(5, 2, with_block(chain.main, 7, twin), 7)), Updated)
    branch = with_block(chain.main.fork(7), 7, twin)
    sealed, _ = branch.propose(recover_signer(twin))
    branch.add(sealed)
    client.refused("signer_is_not_recent", update_of(chain, branch, 5))


# turns, times, links


def test_attack_C51_clique_difficulty_that_is_not_the_turns():
    chain = chain_of(5)
    client = Stored(chain)
    for signer in chain.main.fork(6).allowed()[:2]:
        branch = chain.main.fork(6)
        honest, _ = branch.propose(signer)
        lying, _ = branch.propose(signer, difficulty=3 - honest.block.execution.difficulty)
        branch.add(lying)
        client.refused("difficulty_is_of_the_turn", update_of(chain, branch, 4))
        good = chain.main.fork(6)
        good.add(honest)
        assert isinstance(client.judge(update_of(chain, good, 4)), Updated)


@pytest.mark.parametrize("difficulty", [0, 3, 2**255])
def test_attack_C51_clique_difficulty_that_no_turn_has(difficulty):
    chain = chain_of()
    client = Stored(chain)
    branch = chain.main.fork(6)
    branch.add(branch.propose(difficulty=difficulty)[0])
    client.refused("clique_constant_fields", update_of(chain, branch, 4))


def test_attack_C51_clique_lighter_branch_is_not_taken_above_what_was_shown():
    """Block 7 was believed under 8 and 9. A branch that leaves at 7 over lighter blocks, for a new height, must outweigh it."""
    chain = chain_of(5)
    client = Stored(chain)
    client.update(chain.update(7, 2))
    heavy = chain.main.at(9).total_difficulty
    light = chain.main.fork(7)
    while light.height < 10:
        light.advance(1, light.allowed()[-1])
    assert light.at(10).total_difficulty <= heavy
    error = client.refused("branch_is_heaviest", update_of(chain, light, 8))
    assert (error.got, error.expected) == (light.at(10).total_difficulty, f"> {heavy}")
    light.advance(2)
    client.refused("branch_is_heaviest", update_of(chain, light, 8))
    assert isinstance(client.judge(update_of(chain, light, 10)), Updated), "with more work it is taken"


def test_attack_C51_clique_branch_of_equal_weight_does_not_displace_the_first():
    chain = chain_of(5)
    client = Stored(chain)
    client.update(chain.update(7, 2))
    shown = decode_client_state(client.state)
    assert (shown.head_total_difficulty, shown.head_hash) == (
        chain.main.at(9).total_difficulty,
        chain.main.at(9).block.hash,
    )
    same = decode_client_state(chain.client_state(7))
    predicates.branch_is_heaviest(shown, shown.head_total_difficulty, shown.head_hash)
    with pytest.raises(PredicateFailed):
        predicates.branch_is_heaviest(shown, shown.head_total_difficulty, same.head_hash)


def test_attack_C51_clique_long_branch_is_no_bar_for_those_who_follow_in_steps():
    """Somebody believes one block with forty on top: the next updates, with as few as are asked for, still pass."""
    chain = chain_of(5, 50)
    client = Stored(chain)
    client.update(chain.update(3, 2, tip=45))
    for height in (4, 6, 20):
        client.update(chain.update(height, 3))


def test_attack_C53_clique_parent_height_and_time_of_the_period():
    chain = chain_of()
    client = Stored(chain)
    for changed in ({"parent_hash": b"\x01" * 32}, {"number": 8}, {"number": 6}):
        branch = chain.main.fork(6)
        branch.add(branch.propose(**changed)[0])
        client.refused("blocks_are_linked", update_of(chain, branch, 4))
    parent_s = chain.main.at(6).block.execution.timestamp_s
    for early_s in (parent_s + PERIOD_S - 1, parent_s - 1, 0):
        branch = chain.main.fork(6)
        branch.add(branch.propose(timestamp_s=early_s)[0])
        client.refused("times_keep_the_period", update_of(chain, branch, 4))
    gap = chain.update(5, 2)
    client.refused("blocks_are_linked", replace(gap, blocks=gap.blocks[1:]))
    client.refused("blocks_are_linked", replace(gap, blocks=(*gap.blocks[:2], *gap.blocks[3:])))
    client.refused("blocks_are_linked", replace(gap, number=100))
    assert isinstance(client.judge(gap), Updated)


@pytest.mark.parametrize(
    "changed",
    [{"ommers_hash": bytes(32)}, {"mix_hash": b"\x01" * 32}, {"nonce": b"\0" * 7 + b"\1"}, {"extra_data": bytes(52)}],
)
def test_constant_fields_of_another_consensus_are_refused(changed):
    chain = chain_of()
    client = Stored(chain)
    branch = chain.main.fork(6)
    branch.add(branch.propose(**changed)[0])
    client.refused("clique_constant_fields", update_of(chain, branch, 4))


@pytest.mark.parametrize("length", [0, 96, 98, 116, 118])
def test_extra_data_that_is_no_vanity_addresses_and_seal_is_malformed(length):
    chain = chain_of()
    client = Stored(chain)
    message = clique_pb2.Header.FromString(encode_header_message(chain.update(5, 2)))
    odd = replace(chain.main.at(7).block.execution, extra_data=bytes(length))
    message.headers_rlp[-1] = encode_header(odd)
    with pytest.raises(MalformedInput) as caught:
        client.judge(message.SerializeToString(deterministic=True))
    assert caught.value.field == "header.extra_data"


# checkpoints and votes


def test_attack_C7_clique_checkpoint_that_lists_other_signers():
    chain = SimulatedCliqueChain(epoch=6)
    chain.main.advance(10)
    client = Stored(chain)
    assert isinstance(client.judge(chain.update(7, 2)), Updated)
    own = chain.main.snapshot.signers
    for listed in (own[:-1], (*own[:-1], address_of(key_of(50))), own[::-1], (*own, address_of(key_of(50)))):
        branch = chain.main.fork(5)
        branch.add(branch.propose(extra_data=bytes(32) + b"".join(listed))[0])
        client.refused("checkpoint_lists_signers", update_of(chain, branch, 3))
    for changed in ({"extra_data": bytes(32)}, {"nonce": NONCE_ADD}, {"beneficiary": b"\x01" * 20}):
        branch = chain.main.fork(5)
        branch.add(branch.propose(**changed)[0])
        client.refused("clique_constant_fields", update_of(chain, branch, 3))


def test_attack_C43_clique_signer_voted_in_and_out_within_an_update():
    chain = SimulatedCliqueChain()
    chain.main.advance(3)
    client = Stored(chain)
    newcomer = chain.know(50)
    chain.main.elect(newcomer, add=True)
    elected = chain.main.height
    early = chain.main.fork(elected - 1)
    early.add(early.propose(newcomer)[0])
    client.refused("signer_is_authorized", update_of(chain, early, elected - 2))
    chain.main.advance(1, newcomer)
    chain.main.advance(4)
    verdict = client.update(chain.update(elected + 1, 2))
    assert newcomer in decode_consensus_state(verdict.consensus_state).snapshot.signers
    chain.main.elect(newcomer, add=False)
    out = chain.main.height
    late = chain.main.fork(out)
    late.add(late.propose(newcomer)[0])
    client.refused("signer_is_authorized", update_of(chain, late, out - 2, elected + 1))
    chain.main.advance()
    verdict = client.update(chain.update(out + 1, elected + 1))
    assert newcomer not in decode_consensus_state(verdict.consensus_state).snapshot.signers


def test_attack_C8_clique_newcomers_elected_by_a_minority_are_strangers():
    """Votes of less than a majority elect nobody, however many blocks go by."""
    chain = chain_of(4, 3)
    client = Stored(chain)
    newcomer = chain.know(50)
    voters = chain.main.snapshot.signers[:2]
    for _ in range(8):
        signer = chain.main.allowed()[0]
        if signer in voters:
            chain.main.vote(newcomer, add=True, signer=signer)
        else:
            chain.main.advance(1, signer)
    branch = chain.main.fork(chain.main.height)
    branch.add(branch.propose(newcomer)[0])
    client.refused("signer_is_authorized", update_of(chain, branch, 5))
    verdict = client.update(chain.update(chain.main.height, 2))
    snapshot = decode_consensus_state(verdict.consensus_state).snapshot
    assert {vote.signer for vote in snapshot.votes} == set(voters)
    assert newcomer not in snapshot.signers


def test_open_votes_of_a_state_are_bounded():
    state = decode_consensus_state(chain_of().consensus_state(2))
    signer = state.snapshot.signers[0]
    votes = tuple(Vote(number.to_bytes(20, "big"), signer) for number in range(MAX_OPEN_VOTES + 1))
    assert len(encode_consensus_state(replace(state, snapshot=replace(state.snapshot, votes=votes[1:])))) < 64 * 1024
    with pytest.raises(MalformedInput) as caught:
        replace(state, snapshot=replace(state.snapshot, votes=votes))
    assert caught.value.field == "consensus_state.votes"
    for odd in ((votes[1], votes[0]), (votes[0], votes[0]), (Vote(b"\x01" * 20, b"\x09" * 20),), (Vote(b"", signer),)):
        with pytest.raises(MalformedInput):
            replace(state, snapshot=replace(state.snapshot, votes=odd))


# how deep


def test_attack_C50_clique_reorganisation_deeper_than_the_confirmations_freezes():
    chain = chain_of(5)
    client = Stored(chain)
    client.update(chain.update(6, 2))
    deep = chain.main.fork(5)
    deep.commit(KEY, VALUE)
    deep.advance(1 + 3)
    verdict = client.judge(update_of(chain, deep, 6))
    assert isinstance(verdict, Misbehaved)
    assert verdict.height == Height(0, 6)
    assert decode_client_state(verdict.client_state).is_frozen


def test_attack_C50_clique_stale_block_at_a_believed_height_freezes_nobody():
    """Signers out of turn make stale blocks every day: what is not buried is no evidence, and proves nothing either."""
    chain = chain_of(5)
    client = Stored(chain)
    client.update(chain.update(6, 2))
    for on_top in (0, 1):
        stale = chain.main.fork(5)
        stale.advance(1 + on_top, gas_used=1)
        client.refused("branch_holds_believed_blocks", update_of(chain, stale, 4))
    assert client.judge(chain.update(6, 2)) == NoOp(Height(0, 6))


def test_attack_C50_clique_too_few_confirmations():
    for signers, confirmations in ((3, 2), (3, 5), (1, 1)):
        chain = chain_of(signers, confirmations=confirmations)
        client = Stored(chain)
        error = client.refused("buried_by_confirmations", chain.update(4, 2, tip=4 + confirmations - 1))
        assert (error.got, error.expected) == (confirmations - 1, f">= {confirmations}")
        assert isinstance(client.judge(chain.update(4, 2, tip=4 + confirmations)), Updated)


def test_attack_C52_clique_both_versions_of_a_message_are_never_proven():
    chain = chain_of(5)
    other = chain.main.fork(5)
    other.commit(KEY, VALUE)
    other.advance(6)
    chain.main.commit(KEY, VALUE[::-1])
    chain.main.advance(6)
    client = Stored(chain)
    first = client.update(chain.update(9, 2))
    client.refused("branch_holds_believed_blocks", update_of(chain, other.fork(10), 6))
    other.advance(2)
    frozen = client.judge(update_of(chain, other, 8))
    assert isinstance(frozen, Misbehaved)
    with pytest.raises(ClientFrozen):
        CLIENT.verify_membership(
            frozen.client_state, first.consensus_state, chain.proof(first.height.revision_height, KEY), (KEY,), VALUE
        )


def test_block_below_the_latest_is_believed_as_an_ancestor_alone():
    chain = chain_of(5)
    client = Stored(chain)
    client.update(chain.update(9, 2))
    client.refused("branch_reaches_known_block", chain.update(4, 2, tip=8))
    assert isinstance(client.judge(chain.update(4, 2, tip=9)), Updated)
    assert decode_client_state(client.judge(chain.update(4, 2, tip=9)).client_state).latest_height == Height(0, 9)


# time and trust


def test_attack_C9_clique_time_at_and_around_its_bounds():
    chain = chain_of()
    client = Stored(chain)
    header = chain.update(5, 2)
    time_ns, drift_ns = chain.time_ns(5), 15 * NANOSECONDS_PER_SECOND
    client.refused("header_not_from_future", header, time_ns - drift_ns)
    assert isinstance(client.judge(header, time_ns - drift_ns + 1), Updated)
    branch = chain.main.fork(4)
    branch.advance(1, timestamp_s=2**64 - 5)
    branch.advance(2)
    client.refused("header_not_from_future", update_of(chain, branch, 5))


def test_attack_C10_clique_trusting_period_at_and_around_its_end():
    chain = chain_of()
    client = Stored(chain)
    header = chain.update(5, 2)
    edge_ns = chain.time_ns(2) + 1_000 * NANOSECONDS_PER_SECOND
    assert isinstance(client.judge(header, edge_ns - 1), Updated)
    for now_ns in (edge_ns, edge_ns + 1):
        with pytest.raises(ClientExpired) as caught:
            client.judge(header, now_ns)
        assert caught.value.expired_at_ns == edge_ns


def test_attack_C11_clique_height_not_above_its_trusted_height_or_of_another_revision():
    chain = chain_of()
    client = Stored(chain, 4)
    for number in (1, 4):
        client.refused("height_increases", chain.update(number, 4, tip=7))
    with pytest.raises(UnknownHeight):
        client.judge(replace(chain.update(6, 4), trusted_height=Height(1, 4)))
    with pytest.raises(UnknownHeight):
        client.judge(chain.update(6, 3))
    assert isinstance(client.judge(chain.update(6, 4)), Updated)


def test_attack_C12_clique_one_signer_and_too_many():
    chain = chain_of(1)
    assert isinstance(Stored(chain).judge(chain.update(5, 2)), Updated)
    state = decode_consensus_state(chain.consensus_state(2))
    for count, legal in ((0, False), (MAX_SIGNERS, True), (MAX_SIGNERS + 1, False), (10_000, False)):
        signers = tuple(number.to_bytes(20, "big") for number in range(1, count + 1))
        snapshot = replace(state.snapshot, signers=signers)
        if legal:
            replace(state, snapshot=snapshot)
        else:
            with pytest.raises(MalformedInput):
                replace(state, snapshot=snapshot)


def test_attack_C15_clique_same_height():
    chain = chain_of()
    client = Stored(chain)
    client.update(chain.update(5, 2))
    assert client.judge(chain.update(5, 2)) == NoOp(Height(0, 5))
    assert client.judge(chain.update(5, 2, tip=9)) == NoOp(Height(0, 5))
    fork = chain.main.fork(4)
    fork.advance(4, gas_used=1)
    assert isinstance(client.judge(update_of(chain, fork, 5)), Misbehaved)


# misbehaviour and recovery


def fork_of(chain: SimulatedCliqueChain, blocks: int = 4) -> Branch:
    fork = chain.main.fork(4)
    fork.commit(KEY, VALUE)
    fork.advance(blocks)
    return fork


def test_attack_C16_clique_what_must_not_freeze():
    chain = chain_of()
    client = Stored(chain)
    own, fork = chain.update(5, 2), fork_of(chain)
    other = update_of(chain, fork, 5)
    shallow = fork_of(chain, 2)
    strangers = chain.main.fork(4)
    strangers.add(strangers.propose(key=key_of(99))[0])
    strangers.advance(2)

    def judged(first: Header, second: Header, now_ns: int | None = None) -> Misbehaved:
        evidence = chain.misbehaviour(first, second)
        return CLIENT.check_misbehaviour(client.state, client.states, evidence, now_ns or client.now_ns)

    for predicate, first, second in (
        ("headers_conflict", own, own),
        ("headers_conflict", own, chain.update(5, 2, tip=9)),
        ("headers_conflict", own, chain.update(6, 2)),
        ("headers_conflict", own, replace(other, number=3)),
        ("headers_conflict", own, replace(other, number=99)),
        ("buried_by_confirmations", own, update_of(chain, shallow, 5)),
        ("signer_is_authorized", own, update_of(chain, strangers, 5)),
        ("blocks_are_linked", own, replace(other, blocks=other.blocks[1:])),
    ):
        with pytest.raises(PredicateFailed) as caught:
            judged(first, second)
        assert caught.value.predicate == predicate, caught.value
    with pytest.raises(ClientExpired):
        judged(own, other, chain.time_ns(2) + 1_000 * NANOSECONDS_PER_SECOND)
    with pytest.raises(UnknownHeight):
        judged(own, replace(other, trusted_height=Height(0, 1)))
    assert decode_client_state(judged(own, other).client_state).is_frozen
    assert judged(own, replace(other, account_proof=())).height == Height(0, 5)


def test_attack_C40_clique_no_date_saves_who_buries_two_blocks():
    chain = chain_of()
    client = Stored(chain)
    fork = chain.main.fork(4)
    fork.advance(1, timestamp_s=2**63)
    fork.advance(3)
    evidence = chain.misbehaviour(chain.update(5, 2), update_of(chain, fork, 5))
    assert CLIENT.check_misbehaviour(client.state, client.states, evidence, client.now_ns).height == Height(0, 5)


def test_attack_C17_clique_frozen_client_does_nothing_until_recovery():
    chain = chain_of()
    chain.main.commit(KEY, VALUE)
    chain.main.advance(4)
    client = Stored(chain)
    frozen = chain.client_state(2, is_frozen=True)
    consensus_state = chain.consensus_state(14)
    evidence = chain.misbehaviour(chain.update(5, 2), update_of(chain, fork_of(chain), 5))
    for attempt in (
        lambda state: CLIENT.verify_header(state, client.states, chain.header(5, 2), client.now_ns),
        lambda state: CLIENT.check_misbehaviour(state, client.states, evidence, client.now_ns),
        lambda state: CLIENT.verify_membership(state, consensus_state, chain.proof(14, KEY), (KEY,), VALUE),
        lambda state: CLIENT.verify_non_membership(state, consensus_state, chain.proof(14, KEY + b"0"), (KEY + b"0",)),
        lambda state: CLIENT.create(state, chain.consensus_state(2), client.now_ns),
    ):
        with pytest.raises(ClientFrozen):
            attempt(frozen)
        attempt(chain.client_state(2))


def test_attack_C18_clique_unfit_substitutes():
    chain = chain_of()
    subject = chain.client_state(5, is_frozen=True)
    fit = chain.client_state(6, trusting_period_s=2_000)
    CLIENT.check_substitute(subject, fit)
    assert CLIENT.recovered(subject, fit) == fit
    for changed in (
        {"router_address": ROUTER[::-1]},
        {"chain_id": 1},
        {"max_clock_drift_s": 16},
        {"period_s": 2},
        {"epoch_length": 100},
        {"confirmations": 1},
        {"is_frozen": True},
    ):
        for door in (CLIENT.check_substitute, CLIENT.recovered):
            with pytest.raises(PredicateFailed):
                door(subject, chain.client_state(6, **changed))


def client_message(chain: SimulatedCliqueChain, **changed) -> bytes:
    message = clique_pb2.ClientState.FromString(chain.client_state(2))
    for name, value in changed.items():
        if isinstance(value, ibc_pb2.Height):
            message.latest_height.CopyFrom(value)
        else:
            setattr(message, name, value)
    return message.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"chain_id": 0},
        {"router_address": b""},
        {"router_address": bytes(20)},
        {"epoch_length": 0},
        {"confirmations": 0},
        {"confirmations": MAX_HEADERS},
        {"trusting_period_s": 0},
        {"max_clock_drift_s": 0},
        {"latest_height": ibc_pb2.Height()},
        {"latest_height": ibc_pb2.Height(revision_number=1, revision_height=2)},
        {"latest_height": ibc_pb2.Height(revision_height=3)},
        {"head_total_difficulty": 0},
        {"head_hash": bytes(32)},
        {"head_hash": b"\x01" * 32},
    ],
)
def test_attack_C20_clique_client_with_bad_parameters(changed):
    chain = chain_of()
    now_ns = chain.time_ns(2)
    CLIENT.create(client_message(chain), chain.consensus_state(2), now_ns)
    with pytest.raises((MalformedInput, PredicateFailed)):
        CLIENT.create(client_message(chain, **changed), chain.consensus_state(2), now_ns)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp_s", 0),
        ("number", 0),
        ("storage_root", bytes(32)),
        ("storage_root", b"\x01" * 31),
        ("block_hash", b""),
        ("signers", []),
        ("signers", [b"\x02" * 20, b"\x01" * 20]),
        ("signers", [b"\x01" * 20, b"\x01" * 20]),
        ("signers", [b"\x01" * 19]),
        ("recents", []),
        ("recents", [b"\x01" * 20] * 5),
        ("recents", [b"\x01" * 19]),
    ],
)
def test_attack_C20_clique_consensus_state_with_bad_fields(name, value):
    message = clique_pb2.ConsensusState.FromString(chain_of().consensus_state(2))
    if isinstance(value, list):
        message.ClearField(name)
        getattr(message, name).extend(value)
    else:
        setattr(message, name, value)
    with pytest.raises(MalformedInput):
        decode_consensus_state(message.SerializeToString(deterministic=True))


# proofs


def test_attack_B37_clique_account_proof_of_another_address_or_block():
    chain = chain_of()
    client = Stored(chain)
    good = chain.update(5, 2)
    assert isinstance(client.judge(good), Updated)
    state = chain.main.at(5).state
    for nodes in (
        proof_nodes(state.account_trie, b"\x0b" * 20),
        proof_nodes(chain.main.at(6).state.account_trie, ROUTER),
        (),
        good.account_proof[:-1],
        (*good.account_proof, good.account_proof[-1]),
    ):
        with pytest.raises(PredicateFailed):
            client.judge(replace(good, account_proof=nodes))


def test_attack_B40_clique_account_without_code_is_no_router():
    chain = chain_of()
    client = Stored(chain)
    branch = chain.main.fork(4)
    no_code = State({slot_of(KEY): VALUE}, code_hash=keccak256(b""))
    branch.advance(1, state_root=no_code.account_trie.root_hash)
    branch.blocks[-1] = replace(branch.blocks[-1], state=no_code)
    branch.advance(4)
    client.refused("router_account_proven", update_of(chain, branch, 5))


def test_attack_B36_clique_router_with_empty_storage_proves_absence_only():
    chain = SimulatedCliqueChain()
    chain.main.storage = {}
    chain.main.advance()
    state = chain.consensus_state(2)
    assert decode_consensus_state(state).storage_root == EMPTY_ROOT
    CLIENT.verify_non_membership(chain.client_state(2), state, chain.proof(2, KEY), (KEY,))
    with pytest.raises(PredicateFailed):
        CLIENT.verify_membership(chain.client_state(2), state, chain.proof(2, KEY), (KEY,), VALUE)


@pytest.mark.parametrize("value", [b"", VALUE[:31], VALUE + b"\0", bytes(32), VALUE[::-1] + b""])
def test_attack_B38_clique_values_that_are_not_the_word(value):
    chain = SimulatedCliqueChain()
    chain.main.commit(KEY, VALUE[:31] + b"\x01")
    chain.main.advance()
    args = chain.client_state(2), chain.consensus_state(2), chain.proof(2, KEY), (KEY,)
    CLIENT.verify_membership(*args, VALUE[:31] + b"\x01")
    with pytest.raises(VerificationError):
        CLIENT.verify_membership(*args, value)


# bounds: work is counted, not timed


def counted(monkeypatch, module, name: str) -> list[int]:
    calls = [0]
    real = getattr(module, name)

    def counting(*args, **kwargs):
        calls[0] += 1
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, counting)
    return calls


def test_attack_C12_clique_ten_thousand_signers_in_a_checkpoint_cost_no_signature(monkeypatch):
    chain = chain_of()
    client = Stored(chain)
    recovered = counted(monkeypatch, predicates, "recover_signer")
    message = clique_pb2.Header.FromString(encode_header_message(chain.update(5, 2)))
    for count in (MAX_SIGNERS + 1, 10_000):
        extra = bytes(32) + bytes(20 * count) + bytes(65)
        message.headers_rlp[0] = encode_header(replace(chain.main.at(3).block.execution, extra_data=extra))
        with pytest.raises(MalformedInput):
            client.judge(message.SerializeToString(deterministic=True))
    assert recovered == [0]


def test_attack_C12_clique_updates_of_ten_megabytes_and_of_too_many_headers_are_not_decoded(monkeypatch):
    chain = chain_of()
    client = Stored(chain)
    decoded = counted(monkeypatch, codec, "decode_header")
    for size in (codec.MAX_HEADER_BYTES + 1, 10 * 1024 * 1024):
        with pytest.raises(MalformedInput):
            client.judge(b"\x1a" * size)
    message = clique_pb2.Header.FromString(encode_header_message(chain.update(5, 2)))
    del message.headers_rlp[:]
    message.headers_rlp.extend([b"\xc0"] * (MAX_HEADERS + 1))
    with pytest.raises(MalformedInput):
        client.judge(message.SerializeToString(deterministic=True))
    assert decoded == [0]


def test_attack_C12_clique_first_bad_block_ends_the_walk(monkeypatch):
    """A branch of any length costs signatures up to the first that is wrong."""
    chain = chain_of(blocks=40)
    client = Stored(chain)
    branch = chain.main.fork(4)
    branch.add(branch.propose(key=key_of(99))[0])
    while branch.height < 30:
        branch.add(branch.propose()[0])
    recovered = counted(monkeypatch, predicates, "recover_signer")
    client.refused("signer_is_authorized", update_of(chain, branch, 10))
    assert recovered == [3]


def test_attack_H_clique_one_bit_of_a_valid_update_is_refused():
    """Nothing in an update is unread: each flipped bit is refused, or proves what was proven."""
    chain = chain_of(blocks=6)
    client = Stored(chain)
    header = chain.update(4, 2)
    valid = encode_header_message(header)
    verdict = client.judge(valid)
    assert isinstance(verdict, Updated)
    for bit in range(0, 8 * len(valid), 31):
        damaged = bytearray(valid)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            client.judge(bytes(damaged))
    evidence = encode_misbehaviour(Misbehaviour(header, update_of(chain, fork_of(chain), 5)))
    assert codec.decode_misbehaviour(evidence).header_1 == header


def test_sealed_blocks_are_named_by_the_whole_header_and_signed_without_the_seal():
    block = chain_of().main.at(3).block
    execution = block.execution
    assert block.hash == keccak256(encode_header(execution))
    unsealed = replace(execution, extra_data=execution.extra_data[:-65])
    assert block.seal_hash == keccak256(encode_header(unsealed))
    assert recover_signer(seal(unsealed, key_of(0))) == address_of(key_of(0))
