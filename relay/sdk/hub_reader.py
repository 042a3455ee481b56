"""Calls of a HubReader from what `reads` gives, and what it answers (docs/spec/records.md): for dapps that read in Python.

It encodes and decodes alone: the contract judges the proof, under headers that its chain's own client of the hub has.
Importing it brings eth-abi, which comes with the SDK's eth-account.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_signature_to_4byte_selector

from hutong.relay.schemas.records import ReaderProof
from hutong.relay.sdk.errors import InvalidArgument

__all__ = [
    "PROVEN_ALONE",
    "Answer",
    "Arguments",
    "Presence",
    "arguments_of",
    "decode_answer",
    "decode_answers",
    "encode_keep",
    "encode_read",
    "encode_read_cached",
    "encode_read_many",
]

PROVEN_ALONE = 255
MAX_ATTESTORS = 64
MAX_AGE_S = 2**64 - 1
MAX_ANSWERS_BYTES = 4 * 1024 * 1024

_PROOF = "((string,bytes)[],(bytes,bytes32[]))"
_HEIGHT = "(uint64,uint64)"
_ANSWER = f"(uint8,bytes,uint64,uint64,{_HEIGHT},uint8,uint8)"
_READ = ["bytes", "bytes", _PROOF, _HEIGHT, "uint64", "uint8"]
_READ_MANY = ["(bytes,bytes)[]", _PROOF, _HEIGHT, "uint64", "uint8"]
_KEEP = ["(bytes,bytes)[]", _PROOF, _HEIGHT]
_READ_CACHED = ["bytes[]", "uint64", "uint8"]


class Presence(IntEnum):
    """What a record says of its key."""

    UNWRITTEN = 0
    """Nobody wrote a record: this says nothing about the observed chain."""
    ABSENT = 1
    """The observed chain has nothing there."""
    PRESENT = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """A record that a reader accepted. Members from `source_time_s` on are zero where nothing was observed.

    `source_height` is (revision, height). `threshold` 0: proven by the observed chain's own consensus; else how many of
    `attestors` stand for it.
    """

    presence: Presence
    value: bytes
    header_time_s: int
    source_time_s: int
    source_height: tuple[int, int]
    threshold: int
    attestors: int


@dataclass(frozen=True, slots=True)
class Arguments:
    """What shows records, as ABI takes it: for functions of your own contract that pass it to its reader."""

    records: tuple[tuple[bytes, bytes], ...]
    """`Record[]`: key and value, which is empty where it is proven that nothing is there."""
    proof: tuple[Any, ...]
    """`RecordProof`."""
    height: tuple[int, int]
    """`Height`."""


def arguments_of(shown: ReaderProof) -> Arguments:
    """The arguments of every call that shows records.

    Raises:
        InvalidArgument: `shown` has a height or a sibling that is not one.
    """
    numbers = shown.height.split("-")
    if len(numbers) != 2 or not all(one.isascii() and one.isdigit() and len(one) <= 20 for one in numbers):
        raise InvalidArgument("shown.height", f"must be revision-height, got {shown.height[:40]!r}")
    siblings = tuple(_bytes(sibling) for sibling in shown.siblings)
    if any(len(sibling) != 32 for sibling in siblings):
        raise InvalidArgument("shown.siblings", "must have 32 bytes each")
    records = tuple((_bytes(one.key), _bytes(one.value)) for one in shown.records)
    epochs = tuple((one.client, _bytes(one.value)) for one in shown.epochs)
    revision, height = (int(one) for one in numbers)
    return Arguments(records, (epochs, (_bytes(shown.terminals), siblings)), (revision, height))


def encode_read(shown: ReaderProof, *, max_age_s: int, min_trust: int = PROVEN_ALONE) -> bytes:
    """Calldata of `read`, of what shows one record; `decode_answer` reads what it returns.

    Args:
        max_age_s: how old header and observed block may be.
        min_trust: 0 anything, 1 to 64 attestors at least, 255 proven by the observed chain's consensus alone.

    Raises:
        InvalidArgument: not exactly one record, or terms that no reader takes.
    """
    given = arguments_of(shown)
    if len(given.records) != 1:
        raise InvalidArgument("shown.records", f"`read` is of one record, got {len(given.records)}")
    _check_terms(max_age_s, min_trust)
    return _call("read", _READ, *given.records[0], given.proof, given.height, max_age_s, min_trust)


def encode_read_many(shown: ReaderProof, *, max_age_s: int, min_trust: int = PROVEN_ALONE) -> bytes:
    """Calldata of `readMany`; `decode_answers` reads what it returns, in the order of `shown.records`.

    Raises:
        InvalidArgument: as `encode_read`, of any number of records.
    """
    given = arguments_of(shown)
    _check_terms(max_age_s, min_trust)
    return _call("readMany", _READ_MANY, given.records, given.proof, given.height, max_age_s, min_trust)


def encode_keep(shown: ReaderProof) -> bytes:
    """Calldata of `keep`, a transaction: from then on `readManyCached` needs no proof.

    Raises:
        InvalidArgument: as `arguments_of`.
    """
    given = arguments_of(shown)
    return _call("keep", _KEEP, given.records, given.proof, given.height)


def encode_read_cached(keys: tuple[str, ...], *, max_age_s: int, min_trust: int = PROVEN_ALONE) -> bytes:
    """Calldata of `readManyCached`, of kept records; `decode_answers` reads what it returns, in the order of `keys`.

    Raises:
        InvalidArgument: terms that no reader takes, or a key that is no hex.
    """
    _check_terms(max_age_s, min_trust)
    return _call("readManyCached", _READ_CACHED, [_bytes(key) for key in keys], max_age_s, min_trust)


def decode_answer(data: bytes) -> Answer:
    """What `read` and `readCached` return.

    Raises:
        InvalidArgument: not the canonical encoding of an answer; it is of another function, or of no HubReader.
    """
    return _answer(_decoded(_ANSWER, data))


def decode_answers(data: bytes) -> tuple[Answer, ...]:
    """What `readMany` and `readManyCached` return.

    Raises:
        InvalidArgument: as `decode_answer`.
    """
    return tuple(_answer(fields) for fields in _decoded(f"{_ANSWER}[]", data))


def _answer(fields: tuple[Any, ...]) -> Answer:
    presence, value, header_time_s, source_time_s, height, threshold, attestors = fields
    if presence not in tuple(Presence):
        raise InvalidArgument("data", f"has a presence of {presence}: 0 unwritten, 1 absent, 2 present")
    return Answer(Presence(presence), value, header_time_s, source_time_s, height, threshold, attestors)


def _decoded(kind: str, data: bytes) -> Any:
    if len(data) > MAX_ANSWERS_BYTES:
        raise InvalidArgument("data", f"must have at most {MAX_ANSWERS_BYTES} bytes, got {len(data)}")
    try:
        (value,) = decode([kind], data)
        is_canonical = encode([kind], [value]) == data
    except (DecodingError, OverflowError, UnicodeDecodeError, ValueError) as error:
        raise InvalidArgument("data", f"is not an answer of a HubReader: {error}") from None
    if not is_canonical:
        raise InvalidArgument("data", "is not the canonical encoding of an answer of a HubReader")
    return value


def _call(name: str, kinds: list[str], *values: Any) -> bytes:
    return bytes(function_signature_to_4byte_selector(f"{name}({','.join(kinds)})")) + encode(kinds, values)


def _check_terms(max_age_s: int, min_trust: int) -> None:
    if type(max_age_s) is not int or not 0 <= max_age_s <= MAX_AGE_S:
        raise InvalidArgument("max_age_s", "must be an int of seconds from 0 to 2^64 - 1")
    if type(min_trust) is not int or not (0 <= min_trust <= MAX_ATTESTORS or min_trust == PROVEN_ALONE):
        raise InvalidArgument("min_trust", f"must be 0 to {MAX_ATTESTORS}, or {PROVEN_ALONE}: proven alone")


def _bytes(text: str | None) -> bytes:
    if text is None:
        return b""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InvalidArgument("shown", f"has {text[:40]!r}, which is not hex") from None
