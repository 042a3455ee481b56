"""What `HubReader.sol` takes and returns, in ABI form (docs/spec/records.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hutong.adapters.ics26.abi import Function
from hutong.light_clients.ibc.abi import HEIGHT_TUPLE, decode_canonical
from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.records import ANY_TRUST, OBSERVATION_PREFIX
from hutong.light_clients.records.multiproof import Claim, Multiproof

RECORD_TUPLE = "(bytes,bytes)"
MULTIPROOF_TUPLE = "(bytes,bytes32[])"
RECORD_PROOF_TUPLE = f"((string,bytes)[],{MULTIPROOF_TUPLE})"
ANSWER_TUPLE = f"(uint8,bytes,uint64,uint64,{HEIGHT_TUPLE},uint8,uint8)"
MAX_ANSWERS_BYTES = 4 * 1024 * 1024

READ = Function("read", ("bytes", "bytes", RECORD_PROOF_TUPLE, HEIGHT_TUPLE, "uint64", "uint8"), (ANSWER_TUPLE,))
READ_MANY = Function(
    "readMany", (f"{RECORD_TUPLE}[]", RECORD_PROOF_TUPLE, HEIGHT_TUPLE, "uint64", "uint8"), (f"{ANSWER_TUPLE}[]",)
)
READ_CACHED = Function("readManyCached", ("bytes[]", "uint64", "uint8"), (f"{ANSWER_TUPLE}[]",))
KEEP = Function("keep", (f"{RECORD_TUPLE}[]", RECORD_PROOF_TUPLE, HEIGHT_TUPLE))
ROUTER = Function("router", (), ("address",))
CLIENT_ID = Function("clientId", (), ("string",))
HUB_CLIENT = Function("hubClient", (), ("address",))
LATEST_HEIGHT = Function("latestHeight", (), (HEIGHT_TUPLE,))
CONSENSUS_STATE = Function("getConsensusState", ("uint64", "uint64"), ("(uint64,bytes32,bytes32)",))
"""The last two are the HubClient's."""

_EPOCH_PREFIX = OBSERVATION_PREFIX + b"client/"


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

    `threshold` 0: proven by the observed chain's consensus; else how many of `attestors` stand for it.
    """

    presence: Presence
    value: bytes
    header_time_s: int
    source_time_s: int
    source_height: Height
    threshold: int
    attestors: int


@dataclass(frozen=True, slots=True)
class ShownRecords:
    """Records under one root of the hub at `height`, and the epochs of their clients, with the proof of both.

    Records and epochs ascend by the hash of their keys.
    """

    height: Height
    records: tuple[Claim, ...]
    epochs: tuple[Claim, ...]
    proof: Multiproof

    @classmethod
    def of(cls, height: Height, claims: Sequence[Claim], proof: Multiproof) -> "ShownRecords":
        """Parts the claims of one multiproof: keys under `observation/client/` are epochs."""
        epochs = tuple(claim for claim in claims if claim.key.startswith(_EPOCH_PREFIX))
        return cls(height, tuple(claim for claim in claims if claim not in epochs), epochs, proof)

    @property
    def height_fields(self) -> tuple[int, int]:
        """`Height` as ABI takes it."""
        return self.height.revision_number, self.height.revision_height

    @property
    def record_fields(self) -> list[tuple[bytes, bytes]]:
        """`Record[]` as ABI takes it."""
        return [(record.key, record.value) for record in self.records]

    @property
    def proof_fields(self) -> tuple[Any, ...]:
        """`RecordProof` as ABI takes it."""
        epochs = [(epoch.key.removeprefix(_EPOCH_PREFIX).decode("ascii"), epoch.value) for epoch in self.epochs]
        return epochs, (self.proof.terminals, list(self.proof.siblings))


def encode_read(shown: ShownRecords, max_age_s: int, min_trust: int = ANY_TRUST) -> bytes:
    """Calldata of `read`, for what shows one record.

    Raises:
        MalformedInput: not exactly one record.
    """
    if len(shown.records) != 1:
        raise MalformedInput("records", "`read` is of one record", got=len(shown.records), expected=1)
    (record,) = shown.records
    return READ.encode(record.key, record.value, shown.proof_fields, shown.height_fields, max_age_s, min_trust)


def encode_read_many(shown: ShownRecords, max_age_s: int, min_trust: int = ANY_TRUST) -> bytes:
    """Calldata of `readMany`."""
    return READ_MANY.encode(shown.record_fields, shown.proof_fields, shown.height_fields, max_age_s, min_trust)


def encode_keep(shown: ShownRecords) -> bytes:
    """Calldata of `keep`; without records it keeps epochs alone."""
    return KEEP.encode(shown.record_fields, shown.proof_fields, shown.height_fields)


def encode_read_cached(keys: Sequence[bytes], max_age_s: int, min_trust: int = ANY_TRUST) -> bytes:
    """Calldata of `readManyCached`."""
    return READ_CACHED.encode(list(keys), max_age_s, min_trust)


def _answer(fields: tuple[Any, ...]) -> Answer:
    presence, value, header_time_s, source_time_s, height, threshold, attestors = fields
    if presence not in tuple(Presence):
        raise MalformedInput("answer.presence", "0 unwritten, 1 absent, 2 present", got=presence)
    return Answer(Presence(presence), value, header_time_s, source_time_s, Height(*height), threshold, attestors)


def decode_answer(data: bytes) -> Answer:
    """What `read` and `readCached` return.

    Raises:
        MalformedInput: not the canonical encoding of an answer.
    """
    (fields,) = decode_canonical([ANSWER_TUPLE], data, "answer", MAX_ANSWERS_BYTES)
    return _answer(fields)


def decode_answers(data: bytes) -> tuple[Answer, ...]:
    """What `readMany` and `readManyCached` return.

    Raises:
        MalformedInput: not the canonical encoding of answers.
    """
    (entries,) = decode_canonical([f"{ANSWER_TUPLE}[]"], data, "answers", MAX_ANSWERS_BYTES)
    return tuple(_answer(fields) for fields in entries)
