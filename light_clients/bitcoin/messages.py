"""hutong messages in OP_RETURN outputs (docs/spec/bitcoin-messages.md): one commitment under one ICS-24 key.

script  = 6a 47 ‖ data            OP_RETURN, a push of 71 bytes
data    = "hutong" ‖ 01 ‖ SHA-256(key) ‖ value
"""

from dataclasses import dataclass

from hutong.light_clients.bitcoin.merkle import not_ambiguous
from hutong.light_clients.bitcoin.types import Transaction, display
from hutong.light_clients.crypto import sha256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import Judge, PredicateFailed, rule

SPEC = "docs/spec/bitcoin-messages.md"

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
    """The message that commits `value` (32 bytes) under an ICS-24 key, of which only the SHA-256 is published."""
    return Message(sha256(key), value)


def op_return_data(script: bytes) -> bytes | None:
    """What an OP_RETURN script pushes, if it is one push in its shortest form and nothing else; otherwise None."""
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
    """The message in an output script; None for any script that `encode_message` would not write."""
    data = op_return_data(script)
    if data is None or len(data) != DATA_BYTES or not data.startswith(MAGIC):
        return None
    return Message(data[len(MAGIC) : -HASH_BYTES], data[-HASH_BYTES:])


def encode_message(message: Message) -> bytes:
    """The output script, 73 bytes.

    Raises:
        ValueError: key hash or value is not 32 bytes.
    """
    if len(message.key_hash) != HASH_BYTES or len(message.value) != HASH_BYTES:
        raise ValueError("a message has two words of 32 bytes")
    return bytes([OP_RETURN, DATA_BYTES]) + MAGIC + message.key_hash + message.value


@dataclass(frozen=True, slots=True)
class Places:
    """Where in a transaction the publisher spends, and where the message stands."""

    input_index: int
    output_index: int


def find_places(transaction: Transaction, funding: Transaction, message: Message) -> Places | None:
    """The first input that spends from `funding` and the first output with `message`; None where one is missing.

    For provers: whether the output spent is the publisher's is judged by `publisher_spent`.
    """
    txid = funding.txid
    inputs = [index for index, item in enumerate(transaction.inputs) if item.spent.txid == txid]
    outputs = [index for index, item in enumerate(transaction.outputs) if decode_message(item.script) == message]
    return Places(inputs[0], outputs[0]) if inputs and outputs else None


def judge_message(
    judge: Judge,
    transaction: Transaction,
    places: Places,
    funding: Transaction,
    publisher_script: bytes,
    message: Message,
) -> None:
    """The publisher paid for the transaction, and it carries the message. That it is in a block is shown elsewhere.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(publisher_spent, transaction, places.input_index, funding, publisher_script)
    judge(message_commits, transaction, places.output_index, message)


@rule(SPEC)
def publisher_spent(transaction: Transaction, input_index: int, funding: Transaction, publisher_script: bytes) -> None:
    """An input spends an output to the publisher's script. In a valid block the script was satisfied.

    The unlocking script alone shows nothing: any bytes can be put there over an output that anyone may spend.

    Raises:
        PredicateFailed: no such input or output, another funding transaction, or another script.
    """
    name = "publisher_spent"
    if input_index >= len(transaction.inputs):
        raise PredicateFailed(name, "no such input", got=input_index, expected=f"< {len(transaction.inputs)}")
    spent = transaction.inputs[input_index].spent
    not_ambiguous(funding)
    if spent.txid != funding.txid:
        raise PredicateFailed(
            name, "the input spends another transaction", got=display(funding.txid), expected=display(spent.txid)
        )
    if spent.index >= len(funding.outputs):
        raise PredicateFailed(
            name,
            "the funding transaction has no such output",
            got=spent.index,
            expected=f"< {len(funding.outputs)}",
        )
    script = funding.outputs[spent.index].script
    if script != publisher_script:
        raise PredicateFailed(name, "the output spent is not the publisher's", got=script, expected=publisher_script)


@rule(SPEC)
def message_commits(transaction: Transaction, output_index: int, expected: Message) -> None:
    """The output is the message of that key and value.

    Raises:
        PredicateFailed: no such output, no message in it, or another key or value.
    """
    name = "message_commits"
    if output_index >= len(transaction.outputs):
        raise PredicateFailed(name, "no such output", got=output_index, expected=f"< {len(transaction.outputs)}")
    script = transaction.outputs[output_index].script
    message = decode_message(script)
    if message is None:
        raise PredicateFailed(name, "the output is no hutong message", got=script)
    if message.key_hash != expected.key_hash:
        raise PredicateFailed(
            name, "the message is under another key", got=message.key_hash, expected=expected.key_hash
        )
    if message.value != expected.value:
        raise PredicateFailed(name, "the message commits to another value", got=message.value, expected=expected.value)
