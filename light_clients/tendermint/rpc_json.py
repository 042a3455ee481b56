"""CometBFT RPC JSON, both ways: int64 as decimal strings, hashes as upper-case hex, keys and signatures as base64.

What a node serves is only parsed here, within the bounds of `codec`; believing it is the verifier's business.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput, json_text
from hutong.light_clients.protobuf import cometbft_pb2
from hutong.light_clients.tendermint.calendar_days import date_of, days_since_1970
from hutong.light_clients.tendermint.codec import (
    commit_from_message,
    encode_time,
    header_from_message,
    validator_set_from_message,
)
from hutong.light_clients.tendermint.types import (
    GO_ZERO_TIME_NS,
    MAX_VALIDATORS,
    BlockId,
    BlockIdFlag,
    Commit,
    CommitSig,
    Header,
    KeyType,
    PublicKey,
    SignedHeader,
    Validator,
    ValidatorSet,
)

MAX_JSON_BYTES = 16 * 1024 * 1024
"""A commit and set of 10 000 validators take about 5 MiB."""
MAX_TEXT_CHARS = 1024
"""Of any one value read here; the longest is an app hash of 256 bytes."""

KEY_TYPES = {
    "tendermint/PubKeyEd25519": KeyType.ED25519,
    "tendermint/PubKeySecp256k1": KeyType.SECP256K1,
}
_KEY_NAMES = {key_type: name for name, key_type in KEY_TYPES.items()}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,19})")
_HEX = re.compile(r"([0-9a-fA-F]{2})*")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|[+-]00:00)"
)
_HEADER_HEX = (
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "app_hash",
    "last_results_hash",
    "evidence_hash",
    "proposer_address",
)


def parse_json(data: bytes, field: str = "file") -> Any:
    """A JSON document of at most `MAX_JSON_BYTES`; `field` names it in errors.

    Raises:
        MalformedInput: anything else, bombs included; see `json_text.parse_json`.
    """
    return json_text.parse_json(data, field, MAX_JSON_BYTES)


def rpc_result(document: Any, field: str = "response") -> Mapping[str, Any]:
    """The `result` of a JSON-RPC response, or the document itself where a file holds the bare result.

    Raises:
        MalformedInput: the node answered with an error, or it is not an object.
    """
    answer = mapping(document, field)
    if answer.get("error"):
        raise MalformedInput(f"{field}.error", "the node answered with an error", got=answer["error"])
    return mapping(answer["result"], f"{field}.result") if "result" in answer else answer


def mapping(value: Any, field: str) -> Mapping[str, Any]:
    """`value` as a JSON object; unknown keys are the caller's to ignore.

    Raises:
        MalformedInput: not an object.
    """
    if not isinstance(value, Mapping):
        raise MalformedInput(field, "is not a JSON object", got=value)
    return value


def _list(value: Any, field: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedInput(field, "is not a JSON list", got=value)
    if len(value) > most:
        raise MalformedInput(field, f"more than {most} elements", got=len(value))
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS:
        raise MalformedInput(field, f"is not a text of at most {MAX_TEXT_CHARS} characters", got=value)
    if not value.isascii():
        raise MalformedInput(field, "has characters outside ASCII", got=value)
    return value


def integer(value: Any, field: str, bits: int = 63) -> int:
    """A decimal string, as nodes serve int64, or a JSON number; at most `bits` bits and a sign.

    Raises:
        MalformedInput: not an integer, leading zeros, or out of these bounds.
    """
    if isinstance(value, str) and _INTEGER.fullmatch(value[:32]):
        value = int(value)
    if type(value) is not int or not -(1 << bits) <= value < 1 << bits:
        raise MalformedInput(field, f"is not an integer of {bits} bits and a sign", got=value)
    return value


def _unsigned(value: Any, field: str, bits: int) -> int:
    number = integer(value, field, bits)
    if number < 0:
        raise MalformedInput(field, "is negative", got=number)
    return number


def hex_bytes(value: Any, field: str) -> bytes:
    """Hex of either case without prefix, at most `MAX_TEXT_CHARS` characters; null is empty.

    Raises:
        MalformedInput: not a text of that length, or not hex.
    """
    if value is None:
        return b""
    text = _text(value, field)
    if _HEX.fullmatch(text) is None:
        raise MalformedInput(field, "is not hex", got=value)
    return bytes.fromhex(text)


def base64_bytes(value: Any, field: str) -> bytes:
    """Standard base64 with padding, at most `MAX_TEXT_CHARS` characters; null is empty.

    Raises:
        MalformedInput: not a text of that length, or not base64.
    """
    if value is None:
        return b""
    try:
        return base64.b64decode(_text(value, field), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(field, "is not base64", got=value) from error


def parse_time_ns(value: Any, field: str) -> int:
    """RFC 3339 in UTC with up to nine fractional digits → ns since 1970 (years 1 to 9999).

    Raises:
        MalformedInput: another form or offset, or no date or time of day; leap seconds are refused.
    """
    match = _TIME.fullmatch(_text(value, field))
    if match is None:
        raise MalformedInput(field, "is not an RFC 3339 time in UTC", got=value)
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    days = days_since_1970(year, month, day)
    if days is None:
        raise MalformedInput(field, "is no date", got=value)
    if hour > 23 or minute > 59 or second > 59:
        raise MalformedInput(field, "is no time of day", got=value)
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return seconds * NANOSECONDS_PER_SECOND + int((match[7] or "").ljust(9, "0"))


def format_time(time_ns: int) -> str:
    """As Go's RFC3339Nano prints it, without trailing zeros; `time_ns` must be within the years 1 to 9999."""
    seconds, nanos = divmod(time_ns, NANOSECONDS_PER_SECOND)
    days, in_day = divmod(seconds, 86_400)
    year, month, day = date_of(days)
    fraction = f".{nanos:09}".rstrip("0").rstrip(".")
    return f"{year:04}-{month:02}-{day:02}T{in_day // 3600:02}:{in_day // 60 % 60:02}:{in_day % 60:02}{fraction}Z"


def _fill_block_id(value: Any, into: cometbft_pb2.BlockID, field: str) -> None:
    into.part_set_header.SetInParent()
    if value is None:
        return
    block_id = mapping(value, field)
    into.hash = hex_bytes(block_id.get("hash"), f"{field}.hash")
    parts = block_id.get("parts", block_id.get("part_set_header"))
    if parts is not None:
        parts = mapping(parts, f"{field}.parts")
        into.part_set_header.total = _unsigned(parts.get("total", 0), f"{field}.parts.total", 32)
        into.part_set_header.hash = hex_bytes(parts.get("hash"), f"{field}.parts.hash")


def block_id_from_rpc(value: Any, field: str = "block_id") -> BlockId:
    """`{hash, parts}`, or `part_set_header` in place of `parts`; null is the zero block id.

    Raises:
        MalformedInput: not such an object, or a hash that has neither 32 bytes nor none.
    """
    message = cometbft_pb2.Commit()
    message.block_id.SetInParent()
    _fill_block_id(value, message.block_id, field)
    return commit_from_message(message, field).block_id


def header_from_rpc(value: Any, field: str = "header") -> Header:
    """A block header; null hashes are empty. Its hash is not compared with anything: the verifier does that.

    Raises:
        MalformedInput: a key is missing, or a value is not of its form and bounds (named).
    """
    header = mapping(value, field)
    message = cometbft_pb2.Header()
    version = mapping(header.get("version"), f"{field}.version")
    message.version.SetInParent()
    message.version.block = _unsigned(version.get("block", 0), f"{field}.version.block", 64)
    message.version.app = _unsigned(version.get("app", 0), f"{field}.version.app", 64)
    message.chain_id = _text(header.get("chain_id"), f"{field}.chain_id")
    message.height = integer(header.get("height"), f"{field}.height")
    encode_time(parse_time_ns(header.get("time"), f"{field}.time"), message.time)
    message.last_block_id.SetInParent()
    _fill_block_id(header.get("last_block_id"), message.last_block_id, f"{field}.last_block_id")
    for name in _HEADER_HEX:
        setattr(message, name, hex_bytes(header.get(name), f"{field}.{name}"))
    return header_from_message(message, field)


def commit_from_rpc(value: Any, field: str = "commit") -> Commit:
    """A commit with all its entries; an absent one has Go's zero time, whatever time is served for it.

    Raises:
        MalformedInput: a key is missing, more than `MAX_VALIDATORS` entries, or a value out of bounds (named).
    """
    commit = mapping(value, field)
    message = cometbft_pb2.Commit()
    message.height = integer(commit.get("height"), f"{field}.height")
    message.round = integer(commit.get("round", 0), f"{field}.round", 31)
    message.block_id.SetInParent()
    _fill_block_id(commit.get("block_id"), message.block_id, f"{field}.block_id")
    for index, raw in enumerate(_list(commit.get("signatures"), f"{field}.signatures", MAX_VALIDATORS)):
        at = f"{field}.signatures[{index}]"
        entry = mapping(raw, at)
        into = message.signatures.add()
        into.block_id_flag = integer(entry.get("block_id_flag"), f"{at}.block_id_flag", 31)
        into.validator_address = hex_bytes(entry.get("validator_address"), f"{at}.validator_address")
        timestamp_ns = parse_time_ns(entry.get("timestamp"), f"{at}.timestamp")
        # An absent entry has no time: nodes print Go's zero time, tendermint-rs prints 1970.
        absent = into.block_id_flag == BlockIdFlag.ABSENT
        encode_time(GO_ZERO_TIME_NS if absent else timestamp_ns, into.timestamp)
        into.signature = base64_bytes(entry.get("signature"), f"{at}.signature")
    return commit_from_message(message, field)


def signed_header_from_rpc(value: Any, field: str = "signed_header") -> SignedHeader:
    """`{header, commit}`, as `/commit` and header files hold it.

    Raises:
        MalformedInput: as `header_from_rpc` and `commit_from_rpc`.
    """
    signed_header = mapping(value, field)
    return SignedHeader(
        header_from_rpc(signed_header.get("header"), f"{field}.header"),
        commit_from_rpc(signed_header.get("commit"), f"{field}.commit"),
    )


def _fill_validator(value: Any, into: cometbft_pb2.Validator, field: str) -> None:
    validator = mapping(value, field)
    into.address = hex_bytes(validator.get("address"), f"{field}.address")
    key = mapping(validator.get("pub_key"), f"{field}.pub_key")
    key_type = KEY_TYPES.get(_text(key.get("type"), f"{field}.pub_key.type"))
    if key_type is None:
        raise MalformedInput(f"{field}.pub_key.type", "is no key type of CometBFT 0.38", got=key["type"])
    setattr(into.pub_key, key_type.value, base64_bytes(key.get("value"), f"{field}.pub_key.value"))
    into.voting_power = integer(validator.get("voting_power"), f"{field}.voting_power")
    priority = validator.get("proposer_priority")
    into.proposer_priority = 0 if priority is None else integer(priority, f"{field}.proposer_priority")


def validator_set_from_rpc(value: Any, field: str = "validator_set") -> ValidatorSet:
    """`{validators, proposer?}` as `/validators` or a header file holds it, in the order served.

    `/validators` serves no proposer: the first validator then stands for it, since no verifier reads which it is.

    Raises:
        MalformedInput: more than `MAX_VALIDATORS`, an unknown key type, or a value out of bounds (named).
    """
    served = mapping(value, field)
    message = cometbft_pb2.ValidatorSet()
    validators = _list(served.get("validators"), f"{field}.validators", MAX_VALIDATORS)
    for index, validator in enumerate(validators):
        _fill_validator(validator, message.validators.add(), f"{field}.validators[{index}]")
    if served.get("proposer") is not None:
        _fill_validator(served["proposer"], message.proposer, f"{field}.proposer")
    elif validators:
        message.proposer.CopyFrom(message.validators[0])
    return validator_set_from_message(message, field)


def _hex(value: bytes) -> str:
    return value.hex().upper()


def block_id_to_rpc(block_id: BlockId) -> dict[str, Any]:
    """`{hash, parts}` with hashes in upper-case hex; a nil block id has empty texts and total 0."""
    parts = block_id.part_set_header
    return {"hash": _hex(block_id.hash), "parts": {"total": parts.total, "hash": _hex(parts.hash)}}


def header_to_rpc(header: Header) -> dict[str, Any]:
    """As `/header` serves it."""
    return {
        "version": {"block": str(header.version_block), "app": str(header.version_app)},
        "chain_id": header.chain_id,
        "height": str(header.height),
        "time": format_time(header.time_ns),
        "last_block_id": block_id_to_rpc(header.last_block_id),
        **{name: _hex(getattr(header, name)) for name in _HEADER_HEX},
    }


def _commit_sig_to_rpc(entry: CommitSig) -> dict[str, Any]:
    return {
        "block_id_flag": int(entry.block_id_flag),
        "validator_address": _hex(entry.validator_address),
        "timestamp": format_time(entry.timestamp_ns),
        "signature": base64.b64encode(entry.signature).decode() if entry.signature else None,
    }


def commit_to_rpc(commit: Commit) -> dict[str, Any]:
    """As `/commit` serves it."""
    return {
        "height": str(commit.height),
        "round": commit.round,
        "block_id": block_id_to_rpc(commit.block_id),
        "signatures": [_commit_sig_to_rpc(entry) for entry in commit.signatures],
    }


def signed_header_to_rpc(signed_header: SignedHeader) -> dict[str, Any]:
    """`{header, commit}` as `/commit` serves it under `signed_header`."""
    return {"header": header_to_rpc(signed_header.header), "commit": commit_to_rpc(signed_header.commit)}


def public_key_to_rpc(public_key: PublicKey) -> dict[str, str]:
    """`{type, value}` in Amino's names, the key in base64."""
    return {"type": _KEY_NAMES[public_key.key_type], "value": base64.b64encode(public_key.data).decode()}


def validator_to_rpc(validator: Validator) -> dict[str, Any]:
    """As `/validators` serves it."""
    return {
        "address": _hex(validator.address),
        "pub_key": public_key_to_rpc(validator.public_key),
        "voting_power": str(validator.voting_power),
        "proposer_priority": str(validator.proposer_priority),
    }


def validator_set_to_rpc(validator_set: ValidatorSet) -> dict[str, Any]:
    """As header files hold it, with the proposer where there is one."""
    served: dict[str, Any] = {"validators": [validator_to_rpc(validator) for validator in validator_set.validators]}
    if validator_set.proposer is not None:
        served["proposer"] = validator_to_rpc(validator_set.proposer)
    return served
