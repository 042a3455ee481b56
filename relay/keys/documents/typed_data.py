"""What is signed by EIP-712: attestations, reports of feeds, and structs that their own modules hash."""

from dataclasses import dataclass

from hutong.light_clients import attestation, feeds
from hutong.light_clients.attestation import AttestationKind, Scope, attestation_struct
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.feeds import report_struct
from hutong.relay.keys.documents.document import DocumentKind, Hashing
from hutong.relay.keys.errors import ForeignDocument

PREFIX = b"\x19\x01"
"""Begins no transaction: those begin with a type up to 7f or with a list of RLP from c0, and this one is no type in use."""
PREIMAGE_BYTES = 2 + 32 + 32
_DOMAINS = {attestation.DOMAIN_SEPARATOR: "attestations", feeds.DOMAIN_SEPARATOR: "feed reports"}


@dataclass(frozen=True, slots=True)
class TypedData:
    """A struct under a domain, both as EIP-712 hashes them. Of the struct itself nothing can be judged here."""

    domain_separator: bytes
    struct_hash: bytes

    kind = DocumentKind.TYPED_DATA
    hashing = Hashing.KECCAK256

    def __post_init__(self) -> None:
        """Raises ForeignDocument for parts of another length than 32 bytes."""
        if len(self.domain_separator) != 32 or len(self.struct_hash) != 32:
            raise ForeignDocument("domain separator and struct hash have 32 bytes each")

    @property
    def preimage(self) -> bytes:
        """66 bytes: the prefix, the domain separator, the struct's hash."""
        return PREFIX + self.domain_separator + self.struct_hash

    @property
    def digest(self) -> bytes:
        """Keccak-256 of `preimage`."""
        return keccak256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        domain = _DOMAINS.get(self.domain_separator, f"0x{self.domain_separator.hex()}")
        return f"{self.kind} of {domain}: struct 0x{self.struct_hash.hex()}"


def parse_typed_data(preimage: bytes) -> TypedData:
    """The struct whose `preimage` this is.

    Raises:
        ForeignDocument: it is not one.
    """
    if len(preimage) != PREIMAGE_BYTES or not preimage.startswith(PREFIX):
        raise ForeignDocument("it is not the hash of a struct under a domain (EIP-712)")
    return TypedData(preimage[2:34], preimage[34:])


@dataclass(frozen=True, slots=True)
class AttestationDocument:
    """What an attestor says of its chain. `scope` binds both ends, so that the signature is good nowhere else."""

    scope: Scope
    attested: AttestationKind
    data: bytes

    kind = DocumentKind.ATTESTATION
    hashing = Hashing.KECCAK256

    @property
    def preimage(self) -> bytes:
        """As of `TypedData`."""
        return PREFIX + attestation.DOMAIN_SEPARATOR + attestation_struct(self.scope, self.attested, self.data)

    @property
    def digest(self) -> bytes:
        """Keccak-256 of `preimage`."""
        return keccak256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        scope = self.scope
        ends = f"{scope.source_chain_id} for {scope.destination_client_id} on {scope.destination_chain_id}"
        return f"{self.kind} of {self.attested.name.lower()} of {ends}"


@dataclass(frozen=True, slots=True)
class FeedReport:
    """One signer's value of one round of a feed (32 bytes of id, Unix seconds, the feed's units).

    Raises:
        MalformedInput: by `preimage`, where time or value are out of bounds.
    """

    feed: bytes
    time_s: int
    value: int

    kind = DocumentKind.FEED_REPORT
    hashing = Hashing.KECCAK256

    @property
    def preimage(self) -> bytes:
        """As of `TypedData`."""
        return PREFIX + feeds.DOMAIN_SEPARATOR + report_struct(self.feed, self.time_s, self.value)

    @property
    def digest(self) -> bytes:
        """Keccak-256 of `preimage`."""
        return keccak256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        return f"{self.kind} of 0x{self.feed.hex()} round {self.time_s}: {self.value}"
