"""Facets, by which entries are found, and the head that each of their values has (docs/spec/directory-records.md)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import Frontier
from hutong.relay.services.identity.rules.records.encoding import (
    HASH_BYTES,
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

FACET_DOMAIN: Final = b"hutong/directory/facet/1"
MAX_NAME_BYTES: Final = 2_048
HEAD_STRUCT: Final = "(uint64,uint64,uint64,bytes32[])"
_KIND: Final = "facet.kind"


class FacetKind(IntEnum):
    """What of an entry a facet says."""

    ALL = 0
    """Every operation of the directory: the log itself."""
    PUBLISHER = 1
    ORIGIN = 2
    """The chain on which the publisher's account stands."""
    THEME = 3
    FORMAT = 4


@dataclass(frozen=True, slots=True, order=True)
class Facet:
    """A kind, and 32 bytes: a publisher's id, or the code of a name; of ALL zero."""

    kind: FacetKind
    code: bytes

    def __post_init__(self) -> None:
        check_bytes("facet.code", self.code)
        if self.kind is FacetKind.ALL and self.code != bytes(HASH_BYTES):
            raise MalformedInput("facet.code", "is zero, for there is one log", got=self.code)


EVERYTHING: Final = Facet(FacetKind.ALL, bytes(HASH_BYTES))


def facet_kind(number: int) -> FacetKind:
    """The kind of this number.

    Raises:
        MalformedInput: there is none.
    """
    try:
        return FacetKind(number)
    except ValueError:
        raise MalformedInput(_KIND, "is unknown", got=number, expected=[int(kind) for kind in FacetKind]) from None


def name_code(kind: FacetKind, name: str) -> bytes:
    """32 bytes for a theme's or format's IRI, or a chain's id: names do not stand on the hub.

    Raises:
        MalformedInput: an empty name, or one of more than `MAX_NAME_BYTES`.
    """
    raw = name.encode()
    if not 1 <= len(raw) <= MAX_NAME_BYTES:
        raise MalformedInput("facet.name", f"has 1 to {MAX_NAME_BYTES} bytes", got=len(raw))
    return sha256(FACET_DOMAIN + bytes([kind]) + raw)


@dataclass(frozen=True, slots=True)
class FacetHead:
    """Of all operations that touched a facet: how many, over what; and how many entries have it now.

    `peaks` are the roots of the tree's complete subtrees, the largest first, one for each bit of `size`.
    """

    size: int
    live: int
    """Entries that have the facet and were not withdrawn; one whose time is over counts until it is."""
    restricted: int
    """Those of the live ones of which the document is sealed."""
    peaks: tuple[bytes, ...]

    def __post_init__(self) -> None:
        check_number("head.size", self.size)
        check_number("head.live", self.live, most=self.size)
        check_number("head.restricted", self.restricted, most=self.live)
        if len(self.peaks) != self.size.bit_count():
            raise MalformedInput("head.peaks", "one for each bit of the size", len(self.peaks), self.size.bit_count())
        for peak in self.peaks:
            check_bytes("head.peak", peak)

    @property
    def frontier(self) -> Frontier:
        """To which the next operation is appended."""
        return Frontier.of(self.size, self.peaks)

    @property
    def root(self) -> bytes:
        """Of the tree of RFC 6962 over all operations, 32 bytes."""
        return self.frontier.root()


NO_HEAD: Final = FacetHead(0, 0, 0, ())


def encode_head(head: FacetHead) -> bytes:
    """Inverse of `decode_head`."""
    return encode_value(HEAD_STRUCT, (head.size, head.live, head.restricted, list(head.peaks)))


def decode_head(data: bytes) -> FacetHead:
    """A facet's head.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    size, live, restricted, peaks = decode_value(HEAD_STRUCT, data, "head")
    return FacetHead(size, live, restricted, tuple(peaks))
