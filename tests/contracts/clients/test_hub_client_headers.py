"""C lines against HubClient: each attack beside the twin that is accepted, and beside the Python client's verdict."""

from dataclasses import replace

import pytest

from hutong.adapters.evm.hub_client import encode_update
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, VerificationError
from hutong.light_clients.tendermint.types import (
    BlockId,
    PartSetHeader,
    SignedMessageType,
    TrustLevel,
    Validator,
    ValidatorSet,
)
from tests.contracts.clients.hub_twin import MISBEHAVIOUR, NOOP, REFUSED, UPDATE, HubTwin
from tests.contracts.evm import Reverted
from tests.contracts.lane import deploy_hub_client, now_s
from tests.light_clients.tendermint.simulated_chain import DAY_NS, SimulatedChain, flags, signers

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def chain_of(count=4, power=10, blocks=6, **options):
    chain = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(signers(count), power), **options)
    chain.advance(blocks - 1)
    return chain


@pytest.fixture
def chain():
    return chain_of()


@pytest.fixture
def twin(chain):
    return HubTwin(chain)


def with_signature(header, index, **changes):
    commit = header.signed_header.commit
    entries = list(commit.signatures)
    entries[index] = replace(entries[index], **changes)
    return with_commit(header, signatures=tuple(entries))


def with_commit(header, **changes):
    commit = replace(header.signed_header.commit, **changes)
    return replace(header, signed_header=replace(header.signed_header, commit=commit))


def with_header(header, **changes):
    inner = replace(header.signed_header.header, **changes)
    return replace(header, signed_header=replace(header.signed_header, header=inner))


@pytest.mark.parametrize("count", [1, 4, 7, 21])
@pytest.mark.parametrize("fork", ["paris", "prague"])
def test_adjacent_and_skipping_updates_are_accepted(count, fork):
    twin = HubTwin(chain_of(count), fork=fork)
    assert twin.update(twin.chain.update(2, 1)) == UPDATE
    assert twin.update(twin.chain.update(6, 2)) == UPDATE
    assert twin.contract.call("latestHeight") == (1, 6)
    timestamp_ns, root, following = twin.contract.call("getConsensusState", 1, 6)
    state = twin.chain.consensus_state(6)
    assert (timestamp_ns, root, following) == (state.timestamp_ns, state.root, state.next_validators_hash)
    assert twin.contract.call("latestTimestamp") == state.timestamp_ns // NANOSECONDS_PER_SECOND


def test_state_below_the_latest_is_linked_between_its_neighbours(twin, chain):
    assert twin.update(chain.update(6, 1)) == UPDATE
    assert twin.update(chain.update(3, 1)) == UPDATE
    assert twin.update(chain.update(5, 1)) == UPDATE
    assert twin.contract.call("neighbours", 3) == (1, 5)
    assert twin.contract.call("neighbours", 5) == (3, 6)
    assert twin.contract.call("neighbours", 6) == (5, 0)
    assert twin.contract.call("latestHeight") == (1, 6)


def test_round_and_uneven_powers_are_signed_as_cometbft_does():
    members = {signer: 1 + 1000**number for number, signer in enumerate(signers(5))}
    chain = SimulatedChain(chain_id="hutong-1", members=members)
    chain.advance(3, round_=3)
    twin = HubTwin(chain)
    assert twin.update(chain.update(4, 1)) == UPDATE


def test_attack_C1_contract_two_thirds_exactly_is_too_little():
    chain = chain_of(3)
    twin = HubTwin(chain)
    two_of_three = chain.fork(3, flags=flags(absent=(2,)))
    assert twin.update(chain.update(3, 2, two_of_three)) == REFUSED
    assert twin.update(chain.update(3, 1, two_of_three)) == REFUSED
    assert (twin.reason, twin.arguments) == ("NotEnoughPower", (20, 20))
    heavier = SimulatedChain(chain_id="hutong-1", members=dict(zip(signers(3), (11, 10, 10), strict=True)))
    heavier.advance(3)
    twin = HubTwin(heavier)
    weakest = 2
    assert twin.update(heavier.update(3, 1, heavier.fork(3, flags=flags(absent=(weakest,))))) == UPDATE


def test_attack_C1_contract_trust_level_exactly_is_too_little():
    old, new = signers(3), signers(3, label="newcomer")
    chain = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(old, 10))
    chain.advance()
    chain.set_members({old[0]: 10, **dict.fromkeys(new, 10)})
    chain.advance(4)
    twin = HubTwin(chain)
    assert twin.update(chain.update(6, 1)) == REFUSED
    assert (twin.reason, twin.arguments) == ("NotEnoughTrust", (10, 10))
    chain = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(old, 10))
    chain.advance()
    chain.set_members({old[0]: 10, old[1]: 10, **dict.fromkeys(new, 10)})
    chain.advance(4)
    assert HubTwin(chain).update(chain.update(6, 1)) == UPDATE


def test_attack_C2_contract_same_validator_twice(twin, chain):
    honest = chain.update(3, 1, chain.fork(3, flags=flags(absent=(1, 2))))
    copied = honest.signed_header.commit.signatures[0]
    assert (
        twin.update(with_signature(honest, 1, **{name: getattr(copied, name) for name in copied.__slots__})) == REFUSED
    )
    assert twin.update(chain.update(3, 1, chain.fork(3, flags=flags(absent=(1,))))) == UPDATE


def test_attack_C2_contract_key_twice_in_the_new_set(twin, chain):
    mine = signers(1, label="attacker")[0]
    trusted = chain.block(3).validators.validators
    doubled = ValidatorSet(
        (Validator.of(mine.public_key, 30), *trusted, replace(trusted[0], voting_power=9)), trusted[0]
    )
    header = chain.update(3, 1)
    header = replace(header, validator_set=doubled)
    assert twin.update(header) == REFUSED
    with pytest.raises(VerificationError):
        encode_update(header)
    assert twin.update(chain.update(3, 1)) == UPDATE


def test_attack_C2_contract_refuses_a_doubled_key_without_its_encoder(chain):
    """The contract's own check, on bytes that no honest encoder writes: signatures below are from one key alone."""
    twin = HubTwin(chain)
    from eth_abi.abi import decode, encode

    from hutong.adapters.evm.hub_client import HEADER_UPDATE_TUPLE

    message = encode_update(chain.update(3, 1))
    ((trusted, header, commit, validators, trusted_validators),) = decode([HEADER_UPDATE_TUPLE], message)
    doubled = (*validators, validators[0])
    with pytest.raises(Reverted) as refused:
        twin.contract.transact(
            "updateClient",
            encode([HEADER_UPDATE_TUPLE], [(trusted, header, commit, doubled, trusted_validators)]),
        )
    assert (refused.value.name, refused.value.arguments) == ("InvalidValidatorSet", ("a key stands twice",))
    assert twin.contract.transact("updateClient", message).value == 0


def test_attack_C3_contract_transmitted_address_is_not_derived(twin, chain):
    header = chain.update(3, 1)
    first, *rest = header.validator_set.validators
    forged = replace(header.validator_set, validators=(replace(first, address=b"\x01" * 20), *rest))
    assert twin.update(replace(header, validator_set=forged)) == REFUSED
    other = header.signed_header.commit.signatures[1].validator_address
    assert twin.update(with_signature(header, 0, validator_address=other)) == REFUSED
    assert twin.update(header) == UPDATE


def test_attack_C3_contract_key_off_the_curve_or_with_wrong_parity(twin, chain):
    """Rule 6: (x, y) is the sender's; the curve equation and the hash over x and parity bind it."""
    from eth_abi.abi import decode, encode

    from hutong.adapters.evm.hub_client import HEADER_UPDATE_TUPLE

    prime = 2**256 - 2**32 - 977
    message = encode_update(chain.update(3, 1))
    ((trusted, header, commit, validators, trusted_validators),) = decode([HEADER_UPDATE_TUPLE], message)

    def submit(first):
        forged = (trusted, header, commit, (first, *validators[1:]), trusted_validators)
        return twin.contract.transact("updateClient", encode([HEADER_UPDATE_TUPLE], [forged]))

    x, y, power = validators[0]
    for point, name in (
        ((x, y ^ 1, power), "InvalidPublicKey"),
        ((0, 0, power), "InvalidPublicKey"),
        ((x, prime + 1, power), "InvalidPublicKey"),
        ((x, prime - y, power), "ValidatorsHashMismatch"),
        ((*validators[1][:2], power), "InvalidValidatorSet"),
        ((x, y, power + 1), "ValidatorsHashMismatch"),
    ):
        with pytest.raises(Reverted) as refused:
            submit(point)
        assert refused.value.name == name, point
    assert submit((x, y, power)).value == 0


@pytest.mark.parametrize(
    "options",
    [
        {"flags": flags(nil=(0, 1))},
        {"flags": flags(absent=(0, 1))},
        {"signed_type": SignedMessageType.PREVOTE},
        {"signed_type": SignedMessageType.PROPOSAL},
    ],
    ids=["nil", "absent", "prevote", "proposal"],
)
def test_attack_C4_contract_votes_that_do_not_count(twin, chain, options):
    assert twin.update(chain.update(3, 1, chain.fork(3, **options))) == REFUSED
    assert twin.update(chain.update(3, 2, chain.fork(3, **options))) == REFUSED
    assert twin.update(chain.update(3, 1, chain.fork(3, flags=flags(nil=(3,))))) == UPDATE


def test_attack_C4_contract_nil_vote_relabelled_as_commit(twin, chain):
    from hutong.light_clients.tendermint.types import BlockIdFlag

    header = chain.update(3, 1, chain.fork(3, flags=flags(nil=(0, 1))))
    relabelled = with_signature(header, 0, block_id_flag=BlockIdFlag.COMMIT)
    assert twin.update(relabelled) == REFUSED
    assert twin.reason == "InvalidSignature"


@pytest.mark.parametrize(
    "options",
    [
        {"signed_chain_id": "hutong-2"},
        {"signed_height": 4},
        {"signed_round": 1},
        {"signed_block_id": BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))},
    ],
    ids=["chain id", "height", "round", "block id"],
)
def test_attack_C5_contract_signature_over_something_else(twin, chain, options):
    assert twin.update(chain.update(3, 1, chain.fork(3, **options))) == REFUSED
    assert twin.reason == "InvalidSignature"
    assert twin.update(chain.update(3, 1)) == UPDATE


def test_attack_C5_contract_part_set_or_timestamp_changed_after_signing(twin, chain):
    header = chain.update(3, 1)
    commit = header.signed_header.commit
    parts = replace(commit.block_id.part_set_header, total=2)
    assert twin.update(with_commit(header, block_id=replace(commit.block_id, part_set_header=parts))) == REFUSED
    later = commit.signatures[0].timestamp_ns + 1
    assert twin.update(with_signature(header, 0, timestamp_ns=later)) == REFUSED
    assert twin.reason == "InvalidSignature"
    assert twin.update(header) == UPDATE


def test_signatures_after_the_prefix_are_not_read(twin, chain):
    """The commit rule: three of four reach two thirds, so what the fourth says is nobody's business."""
    header = chain.update(3, 1)
    assert twin.update(with_signature(header, 3, signature=bytes(64))) == UPDATE


def test_attack_C5_contract_first_bad_signature_refuses(twin, chain):
    header = chain.update(3, 1)
    assert (
        twin.update(with_signature(header, 0, signature=header.signed_header.commit.signatures[1].signature)) == REFUSED
    )
    assert (twin.reason, twin.arguments) == ("InvalidSignature", (0,))


def test_attack_D2_contract_high_s_twin_of_a_valid_signature(twin, chain):
    header = chain.update(3, 1)
    signature = header.signed_header.commit.signatures[0].signature
    high_s = (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    assert twin.update(with_signature(header, 0, signature=signature[:32] + high_s)) == REFUSED
    assert twin.update(with_signature(header, 0, signature=bytes(64))) == REFUSED
    assert twin.update(with_signature(header, 0, signature=signature[:32] + bytes(32))) == REFUSED
    assert twin.update(header) == UPDATE


def test_attack_C6_contract_commit_of_another_block(twin, chain):
    header = chain.update(3, 1)
    other = chain.update(4, 1).signed_header.commit
    assert twin.update(with_commit(header, block_id=other.block_id)) == REFUSED
    assert (twin.reason, twin.arguments) == ("CommitMismatch", ("hash",))
    assert twin.update(with_commit(header, height=4)) == REFUSED
    assert twin.update(replace(header, signed_header=replace(header.signed_header, commit=other))) == REFUSED
    assert twin.update(header) == UPDATE


HEADER_CHANGES = {
    "version_block": 12,
    "version_app": 2,
    "chain_id": "hutong-2",
    "height": 4,
    "time_ns": 1_700_000_003 * NANOSECONDS_PER_SECOND + 123_456_790,
    "last_block_id": BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32)),
    "last_commit_hash": b"\x01" * 32,
    "data_hash": b"\x01" * 32,
    "validators_hash": b"\x01" * 32,
    "next_validators_hash": b"\x01" * 32,
    "consensus_hash": b"\x01" * 32,
    "app_hash": b"\x01" * 32,
    "last_results_hash": b"\x01" * 32,
    "evidence_hash": b"\x01" * 32,
    "proposer_address": b"\x01" * 20,
}


@pytest.mark.parametrize("name", HEADER_CHANGES)
def test_attack_C6_contract_every_header_field_is_signed(twin, chain, name):
    assert twin.update(with_header(chain.update(3, 1), **{name: HEADER_CHANGES[name]})) == REFUSED
    assert twin.update(chain.update(3, 1)) == UPDATE


def test_attack_C7_contract_sets_that_are_not_the_hashed_ones(twin, chain):
    header = chain.update(3, 1)
    mine = ValidatorSet.of(tuple(Validator.of(signer.public_key, 10) for signer in signers(4, label="attacker")))
    assert twin.update(replace(header, validator_set=mine)) == REFUSED
    assert twin.update(replace(header, trusted_validators=mine)) == REFUSED
    assert twin.reason == "ValidatorsHashMismatch"
    assert twin.update(replace(header, validator_set=mine, trusted_validators=mine)) == REFUSED
    assert twin.update(header) == UPDATE


def rotating_chain(kept):
    """Of four validators, `kept` stay from block 4 on; four newcomers join."""
    old = signers(4)
    chain = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(old, 10))
    chain.advance()
    chain.set_members(dict.fromkeys((*old[:kept], *signers(4, label="newcomer")), 10))
    chain.advance(5)
    return chain


def test_attack_C7_contract_sets_swapped():
    chain = rotating_chain(2)
    twin = HubTwin(chain)
    header = chain.update(6, 1)
    swapped = replace(header, validator_set=header.trusted_validators, trusted_validators=header.validator_set)
    assert twin.update(swapped) == REFUSED
    assert twin.update(header) == UPDATE


def test_attack_C8_contract_too_little_overlap():
    chain = rotating_chain(1)
    twin = HubTwin(chain)
    assert twin.update(chain.update(6, 1)) == REFUSED
    assert twin.reason == "NotEnoughTrust"
    assert twin.update(chain.update(3, 1)) == UPDATE
    assert twin.update(chain.update(4, 3)) == UPDATE
    assert twin.update(chain.update(6, 4)) == UPDATE


def test_attack_C8_contract_adjacent_header_with_another_set(chain):
    mine = signers(4, label="attacker")
    fork = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(mine, 10))
    fork.advance(3)
    twin = HubTwin(chain)
    forged = replace(fork.update(2, 1), trusted_validators=chain.block(1).next_validators)
    assert twin.update(forged) == REFUSED
    assert twin.reason == "ValidatorsHashMismatch"
    assert twin.update(chain.update(2, 1)) == UPDATE


def test_attack_C9_contract_time_at_and_around_the_drift(chain):
    now = now_s(chain)
    limit_ns = now * NANOSECONDS_PER_SECOND + chain.max_clock_drift_ns
    twin = HubTwin(chain)
    assert twin.update(chain.update(6, 1, chain.fork(6, time_ns=limit_ns)), now) == REFUSED
    assert twin.reason == "HeaderFromFuture"
    assert twin.update(chain.update(6, 1, chain.fork(6, time_ns=limit_ns + 10**18)), now) == REFUSED
    assert twin.update(chain.update(6, 1, chain.fork(6, time_ns=limit_ns - 1)), now) == UPDATE


def test_attack_C9_contract_time_not_after_the_trusted_state(twin, chain):
    trusted_ns = chain.block(1).header.time_ns
    assert twin.update(chain.update(6, 1, chain.fork(6, time_ns=trusted_ns))) == REFUSED
    assert twin.reason == "TimeNotIncreasing"
    assert twin.update(chain.update(6, 1, chain.fork(6, time_ns=-NANOSECONDS_PER_SECOND))) == REFUSED
    assert twin.update(chain.update(6, 1, chain.fork(6, time_ns=trusted_ns + 1))) == UPDATE


def test_attack_C9_contract_nanoseconds_out_of_range(twin, chain):
    from eth_abi.abi import decode, encode

    from hutong.adapters.evm.hub_client import HEADER_UPDATE_TUPLE

    message = encode_update(chain.update(3, 1))
    ((trusted, header, commit, *sets),) = decode([HEADER_UPDATE_TUPLE], message)
    seconds, nanos = header[4]
    for time in ((seconds - 1, nanos + 10**9), (seconds, 10**9), (2**63, 0)):
        forged = (*header[:4], time, *header[5:])
        with pytest.raises(Reverted) as refused:
            twin.contract.transact("updateClient", encode([HEADER_UPDATE_TUPLE], [(trusted, forged, commit, *sets)]))
        assert refused.value.name in {"InvalidTimestamp", "HeaderFromFuture"}
    assert twin.contract.transact("updateClient", message).value == 0


def test_attack_C10_contract_trusting_period_to_the_tick():
    period_s = 7 * 86_400
    chain = chain_of(genesis_time_ns=1_700_000_000 * NANOSECONDS_PER_SECOND)
    trusted_s = chain.block(1).header.time_ns // NANOSECONDS_PER_SECOND
    edge = trusted_s + period_s
    fresh = chain.fork(6, time_ns=(edge - 5) * NANOSECONDS_PER_SECOND)
    for now in (edge, edge + 1):
        twin = HubTwin(chain)
        assert twin.update(chain.update(6, 1, fresh), now) == REFUSED
        assert twin.reason == "ExpiredClient"
        assert twin.contract.call("status") == 2
    twin = HubTwin(chain)
    assert twin.update(chain.update(6, 1, fresh), edge - 1) == UPDATE
    assert twin.contract.call("status") == 0


def test_attack_C10_contract_expired_trusted_state_while_a_newer_is_fresh():
    chain = chain_of(genesis_time_ns=1_700_000_000 * NANOSECONDS_PER_SECOND)
    twin = HubTwin(chain)
    week = chain.trusting_period_ns
    chain.advance(time_ns=chain.block(1).header.time_ns + week - DAY_NS)
    assert twin.update(chain.update(7, 1), now_s(chain)) == UPDATE
    chain.advance(time_ns=chain.block(1).header.time_ns + week + DAY_NS)
    assert twin.update(chain.update(8, 1), now_s(chain)) == REFUSED
    assert twin.reason == "TrustedStateExpired"
    assert twin.update(chain.update(8, 7), now_s(chain)) == UPDATE


def test_attack_C11_contract_heights_and_chain_ids(twin, chain):
    assert twin.update(chain.update(1, 1)) == REFUSED
    assert twin.reason == "HeightNotIncreasing"
    assert twin.update(chain.update(4, 1)) == UPDATE
    assert twin.update(chain.update(3, 4)) == REFUSED
    assert twin.update(replace(chain.update(5, 4), trusted_height=Height(2, 4))) == REFUSED
    assert twin.reason == "RevisionMismatch"
    assert twin.update(replace(chain.update(5, 4), trusted_height=Height(1, 2))) == REFUSED
    assert twin.reason == "UnknownHeight"
    for chain_id in ("hutang-1", "hutong-2", "hutong-01", "hutong"):
        other = SimulatedChain(chain_id=chain_id)
        other.advance(5)
        header = replace(other.update(5, 4), trusted_height=Height(1, 4))
        assert twin.update(header) == REFUSED
        assert twin.reason == "WrongChain"
    assert twin.update(chain.update(5, 4)) == UPDATE


def test_attack_C12_contract_voting_powers(twin, chain):
    header = chain.update(3, 1)
    first, *rest = header.validator_set.validators
    for power in (0, -1, 2**60, 2**63 - 1):
        forged = replace(header.validator_set, validators=(replace(first, voting_power=power), *rest))
        assert twin.update(replace(header, validator_set=forged)) == REFUSED
    assert twin.update(replace(header, validator_set=ValidatorSet(()))) == REFUSED
    assert twin.update(header) == UPDATE


def test_attack_C12_contract_power_cap_and_zero_power_without_the_encoder(chain):
    from eth_abi.abi import decode, encode

    from hutong.adapters.evm.hub_client import HEADER_UPDATE_TUPLE

    twin = HubTwin(chain)
    message = encode_update(chain.update(3, 1))
    ((trusted, header, commit, validators, trusted_validators),) = decode([HEADER_UPDATE_TUPLE], message)
    x, y, _ = validators[0]
    for forged, reason in (
        (((x, y, 0), *validators[1:]), "zero voting power"),
        (((x, y, 2**60), *validators[1:]), "total voting power above the cap"),
        (((x, y, 2**64 - 1), *validators[1:]), "total voting power above the cap"),
        ((), "empty"),
    ):
        commit_of_none = (*commit[:3], ()) if not forged else commit
        with pytest.raises(Reverted) as refused:
            twin.contract.transact(
                "updateClient",
                encode([HEADER_UPDATE_TUPLE], [(trusted, header, commit_of_none, forged, trusted_validators)]),
            )
        assert (refused.value.name, refused.value.arguments) == ("InvalidValidatorSet", (reason,))


def test_attack_C12_contract_one_validator_and_one_hundred():
    for count in (1, 100):
        chain = chain_of(count, blocks=3)
        twin = HubTwin(chain)
        assert twin.update(chain.update(3, 1)) == UPDATE


@pytest.mark.parametrize("name", ["app_hash", "next_validators_hash"])
def test_attack_C13_contract_empty_hashes(twin, chain, name):
    assert twin.update(chain.update(3, 1, chain.fork(3, **{name: b""}))) == REFUSED
    assert twin.reason == "EmptyField"
    assert twin.update(chain.update(3, 1)) == UPDATE


def test_attack_C13_contract_empty_validators_hash(twin, chain):
    assert twin.update(with_header(chain.update(3, 1), validators_hash=b"")) == REFUSED
    assert twin.reason == "EmptyField"


def test_attack_C14_contract_ed25519_validators_are_refused(chain):
    from hutong.light_clients.tendermint.types import KeyType

    other = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(signers(4, KeyType.ED25519), 10))
    other.advance(2)
    with pytest.raises(VerificationError, match="ed25519 validators"):
        encode_update(other.update(3, 1))
    assert encode_update(chain.update(3, 1))


def test_attack_C15_contract_same_header_is_a_noop_and_another_freezes(twin, chain):
    assert twin.update(chain.update(3, 1)) == UPDATE
    assert twin.update(chain.update(3, 1)) == NOOP
    assert twin.contract.call("status") == 0
    assert twin.update(chain.update(3, 1, chain.fork(3, app_hash=b"\xee" * 32))) == MISBEHAVIOUR
    assert twin.contract.call("status") == 1
    assert twin.update(chain.update(4, 3)) == REFUSED
    assert twin.reason == "FrozenClient"


@pytest.mark.parametrize("offset_ns", [0, 5 * NANOSECONDS_PER_SECOND])
def test_attack_C15_contract_time_not_between_its_neighbours_freezes(twin, chain, offset_ns):
    assert twin.update(chain.update(5, 1)) == UPDATE
    late = chain.block(5).header.time_ns + offset_ns
    assert twin.update(chain.update(3, 1, chain.fork(3, time_ns=late)), now_s(chain) + 5) == MISBEHAVIOUR
    assert twin.contract.call("status") == 1


def test_attack_C15_contract_header_after_a_later_time_freezes(twin, chain):
    assert twin.update(chain.update(4, 1)) == UPDATE
    early = chain.block(4).header.time_ns - 1
    assert twin.update(chain.update(5, 1, chain.fork(5, time_ns=early))) == MISBEHAVIOUR


def test_attack_C15_contract_monotone_time_between_neighbours_is_stored(twin, chain):
    assert twin.update(chain.update(5, 1)) == UPDATE
    just_before = chain.block(5).header.time_ns - 1
    assert twin.update(chain.update(3, 1, chain.fork(3, time_ns=just_before))) == UPDATE


def evidence(chain, height=4, trusted=1, **changes):
    one = chain.update(height, trusted)
    two = chain.update(height, trusted, chain.fork(height, **(changes or {"app_hash": b"\xee" * 32})))
    return chain.misbehaviour(one, two)


def test_attack_C16_contract_evidence_that_proves_nothing(twin, chain):
    valid = evidence(chain)
    one, two = valid.header_1, valid.header_2
    assert twin.misbehaviour(chain.misbehaviour(one, one)) == REFUSED
    assert twin.reason == "NotMisbehaviour"
    assert twin.misbehaviour(chain.misbehaviour(one, with_signature(two, 0, signature=b"\x01" * 64))) == REFUSED
    assert twin.misbehaviour(chain.misbehaviour(chain.update(3, 1), chain.update(5, 1))) == REFUSED
    assert twin.misbehaviour(chain.misbehaviour(chain.update(5, 1), chain.update(3, 1))) == REFUSED
    assert twin.reason == "NotMisbehaviour"
    few = chain.update(4, 1, chain.fork(4, app_hash=b"\xee" * 32, flags=flags(absent=(0, 1))))
    assert twin.misbehaviour(chain.misbehaviour(one, few)) == REFUSED
    other = SimulatedChain(chain_id="hutang-1")
    other.advance(5)
    assert twin.misbehaviour(chain.misbehaviour(one, other.update(4, 1))) == REFUSED
    assert twin.contract.call("status") == 0
    assert twin.misbehaviour(valid) == MISBEHAVIOUR


def test_attack_C16_contract_evidence_over_expired_trusted_states(chain):
    edge_s = (chain.block(1).header.time_ns + chain.trusting_period_ns) // NANOSECONDS_PER_SECOND + 1
    twin = HubTwin(chain)
    assert twin.misbehaviour(evidence(chain), edge_s) == REFUSED
    twin = HubTwin(chain)
    assert twin.misbehaviour(evidence(chain), edge_s - 1) == MISBEHAVIOUR


def test_attack_C17_contract_valid_evidence_freezes_for_good(twin, chain):
    assert twin.update(chain.update(3, 1)) == UPDATE
    key = b"client-0\x01" + (1).to_bytes(8, "big")
    proof, _, _ = chain.prove(key, 3)
    assert twin.proves(key, None, proof, 3)
    assert twin.misbehaviour(evidence(chain)) == MISBEHAVIOUR
    assert twin.contract.call("status") == 1
    assert twin.update(chain.update(5, 3)) == REFUSED
    assert twin.misbehaviour(evidence(chain)) == REFUSED
    assert not twin.contract_accepts(key, None, proof, (1, 3))
    from hutong.adapters.evm.hub_client import encode_non_membership_proof

    assert not twin.contract_accepts(key, None, encode_non_membership_proof(proof), (1, 3))
    assert twin.reason == "FrozenClient"


def test_attack_C17_contract_later_block_with_an_earlier_time_freezes(twin, chain):
    early = chain.update(5, 1, chain.fork(5, time_ns=chain.block(3).header.time_ns))
    assert twin.misbehaviour(chain.misbehaviour(early, chain.update(3, 1))) == MISBEHAVIOUR


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trust_level": TrustLevel(1, 4)}, "trustLevel"),
        ({"trust_level": TrustLevel(4, 3)}, "trustLevel"),
        ({"trust_level": TrustLevel(1, 0)}, "trustLevel"),
        ({"trusting_period_ns": 21 * DAY_NS}, "trustingPeriod"),
        ({"trusting_period_ns": 0}, "trustingPeriod"),
        ({"max_clock_drift_ns": 0}, "maxClockDrift"),
        ({"latest_height": Height(2, 1)}, "latestHeight"),
        ({"latest_height": Height(1, 0)}, "latestHeight"),
        ({"chain_id": ""}, "chainId"),
        ({"chain_id": "x" * 51}, "chainId"),
        ({"frozen_height": Height(0, 1)}, "frozen"),
    ],
)
def test_attack_C20_contract_unsound_client_states(chain, changes, field):
    twin = HubTwin(chain)
    with pytest.raises(Reverted) as refused:
        deploy_hub_client(twin.evm, chain, 1, **changes)
    assert (refused.value.name, refused.value.arguments) == ("InvalidClientState", (field,))
    assert deploy_hub_client(twin.evm, chain, 1, trust_level=TrustLevel(1, 1)).call("status") == 0


def test_attack_C20_contract_default_values_are_never_trusted(chain):
    from tests.contracts.lane import client_state_tuple, consensus_state_tuple

    twin = HubTwin(chain)
    client, state = chain.client_state(1), chain.consensus_state(1)
    for changes, name in (
        ({"timestamp_ns": 0}, "InvalidClientState"),
        ({"root": bytes(32)}, "InvalidClientState"),
        ({"next_validators_hash": bytes(32)}, "InvalidClientState"),
        ({"timestamp_ns": state.timestamp_ns - 8 * DAY_NS}, "ExpiredClient"),
        ({"timestamp_ns": state.timestamp_ns + DAY_NS}, "InvalidClientState"),
    ):
        with pytest.raises(Reverted) as refused:
            twin.evm.deploy("HubClient", client_state_tuple(client), consensus_state_tuple(replace(state, **changes)))
        assert refused.value.name == name, changes


def test_anyone_may_update_and_nobody_may_set(twin):
    """No function but update and misbehaviour changes state, and neither asks who calls."""
    changing = {
        entry["name"]
        for entry in twin.contract.compiled.abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert changing == {"updateClient", "misbehaviour"}
