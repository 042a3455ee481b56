"""Evidence of every delivery, kept so that anyone with a checkpoint can judge it again."""

from relay.archive.archive import Archive
from relay.archive.errors import ArchiveUnavailable
from relay.archive.evidence import (
    EVIDENCE_VERSION,
    MAX_EVIDENCE_BYTES,
    Evidence,
    check_evidence,
    decode_evidence,
    encode_evidence,
)

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
