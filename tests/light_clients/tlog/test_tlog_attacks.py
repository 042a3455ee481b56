"""Attack checklist lines against the tlog client, each refusal beside a twin that differs in the attacked part only."""

from base64 import b64decode, b64encode
from dataclasses import replace

import pytest

from hutong.light_clients.interface import (
    ClientExpired,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    PredicateFailed,
    UnknownHeight,
    UnsupportedOperation,
    Updated,
    VerificationError,
)
from hutong.light_clients.proofs.merkle import inner_hash, leaf_hash
from hutong.light_clients.protobuf import tlog_pb2
from hutong.light_clients.tlog import (
    ED25519,
    Growth,
    Header,
    MembershipProof,
    Misbehaviour,
    TlogClient,
    decode_checkpoint,
    decode_client_state,
    decode_consensus_state,
    encode_client_state,
    encode_header_message,
    encode_membership_proof,
    encode_misbehaviour,
    entry_path,
    message_entry,
)
from hutong.light_clients.tlog.types import MAX_NODES, MAX_TIMESTAMP_S, MAX_WITNESSES
from tests.light_clients.tlog.simulated_log import (
    LOG,
    ORIGIN,
    PUBLISHER,
    QUORUM,
    STRANGER,
    WITNESSES,
    Signer,
    SimulatedLog,
    naive_path,
    naive_root,
    note_text,
    secret,
    signed_note,
)

CLIENT = TlogClient()
TRUSTED, SIZE = 3, 9
KEY = b"client-0\x01" + (7).to_bytes(8, "big")
OTHER_KEY = b"client-0\x01" + (8).to_bytes(8, "big")
VALUE = bytes(range(1, 33))


@pytest.fixture
def log() -> SimulatedLog:
    made = SimulatedLog()
    made.advance(SIZE - 1)
    return made


def states_of(log: SimulatedLog, *sizes: int) -> MemoryConsensusStates:
    return MemoryConsensusStates({Height(0, size): log.consensus_state(size) for size in sizes})


def judged(log: SimulatedLog, header: bytes, *stored: int, now_ns: int | None = None, **changes: object):
    sizes = stored or (TRUSTED,)
    now_ns = log.time_ns(SIZE) if now_ns is None else now_ns
    return CLIENT.verify_header(log.client_state(max(sizes), **changes), states_of(log, *sizes), header, now_ns)


def refused(predicate: str, log: SimulatedLog, header: bytes, *stored: int, **changes: object) -> PredicateFailed:
    with pytest.raises(PredicateFailed) as caught:
        judged(log, header, *stored, **changes)
    assert caught.value.predicate == predicate
    return caught.value


def with_note(log: SimulatedLog, note: bytes) -> bytes:
    return log.header(SIZE, TRUSTED, note)


def cosigned(log: SimulatedLog, *cosigners: Signer, time_s: int | None = None) -> bytes:
    at = log.time_s(SIZE) if time_s is None else time_s
    return with_note(log, log.note(SIZE, [(witness, at) for witness in cosigners]))


# two trees


@pytest.mark.parametrize("trusted", range(1, SIZE))
def test_attack_C60_tree_that_left_out_a_believed_entry_freezes(log, trusted):
    """Log and quorum sign a tree whose beginning is not the one that is stored."""
    honest = judged(log, log.header(SIZE, trusted), trusted)
    assert isinstance(honest, Updated)
    rewritten = SimulatedLog([*log.entries[: trusted - 1], b"rewritten", *log.entries[trusted:]])
    verdict = judged(log, rewritten.header(SIZE, trusted), trusted)
    assert isinstance(verdict, Misbehaved)
    assert verdict.height == Height(0, trusted)
    assert decode_client_state(verdict.client_state).is_frozen


def test_attack_C60_two_roots_of_one_size_freeze(log):
    stored = (TRUSTED, SIZE)
    assert judged(log, log.header(SIZE, TRUSTED), *stored) == NoOp(Height(0, SIZE))
    verdict = judged(log, log.fork(SIZE).header(SIZE, TRUSTED), *stored)
    assert isinstance(verdict, Misbehaved)
    assert verdict.height == Height(0, SIZE)
    again = judged(log, log.fork(SIZE).header(SIZE, SIZE), *stored)
    assert isinstance(again, Misbehaved)


def test_attack_C60_smaller_tree_of_another_root_freezes_where_it_is_stored(log):
    fork = log.fork(TRUSTED)
    shown = encode_header_message(Header(Height(0, SIZE), decode_checkpoint(fork.note(TRUSTED)), Growth(b"", ())))
    assert isinstance(judged(log, shown, TRUSTED, SIZE), Misbehaved)
    assert judged(log, shown, SIZE) == NoOp(Height(0, TRUSTED))


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("second", [5, 6, SIZE])
def test_attack_C60_evidence_of_two_trees_freezes(log, stored, second):
    rewritten = SimulatedLog([b"rewritten", *log.entries[1:]])
    evidence = log.evidence(5, rewritten, second, stored=stored)
    frozen = CLIENT.check_misbehaviour(log.client_state(5), states_of(log, 5), evidence, log.time_ns(5))
    assert frozen.height == Height(0, 5)
    assert decode_client_state(frozen.client_state).is_frozen


def test_attack_C16_evidence_that_shows_nothing_does_not_freeze(log):
    client, states, now_ns = log.client_state(5), states_of(log, 5), log.time_ns(5)

    def refused_as(predicate: str, evidence: bytes, error: type[VerificationError] = PredicateFailed) -> None:
        with pytest.raises(error) as caught:
            CLIENT.check_misbehaviour(client, states, evidence, now_ns)
        assert getattr(caught.value, "predicate", predicate) == predicate

    for stored in (False, True):
        refused_as("headers_conflict", log.evidence(5, log, SIZE, stored=stored))
        refused_as("headers_conflict", log.evidence(5, log, 5, stored=stored))
    fork = SimulatedLog([b"rewritten", *log.entries[1:]])
    message = log.evidence(5, fork, SIZE)
    for at in range(len(message) - 32 * 4, len(message), 7):
        changed = bytearray(message)
        changed[at] ^= 1
        with pytest.raises(VerificationError):
            CLIENT.check_misbehaviour(client, states, bytes(changed), now_ns)
    refused_as("", log.evidence(4, fork, SIZE, stored=True), UnknownHeight)
    CLIENT.check_misbehaviour(client, states, message, now_ns)


@pytest.mark.parametrize("unsigned", ["first", "second"])
def test_attack_C16_evidence_that_nobody_signed_does_not_freeze(log, unsigned):
    """Anybody can hash another tree: log and quorum must have signed both."""
    fork = SimulatedLog([b"rewritten", *log.entries[1:]])
    nobody = [(STRANGER, log.time_s(5)), (replace(STRANGER, name="b"), log.time_s(5))]
    notes = {
        "first": (signed_note(log.text(5), nobody, replace(LOG, secret=secret("x"))), fork.note(5)),
        "second": (log.note(5), signed_note(fork.text(5), nobody, replace(LOG, secret=secret("x")))),
    }
    client, states, now_ns = log.client_state(5), states_of(log, 5), log.time_ns(5)

    def evidence(first: bytes, second: bytes) -> bytes:
        return encode_misbehaviour(
            Misbehaviour(decode_checkpoint(first), None, decode_checkpoint(second), Growth(fork.root(5), ()))
        )

    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_misbehaviour(client, states, evidence(*notes[unsigned]), now_ns)
    assert caught.value.predicate == "log_signed"
    assert CLIENT.check_misbehaviour(client, states, evidence(log.note(5), fork.note(5)), now_ns).height == Height(0, 5)


def test_attack_C16_empty_tree_is_no_evidence(log):
    empty = decode_checkpoint(signed_note(note_text(ORIGIN, 0, naive_root([])), [(w, 1) for w in WITNESSES[:QUORUM]]))
    evidence = encode_misbehaviour(Misbehaviour(empty, None, decode_checkpoint(log.note(SIZE)), Growth(b"\1" * 32, ())))
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_misbehaviour(log.client_state(5), states_of(log, 5), evidence, log.time_ns(5))
    assert caught.value.predicate == "headers_conflict"


# who signed


def test_attack_C61_checkpoint_of_another_log_is_refused(log):
    text = note_text("log.example/another", SIZE, log.root())
    at = [(witness, log.time_s(SIZE)) for witness in WITNESSES[:QUORUM]]
    refused("checkpoint_is_of_the_log", log, with_note(log, signed_note(text, at)))
    assert isinstance(judged(log, with_note(log, signed_note(log.text(SIZE), at))), Updated)


def test_attack_C61_log_that_did_not_sign_is_refused(log):
    at = [(witness, log.time_s(SIZE)) for witness in WITNESSES[:QUORUM]]
    for forger in (replace(LOG, secret=secret("another")), replace(LOG, name=f"{ORIGIN}/2")):
        refused("log_signed", log, with_note(log, signed_note(log.text(SIZE), at, forger)))
    witness_as_log = log.note(SIZE).replace(LOG.line(ED25519, LOG.sign(log.text(SIZE).encode())).encode(), b"")
    refused("log_signed", log, with_note(log, witness_as_log))
    other_text = log.note(SIZE - 1).split(b"\n\n")[1]
    refused("log_signed", log, with_note(log, log.text(SIZE).encode() + b"\n" + other_text))


def test_attack_C61_too_few_witnesses_are_refused(log):
    assert isinstance(judged(log, cosigned(log, WITNESSES[0], WITNESSES[2])), Updated)
    for few in ((), WITNESSES[:1], (WITNESSES[0], STRANGER)):
        error = refused("quorum_cosigned", log, cosigned(log, *few))
        assert (error.got, error.expected) == (sum(one in WITNESSES for one in few), ">= 2")


def test_attack_C61_one_witness_twice_is_refused(log):
    early, late = log.time_s(SIZE), log.time_s(SIZE) + 1
    twice = [(WITNESSES[0], early), (WITNESSES[0], late)]
    refused("quorum_cosigned", log, with_note(log, log.note(SIZE, twice)))
    refused("quorum_cosigned", log, with_note(log, log.note(SIZE, [*twice, (WITNESSES[1], early)])))
    refused("quorum_cosigned", log, with_note(log, log.note(SIZE, [twice[0], twice[0], (WITNESSES[1], early)])))


def test_attack_C61_cosignature_under_another_name_is_not_counted(log):
    as_second = replace(WITNESSES[0], name=WITNESSES[1].name)
    refused("quorum_cosigned", log, cosigned(log, WITNESSES[0], as_second))
    assert isinstance(judged(log, cosigned(log, WITNESSES[0], as_second, WITNESSES[2])), Updated)


def test_attack_C61_cosignature_of_another_time_text_or_type_is_refused(log):
    note = log.note(SIZE)
    for other in (log.note(SIZE - 1), log.note(SIZE, time_s=log.time_s(SIZE) + 1)):
        exchanged = note.split(b"\n\n")[0], note.split(b"\n\n")[1].splitlines()[0], other.splitlines()[-2:]
        shown = exchanged[0] + b"\n\n" + b"\n".join([exchanged[1], *exchanged[2]]) + b"\n"
        if other.startswith(exchanged[0]):
            assert isinstance(judged(log, with_note(log, shown)), Updated)
        else:
            refused("quorum_cosigned", log, with_note(log, shown))
    moved = bytearray(b64decode(note.splitlines()[-1].split(b" ")[2]))
    moved[11] += 1  # the time's last byte, without a new signature
    shown = note[: note.rindex(b" ") + 1] + b64encode(bytes(moved)) + b"\n"
    refused("quorum_cosigned", log, with_note(log, shown))
    plain = [w.line(ED25519, w.sign(log.text(SIZE).encode())).encode() for w in WITNESSES[:QUORUM]]
    refused("quorum_cosigned", log, with_note(log, log.note(SIZE, []) + b"".join(plain)))


def test_attack_C61_cosignature_of_another_length_is_malformed(log):
    line = WITNESSES[0].line(4, (1).to_bytes(8, "big") + bytes(63)).encode()
    with pytest.raises(MalformedInput) as caught:
        judged(log, with_note(log, log.note(SIZE, []) + line))
    assert caught.value.field == "header.checkpoint.cosignature"
    far = WITNESSES[0].line(4, (1 << 63).to_bytes(8, "big") + bytes(64)).encode()
    with pytest.raises(MalformedInput) as caught:
        judged(log, with_note(log, log.note(SIZE, []) + far))
    assert caught.value.field == "header.checkpoint.cosignature.timestamp"


def test_attack_C61_strangers_lines_are_ignored(log):
    """Key rotation and witnesses of others: as C2SP signed-note demands."""
    at = log.time_s(SIZE)
    shown = log.note(SIZE, [(STRANGER, at), *((w, at) for w in WITNESSES[:QUORUM])])
    foreign = replace(LOG, secret=secret("next key")).line(ED25519, bytes(64)).encode()
    assert isinstance(judged(log, with_note(log, shown + foreign)), Updated)


@pytest.mark.long
def test_attack_C61_every_changed_byte_of_an_update_is_refused(log):
    header = log.header(SIZE, TRUSTED)
    honest = judged(log, header)
    for at in range(len(header)):
        for bit in (0x01, 0x80):
            changed = bytearray(header)
            changed[at] ^= bit
            with pytest.raises(VerificationError):
                judged(log, bytes(changed))
    assert judged(log, header) == honest


@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_attack_C61_first_root_is_32_bytes(log, length):
    """Without it a tree of a power of two could be joined to nothing."""
    header = Header(Height(0, 4), decode_checkpoint(log.note(SIZE)), log.growth(4, SIZE))
    assert isinstance(judged(log, encode_header_message(header), 4), Updated)
    message = tlog_pb2.Header.FromString(encode_header_message(header))
    message.first_root = bytes(length)
    with pytest.raises(MalformedInput) as caught:
        judged(log, message.SerializeToString(deterministic=True), 4)
    assert caught.value.field == "header.first_root"


# time


def test_attack_C9_time_is_the_lowest_of_the_quorum(log):
    """Two of three: a witness whose clock is behind, or far ahead, does not set the time."""
    at = log.time_s(SIZE)
    times = [(WITNESSES[0], at - 50), (WITNESSES[1], at), (WITNESSES[2], at + 10_000)]
    for shown, expected in ((times, at), ([times[0], times[2]], at - 50), (times[:2], at - 50)):
        verdict = judged(log, with_note(log, log.note(SIZE, shown)))
        assert decode_consensus_state(verdict.consensus_state).timestamp_s == expected


def test_attack_C9_quorum_from_the_future_is_refused(log):
    at = log.time_s(SIZE)
    assert isinstance(judged(log, cosigned(log, *WITNESSES[:2], time_s=at + 9)), Updated)
    refused("header_not_from_future", log, cosigned(log, *WITNESSES[:2], time_s=at + 10))
    refused("time_is_told", log, cosigned(log, *WITNESSES[:2], time_s=MAX_TIMESTAMP_S + 1))
    refused("time_is_told", log, cosigned(log, *WITNESSES[:2], time_s=0))


def test_attack_C15_larger_tree_cosigned_earlier_is_refused(log):
    at = log.time_s(TRUSTED)
    refused("time_does_not_go_back", log, cosigned(log, *WITNESSES[:2], time_s=at - 1))
    assert isinstance(judged(log, cosigned(log, *WITNESSES[:2], time_s=at)), Updated)


def test_attack_C10_expiry_goes_by_the_time_of_the_quorum(log):
    edge_ns = log.time_ns(TRUSTED) + 3_600 * 10**9
    late = cosigned(log, *WITNESSES[:2], time_s=edge_ns // 10**9 - 1)
    assert isinstance(judged(log, late, now_ns=edge_ns - 1), Updated)
    with pytest.raises(ClientExpired):
        judged(log, late, now_ns=edge_ns)


# stale and partial


def test_attack_C64_smaller_checkpoint_rewinds_nothing(log):
    for trusted, size in ((SIZE, 1), (SIZE, SIZE - 1), (TRUSTED, TRUSTED + 1), (TRUSTED, SIZE - 1)):
        assert judged(log, log.header(size, trusted), TRUSTED, SIZE) == NoOp(Height(0, size))


def test_attack_C64_old_cosignatures_of_the_largest_tree_do_not_set_it_back(log):
    for offset, expected in ((-1, NoOp), (0, NoOp), (1, Updated)):
        shown = log.header(TRUSTED, TRUSTED, log.note(TRUSTED, time_s=log.time_s(TRUSTED) + offset))
        assert isinstance(judged(log, shown), expected)


def test_attack_C64_proof_that_leaves_out_the_largest_tree_is_refused(log):
    """3 is a beginning of 9, and says nothing of the stored 5: another tree of 5 could lie between."""
    error = refused("proof_begins_at_the_latest", log, log.header(SIZE, TRUSTED), TRUSTED, 5)
    assert (error.got, error.expected) == ("0-3", "0-5")
    assert isinstance(judged(log, log.header(SIZE, 5), TRUSTED, 5), Updated)


def test_attack_C64_proof_of_a_shrinking_tree_is_malformed(log):
    checkpoint = decode_checkpoint(log.note(TRUSTED))
    for growth in (Growth(log.root(), ()), Growth(b"", (bytes(32),))):
        shown = encode_header_message(Header(Height(0, SIZE), checkpoint, growth))
        with pytest.raises(MalformedInput):
            judged(log, shown, SIZE)


def test_attack_C64_consistency_proof_is_exact(log):
    checkpoint, growth = decode_checkpoint(log.note(SIZE)), log.growth(TRUSTED, SIZE)

    def shown(nodes: tuple[bytes, ...]) -> bytes:
        return encode_header_message(Header(Height(0, TRUSTED), checkpoint, replace(growth, nodes=nodes)))

    assert isinstance(judged(log, shown(growth.nodes)), Updated)
    for nodes in ((), growth.nodes[1:], growth.nodes[:-1], growth.nodes[::-1], (*growth.nodes, growth.nodes[-1])):
        with pytest.raises(PredicateFailed):
            judged(log, shown(nodes))
    with pytest.raises(MalformedInput):
        shown((bytes(32),) * (MAX_NODES + 1))


# entries and messages


def member(log: SimulatedLog, proof: bytes, path: tuple[bytes, ...], value: bytes, size: int = SIZE, **changes) -> None:
    CLIENT.verify_membership(log.client_state(size, **changes), log.consensus_state(size), proof, path, value)


def not_member(predicate: str, log: SimulatedLog, proof: bytes, path, value, **changes) -> None:
    with pytest.raises(PredicateFailed) as caught:
        member(log, proof, path, value, **changes)
    assert caught.value.predicate == predicate


@pytest.mark.parametrize("index", range(SIZE))
def test_attack_C63_entry_stands_at_its_index_alone(log, index):
    entry = log.entries[index]
    member(log, log.proof(index, SIZE), entry_path(index), entry)
    not_member("root_matches", log, log.proof(index, SIZE), entry_path(index), entry + b"!")
    for other in range(SIZE):
        if other == index:
            continue
        not_member("path_names_the_entry", log, log.proof(index, SIZE), entry_path(other), entry)
        moved = encode_membership_proof(MembershipProof(other, tuple(naive_path(index, log.entries))))
        with pytest.raises(PredicateFailed):
            member(log, moved, entry_path(other), entry)


def test_attack_C63_entry_beyond_the_tree_is_refused(log):
    proof = encode_membership_proof(MembershipProof(SIZE, tuple(naive_path(0, log.entries))))
    not_member("index_within_total", log, proof, entry_path(SIZE), log.entries[0])


def test_attack_C63_node_is_not_a_leaf(log):
    """The children of the root's left child, presented as an entry of 64 bytes one level up."""
    left = inner_hash(leaf_hash(log.entries[0]), leaf_hash(log.entries[1]))
    right = inner_hash(leaf_hash(log.entries[2]), leaf_hash(log.entries[3]))
    path = naive_path(0, log.entries)[2:]
    proof = encode_membership_proof(MembershipProof(0, tuple(path)))
    with pytest.raises(PredicateFailed):
        member(log, proof, entry_path(0), left + right)


def test_attack_C63_entry_of_another_size_needs_another_path(log):
    member(log, log.proof(2, 5), entry_path(2), log.entries[2], size=5)
    with pytest.raises(PredicateFailed):
        member(log, log.proof(2, 5), entry_path(2), log.entries[2], size=SIZE)


def test_attack_C63_every_changed_byte_of_a_proof_is_refused(log):
    log.publish(KEY, VALUE)
    proof = log.message_proof(SIZE, SIZE + 1)
    member(log, proof, (KEY,), VALUE, size=SIZE + 1)
    for at in range(len(proof)):
        changed = bytearray(proof)
        changed[at] ^= 0x01
        with pytest.raises(VerificationError):
            member(log, bytes(changed), (KEY,), VALUE, size=SIZE + 1)


def test_attack_C63_message_of_a_stranger_or_another_log_is_refused(log):
    log.publish(KEY, VALUE)
    log.publish(KEY, VALUE, by=LOG)
    log.publish(KEY, VALUE, origin="log.example/another")
    size = log.size
    member(log, log.message_proof(SIZE, size), (KEY,), VALUE, size=size)
    for index in (SIZE + 1, SIZE + 2):
        not_member("publisher_signed", log, log.message_proof(index, size), (KEY,), VALUE, size=size)
    not_member("publisher_signed", log, log.message_proof(SIZE, size), (OTHER_KEY,), VALUE, size=size)
    not_member("publisher_signed", log, log.message_proof(SIZE, size), (KEY,), VALUE[::-1], size=size)
    not_member("publisher_signed", log, log.proof(SIZE, size), (KEY,), VALUE, size=size)


def test_attack_C63_zero_word_commits_to_nothing(log):
    log.append(message_entry(ORIGIN, KEY, bytes(32), PUBLISHER.sign))
    not_member("message_is_one_word", log, log.message_proof(SIZE, SIZE + 1), (KEY,), bytes(32), size=SIZE + 1)


def test_attack_C63_message_that_is_not_in_the_log_is_refused(log):
    entry = message_entry(ORIGIN, KEY, VALUE, PUBLISHER.sign)
    proof = log.proof(0, SIZE, entry[-64:])
    not_member("root_matches", log, proof, (KEY,), VALUE)


def test_attack_C63_log_without_a_publisher_sends_no_packets(log):
    log.publish(KEY, VALUE)
    size = SIZE + 1
    with pytest.raises(UnsupportedOperation, match="publisher"):
        member(log, log.message_proof(SIZE, size), (KEY,), VALUE, size=size, publisher_key=b"")
    member(log, log.proof(SIZE, size), entry_path(SIZE), log.entries[SIZE], size=size, publisher_key=b"")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((b"entry",), VALUE[:31]),
        ((b"entry", bytes(7)), b"entry 0"),
        ((b"entries", bytes(8)), b"entry 0"),
        ((b"entry", bytes(8), b""), b"entry 0"),
        ((b"entry", bytes(8)), b""),
        ((b"entry", bytes(8)), bytes(65_536)),
        ((b"",), VALUE),
        ((b"k" * 1_025,), VALUE),
        ((), VALUE),
    ],
)
def test_attack_B10_paths_and_values_of_other_forms_are_malformed(log, path, value):
    with pytest.raises(MalformedInput):
        member(log, log.proof(0, SIZE), path, value)


def test_attack_B10_signature_beside_a_plain_entry_is_malformed(log):
    with pytest.raises(MalformedInput):
        member(log, log.proof(0, SIZE, bytes(64)), entry_path(0), log.entries[0])


# parameters


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": ""},
        {"origin": "a" * 256},
        {"origin": "two\nlines"},
        {"witnesses": ()},
        {"witnesses": tuple(w.key for w in WITNESSES[::-1])},
        {"witnesses": (WITNESSES[0].key, WITNESSES[0].key, WITNESSES[1].key)},
        {"witnesses": tuple(Signer(f"w{n:02}", secret(str(n))).key for n in range(MAX_WITNESSES + 1)), "quorum": 30},
        {"witnesses": (WITNESSES[0].key, replace(WITNESSES[0].key, name="witness.example/z")), "quorum": 2},
        {"witnesses": (replace(LOG.key, name="witness.example/z"),), "quorum": 1},
        {"publisher_key": LOG.key.public_key},
        {"publisher_key": WITNESSES[0].key.public_key},
        {"publisher_key": bytes(31)},
        {"quorum": 0},
        {"quorum": 1},
        {"quorum": 4},
        {"log_key": replace(LOG.key, name="with space")},
        {"log_key": replace(LOG.key, name="with\u2003space")},
        {"log_key": replace(LOG.key, name="a+b")},
        {"log_key": replace(LOG.key, public_key=bytes(32))},
        {"log_key": replace(LOG.key, public_key=b"\x01" + bytes(31))},
        {"trusting_period_s": 0},
        {"max_clock_drift_s": 0},
        {"trusting_period_s": 2**32},
        {"latest_height": Height(1, 3)},
        {"latest_height": Height(0, 0)},
        {"latest_height": Height(0, 2**63)},
    ],
)
def test_attack_C20_unfit_parameters_are_refused(log, changes):
    encode_client_state(log.client(3))
    with pytest.raises(MalformedInput):
        log.client(3, **changes)


def test_attack_C20_two_states_of_two_trees_make_no_client(log):
    CLIENT.create(log.client_state(3), log.consensus_state(3), log.time_ns(3))
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.create(log.client_state(4), log.consensus_state(3), log.time_ns(3))
    assert caught.value.predicate == "consensus_state_is_the_latest"


@pytest.mark.parametrize("changes", [{"origin": "x"}, {"log_key": STRANGER.key}, {"publisher_key": b""}])
def test_attack_C18_substitute_of_another_log_is_refused(log, changes):
    frozen = log.client_state(3, is_frozen=True)
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.recovered(frozen, log.client_state(5, **changes))
    assert caught.value.predicate == "substitute_parameters_match"
    other_witnesses = log.client_state(5, witnesses=(STRANGER.key,), quorum=1)
    assert CLIENT.recovered(frozen, other_witnesses) == other_witnesses
