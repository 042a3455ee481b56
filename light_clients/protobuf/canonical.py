"""Parsing protobuf so that one value has one encoding.

The protobuf runtime accepts unknown fields, repeated scalars, non-minimal varints and any field order; what is hashed,
signed or stored must not. So the parsed message is serialised again and compared (docs/spec/strictness.md, rule P1).
"""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from hutong.light_clients.interface import MalformedInput

MessageT = TypeVar("MessageT", bound=Message)


def parse_canonical(message_type: type[MessageT], data: bytes, field: str, max_bytes: int) -> MessageT:
    """Parse `data`, at most `max_bytes`, as the deterministic encoding of a `message_type`.

    `field` names the message in errors. Bounds of the fields are the caller's to judge.

    Raises:
        MalformedInput: too long, not protobuf, or not the canonical encoding of what it says.
    """
    if len(data) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=len(data))
    message = message_type()
    try:
        message.ParseFromString(bytes(data))
    except DecodeError as error:
        raise MalformedInput(field, "is not the protobuf message that it should be") from error
    message.DiscardUnknownFields()
    if message.SerializeToString(deterministic=True) != data:
        raise MalformedInput(field, "is not in canonical protobuf encoding")
    return message
