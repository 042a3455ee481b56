"""Status lists: their bits, the two forms in which verifiers fetch them, and the tree that the hub's list record holds.

docs/spec/identity-status.md says bytes and bounds. Time, trust and what a list record says come in as arguments.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from hutong.relay.services.identity.rules.status.chunk_tree import (
    MAX_CHUNK_PROOF_BYTES,
    MAX_LIST_SIZE,
    ChunkProof,
    TreeShape,
    chunk_stands_under_root,
    decode_chunk_proof,
    empty_root,
    encode_chunk_proof,
    index_is_below_size,
    list_root,
    path_has_the_trees_depth,
    root_of_statuses,
    status_in_chunk,
)
from hutong.relay.services.identity.rules.status.chunk_update import (
    MAX_UPDATE_BYTES,
    ChunkChange,
    ListUpdate,
    bits_only_rise,
    changes_ascend_within_list,
    decode_update,
    encode_update,
    judge_update,
    update_leads_from_root,
)
from hutong.relay.services.identity.rules.status.proven_list import (
    ProvenList,
    epoch_is_newest,
    judge_proven_status,
    list_is_bound_to_key,
    statuses_are_the_records,
    token_is_the_proven_one,
)
from hutong.relay.services.identity.rules.status.statuses import (
    MAX_STATUS_BYTES,
    Statuses,
    index_is_in_list,
    pack_statuses,
    status_at,
    status_is_valid,
)
from hutong.relay.services.identity.rules.status.widths import WIDTHS, StatusValue

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.status.bitstring import (
        MIN_BITSTRING_BITS,
        encoded_list,
        encoded_list_is_whole,
        status_list_index_well_formed,
    )
    from hutong.relay.services.identity.rules.status.list_claims import (
        MAX_TOKEN_CHARS,
        ListClaims,
        compressed_list_is_whole,
        list_claims_well_formed,
        status_list_claim,
        subject_is_lists_uri,
        token_is_fresh,
        token_is_in_time,
    )
    from hutong.relay.services.identity.rules.status.status_claim import (
        StatusReference,
        status_claim_well_formed,
    )
    from hutong.relay.services.identity.rules.status.token import (
        LIST_TYP,
        ListDemand,
        StatusReading,
        judge_list,
        judge_status,
        list_is_the_issuers,
    )

__all__ = [
    "LIST_TYP",
    "MAX_CHUNK_PROOF_BYTES",
    "MAX_LIST_SIZE",
    "MAX_STATUS_BYTES",
    "MAX_TOKEN_CHARS",
    "MAX_UPDATE_BYTES",
    "MIN_BITSTRING_BITS",
    "WIDTHS",
    "ChunkChange",
    "ChunkProof",
    "ListClaims",
    "ListDemand",
    "ListUpdate",
    "ProvenList",
    "StatusReading",
    "StatusReference",
    "StatusValue",
    "Statuses",
    "TreeShape",
    "bits_only_rise",
    "changes_ascend_within_list",
    "chunk_stands_under_root",
    "compressed_list_is_whole",
    "decode_chunk_proof",
    "decode_update",
    "empty_root",
    "encode_chunk_proof",
    "encode_update",
    "encoded_list",
    "encoded_list_is_whole",
    "epoch_is_newest",
    "index_is_below_size",
    "index_is_in_list",
    "judge_list",
    "judge_proven_status",
    "judge_status",
    "judge_update",
    "list_claims_well_formed",
    "list_is_bound_to_key",
    "list_is_the_issuers",
    "list_root",
    "pack_statuses",
    "path_has_the_trees_depth",
    "root_of_statuses",
    "status_at",
    "status_claim_well_formed",
    "status_in_chunk",
    "status_is_valid",
    "status_list_claim",
    "status_list_index_well_formed",
    "statuses_are_the_records",
    "subject_is_lists_uri",
    "token_is_fresh",
    "token_is_in_time",
    "token_is_the_proven_one",
    "update_leads_from_root",
]

_OF_CREDENTIALS: Final = ("bitstring", "list_claims", "status_claim", "token")
"""Modules that read JSON and signatures of credentials: the hub, which judges trees alone, must not need their libraries."""


def __getattr__(name: str) -> Any:
    """What stands in one of `_OF_CREDENTIALS`, loaded at the first use.

    Raises:
        AttributeError: this package has no such name.
    """
    if name in __all__:
        for module in _OF_CREDENTIALS:
            found = import_module(f"{__name__}.{module}")
            if hasattr(found, name):
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
