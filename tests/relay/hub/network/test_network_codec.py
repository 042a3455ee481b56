"""Messages and files of the hub's network: what is written is read back, anything else is refused within bounds."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, SkipSignature, SkipStatement
from hutong.light_clients.tendermint.types import (
    BlockId,
    BlockIdFlag,
    Commit,
    CommitSig,
    PartSetHeader,
    SignedMessageType,
)
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.consensus.types import NIL, Proposal, Step, Vote
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.home.home import UnusableHome
from hutong.relay.hub.network.link.codec import (
    MAX_BLOCKS_ASKED,
    MAX_BYTES,
    MAX_TRANSACTIONS_IN_MESSAGE,
    Kind,
    decode_message,
    encode_message,
    transaction_batches,
)
from hutong.relay.hub.network.link.frames import HEAD_BYTES, frame, parse_head
from hutong.relay.hub.network.link.messages import (
    BlocksRequest,
    CommittedBlock,
    Hello,
    ProposalMessage,
    RoundVotes,
    SkipMessage,
    Status,
    Transactions,
    VoteMessage,
)
from hutong.relay.hub.network.link.node_key import (
    UnusableCertificate,
    load_node_key,
    new_node_key,
    node_id_of,
    write_node_key,
)
from hutong.relay.hub.network.link.tls import peer_id
from hutong.relay.hub.network.network_file import Endpoint, Network, Peer, decode_network, encode_network, load_network
from hutong.relay.hub.network.peer_driver import MAX_PATIENCE, later_patience
from hutong.relay.hub.network.score import FIRST_BAN_S, LIMIT, MAX_BAN_S, FrameAllowance, Offence, Score

heights = st.integers(0, 2**63 - 1)
rounds = st.integers(0, 2**31 - 1)
hashes = st.binary(min_size=32, max_size=32)
signatures = st.binary(min_size=64, max_size=64)
addresses = st.binary(min_size=20, max_size=20)
block_ids = st.builds(BlockId, hashes, st.builds(PartSetHeader, st.integers(1, 64), hashes))
votes = st.builds(
    Vote,
    st.sampled_from([SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT]),
    heights,
    rounds,
    st.one_of(st.just(NIL), block_ids),
    heights,
    st.integers(0, 99),
    addresses,
    signatures,
)
proposals = st.builds(Proposal, heights, rounds, st.integers(-1, 2**31 - 2), block_ids, heights, signatures)
bitmaps = st.integers(0, 2**100 - 1)
commits = st.builds(
    Commit,
    st.integers(1, 2**62),
    st.integers(0, 2**31 - 1),
    block_ids,
    st.lists(
        st.builds(
            CommitSig,
            st.sampled_from([BlockIdFlag.COMMIT, BlockIdFlag.NIL]),
            addresses,
            st.integers(1, 2**62),
            signatures,
        ),
        max_size=5,
    ).map(tuple),
)
skips = st.builds(
    SkipCertificate,
    st.builds(SkipStatement, st.from_regex(r"\A[a-z]{1,40}-[1-9]\Z"), st.integers(1, 2**63 - 1), hashes, hashes),
    st.dictionaries(st.binary(min_size=33, max_size=33), signatures, max_size=5).map(
        lambda entries: tuple(SkipSignature(key, entries[key]) for key in sorted(entries))
    ),
)
messages = st.one_of(
    st.builds(Hello, st.integers(0, 2**16 - 1), st.from_regex(r"\A[a-z]{1,40}-[1-9]\Z"), hashes, heights, addresses),
    st.builds(
        Status,
        heights,
        rounds,
        st.sampled_from(Step),
        st.lists(st.builds(RoundVotes, rounds, st.booleans(), bitmaps, bitmaps), max_size=8).map(tuple),
    ),
    st.builds(VoteMessage, votes),
    st.builds(ProposalMessage, proposals, st.binary(min_size=1, max_size=300)),
    st.builds(BlocksRequest, st.integers(1, 2**63 - 1), st.integers(1, MAX_BLOCKS_ASKED)),
    st.builds(CommittedBlock, heights, commits, st.binary(min_size=1, max_size=300)),
    st.builds(Transactions, st.lists(st.binary(min_size=1, max_size=100), max_size=5).map(tuple)),
    st.builds(SkipMessage, skips),
)


@pytest.mark.long
@settings(max_examples=300)
@given(messages)
def test_messages_round_trip_within_their_bounds(message):
    kind, payload = encode_message(message)
    assert len(payload) <= MAX_BYTES[kind]
    assert decode_message(kind, payload) == message
    assert parse_head(frame(kind, payload)[:HEAD_BYTES]) == (kind, len(payload))
    with pytest.raises(VerificationError):
        decode_message(kind, payload + b"\x00" if kind is not Kind.PROPOSAL else payload[:60])


@settings(max_examples=500)
@given(st.sampled_from(Kind), st.binary(max_size=400))
def test_any_bytes_are_one_message_or_refused(kind, payload):
    try:
        message = decode_message(kind, payload)
    except MalformedInput as error:
        assert error.field
        return
    assert encode_message(message) == (kind, payload)


@pytest.mark.long
@settings(max_examples=300)
@given(messages, st.data())
def test_a_changed_byte_gives_another_message_or_a_refusal(message, data):
    kind, payload = encode_message(message)
    if not payload:
        return
    place = data.draw(st.integers(0, len(payload) - 1))
    changed = bytearray(payload)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        assert decode_message(kind, bytes(changed)) != message
    except VerificationError:
        pass


@pytest.mark.parametrize("kind", list(Kind))
def test_a_frame_above_its_kinds_bound_is_refused_before_it_is_read(kind):
    assert parse_head(bytes((kind,)) + MAX_BYTES[kind].to_bytes(4, "big")) == (kind, MAX_BYTES[kind])
    with pytest.raises(MalformedInput) as caught:
        parse_head(bytes((kind,)) + (MAX_BYTES[kind] + 1).to_bytes(4, "big"))
    assert caught.value.got == MAX_BYTES[kind] + 1
    with pytest.raises(MalformedInput):
        decode_message(kind, bytes(MAX_BYTES[kind] + 1))


def test_unknown_kinds_are_refused():
    for kind in (0, 9, 255):
        with pytest.raises(MalformedInput) as caught:
            parse_head(bytes((kind, 0, 0, 0, 0)))
        assert caught.value.got == kind


@given(st.lists(st.binary(min_size=1, max_size=2_000), max_size=600))
def test_batches_hold_every_transaction_in_order_within_bounds(raw):
    batches = transaction_batches(raw)
    assert [item for batch in batches for item in batch.raw] == raw
    for batch in batches:
        kind, payload = encode_message(batch)
        assert len(payload) <= MAX_BYTES[kind]
        assert 1 <= len(batch.raw) <= MAX_TRANSACTIONS_IN_MESSAGE


def test_a_node_key_is_its_certificates_and_survives_its_file(tmp_path):
    key = new_node_key()
    write_node_key(tmp_path, key)
    loaded = load_node_key(tmp_path)
    assert (loaded.node_id, loaded.certificate) == (key.node_id, key.certificate)
    assert key.private_key_pem not in repr(key)
    assert new_node_key().node_id != key.node_id
    path = tmp_path / "node_key.pem"
    path.chmod(0o644)
    with pytest.raises(UnusableHome, match=r"node_key\.pem"):
        load_node_key(tmp_path)
    path.chmod(0o600)
    other = tmp_path / "other"
    other.mkdir()
    write_node_key(other, replace(key, certificate=new_node_key().certificate))
    with pytest.raises(UnusableHome, match="is not a node key with its certificate"):
        load_node_key(other)


@given(st.binary(max_size=1_100))
def test_bytes_are_no_certificate(data):
    with pytest.raises(UnusableCertificate):
        node_id_of(data)


def test_a_certificate_that_is_too_long_is_not_said_to_be_missing():
    for certificate, said in (
        (None, "has shown no certificate"),
        (bytes(1_025), "of 1025 bytes, a node's has at most 1024"),
    ):
        with pytest.raises(UnusableCertificate, match=said):
            peer_id(certificate)


def test_an_id_cannot_be_borrowed_by_a_certificate_with_two_keys_in_it():
    mine, other = new_node_key(), new_node_key()
    assert node_id_of(mine.certificate) == mine.node_id
    with pytest.raises(UnusableCertificate):
        node_id_of(other.certificate + mine.certificate)
    with pytest.raises(UnusableCertificate):
        node_id_of(mine.certificate.replace(mine.node_id.encode(), other.node_id.encode()))


def network_of(*keys) -> Network:
    return Network(
        Endpoint("127.0.0.1", 26_656),
        tuple(Peer(key.node_id, Endpoint(f"10.0.0.{n}", 26_656), key.certificate) for n, key in enumerate(keys)),
    )


def test_the_file_of_peers_round_trips_and_says_what_is_wrong(tmp_path):
    one, two = new_node_key(), new_node_key()
    network = network_of(one, two)
    data = encode_network(network)
    assert decode_network(data) == network
    assert decode_network(encode_network(network_of())).peers == ()
    assert load_network(tmp_path) is None
    text = data.decode()
    for wrong, words in (
        (text.replace(one.node_id, two.node_id, 1), "is of node"),
        (text.replace("10.0.0.0:26656", "10.0.0.0:66656"), "host:port"),
        (text.replace("certificate =", "certificat ="), "must hold"),
        (text + "\nextra = 1\n", "must hold"),
        ("peers = 3\n" + text, "is not TOML"),
        (text + text.partition("\n\n")[2], "twice"),
        (text.replace('listen = "127.0.0.1:26656"', ""), "listen"),
        ("\x00", "is not TOML"),
        ("#" * 300_000, "bytes"),
    ):
        with pytest.raises(ValueError, match=words):
            decode_network(wrong.encode())
    (tmp_path / "network.toml").write_text("listen = 3")
    with pytest.raises(UnusableHome, match=r"network\.toml: listen must look like host:port"):
        load_network(tmp_path)


@pytest.mark.parametrize("cut", [1, 9, 64])
def test_a_certificate_that_tls_cannot_read_is_refused_with_its_line(cut):
    """As a line that was not copied whole: it would end the node that takes it up."""
    key = new_node_key()
    short = network_of(replace(key, certificate=key.certificate[:-cut]))
    assert node_id_of(short.peers[0].certificate) == key.node_id
    with pytest.raises(ValueError, match=r"peers\[0\]\.certificate is not the certificate of a hub's node key"):
        decode_network(encode_network(short))


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_file_of_peers_is_read_or_refused_with_a_sentence(data):
    try:
        decode_network(data)
    except ValueError as error:
        assert str(error)


def test_scores_forgive_with_time_and_bans_grow():
    score = Score()
    score = score.with_offence(Offence.INVALID_SIGNATURE, 0.0)
    assert not score.is_banned(0.0)
    assert score.now(20.0) == 30.0
    assert not score.with_offence(Offence.INVALID_SIGNATURE, 20.0).is_banned(20.0)
    assert score.with_offence(Offence.INVALID_SIGNATURE, 0.0).is_banned(0.0)
    lengths, now_s = [], 0.0
    score = Score()
    for _ in range(12):
        score = score.with_offence(Offence.MALFORMED, now_s)
        lengths.append(score.banned_until_s - now_s)
        now_s = score.banned_until_s
        assert not score.is_banned(now_s)
    assert lengths[:3] == [FIRST_BAN_S, 2 * FIRST_BAN_S, 4 * FIRST_BAN_S]
    assert lengths[-1] == MAX_BAN_S
    assert score.with_offence(Offence.FLOOD, now_s + 10_000).banned_until_s == now_s + 10_000 + FIRST_BAN_S
    assert Offence.MALFORMED >= LIMIT


def test_frames_above_the_allowance_are_a_flood():
    allowance = FrameAllowance()
    taken = sum(allowance.take(0.0) for _ in range(10_000))
    assert taken == 4_000
    assert not allowance.take(0.0)
    assert sum(allowance.take(1.0) for _ in range(10_000)) == 2_000


def test_the_spec_page_states_the_kinds_and_bounds_that_the_code_has():
    page = (Path(__file__).resolve().parents[4] / "docs/spec/hub-peers.md").read_text()
    rows = re.findall(r"^\| (\d) \| ([a-z ]+) \|.*\| ([^|]+) \|$", page, re.MULTILINE)
    assert {int(kind): name.replace(" ", "_").upper() for kind, name, _ in rows} == {kind: kind.name for kind in Kind}
    stated = {Kind(int(kind)): most.strip() for kind, _, most in rows}
    assert MAX_BYTES[Kind.HELLO] == int(stated[Kind.HELLO])
    assert MAX_BYTES[Kind.VOTE] == int(stated[Kind.VOTE])
    assert MAX_BYTES[Kind.BLOCKS_REQUEST] == int(stated[Kind.BLOCKS_REQUEST])
    assert (stated[Kind.PROPOSAL], MAX_BYTES[Kind.PROPOSAL]) == ("256 + 4 MiB", 256 + 4 * 2**20)
    assert (stated[Kind.TRANSACTIONS], MAX_BYTES[Kind.TRANSACTIONS]) == ("256 KiB + 10", 256 * 1024 + 10)
    assert MAX_BYTES[Kind.SKIP] == int(stated[Kind.SKIP].replace(" ", ""))
    assert f"{int(LIMIT)} the peer is sent away for {FIRST_BAN_S:.0f} s" in page


def test_timeouts_grow_by_half_to_their_most_and_patience_lasts_over_heights():
    timeouts = Timeouts.among_peers(HubParams(block_interval_ms=200, proof_block_delay_ms=50))
    waits = [timeouts.of(Step.PROPOSE, round_) for round_ in range(12)]
    assert waits[0] == 0.8
    assert all(later == pytest.approx(min(30.0, 1.5 * earlier)) for earlier, later in zip(waits, waits[1:]))
    assert timeouts.of(Step.PREVOTE, 10**6) == 30.0
    assert Timeouts.among_peers(HubParams()).of(Step.PROPOSE, 0) == 3.0
    assert Timeouts.without_peers().of(Step.PREVOTE, 2) == pytest.approx(0.15)
    assert [later_patience(0, round_) for round_ in (0, 1, 2, 5, 50)] == [0, 0, 1, 4, MAX_PATIENCE]
    assert [later_patience(3, round_) for round_ in (0, 1)] == [2, 2]
