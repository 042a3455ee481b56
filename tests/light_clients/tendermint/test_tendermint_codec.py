"""Decoders: total, bounded, canonical; a valid header damaged by one bit is the same header or none."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import (
    MAX_CLIENT_MESSAGE_BYTES,
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    Height,
    MalformedInput,
    NotEnoughTrust,
    VerificationError,
)
from hutong.light_clients.proofs.ics23 import IAVL_SPEC, SMT_SPEC, TENDERMINT_SPEC
from hutong.light_clients.protobuf import ibc_pb2
from hutong.light_clients.tendermint import codec, rpc_json
from hutong.light_clients.tendermint.types import (
    GO_ZERO_TIME_NS,
    MAX_INT64,
    MAX_TIME_NS,
    BlockIdFlag,
    ClientState,
    ConsensusState,
    KeyType,
    TendermintHeader,
    TrustLevel,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, flags, signers
from tests.light_clients.tendermint.verifying import CLIENT, Verifier, flipped

UINT64 = st.integers(0, 2**64 - 1)
HEIGHTS = st.builds(Height, UINT64, UINT64)
DURATIONS = st.integers(-MAX_INT64, MAX_INT64)
HASHES = st.sampled_from((b"", b"\x01" * 32, bytes(32)))
CLIENT_STATES = st.builds(
    ClientState,
    chain_id=st.text(max_size=50),
    trust_level=st.builds(TrustLevel, UINT64, UINT64),
    trusting_period_ns=DURATIONS,
    unbonding_period_ns=DURATIONS,
    max_clock_drift_ns=DURATIONS,
    frozen_height=HEIGHTS,
    latest_height=HEIGHTS,
    proof_specs=st.lists(st.sampled_from((IAVL_SPEC, TENDERMINT_SPEC, SMT_SPEC)), max_size=3).map(tuple),
    upgrade_path=st.lists(st.text(max_size=8), max_size=3).map(tuple),
    allow_update_after_expiry=st.booleans(),
    allow_update_after_misbehaviour=st.booleans(),
)
CONSENSUS_STATES = st.builds(ConsensusState, st.integers(GO_ZERO_TIME_NS, MAX_TIME_NS), st.binary(max_size=40), HASHES)
DECODERS = (
    (codec.decode_tendermint_header, codec.encode_tendermint_header, MAX_CLIENT_MESSAGE_BYTES),
    (codec.decode_misbehaviour, codec.encode_misbehaviour, MAX_CLIENT_MESSAGE_BYTES),
    (codec.decode_client_state, codec.encode_client_state, MAX_CLIENT_STATE_BYTES),
    (codec.decode_consensus_state, codec.encode_consensus_state, MAX_CONSENSUS_STATE_BYTES),
    (codec.decode_header, codec.encode_header, MAX_CLIENT_MESSAGE_BYTES),
    (codec.decode_commit, codec.encode_commit, MAX_CLIENT_MESSAGE_BYTES),
    (codec.decode_signed_header, codec.encode_signed_header, MAX_CLIENT_MESSAGE_BYTES),
    (codec.decode_validator_set, codec.encode_validator_set, MAX_CLIENT_MESSAGE_BYTES),
)


def mixed_chain() -> SimulatedChain:
    members = {signers(1, KeyType.ED25519)[0]: 12, signers(2)[0]: 11, signers(2)[1]: 9, signers(3)[2]: 8}
    chain = SimulatedChain(members=members)
    chain.advance()
    chain.advance(flags=flags(nil=(1,), absent=(3,)))
    return chain


def examples() -> list[bytes]:
    chain = mixed_chain()
    update = chain.update(3, 1)
    return [
        codec.encode_tendermint_header(update),
        codec.encode_misbehaviour(chain.misbehaviour(update, update)),
        codec.encode_client_state(chain.client_state(1)),
        codec.encode_consensus_state(chain.consensus_state(1)),
        codec.encode_header(update.signed_header.header),
        codec.encode_commit(update.signed_header.commit),
        codec.encode_signed_header(update.signed_header),
        codec.encode_validator_set(update.validator_set),
    ]


VALID = examples()
CASES = [(*decoder, data) for decoder, data in zip(DECODERS, VALID, strict=True)]
EACH = pytest.mark.parametrize(("decode", "encode", "bound", "data"), CASES, ids=lambda c: getattr(c, "__name__", None))


@given(CLIENT_STATES)
def test_client_states_survive_the_round_trip(state):
    assert codec.decode_client_state(codec.encode_client_state(state)) == state


@given(CONSENSUS_STATES)
def test_consensus_states_survive_the_round_trip(state):
    assert codec.decode_consensus_state(codec.encode_consensus_state(state)) == state


@EACH
def test_values_survive_the_round_trip(decode, encode, bound, data):
    assert encode(decode(data)) == data


@EACH
def test_attack_H_decoder_refuses_more_than_its_bound(decode, encode, bound, data):
    with pytest.raises(MalformedInput) as caught:
        decode(bytes(bound + 1))
    assert caught.value.got == bound + 1
    decode(data)


@EACH
def test_attack_H_decoder_refuses_a_second_encoding_of_the_same_value(decode, encode, bound, data):
    unknown_field = b"\xfa\x3f\x01\x00"
    for twin in (data + unknown_field, data + b"\x00", unknown_field + data):
        with pytest.raises(MalformedInput):
            decode(twin)
    decode(data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(DECODERS), st.binary(max_size=300))
def test_attack_H_decoders_are_total_on_random_bytes(decoder, data):
    decode, encode, _ = decoder
    try:
        value = decode(data)
    except MalformedInput:
        return
    assert encode(value) == data


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(st.data())
def test_attack_H_decoders_are_total_and_canonical_on_damaged_bytes(data):
    decode, encode, _, valid = data.draw(st.sampled_from(CASES))
    damaged = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
        if not damaged:
            break
    try:
        value = decode(bytes(damaged))
    except MalformedInput:
        return
    assert encode(value) == bytes(damaged)


@pytest.mark.parametrize(
    "path",
    [
        "signed_header",
        "signed_header.header",
        "signed_header.commit",
        "signed_header.header.version",
        "signed_header.header.time",
        "signed_header.header.last_block_id",
        "signed_header.header.last_block_id.part_set_header",
        "signed_header.commit.block_id",
        "signed_header.commit.block_id.part_set_header",
        "validator_set",
        "trusted_height",
        "trusted_validators",
    ],
)
def test_missing_message_is_named_since_go_and_others_read_it_differently(path):
    message = ibc_pb2.TendermintHeader.FromString(VALID[0])
    *parents, name = path.split(".")
    owner = message
    for parent in parents:
        owner = getattr(owner, parent)
    owner.ClearField(name)
    with pytest.raises(MalformedInput) as caught:
        codec.decode_tendermint_header(message.SerializeToString(deterministic=True))
    assert (caught.value.field, caught.value.reason) == (f"header.{path}", "is missing")


@pytest.mark.parametrize("whose", ["validator_set", "trusted_validators"])
@pytest.mark.parametrize("key_type", list(KeyType))
def test_missing_parts_of_an_element_are_named_in_the_set_that_lacks_them(whose, key_type):
    chain = SimulatedChain(members=dict.fromkeys(signers(3, key_type), 10))
    chain.advance(1)
    data = codec.encode_tendermint_header(chain.update(2, 1))
    message = ibc_pb2.TendermintHeader.FromString(data)
    getattr(message, whose).validators[1].ClearField("pub_key")
    with pytest.raises(MalformedInput) as caught:
        codec.decode_tendermint_header(message.SerializeToString(deterministic=True))
    assert (caught.value.field, caught.value.reason) == (f"header.{whose}.validators[1].pub_key", "is missing")
    message = ibc_pb2.TendermintHeader.FromString(data)
    message.signed_header.commit.signatures[2].ClearField("timestamp")
    with pytest.raises(MalformedInput) as caught:
        codec.decode_tendermint_header(message.SerializeToString(deterministic=True))
    assert caught.value.field == "header.signed_header.commit.signatures[2].timestamp"


def test_equal_sets_are_decoded_once_and_unequal_ones_each_by_itself():
    chain = SimulatedChain()
    chain.advance(1)
    update = chain.update(2, 1)
    decoded = codec.decode_tendermint_header(codec.encode_tendermint_header(update))
    assert decoded.trusted_validators is decoded.validator_set
    first, *others = update.trusted_validators.validators
    other = replace(update.trusted_validators, validators=(replace(first, proposer_priority=5), *others))
    decoded = codec.decode_tendermint_header(codec.encode_tendermint_header(replace(update, trusted_validators=other)))
    assert (decoded.validator_set, decoded.trusted_validators) == (update.validator_set, other)


@pytest.mark.parametrize("period", ["trusting_period", "unbonding_period", "max_clock_drift"])
@pytest.mark.parametrize(
    ("seconds", "nanos"), [(1, -1), (-1, 1), (0, 10**9), (0, -(10**9)), (2**62, 0), (MAX_INT64 // 10**9 + 1, 0)]
)
def test_durations_that_go_would_refuse(period, seconds, nanos):
    message = ibc_pb2.TendermintClientState.FromString(VALID[2])
    duration = getattr(message, period)
    duration.seconds, duration.nanos = seconds, nanos
    with pytest.raises(MalformedInput) as caught:
        codec.decode_client_state(message.SerializeToString(deterministic=True))
    assert caught.value.field.startswith(f"client_state.{period}.")


def unread_removed(update: TendermintHeader) -> TendermintHeader:
    """What docs/spec/tendermint-client.md lists as unread, set to nothing: what is left decides the verdict.

    Only commit entries up to the one that passes 2/3 are read.
    """

    def without(validators):
        proposer = validators.proposer
        return replace(
            validators,
            claimed_total_voting_power=0,
            validators=tuple(replace(v, proposer_priority=0) for v in validators.validators),
            proposer=None
            if proposer is None
            else replace(proposer, proposer_priority=0, voting_power=min(proposer.voting_power, 0)),
        )

    commit = update.signed_header.commit
    passed_over = tuple(
        entry if entry.block_id_flag is BlockIdFlag.COMMIT and index < READ_ENTRIES else None
        for index, entry in enumerate(commit.signatures)
    )
    return replace(
        update,
        validator_set=without(update.validator_set),
        trusted_validators=without(update.trusted_validators),
        signed_header=replace(update.signed_header, commit=replace(commit, signatures=passed_over)),
    )


READ_ENTRIES = 3


@pytest.mark.long
def test_attack_H_one_bit_of_a_valid_header_is_either_unread_or_refused():
    """Every bit of an update with nil vote, unread last entry, priorities and claimed total, flipped alone."""
    members = dict(zip(signers(4), (12, 4, 3, 1), strict=True))
    chain = SimulatedChain(members=members)
    chain.advance()
    chain.advance(flags=flags(nil=(1,)))
    # 20 in all, more than 13 needed: 12 do not do, nil is passed over, 3 more do; entry 3 is not read.
    client = Verifier(chain, 1)
    update = chain.update(3, 1)

    def dressed(validators):
        return replace(
            validators,
            claimed_total_voting_power=20,
            validators=tuple(replace(v, proposer_priority=i - 2) for i, v in enumerate(validators.validators)),
        )

    update = replace(
        update,
        validator_set=dressed(update.validator_set),
        trusted_validators=dressed(update.trusted_validators),
    )
    expected = client.accepts(update)
    original = unread_removed(update)
    data = codec.encode_tendermint_header(update)
    accepted = 0
    for bit in range(8 * len(data)):
        mutated = flipped(data, bit)
        try:
            verdict = CLIENT.verify_header(client.state, client.states, mutated, client.now_ns)
        except MalformedInput:
            continue
        except VerificationError:
            verdict = None
        same = unread_removed(codec.decode_tendermint_header(mutated)) == original
        if verdict is None or isinstance(verdict, NotEnoughTrust):
            assert not same, f"bit {bit} is documented as unread, but refused"
            continue
        assert same, f"bit {bit} changes what is read, but is accepted"
        assert verdict == expected
        accepted += 1
    assert accepted > 0


JSON_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    JSON_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@given(JSON)
def test_attack_H_rpc_json_parsers_are_total(value):
    for parse in (
        rpc_json.header_from_rpc,
        rpc_json.commit_from_rpc,
        rpc_json.signed_header_from_rpc,
        rpc_json.validator_set_from_rpc,
        rpc_json.block_id_from_rpc,
        rpc_json.rpc_result,
    ):
        try:
            parse(value)
        except MalformedInput:
            pass


@given(st.data())
def test_attack_H_rpc_json_with_one_wrong_value_is_malformed_or_read(data):
    chain = mixed_chain()
    block = chain.latest
    served = rpc_json.signed_header_to_rpc(block.signed_header)
    served["validator_set"] = rpc_json.validator_set_to_rpc(block.validators)
    where = served
    while isinstance(where, dict | list) and where:
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        if not isinstance(where[key], dict | list) or data.draw(st.booleans()):
            where[key] = data.draw(JSON)
            break
        where = where[key]
    for parse, part in (
        (rpc_json.signed_header_from_rpc, served),
        (rpc_json.validator_set_from_rpc, served.get("validator_set")),
    ):
        try:
            parse(part)
        except MalformedInput:
            pass


def test_rpc_json_round_trip():
    block = mixed_chain().latest
    assert rpc_json.signed_header_from_rpc(rpc_json.signed_header_to_rpc(block.signed_header)) == block.signed_header
    assert rpc_json.validator_set_from_rpc(rpc_json.validator_set_to_rpc(block.validators)) == block.validators
    served = rpc_json.validator_set_to_rpc(replace(block.validators, proposer=None))
    assert rpc_json.validator_set_from_rpc(served).validators == block.validators.validators


@given(st.integers(GO_ZERO_TIME_NS, MAX_TIME_NS))
def test_rpc_times_survive_the_round_trip(time_ns):
    assert rpc_json.parse_time_ns(rpc_json.format_time(time_ns), "time") == time_ns


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1969-12-31T23:59:59.9Z", -100_000_000),
        ("2024-02-05T20:03:26.629842305+00:00", 1_707_163_406_629_842_305),
        ("0001-01-01T00:00:00Z", GO_ZERO_TIME_NS),
    ],
)
def test_rpc_times(text, time_ns):
    assert rpc_json.parse_time_ns(text, "time") == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00:00+01:00",
        "1970-02-30T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00.0000000001Z",
        "0000-01-01T00:00:00Z",
        "1970-01-01t00:00:00Z",
        None,
        0,
    ],
)
def test_rpc_times_that_are_invalid(text):
    with pytest.raises(MalformedInput) as caught:
        rpc_json.parse_time_ns(text, "time")
    assert caught.value.field == "time"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[" * 100_000, b"\xff", b"1" * 5000, b" " * (rpc_json.MAX_JSON_BYTES + 1)]
)
def test_attack_H_json_that_is_invalid_too_deep_or_too_large(data):
    with pytest.raises(MalformedInput):
        rpc_json.parse_json(data)
    assert rpc_json.parse_json(b'{"a": 1}') == {"a": 1}


def test_rpc_error_answers_are_named():
    with pytest.raises(MalformedInput) as caught:
        rpc_json.rpc_result({"jsonrpc": "2.0", "error": {"code": -32603}})
    assert caught.value.field == "response.error"
    assert rpc_json.rpc_result({"result": {"a": 1}}) == {"a": 1} == rpc_json.rpc_result({"a": 1})
