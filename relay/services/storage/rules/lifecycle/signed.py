"""What operators and writers sign: EIP-712 structs without a chain, each of which names its hub (docs/spec/storage-lifecycle.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import check_bytes, check_number, check_some_hash
from hutong.relay.services.identity.rules.seals.seal import DOMAIN_TYPE, domain_separator, typed_digest
from hutong.relay.services.identity.rules.seals.signatures import recovered_account
from hutong.relay.services.storage.rules.commitments.entries import MAX_BATCH_ENTRIES, BatchPart
from hutong.relay.services.storage.rules.packs.shape import MAX_HEIGHT, MAX_PACK_SHARDS

SPEC: Final = "docs/spec/storage-lifecycle.md"
DOMAIN_NAME: Final = "hutong storage"
DOMAIN_VERSION: Final = "1"
DOMAIN: Final = domain_separator(
    DOMAIN_TYPE, ("bytes32", "bytes32"), (keccak256(DOMAIN_NAME.encode()), keccak256(DOMAIN_VERSION.encode()))
)
MAX_BATCH_PARTS: Final = 256
"""Operators of one batch."""


class SignedStruct(Protocol):
    """A struct of EIP-712."""

    TYPE: ClassVar[str]

    def members(self) -> tuple[Any, ...]:
        """Its values as ABI words, in the order of `TYPE`."""


def type_words(type_text: str) -> tuple[str, ...]:
    """The ABI types of a struct's members."""
    return tuple(member.split()[0] for member in type_text.partition("(")[2].rstrip(")").split(","))


def struct_hash(struct: SignedStruct) -> bytes:
    """EIP-712 `hashStruct`, 32 bytes."""
    return keccak256(
        encode_abi(("bytes32", *type_words(struct.TYPE)), (keccak256(struct.TYPE.encode()), *struct.members()))
    )


def signing_digest(struct: SignedStruct) -> bytes:
    """What is signed: 32 bytes."""
    return typed_digest(DOMAIN, struct_hash(struct))


@dataclass(frozen=True, slots=True)
class ShardReceipt:
    """An operator has a shard on its own disk, synced and read back.

    `engine_tag` is the SHA-256 of the tag that the operator's engine gave, zero for none; `stored_at_s` Unix seconds.
    """

    TYPE: ClassVar[str] = (
        "ShardReceipt(bytes32 hub,bytes32 operator,bytes32 pack,uint8 shard,uint8 height,bytes32 root,"
        "uint64 retainUntil,bytes32 engineTag,uint64 storedAt)"
    )
    hub: bytes
    operator: bytes
    pack: bytes
    shard: int
    height: int
    root: bytes
    retain_until_s: int
    engine_tag: bytes
    stored_at_s: int

    def __post_init__(self) -> None:
        _check_shard("receipt", self.hub, self.operator, self.pack, self.shard, self.root)
        check_number("receipt.height", self.height, most=MAX_HEIGHT)
        check_number("receipt.retain_until", self.retain_until_s)
        check_bytes("receipt.engine_tag", self.engine_tag)
        check_number("receipt.stored_at", self.stored_at_s)

    def members(self) -> tuple[Any, ...]:
        """See `SignedStruct`."""
        place = (self.hub, self.operator, self.pack, self.shard, self.height, self.root)
        return (*place, self.retain_until_s, self.engine_tag, self.stored_at_s)


@dataclass(frozen=True, slots=True)
class OperatorPart:
    """A batch's part for one operator, which the operator signs when it holds every shard of it.

    `sequence` counts the writer's batches, from 0.
    """

    TYPE: ClassVar[str] = (
        "OperatorPart(bytes32 hub,bytes32 writer,uint64 sequence,bytes32 operator,uint64 leaves,uint32 entries,bytes32 root)"
    )
    hub: bytes
    writer: bytes
    sequence: int
    operator: bytes
    part: BatchPart

    def __post_init__(self) -> None:
        for field, value in (("hub", self.hub), ("writer", self.writer), ("operator", self.operator)):
            check_some_hash(f"part.{field}", value)
        check_number("part.sequence", self.sequence)
        check_number("part.entries", self.part.entries, least=1, most=MAX_BATCH_ENTRIES)
        check_number("part.leaves", self.part.leaves, least=self.part.entries, most=self.part.entries << MAX_HEIGHT)
        check_bytes("part.root", self.part.root)

    def members(self) -> tuple[Any, ...]:
        """See `SignedStruct`."""
        part = (self.part.leaves, self.part.entries, self.part.root)
        return (self.hub, self.writer, self.sequence, self.operator, *part)


@dataclass(frozen=True, slots=True)
class WriterBatch:
    """A whole batch, which its writer signs: `parts` is `parts_hash` of all parts, so that none is left out or added."""

    TYPE: ClassVar[str] = "WriterBatch(bytes32 hub,bytes32 writer,uint64 sequence,bytes32 parts)"
    hub: bytes
    writer: bytes
    sequence: int
    parts: bytes

    def __post_init__(self) -> None:
        for field, value in (("hub", self.hub), ("writer", self.writer), ("parts", self.parts)):
            check_some_hash(f"batch.{field}", value)
        check_number("batch.sequence", self.sequence)

    def members(self) -> tuple[Any, ...]:
        """See `SignedStruct`."""
        return (self.hub, self.writer, self.sequence, self.parts)


@dataclass(frozen=True, slots=True)
class ProbeAnswers:
    """An operator's answers to probes `first` to `first` + `count` - 1 of an epoch; `answers` is the SHA-256 of their bytes."""

    TYPE: ClassVar[str] = (
        "ProbeAnswers(bytes32 hub,bytes32 operator,uint64 epoch,uint32 first,uint32 count,bytes32 answers)"
    )
    hub: bytes
    operator: bytes
    epoch: int
    first: int
    count: int
    answers: bytes

    def __post_init__(self) -> None:
        for field, value in (("hub", self.hub), ("operator", self.operator), ("answers", self.answers)):
            check_some_hash(f"answers.{field}", value)
        check_number("answers.epoch", self.epoch)
        check_number("answers.first", self.first, most=2**32 - 1)
        check_number("answers.count", self.count, least=1, most=2**32 - 1)

    def members(self) -> tuple[Any, ...]:
        """See `SignedStruct`."""
        return (self.hub, self.operator, self.epoch, self.first, self.count, self.answers)


@dataclass(frozen=True, slots=True)
class PackRemoval:
    """A writer lets shards of its pack go; bit i of `shards` is shard i."""

    TYPE: ClassVar[str] = "PackRemoval(bytes32 hub,bytes32 writer,bytes32 pack,uint64 shards)"
    hub: bytes
    writer: bytes
    pack: bytes
    shards: int

    def __post_init__(self) -> None:
        for field, value in (("hub", self.hub), ("writer", self.writer), ("pack", self.pack)):
            check_some_hash(f"removal.{field}", value)
        check_number("removal.shards", self.shards, least=1)

    def members(self) -> tuple[Any, ...]:
        """See `SignedStruct`."""
        return (self.hub, self.writer, self.pack, self.shards)


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """An operator says that it deleted a shard. It does not show that no copy is left: nothing can."""

    TYPE: ClassVar[str] = (
        "DeletionReceipt(bytes32 hub,bytes32 operator,bytes32 pack,uint8 shard,bytes32 root,uint64 deletedAt)"
    )
    hub: bytes
    operator: bytes
    pack: bytes
    shard: int
    root: bytes
    deleted_at_s: int

    def __post_init__(self) -> None:
        _check_shard("deletion", self.hub, self.operator, self.pack, self.shard, self.root)
        check_number("deletion.deleted_at", self.deleted_at_s)

    def members(self) -> tuple[Any, ...]:
        """See `SignedStruct`."""
        return (self.hub, self.operator, self.pack, self.shard, self.root, self.deleted_at_s)


def parts_hash(parts: Sequence[OperatorPart]) -> bytes:
    """32 bytes over all parts of a batch, which ascend by operator.

    Raises:
        PredicateFailed: see `parts_are_one_batch`.
    """
    parts_are_one_batch(parts)
    return keccak256(b"".join(map(struct_hash, parts)))


@rule(SPEC)
def parts_are_one_batch(parts: Sequence[OperatorPart]) -> None:
    """Parts of one hub, writer and sequence, one for each operator, ascending.

    Raises:
        PredicateFailed: they are not, or there are none or too many.
    """
    name = "parts_are_one_batch"
    if not 1 <= len(parts) <= MAX_BATCH_PARTS:
        raise PredicateFailed(name, f"1 to {MAX_BATCH_PARTS} parts", got=len(parts))
    if len({(part.hub, part.writer, part.sequence) for part in parts}) != 1:
        raise PredicateFailed(name, "parts of several batches")
    operators = [part.operator for part in parts]
    if operators != sorted(set(operators)):
        raise PredicateFailed(name, "operators do not ascend, or one has two parts")


@rule(SPEC)
def struct_is_signed_by(struct: SignedStruct, signature: bytes, account: bytes) -> None:
    """The account of 20 bytes signed the struct: 65 bytes r ‖ s ‖ v, s in the lower half, v 27 or 28.

    Raises:
        PredicateFailed: another account did, or nobody.
    """
    found = recovered_account(signing_digest(struct), signature)
    if found != account:
        raise PredicateFailed("struct_is_signed_by", type(struct).__name__, got=found, expected=account)


def _check_shard(field: str, hub: bytes, operator: bytes, pack: bytes, shard: int, root: bytes) -> None:
    for name, value in (("hub", hub), ("operator", operator), ("pack", pack)):
        check_some_hash(f"{field}.{name}", value)
    check_number(f"{field}.shard", shard, most=MAX_PACK_SHARDS - 1)
    check_bytes(f"{field}.root", root)
