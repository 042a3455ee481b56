"""A rotation of attestors: put together from their signatures, and judged with the client's own rules before it is paid for."""

from collections.abc import Callable, Sequence

from hutong.adapters.interface import Administered, ClientInfo
from hutong.light_clients.attestation import (
    Attestation,
    AttestationClient,
    AttestationKind,
    Rotation,
    attestation_digest,
    decode_client_state,
    decode_rotation,
    encode_rotation_update,
    in_signer_order,
    recover_attestor,
)
from hutong.light_clients.interface import (
    HeaderVerdict,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    UnknownHeight,
    UnsupportedOperation,
)
from hutong.relay.core.route.local_verification import verification_time_ns


def rotation_update(client_state: bytes, data: bytes, signatures: Sequence[bytes]) -> bytes:
    """The update of a client of that state, by those of the signatures that are its attestors', once each.

    Whether they are as many as the threshold is not checked: `judge_rotation` says what the client would.

    Args:
        client_state: encoded, of an attestation client.
        data: the encoded rotation that was signed.
        signatures: 65 bytes each (r, s, v), in any order.

    Raises:
        MalformedInput: a signature that cannot be read, or is by no attestor of the set in force.
    """
    client = decode_client_state(client_state)
    digest = attestation_digest(client.scope, AttestationKind.ROTATION, data)
    for signature in signatures:
        signer = recover_attestor(digest, signature)
        if signer not in client.attestors:
            raise MalformedInput(
                "signature", "is by no attestor of the set in force, or of another client", got=signer or signature
            )
    return encode_rotation_update(Attestation(data, in_signer_order(digest, signatures)))


async def judge_rotation(
    host: Administered, info: ClientInfo, update: bytes, data: bytes, host_time_ns: Callable[[], int]
) -> tuple[Rotation, HeaderVerdict]:
    """What the client on `host` would say of a rotation. Nothing is sent.

    Args:
        update: as `rotation_update` makes it. `data`: the rotation in it.
        host_time_ns: this machine's clock, nanoseconds of Unix time; see `verification_time_ns`.

    Raises:
        VerificationError: the client would refuse. UnsupportedOperation among them: it is of another type.
        AdapterError: `host` does not answer.
    """
    if info.client_type != AttestationClient.client_type:
        raise UnsupportedOperation(f"rotation of clients of type {info.client_type}")
    rotation = decode_rotation(data)
    states: dict[Height, bytes] = {}
    for height in (info.latest_height, Height(0, rotation.state.height)):
        stored = await host.consensus_state(info.client_id, height)
        if stored is not None:
            states[height] = stored
    if info.latest_height not in states:
        raise UnknownHeight(info.latest_height, info.latest_height)
    head = await host.head()
    now_ns = verification_time_ns(head.time_ns, host_time_ns())
    verdict = AttestationClient().verify_header(info.client_state, MemoryConsensusStates(states), update, now_ns)
    return rotation, verdict
