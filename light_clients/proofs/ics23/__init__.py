"""ICS-23 commitment proofs: IAVL, Tendermint and sparse Merkle trees.

`verify_chained` (or its list of predicates, `chained_checks`) is the door for IBC; `verify_batch` judges many keys of one tree
at once; the rest is for provers and tools.
"""

from light_clients.proofs.ics23.absence import comparison_key
from light_clients.proofs.ics23.claim import Step, checks_of, run_steps
from light_clients.proofs.ics23.codec import (
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
from light_clients.proofs.ics23.operations import calculate_root
from light_clients.proofs.ics23.specs import IAVL_SPEC, SMT_SPEC, STANDARD_SPECS, TENDERMINT_SPEC, same_kind
from light_clients.proofs.ics23.types import (
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
from light_clients.proofs.ics23.verification import (
    batch_checks,
    chained_checks,
    chained_steps,
    existence_checks,
    non_existence_checks,
    reference_shape_checks,
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
    "ExistenceProof",
    "HashOp",
    "InnerOp",
    "InnerSpec",
    "LeafOp",
    "LengthOp",
    "NonExistenceProof",
    "ProofSpec",
    "Step",
    "batch_checks",
    "calculate_root",
    "chained_checks",
    "chained_steps",
    "checks_of",
    "comparison_key",
    "decode_commitment_proof",
    "decode_merkle_proof",
    "decode_proof_spec",
    "decompress",
    "encode_batch_proof",
    "encode_commitment_proof",
    "encode_merkle_proof",
    "encode_proof_spec",
    "existence_checks",
    "non_existence_checks",
    "reference_shape_checks",
    "run_steps",
    "same_kind",
    "spec_from_message",
    "spec_to_message",
    "verify_batch",
    "verify_chained",
    "verify_membership",
    "verify_non_membership",
]
