"""Bytes of observations and epochs (docs/spec/records.md): one encoding of each value, every other one refused."""

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.records.places import MAX_STORE_VALUE_BYTES, WORD_BYTES, ObservationKey, PlaceKind
from hutong.light_clients.records.types import ClientEpoch, Observation, SourceTrust, TrustKind

VERSION = 1
HEAD_BYTES = 37
"""Version, presence, trust, threshold, attestors; epoch, revision, height and source time in eight bytes each."""
MAX_OBSERVATION_BYTES = HEAD_BYTES + MAX_STORE_VALUE_BYTES
EPOCH_BYTES = 18
_ABSENT, _PRESENT = 0, 1
_CLOSED, _READABLE = 0, 1


def encode_observation(observation: Observation) -> bytes:
    """Inverse of `decode_observation`."""
    trust = observation.trust
    presence = _ABSENT if observation.value is None else _PRESENT
    head = bytes([VERSION, presence, trust.kind, trust.threshold, trust.attestors])
    numbers = observation.epoch.to_bytes(8, "big") + observation.height.to_key()
    return head + numbers + observation.source_time_ns.to_bytes(8, "big") + (observation.value or b"")


def decode_observation(data: bytes) -> Observation:
    """The observation, of whatever kind of place.

    Raises:
        MalformedInput: an unknown version, a length or a member out of its rule.
    """
    if not HEAD_BYTES <= len(data) <= MAX_OBSERVATION_BYTES:
        raise MalformedInput("observation", f"{HEAD_BYTES} to {MAX_OBSERVATION_BYTES} bytes", got=len(data))
    version, presence, trust, threshold, attestors = data[:5]
    _check_version("observation", version)
    if presence not in (_ABSENT, _PRESENT):
        raise MalformedInput("observation.presence", "0 absent, 1 present", got=presence)
    if trust not in tuple(TrustKind):
        raise MalformedInput("observation.trust", "1 proven, 2 attested", got=trust)
    value = data[HEAD_BYTES:]
    if presence == _ABSENT and value:
        raise MalformedInput("observation.value", "absent, and yet there are bytes", got=len(value), expected=0)
    return Observation(
        value if presence == _PRESENT else None,
        SourceTrust(TrustKind(trust), threshold, attestors),
        int.from_bytes(data[5:13], "big"),
        Height.from_key(data[13:29]),
        int.from_bytes(data[29:37], "big"),
    )


def decode_observation_of(key: ObservationKey, data: bytes) -> Observation:
    """The observation under `key`: of an EVM chain a present value has 32 bytes.

    Raises:
        MalformedInput: as `decode_observation`, or the value is not of the key's kind.
    """
    observation = decode_observation(data)
    value = observation.value
    if key.kind is not PlaceKind.STORE and value is not None and len(value) != WORD_BYTES:
        raise MalformedInput("observation.value", "bytes of an EVM chain's value", len(value), WORD_BYTES)
    return observation


def encode_epoch(epoch: ClientEpoch) -> bytes:
    """Inverse of `decode_epoch`."""
    head = bytes([VERSION, _READABLE if epoch.is_readable else _CLOSED])
    return head + epoch.number.to_bytes(8, "big") + epoch.generation.to_bytes(8, "big")


def decode_epoch(data: bytes) -> ClientEpoch:
    """The epoch of a client, 18 bytes.

    Raises:
        MalformedInput: an unknown version, another length, or a member out of its rule.
    """
    if len(data) != EPOCH_BYTES:
        raise MalformedInput("epoch", f"{EPOCH_BYTES} bytes", got=len(data))
    _check_version("epoch", data[0])
    if data[1] not in (_CLOSED, _READABLE):
        raise MalformedInput("epoch.state", "0 closed, 1 readable", got=data[1])
    return ClientEpoch(int.from_bytes(data[2:10], "big"), data[1] == _READABLE, int.from_bytes(data[10:18], "big"))


def _check_version(field: str, version: int) -> None:
    if version != VERSION:
        raise MalformedInput(f"{field}.version", "a version that this code does not know", version, VERSION)
