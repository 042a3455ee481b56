"""What a node and its signer say: one encoding a message, bounded before it is read, anything else refused with its field."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.skip_certificate import SkipStatement
from hutong.light_clients.tendermint.types import BlockId, KeyType, PartSetHeader, PublicKey, SignedMessageType
from hutong.relay.hub.consensus.signing import SIGNING_STEPS, LastSigned, Signed, SignedSkip
from hutong.relay.hub.consensus.types import NIL, Proposal, Vote
from hutong.relay.hub.remote_signer.codec import (
    HEAD_BYTES,
    MAX_BYTES,
    Hello,
    Kind,
    Refusal,
    Refused,
    SignedAnswer,
    SignProposalRequest,
    SignSkipRequest,
    SignVoteRequest,
    Welcome,
    decode,
    encode,
    parse_head,
)

heights, rounds, times = st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1)
hashes = st.binary(min_size=32, max_size=32)
blocks = st.builds(BlockId, hashes, st.builds(PartSetHeader, st.integers(0, 2**16), hashes))
kinds = st.sampled_from([SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT])
votes = st.builds(
    Vote,
    kinds,
    heights,
    rounds,
    st.one_of(st.just(NIL), blocks),
    times,
    st.integers(0, 99),
    st.binary(min_size=20, max_size=20),
)
proposals = st.tuples(heights, st.integers(1, 2**31 - 1), blocks, times, st.integers(-1, 2**31)).map(
    lambda drawn: Proposal(drawn[0], drawn[1], min(drawn[4], drawn[1] - 1), drawn[2], drawn[3])
)
entries = st.builds(
    Signed, st.sampled_from(SIGNING_STEPS), st.binary(max_size=200), times, st.binary(min_size=64, max_size=64)
)
statements = st.builds(
    SkipStatement, st.from_regex(r"\A[a-z]{1,40}-[1-9]\Z"), st.integers(1, 2**63 - 1), hashes, hashes
)
skips = st.none() | st.builds(SignedSkip, statements, st.binary(min_size=64, max_size=64))
records = st.builds(LastSigned, heights, rounds, st.lists(entries, max_size=3).map(tuple), skips)
keys = st.binary(min_size=32, max_size=32).map(lambda data: PublicKey(KeyType.SECP256K1, b"\x02" + data))
messages = st.one_of(
    st.builds(Hello, st.integers(0, 2**16 - 1), st.from_regex(r"\A[a-z]{1,40}-[1-9]\Z")),
    st.builds(Welcome, keys, records),
    st.builds(SignVoteRequest, votes),
    st.builds(SignProposalRequest, proposals),
    st.builds(SignSkipRequest, statements),
    st.builds(SignedAnswer, times, st.binary(min_size=64, max_size=64)),
    st.builds(Refused, st.sampled_from(Refusal), st.from_regex(r"\A[ -~]{0,200}\Z")),
)


def parts(frame):
    kind, size = parse_head(frame[:HEAD_BYTES])
    assert size == len(frame) - HEAD_BYTES
    return kind, frame[HEAD_BYTES:]


@settings(max_examples=150)
@given(messages)
def test_every_message_comes_back_within_its_bound(message):
    kind, payload = parts(encode(message))
    assert len(payload) <= MAX_BYTES[kind]
    assert decode(kind, payload) == message
    if kind is not Kind.REFUSED:
        with pytest.raises(MalformedInput):
            decode(kind, payload + b"\x00")
        with pytest.raises(MalformedInput):
            decode(kind, payload[:-1])


@settings(max_examples=500)
@given(st.sampled_from(Kind), st.binary(max_size=300))
def test_attack_G14_any_bytes_are_one_message_or_refused(kind, payload):
    try:
        message = decode(kind, payload)
    except MalformedInput as error:
        assert error.field
        return
    assert parts(encode(message)) == (kind, payload)


@settings(max_examples=150)
@given(messages, st.data())
def test_a_changed_byte_gives_another_message_or_a_refusal(message, data):
    kind, payload = parts(encode(message))
    place = data.draw(st.integers(0, len(payload) - 1))
    changed = bytearray(payload)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        assert decode(kind, bytes(changed)) != message
    except MalformedInput as error:
        assert error.field


@pytest.mark.parametrize("kind", Kind)
def test_a_frame_above_its_bound_is_refused_by_its_head(kind):
    assert parse_head(bytes((kind,)) + MAX_BYTES[kind].to_bytes(4, "big")) == (kind, MAX_BYTES[kind])
    with pytest.raises(MalformedInput) as caught:
        parse_head(bytes((kind,)) + (MAX_BYTES[kind] + 1).to_bytes(4, "big"))
    assert (caught.value.field, caught.value.got) == (f"frame.{kind.name.lower()}", MAX_BYTES[kind] + 1)
    with pytest.raises(MalformedInput) as caught:
        decode(kind, bytes(MAX_BYTES[kind] + 1))
    assert caught.value.got == MAX_BYTES[kind] + 1


@pytest.mark.parametrize("number", [0, len(Kind) + 1, 255])
def test_an_unknown_kind_is_refused(number):
    with pytest.raises(MalformedInput) as caught:
        parse_head(bytes((number, 0, 0, 0, 0)))
    assert (caught.value.field, caught.value.got) == ("frame.kind", number)


BLOCK = BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))
VOTE = Vote(SignedMessageType.PREVOTE, 5, 0, BLOCK, 7, 0, b"\x03" * 20)
PROPOSAL = Proposal(5, 2, 1, BLOCK, 7)


def payload_of(message):
    return parts(encode(message))[1]


@pytest.mark.parametrize(
    ("kind", "payload", "field"),
    [
        (Kind.SIGN_VOTE, payload_of(SignVoteRequest(VOTE))[:-1] + b"\x01", "sign_vote.signature"),
        (Kind.SIGN_VOTE, b"\x20" + payload_of(SignVoteRequest(VOTE))[1:], "vote"),
        (Kind.SIGN_PROPOSAL, payload_of(SignProposalRequest(PROPOSAL))[:-1] + b"\x01", "sign_proposal.signature"),
        (Kind.SIGN_PROPOSAL, payload_of(SignProposalRequest(replace(PROPOSAL, block_id=NIL))), "sign_proposal"),
        (Kind.SIGN_PROPOSAL, payload_of(SignProposalRequest(replace(PROPOSAL, pol_round=2))), "sign_proposal"),
        (Kind.WELCOME, b"\x04" + bytes(32) + payload_of(Welcome(PublicKey(KeyType.SECP256K1, b"\x02" * 33), LastSigned()))[33:], "welcome.public_key"),
        (Kind.WELCOME, b"\x02" * 33 + b"{}", "welcome.record"),
        (Kind.WELCOME, payload_of(Welcome(PublicKey(KeyType.SECP256K1, b"\x02" * 33), LastSigned())) + b" ", "welcome.record"),
        (Kind.HELLO, b"\x00\x01\x02a\xff", "hello"),
        (Kind.HELLO, b"\x00\x01\x00", "hello"),
        (Kind.SIGNED, b"\xff" * 72, "signed"),
        (Kind.REFUSED, b"", "refused"),
        (Kind.REFUSED, b"\x09no", "refused.code"),
        (Kind.REFUSED, b"\x01\xff", "refused"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_at_its_field(kind, payload, field):
    with pytest.raises(MalformedInput) as caught:
        decode(kind, payload)
    assert caught.value.field == field
    assert decode(*parts(encode(SignVoteRequest(VOTE)))) == SignVoteRequest(VOTE)
