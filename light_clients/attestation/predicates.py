"""The rules of the attestation client, one function a rule (docs/spec/attestation.md, design rule 8).

Nothing here proves what a chain did: it proves what more than half of a fixed set of keys said, and that they said it to
this client. Who verifies, against which keys and how many of them, comes from the client state alone.
"""

from hutong.light_clients.attestation import codec
from hutong.light_clients.attestation.digest import recover_attestor, signing_digest
from hutong.light_clients.attestation.types import (
    ABSENT,
    Attestation,
    AttestationKind,
    ClientState,
    Misbehaviour,
    PacketAttestation,
    Rotation,
    StateAttestation,
    StateRootAttestation,
)
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Height,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
    cited,
    rule,
    trusting,
)

SPEC = "docs/spec/attestation.md"


within_trusting_period = cited(trusting.within_trusting_period, SPEC)
client_not_expired = cited(trusting.within_trusting_period, "ICS-02", "client_not_expired")


@rule(SPEC)
def consensus_state_is_the_latest(client: ClientState, state: StateAttestation) -> None:
    """A new client's two states are of one height.

    Raises:
        PredicateFailed: they are not.
    """
    if state.height != client.latest_height:
        raise PredicateFailed(
            "consensus_state_is_the_latest", "heights differ", got=state.height, expected=client.latest_height
        )


@rule(SPEC)
def header_not_from_future(timestamp_ns: int, max_clock_drift_ns: int, now_ns: int) -> None:
    """The attested time is earlier than now plus the allowed drift. All are nanoseconds.

    Raises:
        PredicateFailed: it is at that instant or later.
    """
    trusting.demand_not_from_future("header_not_from_future", "attested", timestamp_ns, max_clock_drift_ns, now_ns)


def signing_set(client: ClientState, kind: AttestationKind, attestation: Attestation) -> ClientState:
    """The client with the set that is to be judged: the previous one where all that signed are in it, and they are not
    all in the present one or only enough for the previous.

    Never the previous one for a rotation, nor once the client is past the window. Nothing is refused here.
    """
    previous = None if kind is AttestationKind.ROTATION else client.as_previous()
    if previous is None or client.previous is None or client.latest_height > client.previous.until_height:
        return client
    digest = signing_digest(client, kind, attestation.data)
    signers = {recover_attestor(digest, signature) for signature in attestation.signatures}
    count, in_present = len(attestation.signatures), signers <= set(client.attestors)
    if not signers <= set(previous.attestors) or (in_present and count >= client.threshold):
        return client
    return client if in_present and count < previous.threshold else previous


@rule(SPEC)
def previous_set_in_its_window(client: ClientState, height: int) -> None:
    """What the previous set signed is of a height up to which it was left good.

    Raises:
        PredicateFailed: the height is above, or there is no previous set.
    """
    until = 0 if client.previous is None else client.previous.until_height
    if height > until:
        raise PredicateFailed(
            "previous_set_in_its_window", "the set before the rotation speaks of a later height", height, f"<= {until}"
        )


@rule(SPEC)
def rotation_follows(client: ClientState, rotation: Rotation) -> None:
    """It is the one after the set in force: no rotation is skipped, repeated or taken from before a recovery.

    Raises:
        PredicateFailed: another set number.
    """
    if rotation.set_number != client.set_number + 1:
        raise PredicateFailed(
            "rotation_follows", "is not the next set", got=rotation.set_number, expected=client.set_number + 1
        )


@rule(SPEC)
def quorum_of_attestors(client: ClientState, kind: AttestationKind, attestation: Attestation) -> ClientState:
    """At least the threshold signed, and no more signatures than there are attestors. Counted before any is checked.

    Returns the client with the set that signed (`signing_set`).

    Raises:
        PredicateFailed: too few signatures or too many.
    """
    client = signing_set(client, kind, attestation)
    count = len(attestation.signatures)
    if not client.threshold <= count <= len(client.attestors):
        raise PredicateFailed(
            "quorum_of_attestors",
            "too few or too many signatures",
            got=count,
            expected=f"{client.threshold} to {len(client.attestors)}",
        )
    return client


@rule(SPEC)
def signed_by_attestors(client: ClientState, kind: AttestationKind, attestation: Attestation) -> None:
    """Every signature is an attestor's, over this kind, scope and data, and signers ascend, so that none counts twice.

    Raises:
        PredicateFailed: the first signature that is not, by its index.
    """
    name = "signed_by_attestors"
    digest = signing_digest(client, kind, attestation.data)
    last = bytes(0)
    for index, signature in enumerate(attestation.signatures):
        signer = recover_attestor(digest, signature)
        if signer is None:
            raise PredicateFailed(
                name, f"signature {index} is no signature r, s, v with low s and v 27 or 28", got=signature
            )
        if signer not in client.attestors:
            raise PredicateFailed(name, f"signature {index} is not an attestor's", got=signer)
        if signer <= last:
            raise PredicateFailed(
                name, f"signature {index} is out of order or a second one of its signer", signer, f"> 0x{last.hex()}"
            )
        last = signer


@rule("ICS-24")
def path_is_one_key(path: tuple[bytes, ...]) -> None:
    """The attested router has one store: a path of one element [ICS-24].

    Raises:
        MalformedInput: another number of elements, or one that does not have 1 to `MAX_PATH_ELEMENT_BYTES` bytes.
    """
    if len(path) != 1:
        raise MalformedInput("path", "an attested router has one store: one path element", got=len(path), expected=1)
    if not 0 < len(path[0]) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(path[0]))


@rule(SPEC)
def value_is_one_word(value: bytes) -> None:
    """A commitment has 32 bytes; all zero means absence and is never a member.

    Raises:
        MalformedInput: another length.
        PredicateFailed: the zero word.
    """
    if len(value) != HASH_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=HASH_BYTES)
    if value == ABSENT:
        raise PredicateFailed("value_is_one_word", "the zero word means absence, it is no member", got=value)


@rule(SPEC)
def height_is_the_proof_height(packets: PacketAttestation, state: StateAttestation) -> None:
    """The attestors speak of the very block whose time the client knows.

    Raises:
        PredicateFailed: packets and state are of two heights.
    """
    if packets.height != state.height:
        raise PredicateFailed(
            "height_is_the_proof_height", "attested at another height", got=packets.height, expected=state.height
        )


@rule(SPEC)
def commitment_is_attested(packets: PacketAttestation, path_hash: bytes, value: bytes | None) -> None:
    """The list has the path, with this value; with None the zero word, which a path that is not listed does not have.

    Raises:
        PredicateFailed: the path (by its Keccak-256) is not listed, or has another value.
    """
    got = packets.commitment(path_hash)
    if got is None:
        raise PredicateFailed("commitment_is_attested", "the attestation does not list the path", got=path_hash)
    expected = ABSENT if value is None else value
    if got != expected:
        raise PredicateFailed("commitment_is_attested", "another value is attested", got=got, expected=expected)


@rule(SPEC)
def headers_conflict(client: ClientState, evidence: Misbehaviour) -> None:
    """Both cannot be true: one height with two times, time that goes back, one path with two values at one height, or
    two sets with one number.

    Raises:
        PredicateFailed: both can be true.
        MalformedInput: the attested bytes are not of their kind.
    """
    first, second = evidence.first.data, evidence.second.data
    match evidence.kind:
        case AttestationKind.STATE:
            conflict = _states_conflict(codec.decode_state(first), codec.decode_state(second))
        case AttestationKind.PACKETS:
            form = client.digest_form
            conflict = _packets_conflict(codec.decode_packets(first, form), codec.decode_packets(second, form))
        case AttestationKind.ROTATION:
            conflict = _rotations_conflict(codec.decode_rotation(first), codec.decode_rotation(second))
        case AttestationKind.STATE_ROOT:
            raise UnsupportedOperation("evidence of two state roots")
    if not conflict:
        raise PredicateFailed("headers_conflict", "both attestations can be true")


@rule(SPEC)
def shown_root_is_attested(attested: StateRootAttestation, height: Height) -> None:
    """The attested root is of the block that the consensus state is of.

    Raises:
        PredicateFailed: it is of another height.
    """
    if Height(0, attested.height) != height:
        raise PredicateFailed("shown_root_is_attested", "height of the root", attested.height, str(height))


def _rotations_conflict(first: Rotation, second: Rotation) -> bool:
    """The same set signed again, over a newer block or for another window, harms nobody.

    The first attestation of it may have come too late.
    """
    return first.set_number == second.set_number and not first.names_set_of(second)


def _states_conflict(first: StateAttestation, second: StateAttestation) -> bool:
    if first.height == second.height:
        return first.timestamp_s != second.timestamp_s
    lower, higher = sorted((first, second), key=lambda state: state.height)
    return lower.timestamp_s > higher.timestamp_s


def _packets_conflict(first: PacketAttestation, second: PacketAttestation) -> bool:
    if first.height != second.height:
        return False
    said = {entry.path_hash: entry.commitment for entry in first.packets}
    return any(said.get(entry.path_hash, entry.commitment) != entry.commitment for entry in second.packets)
