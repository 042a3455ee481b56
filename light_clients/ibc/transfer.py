"""ICS-20 v2 packet data in ABI and JSON (docs/spec/transfer-packets.md): port `transfer`, version `ics20-1`."""

import json
import re
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.ibc.abi import ABI_ENCODING, decode_canonical, encode_abi
from hutong.light_clients.ibc.denom import Denom, Hop
from hutong.light_clients.ibc.forward_memo import ForwardInstruction, decode_forward_memo, encode_forward_memo
from hutong.light_clients.ibc.packet import MAX_PAYLOADS_BYTES
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.json_text import parse_json

__all__ = [
    "ABI_ENCODING",
    "JSON_ENCODING",
    "MAX_AMOUNT",
    "MAX_MEMO_BYTES",
    "MAX_RECEIVER_BYTES",
    "MAX_SENDER_BYTES",
    "SUCCESS_ACKNOWLEDGEMENT",
    "TRANSFER_PORT",
    "TRANSFER_VERSION",
    "Denom",
    "ForwardInstruction",
    "Hop",
    "TransferData",
    "decode_forward_memo",
    "decode_transfer",
    "encode_forward_memo",
    "encode_transfer",
    "parse_amount",
]

TRANSFER_PORT = "transfer"
TRANSFER_VERSION = "ics20-1"
JSON_ENCODING = "application/json"
SUCCESS_ACKNOWLEDGEMENT = b'{"result":"AQ=="}'
"""Of every encoding; a failure is the error sentinel."""

MAX_AMOUNT = 2**256 - 1
MAX_MEMO_BYTES = 32_768
MAX_RECEIVER_BYTES = 2_048
MAX_SENDER_BYTES = 2_048
"""Stock chains set no bound; no address format comes near."""

_DATA_TUPLE = "(string,string,string,uint256,string)"
_JSON_KEYS = ("denom", "amount", "sender", "receiver", "memo")
_AMOUNT = re.compile(r"[1-9][0-9]{0,77}", re.ASCII)


def _check_text(text: str, field: str, limit: int, *, blank: bool = False) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise MalformedInput(field, "is not Unicode text") from error
    if size > limit:
        raise MalformedInput(field, f"more than {limit} bytes", got=size)
    if not blank and not text.strip():
        raise MalformedInput(field, "is blank")


@dataclass(frozen=True, slots=True)
class TransferData:
    """What a transfer packet says. `denom` is the full path as the sending chain has it; `amount` in smallest units."""

    denom: str
    sender: str
    receiver: str
    amount: int
    memo: str = ""

    def __post_init__(self) -> None:
        Denom.parse(self.denom)
        _check_text(self.sender, "transfer.sender", MAX_SENDER_BYTES)
        _check_text(self.receiver, "transfer.receiver", MAX_RECEIVER_BYTES)
        _check_text(self.memo, "transfer.memo", MAX_MEMO_BYTES, blank=True)
        if not 0 < self.amount <= MAX_AMOUNT:
            raise MalformedInput("transfer.amount", "must be 1 to 2^256 - 1", got=self.amount)


def parse_amount(text: str) -> int:
    """The one form of a positive amount: decimal digits, no sign, no leading zero, below 2^256.

    Raises:
        MalformedInput: another form, zero, or too great.
    """
    if _AMOUNT.fullmatch(text) is None or (amount := int(text)) > MAX_AMOUNT:
        raise MalformedInput("transfer.amount", "must be decimal digits of 1 to 2^256 - 1", got=text)
    return amount


def encode_transfer(data: TransferData, encoding: str) -> bytes:
    """The payload's value. JSON has its keys in stock order, and no memo if it is empty.

    Args:
        encoding: `application/json` or `application/x-solidity-abi`.

    Raises:
        UnsupportedOperation: another encoding.
    """
    if encoding == ABI_ENCODING:
        return encode_abi([_DATA_TUPLE], [(data.denom, data.sender, data.receiver, data.amount, data.memo)])
    if encoding != JSON_ENCODING:
        raise UnsupportedOperation(f"transfer packets in {encoding}")
    fields = {
        "denom": data.denom,
        "amount": str(data.amount),
        "sender": data.sender,
        "receiver": data.receiver,
    }
    if data.memo:
        fields["memo"] = data.memo
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def decode_transfer(value: bytes, encoding: str) -> TransferData:
    """Read a payload value. ABI in its canonical form; JSON of any key order and spacing, each key once and known.

    Raises:
        MalformedInput: not the encoding, or a field out of bounds.
        UnsupportedOperation: another encoding.
    """
    if encoding == ABI_ENCODING:
        ((denom, sender, receiver, amount, memo),) = decode_canonical(
            [_DATA_TUPLE], value, "transfer", MAX_PAYLOADS_BYTES
        )
        return TransferData(denom, sender, receiver, amount, memo)
    if encoding != JSON_ENCODING:
        raise UnsupportedOperation(f"transfer packets in {encoding}")
    fields: Any = parse_json(value, "transfer", MAX_PAYLOADS_BYTES)
    if not isinstance(fields, dict):
        raise MalformedInput("transfer", "is no JSON object")
    if unknown := sorted(fields.keys() - set(_JSON_KEYS)):
        raise MalformedInput("transfer", "unknown keys", got=", ".join(unknown))
    for name in _JSON_KEYS:
        if not isinstance(text := fields.get(name, "" if name == "memo" else None), str):
            raise MalformedInput(f"transfer.{name}", "must be text", got=text)
    return TransferData(
        fields["denom"],
        fields["sender"],
        fields["receiver"],
        parse_amount(fields["amount"]),
        fields.get("memo", ""),
    )
