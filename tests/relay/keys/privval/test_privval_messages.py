"""What passes between node and signer: one meaning for each message, and bounds for everything that the other end sends."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import privval_pb2
from hutong.light_clients.tendermint.types import MAX_INT64, BlockId, KeyType, PublicKey, SignedMessageType
from hutong.relay.keys.documents import ConsensusProposal, ConsensusVote, parse_consensus
from hutong.relay.keys.errors import ForeignDocument
from hutong.relay.keys.privval.framing import FrameReader, frame
from hutong.relay.keys.privval.messages import (
    MAX_MESSAGE_BYTES,
    KeyAnswer,
    KeyRequest,
    Ping,
    Pong,
    ProposalRequest,
    RefusedKey,
    RefusedProposal,
    RefusedVote,
    SignedProposal,
    SignedVote,
    VoteRequest,
    encode,
    parse_answer,
    parse_request,
)
from tests.relay.keys.documents import BLOCK

CHAIN = "hutong-1"
TIME_NS = 1_700_000_000_123_456_789
VOTE = ConsensusVote(CHAIN, SignedMessageType.PRECOMMIT, 9, 2, BLOCK, TIME_NS)
NIL_VOTE = ConsensusVote(CHAIN, SignedMessageType.PREVOTE, 9, 0, BlockId(), 0)
PROPOSAL = ConsensusProposal(CHAIN, 9, 3, -1, BLOCK, TIME_NS)
REQUESTS = (
    Ping(),
    KeyRequest(CHAIN),
    VoteRequest(VOTE, b"\x05" * 20, 7, b"extension"),
    VoteRequest(NIL_VOTE),
    ProposalRequest(PROPOSAL),
    ProposalRequest(replace(PROPOSAL, pol_round=2)),
)
ANSWERS = (
    Pong(),
    KeyAnswer(PublicKey(KeyType.SECP256K1, b"\x02" + b"\x11" * 32)),
    KeyAnswer(PublicKey(KeyType.ED25519, b"\x11" * 32)),
    SignedVote(VoteRequest(VOTE, b"\x05" * 20, 7), b"\x07" * 64, b"\x08" * 64),
    SignedProposal(ProposalRequest(PROPOSAL), b"\x07" * 64),
    RefusedKey("no"),
    RefusedVote("height regression"),
    RefusedProposal("conflicting data"),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: type(one).__name__)
def test_a_request_means_one_thing(request_):
    assert parse_request(encode(request_)) == request_
    with pytest.raises(MalformedInput):
        parse_answer(encode(request_), CHAIN)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda one: type(one).__name__)
def test_an_answer_means_one_thing(answer):
    assert parse_answer(encode(answer), CHAIN) == answer
    with pytest.raises(MalformedInput):
        parse_request(encode(answer))


@pytest.mark.parametrize("document", [VOTE, NIL_VOTE, PROPOSAL, replace(PROPOSAL, pol_round=4)])
def test_sign_bytes_are_parsed_to_what_they_are_of(document):
    assert parse_consensus(document.preimage) == document
    for wrong in (document.preimage + b"\0", document.preimage[:-1], b"", b"\xff\xff\xff", document.preimage * 4):
        with pytest.raises(ForeignDocument):
            parse_consensus(wrong)


OUT_OF_BOUNDS = {
    "type": lambda vote: setattr(vote, "type", 32),
    "height": lambda vote: setattr(vote, "height", 0),
    "round": lambda vote: setattr(vote, "round", -1),
    "hash": lambda vote: setattr(vote.block_id, "hash", b"\x01" * 31),
    "parts": lambda vote: setattr(vote.block_id.part_set_header, "hash", b"\x01" * 33),
    "time": lambda vote: setattr(vote.timestamp, "seconds", -1),
    "nanos": lambda vote: setattr(vote.timestamp, "nanos", 10**9),
    "late": lambda vote: setattr(vote.timestamp, "seconds", MAX_INT64),
    "address": lambda vote: setattr(vote, "validator_address", b"\x01" * 21),
    "index": lambda vote: setattr(vote, "validator_index", -1),
    "signature": lambda vote: setattr(vote, "signature", b"\x01" * 65),
}


@pytest.mark.parametrize("field", OUT_OF_BOUNDS)
def test_attack_G14_a_field_out_of_its_bounds_is_refused(field):
    message = privval_pb2.Message.FromString(encode(SignedVote(VoteRequest(VOTE), b"\x07" * 64)))
    assert parse_answer(message.SerializeToString(), CHAIN)
    OUT_OF_BOUNDS[field](message.signed_vote_response.vote)
    with pytest.raises(MalformedInput):
        parse_answer(message.SerializeToString(), CHAIN)


def test_a_key_in_the_form_of_cometbft_1_is_named():
    # PubKeyResponse of 1.0: pub_key_bytes = 3, pub_key_type = 4.
    with pytest.raises(MalformedInput, match=r"1\.0 has another"):
        parse_answer(b"\x12\x04\x1a\x02\x01\x02", CHAIN)


def test_a_frame_above_its_bound_is_refused_by_its_length():
    reader = FrameReader()
    reader.feed(b"\x81\x50")
    with pytest.raises(MalformedInput, match="too long"):
        reader.next()
    longer = FrameReader()
    longer.feed(b"\x80\x80\x01")
    with pytest.raises(MalformedInput, match="longer than 2 bytes"):
        longer.next()
    most = FrameReader()
    most.feed(b"\x80\x50" + bytes(MAX_MESSAGE_BYTES))
    assert most.next() == bytes(MAX_MESSAGE_BYTES) and most.is_empty


def test_frames_come_whole_in_whatever_pieces():
    stream = b"".join(frame(one) for one in REQUESTS)
    for size in (1, 7, len(stream)):
        reader, found = FrameReader(), []
        for at in range(0, len(stream), size):
            reader.feed(stream[at : at + size])
            while (body := reader.next()) is not None:
                found.append(parse_request(body))
        assert tuple(found) == REQUESTS and reader.is_empty


SAMPLES = [encode(one) for one in (*REQUESTS, *ANSWERS)]


@st.composite
def nearly(draw) -> bytes:
    """Bytes of a message with a few changed, cut or inserted."""
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(data)


@settings(max_examples=150, deadline=None)
@given(nearly() | st.binary(max_size=300))
def test_attack_G14_bytes_of_the_other_end_are_parsed_or_refused(data):
    for parse in (parse_request, lambda body: parse_answer(body, CHAIN)):
        try:
            found = parse(data)
        except MalformedInput:
            continue
        # What was accepted can be said again, and means the same.
        assert parse(encode(found)) == found
    reader = FrameReader()
    reader.feed(data)
    try:
        while reader.next() is not None:
            pass
    except MalformedInput:
        pass


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(nearly() | st.binary(max_size=2_000))
def test_attack_G14_many_bytes_of_the_other_end_are_parsed_or_refused(data):
    test_attack_G14_bytes_of_the_other_end_are_parsed_or_refused.hypothesis.inner_test(data)
