"""ABI bytes of the attestation client (docs/spec/attestation.md), canonical both ways and the same in Solidity."""

from functools import lru_cache

from hutong.light_clients.attestation.types import (
    EVIDENCE_KINDS,
    MAX_ATTESTORS,
    MAX_PACKETS,
    SIGNATURE_BYTES,
    Attestation,
    AttestationKind,
    ClientState,
    DigestForm,
    Misbehaviour,
    PacketAttestation,
    PacketEntry,
    PreviousSet,
    Rotation,
    Scope,
    StateAttestation,
    StateRootAttestation,
)
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.interface import MAX_CLIENT_STATE_BYTES, MalformedInput, UnsupportedOperation

SCOPE_TUPLE = "(string,bytes,string,bytes,string)"
CLIENT_STATE_TUPLE = f"({SCOPE_TUPLE},address[],uint32,uint64,uint64,uint64,bool)"
CLIENT_STATE_2_TUPLE = (
    f"({SCOPE_TUPLE},address[],uint32,uint64,(address[],uint32,uint64)[],uint8,uint64,uint64,uint64,bool)"
)
"""After a rotation, or with the public digest: set number, previous sets (none or one) and digest form are said."""
STATE_TUPLE = "(uint64,uint64)"
ROTATION_TUPLE = "(uint64,uint64,uint64,address[],uint32,uint64)"
PACKETS_TUPLE = "(uint64,(bytes32,bytes32)[])"
ATTESTATION_TUPLE = "(bytes,bytes)"
MISBEHAVIOUR_TUPLE = f"(uint8,{ATTESTATION_TUPLE},{ATTESTATION_TUPLE})"

WORD = 32
STATE_BYTES = 2 * WORD
ENTRY_BYTES = 2 * WORD
PACKETS_HEAD_BYTES = 4 * WORD
_WORD_AT = WORD.to_bytes(WORD, "big")
_LIST_AT = (2 * WORD).to_bytes(WORD, "big")
"""The offsets of a packet attestation: each packet is encoded by relay and attestor, and a general encoder costs twenty times as much."""
MAX_DATA_BYTES = PACKETS_HEAD_BYTES + ENTRY_BYTES * MAX_PACKETS
MAX_ATTESTATION_BYTES = 6 * WORD + MAX_DATA_BYTES + (SIGNATURE_BYTES * MAX_ATTESTORS + WORD - 1) // WORD * WORD
MAX_MISBEHAVIOUR_BYTES = 4 * WORD + 2 * MAX_ATTESTATION_BYTES


_VERSION_2 = (2).to_bytes(WORD, "big")
"""First word of a client state of the second version; the first begins with an offset, 32."""
_ROTATION = AttestationKind.ROTATION.to_bytes(WORD, "big")
"""First word of an update that rotates; one of a state begins with an offset, 32."""


def _address(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def decode_client_state(data: bytes) -> ClientState:
    """A client state of either version of the encoding; the second is refused where the first could say the same.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    return _decode_client_state(bytes(data))


@lru_cache(maxsize=256)
def _decode_client_state(data: bytes) -> ClientState:
    """Every question to a client begins with its state, which rarely changes."""
    if data[:WORD] == _VERSION_2:
        return _decode_client_state_2(data)
    (value,) = decode_canonical([CLIENT_STATE_TUPLE], data, "client_state", MAX_CLIENT_STATE_BYTES)
    scope, attestors, threshold, trusting_period_s, max_clock_drift_s, latest_height, is_frozen = value
    return ClientState(
        Scope(*scope),
        tuple(map(_address, attestors)),
        threshold,
        trusting_period_s,
        max_clock_drift_s,
        latest_height,
        is_frozen,
    )


def _decode_client_state_2(data: bytes) -> ClientState:
    _, value = decode_canonical(["uint8", CLIENT_STATE_2_TUPLE], data, "client_state", MAX_CLIENT_STATE_BYTES)
    scope, attestors, threshold, set_number, previous, digest_form, *rest = value
    trusting_period_s, max_clock_drift_s, latest_height, is_frozen = rest
    if len(previous) > 1:
        raise MalformedInput("client_state.previous", "at most one set", got=len(previous))
    if digest_form not in tuple(DigestForm):
        raise MalformedInput("client_state.digest_form", "1 scoped, 2 public", got=digest_form)
    state = ClientState(
        Scope(*scope),
        tuple(map(_address, attestors)),
        threshold,
        trusting_period_s,
        max_clock_drift_s,
        latest_height,
        is_frozen,
        set_number,
        next((PreviousSet(tuple(map(_address, listed)), *more) for listed, *more in previous), None),
        DigestForm(digest_form),
    )
    if state.is_plain:
        raise MalformedInput("client_state", "says nothing that its first version could not")
    return state


def _scope_value(scope: Scope) -> tuple[object, ...]:
    return (
        scope.source_chain_id,
        scope.source_router,
        scope.destination_chain_id,
        scope.destination_router,
        scope.destination_client_id,
    )


def client_state_value(state: ClientState) -> tuple[object, ...]:
    """The tuple `CLIENT_STATE_TUPLE` as eth-abi takes it: what the Solidity client's constructor is given.

    Raises:
        UnsupportedOperation: a rotated state, or one of the public digest: the contract has neither.
    """
    if not state.is_plain:
        raise UnsupportedOperation("rotated attestors and the public digest in the Solidity client")
    return (
        _scope_value(state.scope),
        list(state.attestors),
        state.threshold,
        state.trusting_period_s,
        state.max_clock_drift_s,
        state.latest_height,
        state.is_frozen,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`: the first version of the encoding where it can say all of it."""
    if state.is_plain:
        return encode_abi([CLIENT_STATE_TUPLE], [client_state_value(state)])
    previous = state.previous
    value = (
        _scope_value(state.scope),
        list(state.attestors),
        state.threshold,
        state.set_number,
        [] if previous is None else [(list(previous.attestors), previous.threshold, previous.until_height)],
        int(state.digest_form),
        state.trusting_period_s,
        state.max_clock_drift_s,
        state.latest_height,
        state.is_frozen,
    )
    return encode_abi(["uint8", CLIENT_STATE_2_TUPLE], [2, value])


def decode_state(data: bytes) -> StateAttestation:
    """The data of a state attestation, and a consensus state: two words, height and seconds since 1970.

    Raises:
        MalformedInput: not 64 bytes, or a field out of bounds.
    """
    if len(data) != STATE_BYTES:
        raise MalformedInput("state", f"{STATE_BYTES} bytes", got=len(data))
    return StateAttestation(_word(data, 0), _word(data, 1))


def encode_state(state: StateAttestation) -> bytes:
    """Inverse of `decode_state`."""
    return encode_abi([STATE_TUPLE], [(state.height, state.timestamp_s)])


def decode_state_root(data: bytes) -> StateRootAttestation:
    """The data of a state root's attestation: two words, height and root.

    Raises:
        MalformedInput: not 64 bytes, or a field out of bounds.
    """
    if len(data) != STATE_BYTES:
        raise MalformedInput("state_root", f"{STATE_BYTES} bytes", got=len(data))
    return StateRootAttestation(_word(data, 0), data[WORD:])


def encode_state_root(attested: StateRootAttestation) -> bytes:
    """Inverse of `decode_state_root`."""
    return attested.height.to_bytes(WORD, "big") + attested.state_root


def decode_rotation(data: bytes) -> Rotation:
    """The data of a rotation: the state, the new set with its number and threshold, and the previous set's last height.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    (value,) = decode_canonical([ROTATION_TUPLE], data, "rotation", MAX_DATA_BYTES)
    height, timestamp_s, set_number, attestors, threshold, until_height = value
    return Rotation(
        StateAttestation(height, timestamp_s), set_number, tuple(map(_address, attestors)), threshold, until_height
    )


def encode_rotation(rotation: Rotation) -> bytes:
    """Inverse of `decode_rotation`."""
    value = (
        rotation.state.height,
        rotation.state.timestamp_s,
        rotation.set_number,
        list(rotation.attestors),
        rotation.threshold,
        rotation.previous_until_height,
    )
    return encode_abi([ROTATION_TUPLE], [value])


def decode_packets(data: bytes, form: DigestForm = DigestForm.SCOPED) -> PacketAttestation:
    """The data of a packet attestation, at most `MAX_PACKETS` entries, in ascending order of paths.

    The public form lists paths in any order; one that comes twice is refused in both.

    Raises:
        MalformedInput: not the canonical encoding, no entry or too many, a path out of order or twice.
    """
    if not PACKETS_HEAD_BYTES <= len(data) <= MAX_DATA_BYTES:
        raise MalformedInput("packets", f"{PACKETS_HEAD_BYTES} to {MAX_DATA_BYTES} bytes", got=len(data))
    head = tuple(_word(data, index) for index in range(4))
    offset, height, list_offset, count = head
    if (offset, list_offset, count * ENTRY_BYTES) != (WORD, 2 * WORD, len(data) - PACKETS_HEAD_BYTES):
        raise MalformedInput("packets", f"is not the canonical encoding of {PACKETS_TUPLE}", got=data)
    rows = (data[at : at + ENTRY_BYTES] for at in range(PACKETS_HEAD_BYTES, len(data), ENTRY_BYTES))
    entries = tuple(PacketEntry(row[:WORD], row[WORD:]) for row in rows)
    if form is DigestForm.PUBLIC:
        entries = tuple(sorted(entries, key=lambda entry: entry.path_hash))
    return PacketAttestation(height, entries)


def encode_packets(packets: PacketAttestation) -> bytes:
    """Inverse of `decode_packets`, in the order given, which is the scoped form's."""
    words = [_WORD_AT, packets.height.to_bytes(WORD, "big"), _LIST_AT]
    words.append(len(packets.packets).to_bytes(WORD, "big"))
    for entry in packets.packets:
        words += (entry.path_hash, entry.commitment)
    return b"".join(words)


def decode_attestation(data: bytes) -> Attestation:
    """An update, or a packet proof, with the attested bytes left unread.

    Raises:
        MalformedInput: not the canonical encoding, data of more than `MAX_DATA_BYTES`, or signatures not of 65 bytes
            each, none or more than `MAX_ATTESTORS`.
    """
    (value,) = decode_canonical([ATTESTATION_TUPLE], data, "attestation", MAX_ATTESTATION_BYTES)
    return _attestation(value)


def encode_attestation(attestation: Attestation) -> bytes:
    """Inverse of `decode_attestation`."""
    return encode_abi([ATTESTATION_TUPLE], [_attestation_value(attestation)])


def is_rotation_update(data: bytes) -> bool:
    """Whether an update says that it rotates. Nothing else of it is read."""
    return data[:WORD] == _ROTATION


def decode_update(data: bytes) -> tuple[AttestationKind, Attestation]:
    """An update of a state or a rotation, with the attested bytes left unread; the first word tells the two apart.

    Raises:
        MalformedInput: as `decode_attestation`.
    """
    if not is_rotation_update(data):
        return AttestationKind.STATE, decode_attestation(data)
    _, value = decode_canonical(["uint8", ATTESTATION_TUPLE], data, "rotation", MAX_ATTESTATION_BYTES + WORD)
    return AttestationKind.ROTATION, _attestation(value)


def encode_rotation_update(attestation: Attestation) -> bytes:
    """An update whose attested bytes are a rotation; one of a state is `encode_attestation` alone."""
    return encode_abi(["uint8", ATTESTATION_TUPLE], [int(AttestationKind.ROTATION), _attestation_value(attestation)])


def decode_misbehaviour(data: bytes) -> Misbehaviour:
    """Two attestations of one kind, with the attested bytes left unread. Whether they conflict is not asked.

    Raises:
        MalformedInput: not the canonical encoding, an unknown kind, or an attestation out of bounds.
    """
    ((kind, first, second),) = decode_canonical([MISBEHAVIOUR_TUPLE], data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    if kind not in EVIDENCE_KINDS:
        raise MalformedInput("misbehaviour.kind", "1 for states, 2 for packets, 3 for rotations", got=kind)
    return Misbehaviour(AttestationKind(kind), _attestation(first), _attestation(second))


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    first, second = map(_attestation_value, (misbehaviour.first, misbehaviour.second))
    return encode_abi([MISBEHAVIOUR_TUPLE], [(misbehaviour.kind, first, second)])


def _word(data: bytes, index: int) -> int:
    return int.from_bytes(data[index * WORD : (index + 1) * WORD], "big")


def _attestation_value(attestation: Attestation) -> tuple[bytes, bytes]:
    return attestation.data, b"".join(attestation.signatures)


def _attestation(value: tuple[bytes, bytes]) -> Attestation:
    data, signatures = value
    if len(data) > MAX_DATA_BYTES:
        raise MalformedInput("attestation.data", f"more than {MAX_DATA_BYTES} bytes", got=len(data))
    if len(signatures) % SIGNATURE_BYTES:
        raise MalformedInput("attestation.signatures", f"are {SIGNATURE_BYTES} bytes each", got=len(signatures))
    return Attestation(
        data, tuple(signatures[at : at + SIGNATURE_BYTES] for at in range(0, len(signatures), SIGNATURE_BYTES))
    )
