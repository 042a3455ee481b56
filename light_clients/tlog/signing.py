"""The lines that logs and witnesses put under a checkpoint. For logs, their tools and tests; nothing here judges."""

from hutong.light_clients.crypto import ed25519
from hutong.light_clients.tlog.checkpoints import cosigned_bytes, encode_cosignature
from hutong.light_clients.tlog.notes import COSIGNATURE_V1, ED25519, Key, NoteSignature


def log_line(key: Key, secret: bytes, text: bytes) -> NoteSignature:
    """The log's own signature of a checkpoint's text. `secret` is the key's, 32 bytes (RFC 8032).

    Raises:
        ValueError: a secret of another length.
    """
    return NoteSignature(key.name, key.key_id(ED25519), ed25519.sign(secret, text))


def witness_line(key: Key, secret: bytes, text: bytes, timestamp_s: int) -> NoteSignature:
    """A witness's cosignature of a checkpoint's text at `timestamp_s` (Unix seconds).

    Raises:
        ValueError: a secret of another length.
    """
    signature = ed25519.sign(secret, cosigned_bytes(text, timestamp_s))
    return NoteSignature(key.name, key.key_id(COSIGNATURE_V1), encode_cosignature(timestamp_s, signature))
