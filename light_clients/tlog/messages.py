"""hutong messages in entries of a log (docs/spec/tlog-client.md, "Messages"): one commitment under one ICS-24 key.

entry = "hutong" ‖ 01 ‖ SHA-256(key) ‖ value ‖ signature
signed = "hutong/tlog-message/1\\n" ‖ origin ‖ "\\n" ‖ the 71 bytes before the signature

A log may take entries from anybody, so that standing in it shows nothing of who wrote an entry: hence the signature.
"""

from collections.abc import Callable

from hutong.light_clients.crypto import ed25519, sha256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import PredicateFailed, rule

SPEC = "docs/spec/tlog-client.md"

MAGIC = b"hutong\x01"
"""Name and version."""
DATA_BYTES = len(MAGIC) + 2 * HASH_BYTES
MESSAGE_BYTES = DATA_BYTES + ed25519.SIGNATURE_BYTES


def message_data(key: bytes, value: bytes) -> bytes:
    """The 71 bytes that commit `value` (32 bytes) under an ICS-24 key, of which only the SHA-256 is published."""
    return MAGIC + sha256(key) + value


def signed_bytes(origin: str, data: bytes) -> bytes:
    """What the publisher signs for the log of that origin, so that a message cannot be moved to another log."""
    return b"hutong/tlog-message/1\n" + origin.encode() + b"\n" + data


def message_entry(origin: str, key: bytes, value: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The entry of a message, `MESSAGE_BYTES` long, for publishers.

    Args:
        sign: the publisher's Ed25519 signature (64 bytes) over what it is given.

    Raises:
        ValueError: the value is not 32 bytes.
    """
    if len(value) != HASH_BYTES:
        raise ValueError("a message commits to 32 bytes")
    data = message_data(key, value)
    return data + sign(signed_bytes(origin, data))


def is_message(entry: bytes) -> bool:
    """Whether an entry has the form of a message. Whose it is, is not asked."""
    return len(entry) == MESSAGE_BYTES and entry.startswith(MAGIC)


@rule(SPEC)
def publisher_signed(publisher_key: bytes, origin: str, data: bytes, signature: bytes) -> bytes:
    """The publisher signed the message for this log. Returns the entry.

    Raises:
        PredicateFailed: the signature is missing, or not the publisher's over this key, value and origin.
    """
    if not ed25519.verify_strict(publisher_key, signed_bytes(origin, data), signature):
        raise PredicateFailed(
            "publisher_signed", "the message is not signed by the publisher for this log", got=signature
        )
    return data + signature
