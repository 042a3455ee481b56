from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.light_clients.protobuf import cometbft_pb2
from hutong.light_clients.tendermint import hashing, wire
from hutong.light_clients.tendermint.codec import encode_commit, encode_header, encode_validator_set
from hutong.light_clients.tendermint.types import (
    GO_ZERO_TIME_NS,
    MAX_INT64,
    MAX_TIME_NS,
    BlockId,
    PartSetHeader,
    SignedMessageType,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

TIMES = st.integers(GO_ZERO_TIME_NS, MAX_TIME_NS)
INT64 = st.integers(-(2**63), MAX_INT64)
BLOCK_IDS = st.builds(
    BlockId,
    st.binary(min_size=32, max_size=32),
    st.builds(PartSetHeader, st.integers(0, 2**32 - 1), st.binary(min_size=32, max_size=32)),
)


def timestamp_message(time_ns):
    seconds, nanos = divmod(time_ns, 10**9)
    return {"seconds": seconds, "nanos": nanos}


def canonical_block_id(block_id):
    parts = block_id.part_set_header
    return cometbft_pb2.CanonicalBlockID(
        hash=block_id.hash, part_set_header=cometbft_pb2.CanonicalPartSetHeader(total=parts.total, hash=parts.hash)
    )


def delimited(message):
    data = message.SerializeToString(deterministic=True)
    return wire.varint(len(data)) + data


@given(INT64)
def test_varints_are_those_of_the_protobuf_runtime(value):
    expected = cometbft_pb2.Int64Value(value=value).SerializeToString()
    assert wire.varint_field(1, value) == expected


@given(TIMES)
def test_timestamps_are_those_of_the_protobuf_runtime(time_ns):
    message = cometbft_pb2.CommitSig(timestamp=timestamp_message(time_ns))
    assert wire.message_field(3, wire.timestamp(time_ns)) == message.SerializeToString()


@given(st.text(max_size=50), INT64, st.integers(0, 2**31 - 1), BLOCK_IDS, TIMES)
def test_vote_sign_bytes_are_a_delimited_canonical_vote(chain_id, height, round_, block_id, time_ns):
    message = cometbft_pb2.CanonicalVote(
        type=2,
        height=height,
        round=round_,
        block_id=canonical_block_id(block_id),
        timestamp=timestamp_message(time_ns),
        chain_id=chain_id,
    )
    actual = hashing.vote_sign_bytes(chain_id, SignedMessageType.PRECOMMIT, height, round_, block_id, time_ns)
    assert actual == delimited(message)


@given(st.text(max_size=50), BLOCK_IDS, st.lists(TIMES | st.integers(-(10**9), 10**9) | st.just(0), max_size=8))
def test_one_signer_serves_timestamps_of_every_length(chain_id, block_id, times_ns):
    sign_bytes = hashing.vote_signer(chain_id, SignedMessageType.PRECOMMIT, 5, 0, block_id)
    for time_ns in times_ns:
        message = cometbft_pb2.CanonicalVote(
            type=2,
            height=5,
            block_id=canonical_block_id(block_id),
            timestamp=timestamp_message(time_ns),
            chain_id=chain_id,
        )
        assert sign_bytes(time_ns) == delimited(message)


@given(st.text(max_size=50), INT64, st.integers(0, 2**31 - 1), st.integers(-1, 2**31 - 1), BLOCK_IDS, TIMES)
def test_proposal_sign_bytes_are_a_delimited_canonical_proposal(chain_id, height, round_, pol, block_id, time_ns):
    message = cometbft_pb2.CanonicalProposal(
        type=32,
        height=height,
        round=round_,
        pol_round=pol,
        block_id=canonical_block_id(block_id),
        timestamp=timestamp_message(time_ns),
        chain_id=chain_id,
    )
    assert hashing.proposal_sign_bytes(chain_id, height, round_, pol, block_id, time_ns) == delimited(message)


def test_vote_for_nil_leaves_the_block_id_out():
    nil = hashing.vote_sign_bytes("", SignedMessageType.PRECOMMIT, 1, 1, None, GO_ZERO_TIME_NS)
    assert nil.hex() == "2108021101000000000000001901000000000000002a0b088092b8c398feffffff01"
    assert nil == hashing.vote_sign_bytes("", SignedMessageType.PRECOMMIT, 1, 1, BlockId(), GO_ZERO_TIME_NS)


def test_zero_block_id_still_writes_its_part_set_header():
    assert hashing.encode_block_id(BlockId()).hex() == "1200"


def test_header_hash_is_the_root_of_the_14_encoded_fields():
    header = SimulatedChain().block(1).header
    message = cometbft_pb2.Header.FromString(encode_header(header))

    def scalar(value):
        kind = {int: cometbft_pb2.Int64Value, str: cometbft_pb2.StringValue, bytes: cometbft_pb2.BytesValue}
        return kind[type(value)](value=value).SerializeToString()

    leaves = [
        value.SerializeToString() if hasattr(value, "SerializeToString") else scalar(value)
        for value in (getattr(message, field.name) for field in message.DESCRIPTOR.fields)
    ]
    assert len(leaves) == 14
    assert hashing.header_hash(header) == merkle.root(leaves)


def test_every_header_field_changes_the_hash():
    header = SimulatedChain().block(1).header
    original = hashing.header_hash(header)
    for name in header.__dataclass_fields__:
        value = getattr(header, name)
        other = {
            int: lambda v: v + 1,
            str: lambda v: v + "x",
            bytes: lambda v: v + b"\x01",
            BlockId: lambda v: BlockId(b"\x01" * 32),
        }[type(value)](value)
        assert hashing.header_hash(replace(header, **{name: other})) != original, name


def test_header_without_validators_has_no_hash():
    with pytest.raises(PredicateFailed) as caught:
        hashing.header_hash(replace(SimulatedChain().block(1).header, validators_hash=b""))
    assert caught.value.predicate == "header_hash_defined"


def test_validator_set_and_commit_hash_are_roots_of_their_messages():
    block = SimulatedChain().block(1)
    validators = cometbft_pb2.ValidatorSet.FromString(encode_validator_set(block.validators)).validators
    leaves = [
        cometbft_pb2.SimpleValidator(pub_key=v.pub_key, voting_power=v.voting_power).SerializeToString()
        for v in validators
    ]
    assert hashing.validator_set_hash(block.validators) == merkle.root(leaves)
    entries = cometbft_pb2.Commit.FromString(encode_commit(block.signed_header.commit)).signatures
    assert hashing.commit_hash(block.signed_header.commit) == merkle.root([e.SerializeToString() for e in entries])


def test_remembered_roots_are_of_the_keys_and_powers_alone():
    validators = SimulatedChain().block(1).validators
    first = validators.validators[0]
    root = hashing.validator_set_hash(validators)
    for change, same in (({"proposer_priority": 7}, True), ({"voting_power": 11}, False)):
        other = replace(validators, validators=(replace(first, **change), *validators.validators[1:]))
        assert (hashing.validator_set_hash(other) == root) is same


def test_results_hash_takes_the_deterministic_fields():
    results = [(0, b"", 0, 0), (1, b"data", 21_000, 20_999)]
    messages = [
        cometbft_pb2.DeterministicExecTxResult(code=c, data=d, gas_wanted=w, gas_used=u) for c, d, w, u in results
    ]
    assert hashing.results_hash(results) == merkle.root([m.SerializeToString() for m in messages])
    assert hashing.results_hash([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_consensus_params_hash_of_the_default_block_limits():
    """`consensus_hash` that real chains with 22 020 096 bytes and unlimited gas serve (kvstore, gaia, simd)."""
    actual = hashing.consensus_params_hash(22_020_096, -1)
    assert actual.hex().upper() == "048091BC7DDC283F77BFBF91D73C44DA58C3DF8A9CBC867405D8B7F3DAADA22F"


@pytest.mark.parametrize(("size", "total"), [(0, 0), (1, 1), (65_536, 1), (65_537, 2), (200_000, 4)])
def test_part_set_header_counts_parts_of_64_kib(size, total):
    block = bytes(range(256)) * (size // 256 + 1)
    block = block[:size]
    parts = [block[i : i + 65_536] for i in range(0, size, 65_536)]
    assert hashing.part_set_header(block) == PartSetHeader(total, merkle.root(parts))
