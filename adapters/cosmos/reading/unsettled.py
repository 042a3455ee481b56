"""Which sent packets are not settled: one page of the chain's own list where its query service gives it, else key by
key.
"""

from google.protobuf.message import DecodeError

from hutong.adapters.cosmos.rpc import CosmosRpc
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import each_of
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.protobuf.cosmos_state_pb2 import (
    PacketCommitmentsRequest,
    PacketCommitmentsResponse,
    PageRequest,
)

METHOD = "/ibc.core.channel.v2.Query/PacketCommitments"
PAGE = 1_000
OK = 0


async def unsettled_sends(rpc: CosmosRpc, client_id: str, sequences: range, height: int) -> tuple[int, ...]:
    """The sequences whose commitment stands in the state after block `height`: sent, and not settled.

    Args:
        sequences: consecutive ones.

    Returns:
        In ascending order; an endpoint's word, without a proof.

    Raises:
        BadAnswer: a page is malformed, out of order, or of another client.
        HeightUnavailable, EndpointUnavailable: no endpoint gave that state.
    """
    found: list[int] = []
    at = sequences.start
    while at < sequences.stop:
        page = await _page(rpc, client_id, at, min(PAGE, sequences.stop - at), height)
        if page is None:
            return tuple(found + await _by_key(rpc, client_id, range(at, sequences.stop), height))
        inside = [sequence for sequence in page if sequence < sequences.stop]
        found += inside
        if len(inside) < len(page) or not page:
            break
        at = page[-1] + 1
    return tuple(found)


async def _page(rpc: CosmosRpc, client_id: str, first: int, most: int, height: int) -> list[int] | None:
    """The next standing sequences from `first` on; None where the chain has no such service."""
    pagination = PageRequest(key=first.to_bytes(8, "big"), limit=most)
    request = PacketCommitmentsRequest(client_id=client_id, pagination=pagination)
    answer = await rpc.service(METHOD, request.SerializeToString(), height)
    if answer.code != OK:
        return None
    try:
        response = PacketCommitmentsResponse.FromString(answer.value)
    except DecodeError as error:
        raise BadAnswer("abci_query", "response.value", "is not a list of packet commitments") from error
    listed = [state.sequence for state in response.commitments]
    if len(listed) > most or any(not low < high for low, high in zip([first - 1, *listed], listed, strict=False)):
        raise BadAnswer(
            "abci_query", "response.value", f"is not a page of {most} sequences from {first} on", got=listed
        )
    if any(state.client_id != client_id for state in response.commitments):
        raise BadAnswer("abci_query", "response.value", f"has commitments of other clients than {client_id}")
    return listed


async def _by_key(rpc: CosmosRpc, client_id: str, sequences: range, height: int) -> list[int]:
    async def stands(sequence: int) -> bool:
        return await rpc.stored(path_key(client_id, PathKind.COMMITMENT, sequence), height) is not None

    standing = await each_of(stands, sequences)
    return [sequence for sequence, stands_there in zip(sequences, standing, strict=True) if stands_there]
