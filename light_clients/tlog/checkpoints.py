"""What a note says as a checkpoint (C2SP tlog-checkpoint), and what a witness signs of it (C2SP tlog-cosignature)."""

import re
from base64 import b64encode
from dataclasses import dataclass

from hutong.light_clients.crypto.ed25519 import SIGNATURE_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle.proof import MAX_TOTAL
from hutong.light_clients.tlog.notes import Note, NoteSignature, decode_base64, decode_note

TIMESTAMP_BYTES = 8
MAX_TIMESTAMP_S = 2**63 - 1
COSIGNATURE_BYTES = TIMESTAMP_BYTES + SIGNATURE_BYTES
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head and the note that it was read from. Lines after the third are signed and say nothing here."""

    origin: str
    size: int
    root: bytes
    note: Note


def decode_checkpoint(data: bytes, field: str = "checkpoint") -> Checkpoint:
    """A note whose text is an origin, a size below 2^63, a root of 32 bytes, and lines that are not empty.

    Raises:
        MalformedInput: another form. No signature is judged.
    """
    note = decode_note(data, field)
    lines = note.text.decode()[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise MalformedInput(field, "has fewer than three lines, or an empty one", got=len(lines))
    origin, size, root = lines[:3]
    if _DECIMAL.fullmatch(size) is None or int(size) > MAX_TOTAL:
        raise MalformedInput(f"{field}.size", f"must be 0 to {MAX_TOTAL} in decimal", got=size)
    decoded = decode_base64(root, f"{field}.root")
    if len(decoded) != HASH_BYTES:
        raise MalformedInput(f"{field}.root", f"must be {HASH_BYTES} bytes", got=decoded)
    return Checkpoint(origin, int(size), decoded, note)


def checkpoint_text(origin: str, size: int, root: bytes) -> bytes:
    """The text that a log signs, without extension lines."""
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n".encode()


def cosigned_bytes(text: bytes, timestamp_s: int) -> bytes:
    """What a witness signs at `timestamp_s` (Unix seconds) of a checkpoint's text, extension lines included."""
    return b"cosignature/v1\ntime %d\n" % timestamp_s + text


def decode_cosignature(signature: NoteSignature, field: str) -> tuple[int, bytes]:
    """Unix seconds, and the Ed25519 signature over `cosigned_bytes`.

    Raises:
        MalformedInput: another length, or a time of 2^63 s or later.
    """
    data = signature.signature
    if len(data) != COSIGNATURE_BYTES:
        raise MalformedInput(field, f"a cosignature has {COSIGNATURE_BYTES} bytes", got=data)
    timestamp_s = int.from_bytes(data[:TIMESTAMP_BYTES], "big")
    if timestamp_s > MAX_TIMESTAMP_S:
        raise MalformedInput(f"{field}.timestamp", f"must be at most {MAX_TIMESTAMP_S}", got=timestamp_s)
    return timestamp_s, data[TIMESTAMP_BYTES:]


def encode_cosignature(timestamp_s: int, signature: bytes) -> bytes:
    """Inverse of `decode_cosignature`: what stands after the key id."""
    return timestamp_s.to_bytes(TIMESTAMP_BYTES, "big") + signature
