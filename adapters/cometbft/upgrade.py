"""What a chain has committed for its next revision, with proofs, for whoever upgrades a client of it."""

from google.protobuf.any_pb2 import Any

from hutong.adapters.cometbft.proofs import ProofSource
from hutong.adapters.interface import BadAnswer, HeightUnavailable, NotSupported, Proof
from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.light_clients.interface.client import MAX_CLIENT_STATE_BYTES, MAX_CONSENSUS_STATE_BYTES
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    decode_consensus_state,
    encode_upgrade,
)
from hutong.light_clients.tendermint.types import Upgrade
from hutong.light_clients.tendermint.upgrade import (
    CLIENT_STATE_TYPE,
    CONSENSUS_STATE_TYPE,
    UPGRADED_CLIENT,
    UPGRADED_CONSENSUS_STATE,
    upgraded_path,
)

MAX_ANY_OVERHEAD_BYTES = 256


async def committed_upgrade(chain: str, proofs: ProofSource, client_state: bytes) -> bytes:
    """The upgrade message for a client that is at the last height of the present revision.

    What it serves is proven under the header at that height, and not yet judged.

    Args:
        proofs: of the chain's upgrade store.
        client_state: encoded.

    Raises:
        NotSupported: the client has no upgrade path.
        HeightUnavailable: the chain has committed no upgrade at this height, or no endpoint keeps its state.
        BadAnswer: what is committed there is malformed.
        EndpointUnavailable: no endpoint gave a proof that verifies.
    """
    client = decode_client_state(client_state)
    if not client.upgrade_path:
        raise NotSupported(f"upgrade of a client of {chain} that has no upgrade path")

    async def committed(item: str) -> Proof:
        proof = await proofs.prove(upgraded_path(client, item), client.latest_height)
        if proof.value is None:
            raise HeightUnavailable(
                chain, client.latest_height.revision_height, f"nothing is committed there as {item}: no planned upgrade"
            )
        return proof

    upgraded, consensus = await committed(UPGRADED_CLIENT), await committed(UPGRADED_CONSENSUS_STATE)
    try:
        upgrade = Upgrade(
            decode_client_state(_unpacked(upgraded.value, CLIENT_STATE_TYPE, MAX_CLIENT_STATE_BYTES)),
            decode_consensus_state(_unpacked(consensus.value, CONSENSUS_STATE_TYPE, MAX_CONSENSUS_STATE_BYTES)),
            upgraded.proof,
            consensus.proof,
        )
    except VerificationError as error:
        raise BadAnswer("abci_query", "response.value", str(error)) from error
    return encode_upgrade(upgrade)


def _unpacked(packed: bytes | None, kind: str, max_bytes: int) -> bytes:
    """Raises MalformedInput."""
    message = parse_canonical(Any, packed or b"", "upgrade", max_bytes + MAX_ANY_OVERHEAD_BYTES)
    if message.type_url != kind:
        raise MalformedInput("upgrade", "is a value of another type", got=message.type_url, expected=kind)
    return message.value
