"""Rotation of attestors with an overlap window, and the public digest as an explicit choice."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.attestation import (
    Attestation,
    AttestationClient,
    AttestationKind,
    ClientState,
    DigestForm,
    Misbehaviour,
    PacketAttestation,
    PacketEntry,
    PreviousSet,
    Rotation,
    StateAttestation,
    attestation_digest,
    decode_client_state,
    decode_rotation,
    decode_update,
    encode_attestation,
    encode_client_state,
    encode_misbehaviour,
    encode_packets,
    encode_rotation,
    encode_rotation_update,
    encode_state,
    public_digest,
    sign_digest,
)
from hutong.light_clients.attestation.codec import client_state_value
from hutong.light_clients.attestation.types import MAX_OVERLAP_HEIGHTS
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import (
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    PredicateFailed,
    UnsupportedOperation,
    Updated,
    VerificationError,
)
from tests.light_clients.attestation.attested_chain import (
    KEY,
    OTHER_KEY,
    VALUE,
    AttestedChain,
    address_of,
    attestor_keys,
)

CLIENT = AttestationClient()
STATE, PACKETS, ROTATION, _STATE_ROOT = AttestationKind
NEW = attestor_keys(3, first=10)


class Rotating:
    """A client of a chain at height 3, with a value stored in block 2."""

    def __init__(self, **changes) -> None:
        self.chain = AttestedChain()
        self.chain.put(KEY, VALUE)
        self.chain.advance(2)
        self.state = self.chain.client_state(3, **changes)
        self.states = MemoryConsensusStates({Height(0, n): self.chain.consensus_state(n) for n in (2, 3)})

    @property
    def decoded(self) -> ClientState:
        return decode_client_state(self.state)

    def rotation(self, height: int | None = None, *, number: int = 1, keys=NEW, threshold: int = 2, until: int = 0):
        height = self.chain.advance() if height is None else height
        state = StateAttestation(height, self.chain.times_s[height])
        return Rotation(state, number, tuple(map(address_of, keys)), threshold, until)

    def signed(self, rotation: Rotation, keys=None) -> bytes:
        return encode_rotation_update(self.chain.attest(ROTATION, encode_rotation(rotation), keys))

    def judge(self, update: bytes):
        return CLIENT.verify_header(self.state, self.states, update, self.chain.now_ns)

    def apply(self, update: bytes) -> Updated:
        verdict = self.judge(update)
        assert isinstance(verdict, Updated), verdict
        self.state = verdict.client_state
        self.states = self.states.with_state(verdict.height, verdict.consensus_state)
        return verdict

    def refused(self, predicate: str, update: bytes) -> PredicateFailed:
        with pytest.raises(PredicateFailed) as caught:
            self.judge(update)
        assert caught.value.predicate == predicate, caught.value
        return caught.value

    def advance(self, blocks: int = 1, keys=NEW) -> int:
        """A new state, signed by `keys`."""
        height = self.chain.advance(blocks)
        self.apply(self.chain.update(height, keys=keys[:2]))
        return height

    def prove(self, height: int, keys, path=KEY) -> None:
        proof = self.chain.proof(height, path, keys=keys)
        CLIENT.verify_membership(self.state, self.states.get(Height(0, height)), proof, (path,), VALUE)

    @property
    def old(self):
        return self.chain.keys[:2]


def test_new_set_is_in_force_at_once_and_the_old_one_until_the_height_that_the_rotation_names():
    client = Rotating()
    verdict = client.apply(client.signed(client.rotation(until=7)))
    assert verdict.height == Height(0, 4)
    assert client.decoded.set_number == 1
    assert client.decoded.attestors == tuple(map(address_of, NEW))
    assert client.decoded.previous == PreviousSet(tuple(map(address_of, client.chain.keys)), 2, 7)
    for keys in (client.old, NEW[:2]):
        client.prove(3, keys)
    assert client.advance(keys=client.old) == 5
    assert client.advance(blocks=2, keys=client.old) == 7
    client.prove(7, client.old)
    client.prove(7, NEW[:2])
    assert client.advance() == 8
    assert client.decoded.previous is None
    with pytest.raises(PredicateFailed, match="not an attestor's"):
        client.prove(7, client.old)
    client.prove(7, NEW[:2])


def test_old_set_that_the_new_one_contains_stays_good_by_its_own_threshold():
    client = Rotating()
    grown = sorted([*client.chain.keys, *NEW[:2]], key=address_of)
    client.apply(client.signed(client.rotation(keys=grown, threshold=4, until=5)))
    client.prove(3, client.old)
    assert isinstance(client.judge(client.chain.update(4, keys=client.old)), NoOp)
    assert client.advance(keys=client.old) == 5
    client.chain.advance()
    client.refused("previous_set_in_its_window", client.chain.update(6, keys=client.old))
    with pytest.raises(PredicateFailed):
        client.prove(3, client.old[:1])
    with pytest.raises(PredicateFailed):
        client.prove(3, NEW[:2])


def test_attack_D3_attestation_previous_set_after_its_window():
    client = Rotating()
    client.apply(client.signed(client.rotation(until=6)))
    client.chain.advance(3)
    late = client.chain.update(7, keys=client.old)
    error = client.refused("previous_set_in_its_window", late)
    assert (error.got, error.expected) == (7, "<= 6")
    assert isinstance(client.judge(client.chain.update(6, keys=client.old)), Updated)
    client.apply(client.chain.update(7, keys=NEW[:2]))
    for height in (6, 7):
        client.refused("signed_by_attestors", client.chain.update(height, keys=client.old))
    assert isinstance(client.judge(client.chain.update(6, keys=NEW[:2])), Updated)


def test_attack_D3_attestation_rotation_without_overlap_ends_the_old_set():
    client = Rotating()
    client.apply(client.signed(client.rotation(until=0)))
    assert client.decoded.previous is None
    with pytest.raises(PredicateFailed, match="not an attestor's"):
        client.prove(3, client.old)
    client.refused("signed_by_attestors", client.chain.update(client.chain.advance(), keys=client.old))
    client.prove(3, NEW[:2])
    client.advance()


def test_attack_D3_attestation_sets_do_not_add_up():
    """Neither one signature of each set, nor a signer of both counted for both, is a quorum."""
    client = Rotating()
    shared = client.chain.keys[0]
    keys = sorted([shared, *NEW[:2]], key=address_of)
    client.apply(client.signed(client.rotation(until=20, keys=keys)))
    height = client.chain.advance()
    only_old, only_new = client.chain.keys[1], NEW[0]
    client.refused("signed_by_attestors", client.chain.update(height, keys=[only_old, only_new]))
    client.refused("quorum_of_attestors", client.chain.update(height, keys=[shared]))
    for pair in ([shared, only_old], [shared, only_new]):
        assert isinstance(client.judge(client.chain.update(height, keys=pair)), Updated)


def test_attack_D3_attestation_who_may_rotate():
    client = Rotating()
    rotation = client.rotation(until=10)
    strangers = attestor_keys(3, first=30)
    for keys in (NEW[:2], strangers[:2]):
        client.refused("signed_by_attestors", client.signed(rotation, keys))
    client.refused("quorum_of_attestors", client.signed(rotation, client.old[:1]))
    client.apply(client.signed(rotation))
    again = client.rotation(number=2, keys=strangers)
    client.refused("signed_by_attestors", client.signed(again, client.old))
    client.apply(client.signed(again, NEW[:2]))
    assert client.decoded.set_number == 2


def test_attack_D3_attestation_rotation_is_used_once_and_none_is_skipped():
    client = Rotating()
    first = client.signed(client.rotation(until=100))
    client.apply(first)
    client.refused("signed_by_attestors", first)
    back = client.rotation(number=2, keys=client.chain.keys, until=100)
    client.refused("rotation_follows", client.signed(replace(back, set_number=3), NEW[:2]))
    client.refused("rotation_follows", client.signed(replace(back, set_number=1), NEW[:2]))
    client.apply(client.signed(back, NEW[:2]))
    error = client.refused("rotation_follows", first)
    assert (error.got, error.expected) == (1, 3)


def test_attack_D3_attestation_rotation_from_before_a_recovery():
    client = Rotating()
    rotation = client.signed(client.rotation(until=50))
    client.apply(rotation)
    frozen = encode_client_state(client.decoded.frozen())
    client.state = CLIENT.recovered(frozen, client.chain.client_state(4))
    assert client.decoded.attestors == tuple(map(address_of, client.chain.keys))
    assert client.decoded.set_number == 1
    client.refused("rotation_follows", rotation)
    client.apply(client.signed(client.rotation(number=2, until=50)))


def test_attack_D4_attestation_rotation_to_an_unfit_set():
    client = Rotating()
    good = client.rotation(until=10)
    new = good.attestors
    for changes in (
        {"attestors": ()},
        {"attestors": new[::-1]},
        {"attestors": (new[0], new[0])},
        {"attestors": (bytes(20), *new)},
        {"attestors": tuple(n.to_bytes(20, "big") for n in range(1, 66)), "threshold": 40},
        {"threshold": 0},
        {"threshold": 1},
        {"threshold": 4},
        {"set_number": 0},
        {"previous_until_height": 3},
        {"previous_until_height": good.state.height + MAX_OVERLAP_HEIGHTS + 1},
    ):
        data = encode_rotation(_forged(good, **changes))
        with pytest.raises(MalformedInput):
            client.judge(encode_rotation_update(client.chain.attest(ROTATION, data)))
    client.apply(client.signed(good))


def _forged(rotation: Rotation, **changes) -> Rotation:
    forged = object.__new__(Rotation)
    for name in Rotation.__dataclass_fields__:
        object.__setattr__(forged, name, changes.get(name, getattr(rotation, name)))
    return forged


def test_attack_D5_attestation_rotation_of_another_client():
    client = Rotating()
    rotation = client.rotation(until=10)
    for name, value in (
        ("destination_client_id", "attestation-1"),
        ("destination_chain_id", "hutong-2"),
        ("destination_router", b"\x01" * 20),
        ("source_chain_id", "31338"),
    ):
        scope = replace(client.chain.scope, **{name: value})
        foreign = client.chain.attest(ROTATION, encode_rotation(rotation), scope=scope)
        client.refused("signed_by_attestors", encode_rotation_update(foreign))
    client.apply(client.signed(rotation))


def test_attack_D6_attestation_kinds_do_not_stand_for_each_other():
    client = Rotating()
    data = encode_rotation(client.rotation(until=10))
    for kind in (STATE, PACKETS):
        client.refused("signed_by_attestors", encode_rotation_update(client.chain.attest(kind, data)))
    client.refused("signed_by_attestors", encode_attestation(client.chain.attest(ROTATION, data)))
    state = client.chain.state_attestation(4)
    client.refused("signed_by_attestors", encode_rotation_update(state))
    client.apply(encode_rotation_update(client.chain.attest(ROTATION, data)))


def test_attack_D8_attestation_rotation_whose_state_contradicts_freezes():
    client = Rotating()
    rotation = client.rotation(3, until=10)
    lie = replace(rotation, state=StateAttestation(3, rotation.state.timestamp_s + 1))
    assert isinstance(client.judge(client.signed(lie)), Misbehaved)
    verdict = client.apply(client.signed(rotation))
    assert verdict.height == Height(0, 3)
    assert client.judge(client.chain.update(3, keys=NEW[:2])) == NoOp(Height(0, 3))


def test_attack_D8_attestation_two_sets_with_one_number_freeze():
    client = Rotating()
    rotation = client.rotation(until=10)
    other = replace(rotation, threshold=3)
    again = client.rotation(until=0)

    def evidence(first: Rotation, second: Rotation, keys=None) -> bytes:
        signed = (client.chain.attest(ROTATION, encode_rotation(one), keys) for one in (first, second))
        return encode_misbehaviour(Misbehaviour(ROTATION, *signed))

    def check(data: bytes) -> Misbehaved:
        return CLIENT.check_misbehaviour(client.state, client.states, data, client.chain.now_ns)

    harmless = (rotation, replace(other, set_number=2), again, replace(rotation, previous_until_height=0))
    for data in (evidence(rotation, second) for second in harmless):
        with pytest.raises(PredicateFailed) as caught:
            check(data)
        assert caught.value.predicate == "headers_conflict"
    with pytest.raises(PredicateFailed):
        check(evidence(rotation, other, NEW[:2]))
    assert check(evidence(rotation, other)).height == Height(0, rotation.state.height)


def test_attack_D8_attestation_evidence_of_the_previous_set_within_its_window_only():
    client = Rotating()
    client.apply(client.signed(client.rotation(until=5)))

    def evidence(height: int) -> bytes:
        return client.chain.state_misbehaviour(
            (height, client.chain.times_s[3]), (height, client.chain.times_s[3] + 1), keys=client.old
        )

    def check(height: int) -> Misbehaved:
        return CLIENT.check_misbehaviour(client.state, client.states, evidence(height), client.chain.now_ns)

    assert check(5).height == Height(0, 5)
    with pytest.raises(PredicateFailed) as caught:
        check(6)
    assert caught.value.predicate == "previous_set_in_its_window"
    client.advance(blocks=2)
    with pytest.raises(PredicateFailed) as caught:
        check(5)
    assert caught.value.predicate == "signed_by_attestors"


def test_state_of_the_first_version_stays_as_it_is_until_the_first_rotation():
    client = Rotating()
    before = client.state
    client.advance(keys=client.old)
    assert client.state == client.chain.client_state(4) and len(client.state) == len(before)
    client.apply(client.signed(client.rotation(until=0)))
    assert client.state[:32] == (2).to_bytes(32, "big")
    assert encode_client_state(client.decoded) == client.state
    with pytest.raises(UnsupportedOperation, match="Solidity"):
        client_state_value(client.decoded)
    client_state_value(decode_client_state(before))


def test_plain_states_have_one_encoding():
    client = Rotating()
    client.apply(client.signed(client.rotation(until=0)))
    rotated = client.decoded
    plain = client.state.replace((1).to_bytes(32, "big"), bytes(32), 1)  # the first word that is 1 is the set number
    assert rotated.set_number == 1 and plain != client.state
    with pytest.raises(MalformedInput):
        decode_client_state(plain)
    with pytest.raises(MalformedInput, match="before the first rotation"):
        replace(rotated, set_number=0, previous=PreviousSet(rotated.attestors, 2, 9))


# the public digest


def public(data: bytes, kind: AttestationKind, keys) -> Attestation:
    digest = public_digest(kind, data)
    return Attestation(data, tuple(sign_digest(key, digest) for key in sorted(keys, key=address_of)))


def test_public_digest_is_that_of_the_public_client():
    data = encode_state(StateAttestation(100, 1_700_000_000))
    assert public_digest(STATE, data).hex() == "af4930fb54971ea5468f025ac2b1002dcee98811728c6cc62d6488d4cafbe2cc"


def test_attack_D5_attestation_public_digest_is_good_only_where_it_was_chosen():
    scoped, opted_in = Rotating(), Rotating(digest_form=DigestForm.PUBLIC)
    for client in (scoped, opted_in):
        client.chain.advance()
    data = encode_state(StateAttestation(4, scoped.chain.times_s[4]))
    signed = encode_attestation(public(data, STATE, scoped.old))
    own = scoped.chain.update(4)
    scoped.refused("signed_by_attestors", signed)
    opted_in.refused("signed_by_attestors", own)
    assert isinstance(scoped.judge(own), Updated)
    assert isinstance(opted_in.judge(signed), Updated)
    opted_in.refused("signed_by_attestors", encode_attestation(public(data, PACKETS, scoped.old)))


def test_public_lists_come_in_any_order_and_name_no_path_twice():
    client = Rotating(digest_form=DigestForm.PUBLIC)
    entries = [PacketEntry(keccak256(KEY), VALUE), PacketEntry(keccak256(OTHER_KEY), bytes(32))]
    state = client.states.get(Height(0, 3))

    def proof(*listed: PacketEntry) -> bytes:
        packets = object.__new__(PacketAttestation)
        object.__setattr__(packets, "height", 3)
        object.__setattr__(packets, "packets", listed)
        return encode_attestation(public(encode_packets(packets), PACKETS, client.old))

    for listed in (entries, entries[::-1]):
        CLIENT.verify_membership(client.state, state, proof(*listed), (KEY,), VALUE)
        CLIENT.verify_non_membership(client.state, state, proof(*listed), (OTHER_KEY,))
    for listed in ((entries[0], entries[0]), (entries[0], PacketEntry(keccak256(KEY), bytes(32)))):
        with pytest.raises(MalformedInput):
            CLIENT.verify_membership(client.state, state, proof(*listed), (KEY,), VALUE)


def test_rotation_of_a_public_client_is_signed_in_the_scoped_form():
    client = Rotating(digest_form=DigestForm.PUBLIC)
    rotation = client.rotation(until=9)
    data = encode_rotation(rotation)
    client.refused("signed_by_attestors", encode_rotation_update(public(data, ROTATION, client.old)))
    client.apply(client.signed(rotation))
    assert client.decoded.digest_form is DigestForm.PUBLIC


def test_attack_C18_attestation_substitute_of_the_other_digest():
    client = Rotating()
    frozen = encode_client_state(client.decoded.frozen())
    opted_in = client.chain.client_state(3, digest_form=DigestForm.PUBLIC)
    for subject, substitute in ((frozen, opted_in), (opted_in, client.state)):
        with pytest.raises(PredicateFailed) as caught:
            CLIENT.recovered(subject, substitute)
        assert caught.value.predicate == "substitute_parameters_match"
    assert CLIENT.recovered(frozen, client.state) == client.state


# bytes

SETS = st.lists(st.binary(min_size=20, max_size=20).filter(any), min_size=1, max_size=5, unique=True).map(
    lambda addresses: tuple(sorted(addresses))
)


@st.composite
def rotations(draw):
    height, attestors = draw(st.integers(1, 2**63)), draw(SETS)
    until = draw(st.sampled_from((0, height, height + MAX_OVERLAP_HEIGHTS)))
    threshold = len(attestors) // 2 + 1
    return Rotation(StateAttestation(height, 1), draw(st.integers(1, 2**64 - 1)), attestors, threshold, until)


@settings(max_examples=40)
@given(rotations())
def test_rotations_and_rotated_states_round_trip(rotation):
    assert decode_rotation(encode_rotation(rotation)) == rotation
    chain = AttestedChain()
    for form in DigestForm:
        state = replace(chain.client(1, digest_form=form).rotated(rotation), latest_height=1)
        assert decode_client_state(encode_client_state(state)) == state


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_attack_H_attestation_any_bytes_are_a_rotation_or_malformed(data):
    for decode in (decode_rotation, decode_update, decode_client_state):
        for tried in (data, (3).to_bytes(32, "big") + data, (2).to_bytes(32, "big") + data):
            with pytest.raises(MalformedInput):
                decode(tried)


_CLIENT = Rotating()
_UPDATE = _CLIENT.signed(_CLIENT.rotation(until=9))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_attack_H_attestation_damaged_rotations_change_nothing(data):
    damaged = bytearray(_UPDATE)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VerificationError):
        _CLIENT.judge(bytes(damaged))


def test_digest_binds_the_kind():
    data = b"data"
    scope = AttestedChain().scope
    assert len({attestation_digest(scope, kind, data) for kind in AttestationKind}) == 4
