"""ICS-23 proofs of an application's state, checked against the header's app hash before they are passed on."""

from dataclasses import dataclass

from adapters.cometbft.blocks import CommittedBlocks
from adapters.cometbft.rpc import CometRpc, QueryAnswer
from adapters.interface import BadAnswer, Proof
from light_clients.interface import Height, MalformedInput, VerificationError
from light_clients.proofs.ics23 import ProofSpec
from light_clients.proofs.ics23.verification import verify_chained
from light_clients.protobuf import ics23_pb2


def merkle_proof_bytes(answer: QueryAnswer) -> bytes:
    """`MerkleProof` of the query's CommitmentProofs. Raises BadAnswer."""
    try:
        proofs = [ics23_pb2.CommitmentProof.FromString(proof) for proof in answer.proofs]
    except Exception as error:
        raise BadAnswer("abci_query", "response.proofOps", "holds no CommitmentProof") from error
    return ics23_pb2.MerkleProof(proofs=proofs).SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True)
class ProofFormat:
    """How one kind of application is asked for proofs and how they verify.

    `stores` are the path's elements before the key. An application's answer names the height of the state, or with
    `names_header` that of the header which commits to it.
    """

    specs: tuple[ProofSpec, ...]
    stores: tuple[bytes, ...]
    query_path: str
    names_header: bool


class ProofSource:
    """`abci_query` with proofs."""

    def __init__(self, comet: CometRpc, blocks: CommittedBlocks, proof_format: ProofFormat) -> None:
        self._comet = comet
        self._blocks = blocks
        self._format = proof_format

    async def prove(self, path: tuple[bytes, ...], height: Height) -> Proof:
        """State after block `height - 1`, which the header at `height` commits to."""
        stores = self._format.stores
        if path[:-1] != stores or not path:
            raise MalformedInput("path", f"is not a key in the stores {stores}", got=path)
        header = (await self._blocks.header(height.revision_height)).header
        state_height = height.revision_height - 1
        named = height.revision_height if self._format.names_header else state_height

        def check(answer: QueryAnswer) -> None:
            if answer.height != named:
                raise BadAnswer("abci_query", "response.height", f"is not {named}", got=answer.height)
            try:
                verify_chained(self._format.specs, merkle_proof_bytes(answer), header.app_hash, path, answer.value)
            except VerificationError as error:
                raise BadAnswer("abci_query", "response.proofOps", str(error)) from error

        answer = await self._comet.query(self._format.query_path, path[-1], state_height, prove=True, check=check)
        return Proof(path, height, answer.value, merkle_proof_bytes(answer))
