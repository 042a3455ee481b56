"""Records of a hub with one proof of all, from the ICS-23 proofs that any of its nodes serves (docs/spec/records.md)."""

from collections.abc import Sequence

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.light_clients.proofs.ics23 import decode_merkle_proof
from hutong.light_clients.records import epoch_key, parse_observation_key
from hutong.light_clients.records.gathering import ShownKey, gather
from hutong.light_clients.records.multiproof import MAX_CLAIMS, Claim, Multiproof, claims_are_proven

MAX_PROOF_BYTES = 1 << 20
_METHOD = "hutong_record"


def with_epochs(keys: Sequence[bytes]) -> tuple[bytes, ...]:
    """The keys, and that of the epoch of each client whose observations are among them; none twice.

    Raises:
        MalformedInput: a key begins as one of an observation and is not one.
    """
    asked = dict.fromkeys(keys)
    for key in keys:
        if key.startswith((b"observation/slot/", b"observation/account/", b"observation/store/")):
            asked[epoch_key(parse_observation_key(key).client_id)] = None
    return tuple(asked)


async def proven_records(
    hub: ExecutionRpc, keys: Sequence[bytes], header_height: int, root: bytes
) -> tuple[tuple[Claim, ...], Multiproof]:
    """What each key holds, or that it holds nothing, with one proof that was checked against `root`.

    Args:
        keys: 1 to `MAX_CLAIMS`, as `with_epochs` makes them.
        header_height: of the hub's header whose app hash `root` is; its state is that of the block before.

    Raises:
        BadAnswer: a node's proofs do not show that under `root`. RpcRefused: it has pruned that block, or offers none.
        EndpointUnavailable: no endpoint answers.
        MalformedInput: too many keys, or one twice.
    """
    if not 1 <= len(keys) <= MAX_CLAIMS:
        raise MalformedInput("keys", f"1 to {MAX_CLAIMS}", got=len(keys))
    return gathered([await shown_record(hub, key, header_height) for key in keys], header_height, root)


async def shown_record(hub: ExecutionRpc, key: bytes, header_height: int) -> ShownKey:
    """A key with a node's proof of what it holds under a header, which is not judged yet: see `gathered`.

    Raises:
        BadAnswer: no proof of the form. RpcRefused: the node has pruned that block, or offers none.
        EndpointUnavailable: no endpoint answers.
    """

    def decode(fields: Fields) -> ShownKey:
        try:
            (proof,) = decode_merkle_proof(fields.at("proof").data(max_bytes=MAX_PROOF_BYTES))
        except (VerificationError, ValueError) as error:
            raise fields.at("proof").bad(str(error)) from error
        return ShownKey(key, proof)

    return await hub.client.call(_METHOD, [f"0x{key.hex()}", hex(header_height - 1)], decode)


def gathered(shown: Sequence[ShownKey], header_height: int, root: bytes) -> tuple[tuple[Claim, ...], Multiproof]:
    """What each key holds, with one proof that was checked against `root`.

    Raises:
        BadAnswer: the proofs do not show that under `root`.
    """
    try:
        claims, proof = gather(shown)
        claims_are_proven(root, claims, proof)
    except VerificationError as error:
        raise BadAnswer(_METHOD, "proof", f"does not hold under the header {header_height}: {error}") from error
    return claims, proof
