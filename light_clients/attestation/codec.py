"""ABI bytes of the attestation client (docs/spec/attestation.md), canonical both ways and the same in Solidity."""

from eth_abi.abi import encode

from light_clients.attestation.types import (
    MAX_ATTESTORS,
    MAX_PACKETS,
    SIGNATURE_BYTES,
    Attestation,
    AttestationKind,
    ClientState,
    Misbehaviour,
    PacketAttestation,
    PacketEntry,
    Scope,
    StateAttestation,
)
from light_clients.ibc.abi import decode_canonical
from light_clients.interface import MAX_CLIENT_STATE_BYTES, MalformedInput

SCOPE_TUPLE = "(string,bytes,string,bytes,string)"
CLIENT_STATE_TUPLE = f"({SCOPE_TUPLE},address[],uint32,uint64,uint64,uint64,bool)"
STATE_TUPLE = "(uint64,uint64)"
PACKETS_TUPLE = "(uint64,(bytes32,bytes32)[])"
ATTESTATION_TUPLE = "(bytes,bytes)"
MISBEHAVIOUR_TUPLE = f"(uint8,{ATTESTATION_TUPLE},{ATTESTATION_TUPLE})"

STATE_BYTES = 64
MAX_DATA_BYTES = 4 * 32 + 64 * MAX_PACKETS
MAX_ATTESTATION_BYTES = 6 * 32 + MAX_DATA_BYTES + (SIGNATURE_BYTES * MAX_ATTESTORS + 31) // 32 * 32
MAX_MISBEHAVIOUR_BYTES = 4 * 32 + 2 * MAX_ATTESTATION_BYTES


def _address(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def decode_client_state(data: bytes) -> ClientState:
    """Raises MalformedInput."""
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


def client_state_value(state: ClientState) -> tuple[object, ...]:
    """The tuple `CLIENT_STATE_TUPLE` as eth-abi takes it: what the Solidity client's constructor is given."""
    scope = state.scope
    return (
        (
            scope.source_chain_id,
            scope.source_router,
            scope.destination_chain_id,
            scope.destination_router,
            scope.destination_client_id,
        ),
        list(state.attestors),
        state.threshold,
        state.trusting_period_s,
        state.max_clock_drift_s,
        state.latest_height,
        state.is_frozen,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    return encode([CLIENT_STATE_TUPLE], [client_state_value(state)])


def decode_state(data: bytes) -> StateAttestation:
    """The data of a state attestation, and a consensus state. Raises MalformedInput."""
    ((height, timestamp_s),) = decode_canonical([STATE_TUPLE], data, "state", STATE_BYTES)
    return StateAttestation(height, timestamp_s)


def encode_state(state: StateAttestation) -> bytes:
    """Inverse of `decode_state`."""
    return encode([STATE_TUPLE], [(state.height, state.timestamp_s)])


def decode_packets(data: bytes) -> PacketAttestation:
    """The data of a packet attestation. Raises MalformedInput."""
    ((height, entries),) = decode_canonical([PACKETS_TUPLE], data, "packets", MAX_DATA_BYTES)
    return PacketAttestation(height, tuple(PacketEntry(*entry) for entry in entries))


def encode_packets(packets: PacketAttestation) -> bytes:
    """Inverse of `decode_packets`."""
    entries = [(entry.path_hash, entry.commitment) for entry in packets.packets]
    return encode([PACKETS_TUPLE], [(packets.height, entries)])


def decode_attestation(data: bytes) -> Attestation:
    """An update, or a packet proof, with the attested bytes left unread. Raises MalformedInput."""
    (value,) = decode_canonical([ATTESTATION_TUPLE], data, "attestation", MAX_ATTESTATION_BYTES)
    return _attestation(value)


def encode_attestation(attestation: Attestation) -> bytes:
    """Inverse of `decode_attestation`."""
    return encode([ATTESTATION_TUPLE], [_attestation_value(attestation)])


def decode_misbehaviour(data: bytes) -> Misbehaviour:
    """Raises MalformedInput."""
    ((kind, first, second),) = decode_canonical([MISBEHAVIOUR_TUPLE], data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    if kind not in tuple(AttestationKind):
        raise MalformedInput("misbehaviour.kind", "1 for states, 2 for packets", got=kind)
    return Misbehaviour(AttestationKind(kind), _attestation(first), _attestation(second))


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    first, second = map(_attestation_value, (misbehaviour.first, misbehaviour.second))
    return encode([MISBEHAVIOUR_TUPLE], [(misbehaviour.kind, first, second)])


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
