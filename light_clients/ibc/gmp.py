"""ICS-27 GMP packet data in its ABI encoding: what `Mailbox` sends (port `gmpport`, version `ics27-2`)."""

from dataclasses import dataclass

from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.ibc.packet import MAX_PAYLOADS_BYTES
from hutong.light_clients.interface import MalformedInput

GMP_PORT = "gmpport"
GMP_VERSION = "ics27-2"
GMP_GAS_VERSION = "hutong-gmp-gas-1"
"""A word with the gas that the receiver asks for, then the encoding of GMP_VERSION (docs/spec/mailbox.md)."""
MAX_RECEIVE_GAS = 10_000_000
"""Of Mailbox: what a message can ask for its receiver."""
_GAS_WORD_BYTES = 32
MAX_SENDER_BYTES = 2048
MAX_SALT_BYTES = 32
MAX_MEMO_BYTES = 32_768

_DATA_TUPLE = "(string,string,bytes,bytes,string)"
_ACKNOWLEDGEMENT_TUPLE = "(bytes)"


@dataclass(frozen=True, slots=True)
class GmpPacketData:
    """`abi.encode((sender, receiver, salt, payload, memo))`; Mailbox sends no salt and no memo."""

    sender: str
    receiver: str
    salt: bytes
    payload: bytes
    memo: str

    def __post_init__(self) -> None:
        if not self.sender.strip():
            raise MalformedInput("gmp.sender", "is empty")
        for name, limit in (("sender", MAX_SENDER_BYTES), ("receiver", MAX_SENDER_BYTES), ("memo", MAX_MEMO_BYTES)):
            if len(getattr(self, name).encode()) > limit:
                raise MalformedInput(f"gmp.{name}", f"more than {limit} bytes")
        if len(self.salt) > MAX_SALT_BYTES:
            raise MalformedInput("gmp.salt", f"more than {MAX_SALT_BYTES} bytes", got=len(self.salt))
        if not self.payload:
            raise MalformedInput("gmp.payload", "is empty")


def encode_gmp(data: GmpPacketData) -> bytes:
    """ABI bytes of one tuple (leading offset word 0x20)."""
    return encode_abi([_DATA_TUPLE], [(data.sender, data.receiver, data.salt, data.payload, data.memo)])


def decode_gmp(data: bytes) -> GmpPacketData:
    """Inverse of `encode_gmp`, of at most `MAX_PAYLOADS_BYTES`.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    (fields,) = decode_canonical([_DATA_TUPLE], data, "gmp", MAX_PAYLOADS_BYTES)
    return GmpPacketData(*fields)


def encode_message(data: GmpPacketData, receive_gas: int | None = None) -> tuple[str, bytes]:
    """(version, value) of a message's payload.

    Args:
        receive_gas: 1 to MAX_RECEIVE_GAS, which makes it a payload of GMP_GAS_VERSION; None asks for none.

    Raises:
        MalformedInput: `receive_gas` is out of bounds.
    """
    if receive_gas is None:
        return GMP_VERSION, encode_gmp(data)
    _check_receive_gas(receive_gas)
    return GMP_GAS_VERSION, receive_gas.to_bytes(_GAS_WORD_BYTES, "big") + encode_gmp(data)


def decode_message(version: str, value: bytes) -> tuple[GmpPacketData, int | None]:
    """The message, and the gas that its sender asks for; None if the version has no place for it.

    Raises:
        MalformedInput: another version, or not the canonical encoding.
    """
    if version == GMP_VERSION:
        return decode_gmp(value), None
    if version != GMP_GAS_VERSION:
        raise MalformedInput("gmp.version", "is none of a message", got=version[:64])
    if len(value) < _GAS_WORD_BYTES:
        raise MalformedInput("gmp.receive_gas", "is cut off", got=len(value))
    receive_gas = int.from_bytes(value[:_GAS_WORD_BYTES], "big")
    _check_receive_gas(receive_gas)
    return decode_gmp(value[_GAS_WORD_BYTES:]), receive_gas


def _check_receive_gas(receive_gas: int) -> None:
    if not 1 <= receive_gas <= MAX_RECEIVE_GAS:
        raise MalformedInput("gmp.receive_gas", f"must be 1 to {MAX_RECEIVE_GAS}", got=receive_gas)


def encode_gmp_acknowledgement(result: bytes) -> bytes:
    """`abi.encode((result))` of a success."""
    return encode_abi([_ACKNOWLEDGEMENT_TUPLE], [(result,)])


def decode_gmp_acknowledgement(data: bytes) -> bytes:
    """The result that the receiver returned, which may be empty.

    Raises:
        MalformedInput: not the canonical encoding, such as the error sentinel.
    """
    (fields,) = decode_canonical([_ACKNOWLEDGEMENT_TUPLE], data, "gmp_acknowledgement", MAX_PAYLOADS_BYTES)
    result: bytes = fields[0]
    return result


def message_id(*, forwarded: bool, route: str, sequence: int) -> bytes:
    """Mailbox's name of a message, equal on both chains (docs/spec/mailbox.md).

    `keccak256(abi.encode(forwarded, route, sequence))`, 32 bytes.
    """
    return keccak256(encode_abi(["bool", "string", "uint64"], [forwarded, route, sequence]))
