"""Attack checklist lines against the bft-evm client, each refusal beside a twin that differs in the attacked part only."""

from dataclasses import replace

import pytest

from hutong.light_clients.bft_evm import (
    BftEvmClient,
    Consensus,
    Header,
    decode_consensus_state,
    encode_consensus_state,
    encode_header_message,
)
from hutong.light_clients.bft_evm.extra_data import block_hash, commit_seal_hash, encode_extra_data
from hutong.light_clients.bft_evm.predicates import MIX_HASH, overlap_size, quorum_size
from hutong.light_clients.bft_evm.types import MAX_VALIDATORS
from hutong.light_clients.crypto import keccak256, secp256k1
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    UnknownHeight,
    UnsupportedOperation,
    Updated,
    VerificationError,
)
from hutong.light_clients.protobuf import bft_evm_pb2, ibc_pb2
from tests.light_clients.bft_evm.simulated_chain import (
    EMPTY_ROOT,
    ROUTER,
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
VALUE = b"\x5a" * 32


def chain_of(validators: int = 4, blocks: int = 3) -> SimulatedChain:
    chain = SimulatedChain(validators)
    chain.advance(blocks)
    return chain


def judge(chain: SimulatedChain, header: Header | bytes, *trusted: int, now_ns: int | None = None):
    """Verdict of a client that holds the states at `trusted` (1 unless given)."""
    client, states = trusting(chain, *(trusted or (1,)))
    message = header if isinstance(header, bytes) else encode_header_message(header)
    return CLIENT.verify_header(client, states, message, chain.now_ns if now_ns is None else now_ns)


def refused(predicate: str, chain: SimulatedChain, header: Header | bytes, *trusted: int, now_ns: int | None = None):
    with pytest.raises(PredicateFailed) as caught:
        judge(chain, header, *trusted, now_ns=now_ns)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


def proposal(chain: SimulatedChain, number: int, *, trusted: int = 1, state: State | None = None, **changes) -> Header:
    return chain.update(number, trusted, chain.propose(number, state, **changes), state)


def with_seals(header: Header, seals: tuple[bytes, ...]) -> Header:
    extra = replace(header.extra, seals=seals)
    return replace(header, extra=extra, execution=replace(header.execution, extra_data=encode_extra_data(extra)))


def with_extra(header: Header, **changes) -> Header:
    extra = replace(header.extra, **changes)
    return replace(header, extra=extra, execution=replace(header.execution, extra_data=encode_extra_data(extra)))


@pytest.mark.parametrize("validators", [1, 2, 3, 4, 5, 6, 7, 10, 100])
def test_attack_C1_bft_evm_exactly_two_thirds_rounded_up_passes_and_one_less_fails(validators):
    chain = chain_of(validators)
    needed = quorum_size(validators)
    assert 3 * needed >= 2 * validators > 3 * (needed - 1)
    assert isinstance(judge(chain, proposal(chain, 3, signers=chain.keys[-needed:])), Updated)
    error = refused("quorum_of_own_validators", chain, proposal(chain, 3, signers=chain.keys[: needed - 1]))
    assert (error.got, error.expected) == (needed - 1, f">= {needed}")


@pytest.mark.parametrize("trusted", [3, 4, 6, 9])
def test_attack_C1_bft_evm_exactly_a_third_of_the_trusted_validators_fails_and_one_more_passes(trusted):
    third = trusted // 3
    assert overlap_size(trusted) == third + 1
    for kept, expected in ((third, NotEnoughTrust(third, third + 1, trusted)), (third + 1, None)):
        later = chain_of(trusted, blocks=1)
        later.replace_validators([*range(kept), *range(50, 50 + trusted)])
        later.advance()
        verdict = judge(later, later.update(3, 2), 2)
        assert verdict == expected or (expected is None and isinstance(verdict, Updated))


def test_attack_C2_bft_evm_validator_that_seals_twice_counts_once_and_is_refused():
    chain = chain_of()
    a, b, c, _ = chain.keys
    assert isinstance(judge(chain, proposal(chain, 3, signers=[a, b, c])), Updated)
    error = refused("commit_seals_of_validators", chain, proposal(chain, 3, signers=[a, b, a]))
    assert error.got == address_of(a)
    refused("commit_seals_of_validators", chain, proposal(chain, 3, signers=[a, b, c, c]))


def test_attack_C2_bft_evm_high_s_twin_of_a_seal_never_counts():
    chain = chain_of()
    header = proposal(chain, 3, signers=chain.keys[:2])
    seal = header.extra.seals[0]
    twin_s = secp256k1.ORDER - int.from_bytes(seal[32:64], "big")
    twin = seal[:32] + twin_s.to_bytes(32, "big") + bytes([seal[64] ^ 1])
    refused("commit_seals_of_validators", chain, with_seals(header, (*header.extra.seals, twin)))
    full = proposal(chain, 3, signers=chain.keys[:3])
    assert isinstance(judge(chain, full), Updated)
    refused("commit_seals_of_validators", chain, with_seals(full, (twin, *full.extra.seals[1:])))


@pytest.mark.parametrize("v", [2, 3, 26, 27, 28, 255])
def test_attack_C2_bft_evm_only_one_form_of_v_is_read(v):
    chain = chain_of()
    header = chain.update(3, 1)
    first, *others = header.extra.seals
    refused("commit_seals_of_validators", chain, with_seals(header, (first[:64] + bytes([v]), *others)))
    assert isinstance(judge(chain, header), Updated)


def test_attack_C2_bft_evm_validator_listed_twice():
    chain = chain_of()
    listed = tuple(map(address_of, chain.keys))
    refused("validators_are_listed", chain, proposal(chain, 3, validators=(*listed, listed[0])))
    assert isinstance(judge(chain, proposal(chain, 3, validators=listed[::-1])), Updated)


@pytest.mark.parametrize("length", [0, 64, 66])
def test_attack_C2_bft_evm_seal_of_another_length_is_malformed(length):
    chain = chain_of()
    header = chain.update(3, 1)
    with pytest.raises(MalformedInput) as caught:
        judge(chain, with_seals(header, (*header.extra.seals[:3], header.extra.seals[3][:length].ljust(length, b"\0"))))
    assert caught.value.field == "header.extra_data.seals[3]"


def test_attack_C4_bft_evm_signatures_made_for_other_purposes_are_no_seals():
    """A proposer's and a preparer's signatures are over other digests: the block hash, the whole sealed header."""
    chain = chain_of()
    own = proposal(chain, 3, round_number=1)
    for digest in (
        block_hash(own.execution, own.extra),
        keccak256(encode_header(own.execution)),
        keccak256(commit_seal_hash(own.execution, own.extra)),
    ):
        others = tuple(secp256k1.sign_recoverable(key, digest) for key in chain.keys)
        refused("commit_seals_of_validators", chain, with_seals(own, others))
    refused("quorum_of_own_validators", chain, with_seals(own, ()))
    assert isinstance(judge(chain, own), Updated)


def test_attack_C42_bft_evm_seals_of_an_older_round_height_or_chain():
    chain = chain_of()
    older_round = proposal(chain, 3, round_number=0)
    newer_round = proposal(chain, 3, round_number=1)
    refused("commit_seals_of_validators", chain, with_seals(newer_round, older_round.extra.seals))
    refused("commit_seals_of_validators", chain, with_seals(chain.update(4, 1), chain.update(3, 1).extra.seals))
    other_chain = SimulatedChain()
    other_chain.commit(KEY, VALUE)
    other_chain.advance(3)
    refused("commit_seals_of_validators", chain, with_seals(chain.update(3, 1), other_chain.update(3, 1).extra.seals))
    assert isinstance(judge(chain, newer_round), Updated)


@pytest.mark.parametrize(
    ("r", "s"),
    [(0, 0), (0, 1), (1, 0), (secp256k1.ORDER, 1), (1, secp256k1.ORDER), (2**256 - 1, 2**256 - 1), (5, 1)],
)
def test_attack_C14_bft_evm_seals_at_the_edges_of_the_curve(r, s):
    """r = 5 is the x of no point."""
    chain = chain_of()
    own = chain.update(3, 1)
    edge = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    for v in (b"\x00", b"\x01"):
        refused("commit_seals_of_validators", chain, with_seals(own, (*own.extra.seals[:3], edge + v)))
    assert isinstance(judge(chain, with_seals(own, own.extra.seals[:3])), Updated)


def test_attack_C43_bft_evm_header_at_the_very_height_of_a_validator_change():
    chain = chain_of()
    old = chain.keys
    chain.replace_validators([1, 2, 3, 4])
    chain.advance()
    at = chain.height
    assert isinstance(judge(chain, chain.update(at, at - 1), at - 1), Updated)
    refused("commit_seals_of_validators", chain, proposal(chain, at, trusted=at - 1, signers=old), at - 1)
    chain.advance()
    assert isinstance(judge(chain, chain.update(at + 1, at), at), Updated)
    stale = proposal(chain, at + 1, trusted=at, validators=tuple(map(address_of, old)), signers=old)
    assert isinstance(judge(chain, stale, at), Updated), "the old list still holds more than a third of the new one"
    chain.replace_validators([4, 5, 6, 7])
    chain.advance()
    newest = chain.height
    chain.advance()
    stale = proposal(chain, newest + 1, trusted=newest, validators=tuple(map(address_of, old)), signers=old)
    assert judge(chain, stale, newest) == NotEnoughTrust(0, 2, 4)


def test_attack_C5_bft_evm_seal_over_another_header_or_round():
    chain = chain_of()
    other = proposal(chain, 3, gas_used=1)
    own = chain.update(3, 1)
    refused("commit_seals_of_validators", chain, with_seals(own, other.extra.seals))
    refused("commit_seals_of_validators", chain, with_extra(own, round=1))
    assert isinstance(judge(chain, proposal(chain, 3, round_number=1)), Updated)
    for changed in ({"timestamp_s": own.execution.timestamp_s + 1}, {"number": 4}, {"state_root": b"\x01" * 32}):
        refused(
            "commit_seals_of_validators",
            chain,
            replace(own, execution=replace(own.execution, **changed)),
            now_ns=chain.now_ns + NANOSECONDS_PER_SECOND,
        )


def test_attack_C5_bft_evm_seal_of_a_stranger():
    chain = chain_of()
    stranger = key_of(99)
    error = refused("commit_seals_of_validators", chain, proposal(chain, 3, signers=[*chain.keys[:3], stranger]))
    assert error.got == address_of(stranger)


def test_attack_C6_bft_evm_seals_and_list_of_one_block_on_another():
    chain = chain_of()
    first, second = chain.update(3, 1), chain.update(4, 1)
    mixed = replace(
        first, extra=second.extra, execution=replace(first.execution, extra_data=second.execution.extra_data)
    )
    refused("commit_seals_of_validators", chain, mixed)
    assert isinstance(judge(chain, first), Updated)
    assert isinstance(judge(chain, second), Updated)


def test_attack_C7_bft_evm_validator_list_exchanged_after_sealing():
    chain = chain_of()
    own = chain.update(3, 1)
    fewer = with_extra(own, validators=own.extra.validators[:3], seals=own.extra.seals[:2])
    refused("commit_seals_of_validators", chain, fewer)
    attackers = [key_of(200 + n) for n in range(4)]
    forged = proposal(chain, 3, validators=tuple(map(address_of, attackers)), signers=attackers)
    assert judge(chain, forged) == NotEnoughTrust(0, 2, 4)
    assert isinstance(judge(chain, own), Updated)


def test_attack_C7_bft_evm_empty_validator_list_is_refused():
    chain = chain_of()
    refused("validators_are_listed", chain, proposal(chain, 3, validators=(), signers=[]))


def test_attack_C8_bft_evm_adjacent_header_needs_the_same_overlap_as_a_skip():
    chain = chain_of()
    chain.replace_validators(range(10, 14))
    chain.advance()
    adjacent = chain.height
    assert judge(chain, chain.update(adjacent, adjacent - 1), adjacent - 1) == NotEnoughTrust(0, 2, 4)
    gentle = chain_of()
    gentle.replace_validators([1, 2, 3, 10])
    gentle.advance()
    assert isinstance(judge(gentle, gentle.update(gentle.height, 1)), Updated)


def test_attack_C9_bft_evm_time_at_and_around_its_bounds():
    chain = chain_of()
    header = chain.update(4, 1)
    time_ns = header.timestamp_ns
    drift_ns = 15 * NANOSECONDS_PER_SECOND
    refused("header_not_from_future", chain, header, now_ns=time_ns - drift_ns)
    assert isinstance(judge(chain, header, now_ns=time_ns - drift_ns + 1), Updated)
    trusted_s = chain.headers[1][0].timestamp_s
    refused("time_does_not_decrease", chain, proposal(chain, 4, time_s=trusted_s - 1))
    assert isinstance(judge(chain, proposal(chain, 4, time_s=trusted_s)), Updated)
    refused("header_not_from_future", chain, proposal(chain, 4, time_s=2**64 - 1))
    refused("time_does_not_decrease", chain, proposal(chain, 4, time_s=0))


def test_attack_C10_bft_evm_trusting_period_at_and_around_its_end():
    chain = chain_of()
    header = chain.update(4, 1)
    edge_ns = (chain.headers[1][0].timestamp_s + 1_000) * NANOSECONDS_PER_SECOND
    assert isinstance(judge(chain, header, now_ns=edge_ns - 1), Updated)
    for now_ns in (edge_ns, edge_ns + 1):
        with pytest.raises(ClientExpired) as caught:
            judge(chain, header, now_ns=now_ns)
        assert caught.value.expired_at_ns == edge_ns
    with pytest.raises(ClientExpired):
        judge(chain, header, 1, 3, now_ns=edge_ns)
    assert isinstance(judge(chain, replace(header, trusted_height=Height(0, 3)), 1, 3, now_ns=edge_ns), Updated)


def test_attack_C11_bft_evm_height_not_above_its_trusted_height_or_of_another_revision():
    chain = chain_of()
    for number in (1, 2, 3):
        refused("height_increases", chain, chain.update(number, 3), 3)
    assert isinstance(judge(chain, chain.update(4, 3), 3), Updated)
    with pytest.raises(UnknownHeight):
        judge(chain, replace(chain.update(4, 3), trusted_height=Height(1, 3)), 3)
    client, states = trusting(chain, 3)
    odd = MemoryConsensusStates({Height(1, 3): states.get(Height(0, 3))})
    with pytest.raises(PredicateFailed) as caught:
        message = encode_header_message(replace(chain.update(4, 3), trusted_height=Height(1, 3)))
        CLIENT.verify_header(client, odd, message, chain.now_ns)
    assert caught.value.predicate == "height_increases"


def test_attack_C12_bft_evm_lists_of_one_and_of_too_many():
    assert isinstance(judge(chain_of(1), chain_of(1).update(3, 1)), Updated)
    chain = chain_of()
    listed = tuple(n.to_bytes(20, "big") for n in range(1, MAX_VALIDATORS + 2))
    with pytest.raises(MalformedInput) as caught:
        judge(chain, proposal(chain, 3, validators=listed, signers=[]))
    assert caught.value.field == "header.extra_data.validators"


def test_attack_C15_bft_evm_same_height():
    chain = chain_of()
    client, states = trusting(chain, 1, 3)
    fork = State({slot_of(KEY): VALUE})

    def verdict(header: Header):
        return CLIENT.verify_header(client, states, encode_header_message(header), chain.now_ns)

    assert verdict(chain.update(3, 1)) == NoOp(Height(0, 3))
    assert verdict(proposal(chain, 3, round_number=4)) == NoOp(Height(0, 3))
    conflict = verdict(proposal(chain, 3, state=fork))
    assert isinstance(conflict, Misbehaved)
    assert conflict.client_state == chain.client_state(3, is_frozen=True)
    late = verdict(proposal(chain, 2, time_s=chain.headers[3][0].timestamp_s + 1))
    assert isinstance(late, Misbehaved)
    assert isinstance(verdict(chain.update(2, 1)), Updated)
    assert isinstance(verdict(proposal(chain, 2, time_s=chain.headers[3][0].timestamp_s)), Updated)


def evidence_of(chain: SimulatedChain, **second) -> bytes:
    return chain.misbehaviour(chain.update(3, 1), proposal(chain, 3, **second))


def test_attack_C16_bft_evm_what_must_not_freeze():
    chain = chain_of()
    client, states = trusting(chain, 1)
    fork = State({slot_of(KEY): VALUE})
    own = chain.update(3, 1)

    def judged(evidence: bytes, now_ns: int = chain.now_ns) -> Misbehaved:
        return CLIENT.check_misbehaviour(client, states, evidence, now_ns)

    for predicate, evidence in (
        ("headers_conflict", chain.misbehaviour(own, own)),
        ("headers_conflict", chain.misbehaviour(own, proposal(chain, 3, round_number=2))),
        ("headers_conflict", chain.misbehaviour(own, with_seals(own, own.extra.seals[1:]))),
        ("headers_conflict", chain.misbehaviour(own, chain.update(4, 1))),
        ("headers_conflict", chain.misbehaviour(chain.update(4, 1), own)),
        ("quorum_of_own_validators", evidence_of(chain, state=fork, signers=chain.keys[:2])),
        ("commit_seals_of_validators", evidence_of(chain, state=fork, signers=[key_of(70)] * 3)),
    ):
        with pytest.raises(PredicateFailed) as caught:
            judged(evidence)
        assert caught.value.predicate == predicate
    strangers = [key_of(70 + n) for n in range(4)]
    other_chain = evidence_of(
        chain, state=fork, validators=tuple(sorted(map(address_of, strangers))), signers=strangers
    )
    with pytest.raises(PredicateFailed) as caught:
        judged(other_chain)
    assert caught.value.predicate == "overlap_with_trusted_validators"
    good = evidence_of(chain, state=fork)
    with pytest.raises(ClientExpired):
        judged(good, chain.now_ns + 1_000 * NANOSECONDS_PER_SECOND)
    assert judged(good).client_state == chain.client_state(1, is_frozen=True)


def test_attack_C17_bft_evm_frozen_client_does_nothing_until_recovery():
    chain = chain_of()
    chain.commit(KEY, VALUE)
    chain.advance()
    _, states = trusting(chain, 1, 5)
    frozen = chain.client_state(5, is_frozen=True)
    fork = State({slot_of(KEY): VALUE})
    state = states.get(Height(0, 5))
    for attempt in (
        lambda client: CLIENT.verify_header(client, states, chain.header(4, 1), chain.now_ns),
        lambda client: CLIENT.check_misbehaviour(client, states, evidence_of(chain, state=fork), chain.now_ns),
        lambda client: CLIENT.verify_membership(client, state, chain.proof(5, KEY), (KEY,), VALUE),
        lambda client: CLIENT.verify_non_membership(client, state, chain.proof(5, KEY + b"0"), (KEY + b"0",)),
        lambda client: CLIENT.create(client, state, chain.now_ns),
    ):
        with pytest.raises(ClientFrozen):
            attempt(frozen)
        attempt(CLIENT.recovered(frozen, chain.client_state(5)))


def test_attack_C18_bft_evm_unfit_substitutes():
    chain = chain_of()
    subject = chain.client_state(3, is_frozen=True)
    fit = chain.client_state(4, trusting_period_s=2_000)
    CLIENT.check_substitute(subject, fit)
    assert CLIENT.recovered(subject, fit) == fit
    for changed in (
        {"router_address": ROUTER[::-1]},
        {"chain_id": 1338},
        {"max_clock_drift_s": 16},
        {"is_frozen": True},
    ):
        for door in (CLIENT.check_substitute, CLIENT.recovered):
            with pytest.raises(PredicateFailed):
                door(subject, chain.client_state(4, **changed))
    with pytest.raises(MalformedInput):
        CLIENT.check_substitute(subject, chain.consensus_state(4))


def client_message(**changed) -> bytes:
    fields = {
        "chain_id": 1337,
        "consensus": int(Consensus.QBFT),
        "router_address": ROUTER,
        "trusting_period_s": 1_000,
        "max_clock_drift_s": 15,
        "latest_height": ibc_pb2.Height(revision_height=1),
    }
    return bft_evm_pb2.ClientState(**{**fields, **changed}).SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"chain_id": 0},
        {"consensus": 0},
        {"consensus": 9},
        {"quorum_rule": 2},
        {"validator_contract": bft_evm_pb2.ValidatorContract(address=bytes(20), slot=bytes(32))},
        {"validator_contract": bft_evm_pb2.ValidatorContract(address=b"\x01" * 20, slot=bytes(31))},
        {"router_address": b""},
        {"router_address": bytes(20)},
        {"router_address": ROUTER + b"\0"},
        {"trusting_period_s": 0},
        {"max_clock_drift_s": 0},
        {"latest_height": ibc_pb2.Height()},
        {"latest_height": ibc_pb2.Height(revision_number=1, revision_height=1)},
    ],
)
def test_attack_C20_bft_evm_client_with_bad_parameters(changed):
    chain = chain_of()
    CLIENT.create(client_message(), chain.consensus_state(1), chain.now_ns)
    with pytest.raises(MalformedInput):
        CLIENT.create(client_message(**changed), chain.consensus_state(1), chain.now_ns)


@pytest.mark.parametrize("consensus", [Consensus.IBFT2, Consensus.ISTANBUL])
def test_attack_C20_bft_evm_contract_selection_under_a_rule_that_has_none_is_named(consensus):
    chain = chain_of()
    contract = bft_evm_pb2.ValidatorContract(address=b"\x01" * 20, slot=bytes(32))
    qbft = client_message(validator_contract=contract)
    CLIENT.create(qbft, chain.consensus_state(1), chain.now_ns)
    other = client_message(validator_contract=contract, consensus=int(consensus))
    with pytest.raises(UnsupportedOperation) as caught:
        CLIENT.create(other, chain.consensus_state(1), chain.now_ns)
    assert consensus.name in str(caught.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"timestamp_s": 0},
        {"storage_root": b""},
        {"storage_root": bytes(32)},
        {"storage_root": b"\x01" * 31},
        {"validators": []},
        {"validators": [b"\x01" * 19]},
        {"validators": [b"\x01" * 20, b"\x01" * 20]},
        {"validators": [b"\x02" * 20, b"\x01" * 20]},
        {"validators": [n.to_bytes(20, "big") for n in range(MAX_VALIDATORS + 1)]},
    ],
)
def test_attack_C20_bft_evm_consensus_state_with_bad_fields(changed):
    fields = {"timestamp_s": 1, "storage_root": b"\x01" * 32, "validators": [b"\x01" * 20, b"\x02" * 20]}
    good = bft_evm_pb2.ConsensusState(**fields).SerializeToString(deterministic=True)
    assert encode_consensus_state(decode_consensus_state(good)) == good
    with pytest.raises(MalformedInput):
        decode_consensus_state(
            bft_evm_pb2.ConsensusState(**{**fields, **changed}).SerializeToString(deterministic=True)
        )


def test_attack_C40_bft_evm_double_sign_below_a_third_forks_nothing_and_above_it_freezes():
    chain = chain_of()
    client, states = trusting(chain, 1)
    fork = State({slot_of(KEY): VALUE})
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_misbehaviour(client, states, evidence_of(chain, state=fork, signers=chain.keys[:1]), chain.now_ns)
    assert caught.value.predicate == "quorum_of_own_validators"
    detected = CLIENT.check_misbehaviour(
        client, states, evidence_of(chain, state=fork, signers=chain.keys[:3]), chain.now_ns
    )
    assert detected.height == Height(0, 3)


@pytest.mark.parametrize("time_s", [1, 2**63])
def test_attack_C40_bft_evm_no_date_saves_who_seals_two_blocks(time_s):
    chain = chain_of()
    client, states = trusting(chain, 1)
    evidence = evidence_of(chain, time_s=time_s)
    assert CLIENT.check_misbehaviour(client, states, evidence, chain.now_ns).height == Height(0, 3)
    with pytest.raises(PredicateFailed):
        judge(chain, proposal(chain, 3, time_s=time_s))


def test_attack_B37_bft_evm_account_proof_of_another_address():
    chain = chain_of()
    other = State({slot_of(KEY): VALUE}, router=b"\x0b" * 20)
    both = chain.states[3]
    good = chain.update(3, 1)
    assert isinstance(judge(chain, good), Updated)
    with pytest.raises(PredicateFailed):
        judge(chain, replace(good, account_proof=proof_nodes(both.account_trie, b"\x0b" * 20)))
    impostor = proposal(chain, 3, state=other)
    with pytest.raises(PredicateFailed):
        judge(chain, impostor)
    proven_absent = replace(impostor, account_proof=proof_nodes(other.account_trie, ROUTER))
    with pytest.raises(PredicateFailed, match="no account at the router's address"):
        judge(chain, proven_absent)


def test_attack_B37_bft_evm_proof_of_another_slot_or_base_slot():
    chain = SimulatedChain()
    chain.commit(KEY, VALUE)
    foreign = slot_of(KEY, base_slot=bytes(32))
    chain.storage = {**chain.storage, foreign: b"\x99" * 32}
    chain.advance()
    state, client = chain.consensus_state(2), chain.client_state(2)
    trie = chain.states[2].storage_trie
    CLIENT.verify_membership(client, state, chain.proof(2, KEY), (KEY,), VALUE)
    for slot, value in ((foreign, b"\x99" * 32), (foreign, VALUE), (slot_of(KEY[:-1] + b"\x08"), VALUE)):
        proof = encode_storage_proof(StorageProof(proof_nodes(trie, slot)))
        with pytest.raises(PredicateFailed):
            CLIENT.verify_membership(client, state, proof, (KEY,), value)
        with pytest.raises(PredicateFailed):
            CLIENT.verify_non_membership(client, state, proof, (KEY,))


@pytest.mark.parametrize("path", [(), (KEY, KEY), (b"", KEY), (KEY, b""), (b"",), (b"\0" * 1025,)])
def test_attack_B37_bft_evm_path_of_another_shape(path):
    chain = SimulatedChain()
    chain.commit(KEY, VALUE)
    chain.advance()
    state, client = chain.consensus_state(2), chain.client_state(2)
    CLIENT.verify_membership(client, state, chain.proof(2, KEY), (KEY,), VALUE)
    with pytest.raises(MalformedInput):
        CLIENT.verify_membership(client, state, chain.proof(2, KEY), path, VALUE)


@pytest.mark.parametrize("value", [b"", VALUE[:31], VALUE + b"\0"])
def test_attack_B38_bft_evm_value_that_is_no_word(value):
    chain = SimulatedChain()
    chain.commit(KEY, VALUE)
    chain.advance()
    with pytest.raises(MalformedInput):
        CLIENT.verify_membership(chain.client_state(2), chain.consensus_state(2), chain.proof(2, KEY), (KEY,), value)


def test_attack_B38_bft_evm_zero_word_is_no_member():
    chain = SimulatedChain()
    args = chain.client_state(1), chain.consensus_state(1), chain.proof(1, KEY), (KEY,)
    CLIENT.verify_non_membership(*args)
    with pytest.raises(PredicateFailed):
        CLIENT.verify_membership(*args, bytes(32))


def test_attack_B40_bft_evm_update_without_its_account_proof():
    chain = chain_of()
    good = chain.update(3, 1)
    assert isinstance(judge(chain, good), Updated)
    for nodes in ((), good.account_proof[:-1], good.account_proof[1:], (*good.account_proof, good.account_proof[-1])):
        with pytest.raises(PredicateFailed):
            judge(chain, replace(good, account_proof=nodes))


def test_attack_B40_bft_evm_account_without_code_is_no_router():
    chain = chain_of()
    no_code = State(
        chain.states[3].storage,
        code_hash=bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    )
    refused("router_account_proven", chain, proposal(chain, 3, state=no_code))
    assert isinstance(judge(chain, chain.update(3, 1)), Updated)


def test_attack_B36_bft_evm_router_with_empty_storage_proves_absence_only():
    chain = SimulatedChain()
    chain.storage = {}
    chain.advance()
    state = chain.consensus_state(2)
    assert decode_consensus_state(state).storage_root == EMPTY_ROOT
    CLIENT.verify_non_membership(chain.client_state(2), state, chain.proof(2, KEY), (KEY,))
    with pytest.raises(PredicateFailed):
        CLIENT.verify_membership(chain.client_state(2), state, chain.proof(2, KEY), (KEY,), VALUE)


@pytest.mark.parametrize(
    "changed",
    [{"difficulty": 2}, {"nonce": b"\0" * 7 + b"\1"}, {"mix_hash": bytes(32)}, {"ommers_hash": bytes(32)}],
)
def test_constant_fields_of_another_consensus_are_refused(changed):
    chain = chain_of()
    error = refused("qbft_constant_fields", chain, proposal(chain, 3, **changed))
    assert next(iter(changed)) in error.reason
    assert isinstance(judge(chain, proposal(chain, 3, mix_hash=MIX_HASH)), Updated)


def test_seals_are_over_the_form_with_round_and_the_hash_over_the_form_without():
    chain = chain_of()
    header = proposal(chain, 3, round_number=5)
    assert commit_seal_hash(header.execution, header.extra) != commit_seal_hash(
        header.execution, replace(header.extra, round=0)
    )
    assert isinstance(judge(chain, header), Updated)


def test_attack_H_bft_evm_one_bit_of_a_valid_update_is_refused():
    """Nothing in an update is unread: but for the trusted height, each flipped bit is refused."""
    chain = SimulatedChain(4)
    chain.advance(2)
    valid = encode_header_message(chain.update(3, 1))
    client, states = trusting(chain, 1)
    assert isinstance(CLIENT.verify_header(client, states, valid, chain.now_ns), Updated)
    for bit in range(0, 8 * len(valid), 7):
        damaged = bytearray(valid)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            CLIENT.verify_header(client, states, bytes(damaged), chain.now_ns)
