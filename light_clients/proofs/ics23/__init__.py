"""ICS-23 commitment proofs: IAVL, Tendermint and sparse Merkle trees.

`verify_chained` (for any judge `judge_chained`) is the door for IBC; `verify_batch` judges many keys of one tree
at once; the rest is for provers and tools.
"""

from hutong.light_clients.proofs.ics23.absence import comparison_key, judge_absence
from hutong.light_clients.proofs.ics23.claim import ExistenceClaim, judge_existence, judge_reference_shape
from hutong.light_clients.proofs.ics23.codec import (
    decode_commitment_proof,
    decode_merkle_proof,
    decode_proof_spec,
    decompress,
    encode_batch_proof,
    encode_commitment_proof,
    encode_merkle_proof,
    encode_proof_spec,
    spec_from_message,
    spec_to_message,
)
from hutong.light_clients.proofs.ics23.operations import calculate_root
from hutong.light_clients.proofs.ics23.specs import IAVL_SPEC, SMT_SPEC, STANDARD_SPECS, TENDERMINT_SPEC, same_kind
from hutong.light_clients.proofs.ics23.types import (
    BatchProof,
    CommitmentProof,
    ExistenceProof,
    HashOp,
    InnerOp,
    InnerSpec,
    LeafOp,
    LengthOp,
    NonExistenceProof,
    ProofSpec,
)
from hutong.light_clients.proofs.ics23.verification import (
    judge_batch,
    judge_chained,
    verify_batch,
    verify_chained,
    verify_membership,
    verify_non_membership,
)

__all__ = [
    "IAVL_SPEC",
    "SMT_SPEC",
    "STANDARD_SPECS",
    "TENDERMINT_SPEC",
    "BatchProof",
    "CommitmentProof",
    "ExistenceClaim",
    "ExistenceProof",
    "HashOp",
    "InnerOp",
    "InnerSpec",
    "LeafOp",
    "LengthOp",
    "NonExistenceProof",
    "ProofSpec",
    "calculate_root",
    "comparison_key",
    "decode_commitment_proof",
    "decode_merkle_proof",
    "decode_proof_spec",
    "decompress",
    "encode_batch_proof",
    "encode_commitment_proof",
    "encode_merkle_proof",
    "encode_proof_spec",
    "judge_absence",
    "judge_batch",
    "judge_chained",
    "judge_existence",
    "judge_reference_shape",
    "same_kind",
    "spec_from_message",
    "spec_to_message",
    "verify_batch",
    "verify_chained",
    "verify_membership",
    "verify_non_membership",
]
