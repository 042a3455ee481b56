"""ICS-23 proofs of an application's state, checked against the header's app hash before they are passed on."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.cometbft.blocks import CommittedBlocks
from hutong.adapters.cometbft.rpc import CometRpc, QueryAnswer
from hutong.adapters.interface import BadAnswer, Proof
from hutong.adapters.rpc import MOST_IN_A_BATCH, each_of
from hutong.light_clients.interface import Height, MalformedInput, VerificationError
from hutong.light_clients.proofs.ics23 import ProofSpec
from hutong.light_clients.proofs.ics23.verification import verify_chained
from hutong.light_clients.protobuf import ics23_pb2


def merkle_proof_bytes(answer: QueryAnswer) -> bytes:
    """The CommitmentProofs of a query as one encoded `MerkleProof` (ICS-23), in their order. Nothing is verified here.

    Raises:
        BadAnswer: an entry is not a CommitmentProof.
    """
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
        """Value or absence of a path with its proof, in the state that the header at `height` commits to.

        That is the state after block `height - 1`. The proof is verified before it is returned.

        Args:
            path: store, then key.

        Raises:
            MalformedInput: the path is not a key in the stores of the format.
            HeightUnavailable: no endpoint keeps that state.
            EndpointUnavailable: no endpoint gave a usable answer.
        """
        return (await self._prove_some([path], height))[0]

    async def prove_all(self, paths: Sequence[tuple[bytes, ...]], height: Height) -> tuple[Proof, ...]:
        """As `prove`, for several paths of one state, `MOST_IN_A_BATCH` in an exchange and some exchanges at a time.

        Returns:
            In the order of `paths`.

        Raises:
            As `prove`, for the first path that fails.
        """
        parts = [paths[first : first + MOST_IN_A_BATCH] for first in range(0, len(paths), MOST_IN_A_BATCH)]
        proofs = await each_of(lambda part: self._prove_some(part, height), parts)
        return tuple(proof for part in proofs for proof in part)

    async def _prove_some(self, paths: Sequence[tuple[bytes, ...]], height: Height) -> list[Proof]:
        stores = self._format.stores
        for path in paths:
            if path[:-1] != stores or not path:
                raise MalformedInput("path", f"is not a key in the stores {stores}", got=path)
        header = (await self._blocks.header(height.revision_height)).header
        state_height = height.revision_height - 1
        named = height.revision_height if self._format.names_header else state_height

        def check(key: bytes, answer: QueryAnswer) -> None:
            if answer.height != named:
                raise BadAnswer("abci_query", "response.height", f"is not {named}", got=answer.height)
            proof = merkle_proof_bytes(answer)
            try:
                verify_chained(self._format.specs, proof, header.app_hash, (*stores, key), answer.value)
            except VerificationError as error:
                raise BadAnswer("abci_query", "response.proofOps", str(error)) from error

        keys = [path[-1] for path in paths]
        answers = await self._comet.query_each(self._format.query_path, keys, state_height, check, prove=True)
        return [
            Proof(path, height, answer.value, merkle_proof_bytes(answer))
            for path, answer in zip(paths, answers, strict=True)
        ]
