"""ICS-23 proofs of the hub's state, checked against the header's app hash before they are passed on."""

from adapters.hub.events import CommittedBlocks
from adapters.hub.rpc import CometRpc, QueryAnswer
from adapters.interface import BadAnswer, Proof
from light_clients.interface import Height, MalformedInput, VerificationError
from light_clients.proofs.ics23.specs import SMT_SPEC
from light_clients.proofs.ics23.verification import verify_chained
from light_clients.protobuf import ics23_pb2


def merkle_proof_bytes(answer: QueryAnswer) -> bytes:
    """`MerkleProof` of the query's CommitmentProofs. Raises BadAnswer."""
    try:
        proofs = [ics23_pb2.CommitmentProof.FromString(proof) for proof in answer.proofs]
    except Exception as error:
        raise BadAnswer("abci_query", "response.proofOps", "holds no CommitmentProof") from error
    return ics23_pb2.MerkleProof(proofs=proofs).SerializeToString(deterministic=True)


class ProofSource:
    """`abci_query` with proofs."""

    def __init__(self, comet: CometRpc, blocks: CommittedBlocks) -> None:
        self._comet = comet
        self._blocks = blocks

    async def prove(self, path: tuple[bytes, ...], height: Height) -> Proof:
        """State after block `height - 1`, which the header at `height` commits to."""
        if len(path) != 1:
            raise MalformedInput("path", "a hub's path has one element", got=len(path), expected=1)
        header = (await self._blocks.header(height.revision_height)).header

        def check(answer: QueryAnswer) -> None:
            if answer.height != height.revision_height:
                raise BadAnswer("abci_query", "response.height", f"is not the header's {height}", got=answer.height)
            try:
                verify_chained((SMT_SPEC,), merkle_proof_bytes(answer), header.app_hash, path, answer.value)
            except VerificationError as error:
                raise BadAnswer("abci_query", "response.proofOps", str(error)) from error

        answer = await self._comet.query(path[0], height.revision_height - 1, prove=True, check=check)
        return Proof(path, height, answer.value, merkle_proof_bytes(answer))
