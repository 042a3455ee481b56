"""Operations as a publisher gives them, and as they stand in the log and under the entry's key (docs/spec/directory-log.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import leaf_hash
from hutong.relay.services.directory.rules.log.reader import Bytes, check_ascending, joined
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, Facet, FacetKind
from hutong.relay.services.directory.rules.records.keys import entry_id
from hutong.relay.services.directory.rules.records.publishers import MAX_CALL_OPERATIONS
from hutong.relay.services.identity.rules.records.encoding import (
    ADDRESS_BYTES,
    HASH_BYTES,
    check_bytes,
    check_number,
    check_some_hash,
)

VERSION: Final = 1
MAX_THEMES: Final = 16
MAX_FORMATS: Final = 16
_FIELD: Final = "operations"


class OperationKind(IntEnum):
    """What an operation does to its entry."""

    PUT = 1
    """An entry that was not there, or was withdrawn."""
    UPDATE = 2
    """Another document, other facets or another time of one that is there."""
    WITHDRAW = 3


class PublishedBy(IntEnum):
    """By what it is believed that the publisher said so."""

    HUB_ACCOUNT = 1
    """A transaction of the account that the hub names for the publisher."""


@dataclass(frozen=True, slots=True)
class EntryContent:
    """What an entry says. Nothing of it is a name: hashes and codes alone."""

    document: bytes
    """`DatasetDocument.hash`; of a restricted entry the `sealed_hash`."""
    policies: bytes
    """`DatasetDocument.policy_hash`; of a restricted entry zero, for policies can be guessed."""
    is_restricted: bool
    valid_until_s: int
    """Unix seconds; 0 without an end."""
    themes: tuple[bytes, ...]
    formats: tuple[bytes, ...]

    def __post_init__(self) -> None:
        check_some_hash("entry.document", self.document)
        check_bytes("entry.policies", self.policies)
        if self.is_restricted != (self.policies == bytes(HASH_BYTES)):
            raise MalformedInput("entry.policies", "is zero where the entry is restricted, and there alone")
        check_number("entry.valid_until", self.valid_until_s)
        for field, codes, most in (("themes", self.themes, MAX_THEMES), ("formats", self.formats, MAX_FORMATS)):
            if len(codes) > most:
                raise MalformedInput(f"entry.{field}", f"has at most {most} codes", got=len(codes))
            for code in codes:
                check_bytes(f"entry.{field}", code)
            check_ascending(f"entry.{field}", codes)


@dataclass(frozen=True, slots=True)
class GivenOperation:
    """An operation of a call. `follows` is the version of the entry that the publisher saw, 0 where there was none."""

    kind: OperationKind
    local: bytes
    follows: int
    content: EntryContent | None
    """None of a withdrawal, which leaves the content as it was."""

    def __post_init__(self) -> None:
        check_bytes("operation.local", self.local)
        check_number("operation.follows", self.follows)
        if (self.content is None) != (self.kind is OperationKind.WITHDRAW):
            raise MalformedInput("operation.content", "is there but for withdrawals")


@dataclass(frozen=True, slots=True)
class LoggedOperation:
    """An operation as the module wrote it: a leaf of the log, and the record of its entry until the next one."""

    kind: OperationKind
    sequence: int
    """Its place in the log, from 0."""
    publisher: bytes
    local: bytes
    version: int
    """Of the entry, from 1."""
    content: EntryContent
    origin: bytes
    """`name_code` of the chain on which the publisher's account stands."""
    by: PublishedBy
    account: bytes
    previous: bytes
    """`leaf` of the operation before it on the same entry; zero where there was none."""
    height: int
    time_s: int

    def __post_init__(self) -> None:
        check_some_hash("operation.publisher", self.publisher)
        check_number("operation.version", self.version, least=1)
        check_bytes("operation.previous", self.previous)
        check_bytes("operation.account", self.account, ADDRESS_BYTES)
        check_some_hash("operation.origin", self.origin)
        if (self.version == 1) != (self.previous == bytes(HASH_BYTES)):
            raise MalformedInput("operation.previous", "is zero of the first version, and of it alone")
        if self.version == 1 and self.kind is not OperationKind.PUT:
            raise MalformedInput("operation.kind", "the first one puts", got=int(self.kind))

    @property
    def entry(self) -> bytes:
        """The id of its entry, 32 bytes."""
        return entry_id(self.publisher, self.local)

    @property
    def is_live(self) -> bool:
        """Whether the entry is there after it; its time may be over."""
        return self.kind is not OperationKind.WITHDRAW

    @property
    def leaf(self) -> bytes:
        """Its hash as a leaf of the log and of each facet, 32 bytes."""
        return leaf_hash(encode_logged(self))

    def has(self, facet: Facet) -> bool:
        """Whether `facet` is one of `facets`, which are not made for it: a head is asked for each of them."""
        match facet.kind:
            case FacetKind.ALL:
                return True
            case FacetKind.PUBLISHER:
                return facet.code == self.publisher
            case FacetKind.ORIGIN:
                return facet.code == self.origin
            case FacetKind.THEME:
                return facet.code in self.content.themes
            case FacetKind.FORMAT:
                return facet.code in self.content.formats

    @property
    def facets(self) -> tuple[Facet, ...]:
        """All that the entry has by it, the log among them, ascending."""
        return (
            EVERYTHING,
            Facet(FacetKind.PUBLISHER, self.publisher),
            Facet(FacetKind.ORIGIN, self.origin),
            *(Facet(FacetKind.THEME, code) for code in self.content.themes),
            *(Facet(FacetKind.FORMAT, code) for code in self.content.formats),
        )


def _encode_content(content: EntryContent) -> bytes:
    until = content.valid_until_s.to_bytes(8, "big")
    head = bytes([content.is_restricted]) + content.document + content.policies + until
    return head + joined(content.themes) + joined(content.formats)


def _decode_content(rest: Bytes) -> EntryContent:
    restricted = rest.number(1)
    if restricted > 1:
        raise MalformedInput("entry.restricted", "0 open, 1 restricted", got=restricted)
    document, policies, until = rest.take(HASH_BYTES), rest.take(HASH_BYTES), rest.number(8)
    return EntryContent(document, policies, restricted == 1, until, rest.codes(MAX_THEMES), rest.codes(MAX_FORMATS))


def _kind(number: int) -> OperationKind:
    try:
        return OperationKind(number)
    except ValueError:
        raise MalformedInput("operation.kind", "1 put, 2 update, 3 withdraw", got=number) from None


def encode_operations(operations: Sequence[GivenOperation]) -> bytes:
    """Inverse of `decode_operations`."""
    return b"".join(
        bytes([one.kind])
        + one.local
        + one.follows.to_bytes(8, "big")
        + (b"" if one.content is None else _encode_content(one.content))
        for one in operations
    )


def decode_operations(data: bytes, most: int = MAX_CALL_OPERATIONS) -> tuple[GivenOperation, ...]:
    """The operations of a call, 1 to `most`.

    Raises:
        MalformedInput: another number of them, an unknown kind, an entry that stands twice, or a member out of its rule.
    """
    rest, seen = Bytes(data, _FIELD), set[bytes]()
    found: list[GivenOperation] = []
    while not rest.is_empty:
        if len(found) == most:
            raise MalformedInput(_FIELD, f"more than {most}")
        kind, local, follows = _kind(rest.number(1)), rest.take(HASH_BYTES), rest.number(8)
        if local in seen:
            raise MalformedInput(_FIELD, "an entry stands twice", got=local)
        seen.add(local)
        content = None if kind is OperationKind.WITHDRAW else _decode_content(rest)
        found.append(GivenOperation(kind, local, follows, content))
    if not found:
        raise MalformedInput(_FIELD, "there is none")
    return tuple(found)


def encode_logged(one: LoggedOperation) -> bytes:
    """Inverse of `decode_logged`: at most 1 308 bytes."""
    names = bytes([VERSION, one.kind]) + one.sequence.to_bytes(8, "big") + one.publisher + one.local
    said = one.version.to_bytes(8, "big") + one.previous + one.origin + bytes([one.by]) + one.account
    return names + said + one.height.to_bytes(8, "big") + one.time_s.to_bytes(8, "big") + _encode_content(one.content)


def decode_logged(data: bytes) -> LoggedOperation:
    """An operation of the log, or the record of an entry.

    Raises:
        MalformedInput: an unknown version, another length, or a member out of its rule.
    """
    rest = Bytes(data, "operation")
    version = rest.number(1)
    if version != VERSION:
        raise MalformedInput("operation.version", "a version that this code does not know", version, VERSION)
    kind, sequence, publisher, local = _kind(rest.number(1)), rest.number(8), rest.take(32), rest.take(32)
    number, previous, origin, by = rest.number(8), rest.take(32), rest.take(32), rest.number(1)
    if by not in tuple(PublishedBy):
        raise MalformedInput("operation.by", "1 an account of the hub", got=by)
    account, height, time_s = rest.take(ADDRESS_BYTES), rest.number(8), rest.number(8)
    content = _decode_content(rest)
    rest.end()
    names = (kind, sequence, publisher, local, number, content, origin, PublishedBy(by), account, previous)
    return LoggedOperation(*names, height, time_s)
