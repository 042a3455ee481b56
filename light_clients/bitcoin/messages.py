"""hutong messages in OP_RETURN outputs (docs/spec/bitcoin-messages.md): one commitment under one ICS-24 key.

script  = 6a 47 ‖ data            OP_RETURN, a push of 71 bytes
data    = "hutong" ‖ 01 ‖ SHA-256(key) ‖ value
"""

from dataclasses import dataclass

from light_clients.bitcoin.types import HASH_BYTES
from light_clients.crypto import sha256

OP_RETURN = 0x6A
OP_PUSHDATA1 = 0x4C
MAX_DIRECT_PUSH = 0x4B
MAGIC = b"hutong\x01"
"""Name and version. 71 bytes of data stay below the 80 that every node passes on."""
DATA_BYTES = len(MAGIC) + 2 * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Message:
    """`value` (32 bytes) is committed under the ICS-24 key whose SHA-256 is `key_hash`."""

    key_hash: bytes
    value: bytes


def message_for(key: bytes, value: bytes) -> Message:
    return Message(sha256(key), value)


def op_return_data(script: bytes) -> bytes | None:
    """What an OP_RETURN script pushes, if it is one push in its shortest form and nothing else."""
    if len(script) < 2 or script[0] != OP_RETURN:
        return None
    if 0 < script[1] <= MAX_DIRECT_PUSH:
        data = script[2:]
        return data if len(data) == script[1] else None
    if script[1] == OP_PUSHDATA1 and len(script) > 2 and script[2] > MAX_DIRECT_PUSH:
        data = script[3:]
        return data if len(data) == script[2] else None
    return None


def decode_message(script: bytes) -> Message | None:
    """The message in an output script; None where it is none."""
    data = op_return_data(script)
    if data is None or len(data) != DATA_BYTES or not data.startswith(MAGIC):
        return None
    return Message(data[len(MAGIC) : -HASH_BYTES], data[-HASH_BYTES:])


def encode_message(message: Message) -> bytes:
    """The output script."""
    if len(message.key_hash) != HASH_BYTES or len(message.value) != HASH_BYTES:
        raise ValueError("a message has two words of 32 bytes")
    return bytes([OP_RETURN, DATA_BYTES]) + MAGIC + message.key_hash + message.value
