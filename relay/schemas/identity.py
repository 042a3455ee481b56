"""Organisations of a hub: their records as its node tells them, each with the address of its proof."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.schemas.documented import UNDESCRIBED
from hutong.relay.schemas.fields import Count, Cursor, Hash, HexData, Instant, Items, Name, Text

Did = Annotated[Name, Field(examples=["did:hutong:hutong:" + "5e" * 32])]
Bundle = Annotated[Text, Field(description="address of a bundle that proves it")]


@dataclass(frozen=True, slots=True)
class Organisation:
    """The record of a DID. Counts are of its records, so that nobody can leave one out."""

    __pydantic_config__ = UNDESCRIBED

    hub: Annotated[Name, Field(examples=["hub"])]
    did: Did
    active: Annotated[bool, Field(description="false: it was deactivated")]
    keys: Count
    active_keys: Count
    lists: Count
    operations: Annotated[Count, Field(description="of its controllers, so far")]
    registered: Instant
    changed: Instant
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class OrganisationList:
    """In the order of their identifiers, which is no order of time."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[Organisation]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class AccreditationOf:
    """Who lets an organisation issue under a schema. That its whole chain holds is not said here: the bundle shows it."""

    __pydantic_config__ = UNDESCRIBED

    subject: Did
    schema: Annotated[Hash | None, Field(description="SHA-256 of the schema; null: all schemas")]
    accreditor: Annotated[Did | None, Field(description="null: the hub's governance")]
    depth: Annotated[Count, Field(description="levels that may follow below")]
    valid_from: Instant
    valid_until: Annotated[Instant, Field(description="the end of the year 9999 where it has no end")]
    state: Literal["active", "revoked"]
    granted: Instant
    revoked: Instant | None
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class AccreditationList:
    """In the order of subjects and schemas."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[AccreditationOf]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class IssuersList:
    """A status list of an issuer, and the issuer's epoch, which rises with each revocation."""

    __pydantic_config__ = UNDESCRIBED

    issuer: Did
    number: Count
    bits: Annotated[Count, Field(description="of one status: 1, 2, 4 or 8")]
    size: Annotated[Count, Field(description="statuses in the list")]
    schema: Hash
    root: Hash
    token_hash: Annotated[Hash | None, Field(description="SHA-256 of the Status List Token; null: none was set")]
    updates: Count
    opened: Instant
    changed: Instant
    sealed: Annotated[Instant | None, Field(description="null: it is open")]
    epoch: Count
    epoch_raised: Instant
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class IssuersLists:
    """In the order of issuers and numbers."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[IssuersList]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class OrganisationKey:
    """A key of an organisation, ended ones too."""

    __pydantic_config__ = UNDESCRIBED

    thumbprint: Annotated[Hash, Field(description="RFC 7638")]
    algorithm: Annotated[Name, Field(examples=["ES256"])]
    purposes: Annotated[Items[Name], Field(description="signing, presentation, seal, log, contract")]
    state: Literal["active", "retired", "compromised"]
    valid_from: Instant
    valid_until: Instant
    added: Instant
    ended: Instant | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that a record says happened, with the record; what a later change overwrote is not among them."""

    __pydantic_config__ = UNDESCRIBED

    time: Instant
    height: Annotated[Count | None, Field(description="of the hub's block; null where the record has the time alone")]
    what: Annotated[Name, Field(examples=["registered"])]
    detail: Text
    record: Annotated[HexData, Field(description="key of the record")]
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class OrganisationFile:
    """All that a hub's node tells of one organisation."""

    __pydantic_config__ = UNDESCRIBED

    organisation: Organisation
    epoch: Count
    keys: Items[OrganisationKey]
    accreditations: Items[AccreditationOf]
    lists: Items[IssuersList]
    history: Annotated[Items[HistoryEntry], Field(description="newest first")]
