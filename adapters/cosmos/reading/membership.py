"""What a Cosmos chain's own light client says of a record of the chain that it follows: ibc-go's `Query/VerifyMembership`."""

from dataclasses import dataclass
from typing import Final

from hutong.adapters.cosmos.rpc import CosmosRpc
from hutong.adapters.cosmos.transactions.accounts import parse_answer
from hutong.adapters.interface import Proof
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf.cosmos_queries_pb2 import (
    KeyPath,
    QueryHeight,
    QueryVerifyMembershipRequest,
    QueryVerifyMembershipResponse,
)

VERIFY_MEMBERSHIP: Final = "/ibc.core.client.v1.Query/VerifyMembership"


@dataclass(frozen=True, slots=True)
class MembershipAnswer:
    """`refusal` is what the chain's node says where the client does not take it; None: it is proven to the client."""

    refusal: str | None


def encode_membership(client_id: str, proof: Proof) -> bytes:
    """The request; modules of the chain give the same to its client keeper.

    Raises:
        MalformedInput: the proof is one of absence.
    """
    if proof.value is None:
        raise MalformedInput("proof.value", "nothing is there, which is no membership")
    height = QueryHeight(revision_number=proof.height.revision_number, revision_height=proof.height.revision_height)
    return QueryVerifyMembershipRequest(
        client_id=client_id,
        proof=proof.proof,
        proof_height=height,
        value=proof.value,
        merkle_path=KeyPath(key_path=proof.path),
    ).SerializeToString()


async def verify_membership(rpc: CosmosRpc, client_id: str, proof: Proof) -> MembershipAnswer:
    """Ask the chain's client whether a proof shows a record. It is the word of the chain's node, as every query's answer.

    Raises:
        EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        BadAnswer: malformed.
        MalformedInput: the proof is one of absence.
    """
    answer = await rpc.service(VERIFY_MEMBERSHIP, encode_membership(client_id, proof))
    if answer.code != 0:
        return MembershipAnswer(answer.log or f"code {answer.code} of {answer.codespace}")
    said = parse_answer(QueryVerifyMembershipResponse, answer.value, VERIFY_MEMBERSHIP)
    return MembershipAnswer(None if said.success else "the client does not take the proof")
