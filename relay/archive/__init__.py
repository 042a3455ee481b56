"""Evidence of every delivery, kept so that anyone with a checkpoint can judge it again."""

from typing import TYPE_CHECKING, Any

from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.evidence import (
    EVIDENCE_VERSION,
    MAX_EVIDENCE_BYTES,
    Evidence,
    check_evidence,
    decode_evidence,
    encode_evidence,
)

if TYPE_CHECKING:
    from hutong.relay.archive.archive import Archive

__all__ = [
    "EVIDENCE_VERSION",
    "MAX_EVIDENCE_BYTES",
    "Archive",
    "ArchiveUnavailable",
    "Evidence",
    "check_evidence",
    "decode_evidence",
    "encode_evidence",
]


def __getattr__(name: str) -> Any:
    """`Archive` writes with trio, which who only judges bundles does not have."""
    if name != "Archive":
        raise AttributeError(name)
    from hutong.relay.archive.archive import Archive

    return Archive
