"""Light client of signed append-only logs: C2SP checkpoints with cosignatures, entries under a root (`c2sp-tlog`)."""

from hutong.light_clients.tlog.assembly import LogTrust, entry_proof, first_states, update_message
from hutong.light_clients.tlog.checkpoints import Checkpoint, checkpoint_text, cosigned_bytes, decode_checkpoint
from hutong.light_clients.tlog.client import TlogClient
from hutong.light_clients.tlog.codec import (
    decode_client_state,
    decode_consensus_state,
    decode_header_message,
    decode_membership_proof,
    decode_misbehaviour,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_membership_proof,
    encode_misbehaviour,
)
from hutong.light_clients.tlog.membership import entry_path
from hutong.light_clients.tlog.messages import is_message, message_entry
from hutong.light_clients.tlog.notes import (
    COSIGNATURE_V1,
    ED25519,
    Key,
    Note,
    NoteSignature,
    decode_note,
    decode_vkey,
    encode_note,
    encode_vkey,
)
from hutong.light_clients.tlog.types import (
    ClientState,
    ConsensusState,
    Growth,
    Header,
    MembershipProof,
    Misbehaviour,
)

__all__ = [
    "COSIGNATURE_V1",
    "ED25519",
    "Checkpoint",
    "ClientState",
    "ConsensusState",
    "Growth",
    "Header",
    "Key",
    "LogTrust",
    "MembershipProof",
    "Misbehaviour",
    "Note",
    "NoteSignature",
    "TlogClient",
    "checkpoint_text",
    "cosigned_bytes",
    "decode_checkpoint",
    "decode_client_state",
    "decode_consensus_state",
    "decode_header_message",
    "decode_membership_proof",
    "decode_misbehaviour",
    "decode_note",
    "decode_vkey",
    "encode_client_state",
    "encode_consensus_state",
    "encode_header_message",
    "encode_membership_proof",
    "encode_misbehaviour",
    "encode_note",
    "encode_vkey",
    "entry_path",
    "entry_proof",
    "first_states",
    "is_message",
    "message_entry",
    "update_message",
]
