"""Transactions to sign, the way that they go, and what came of one that was passed on."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from hutong.relay.schemas.documented import ANY_OF, UNDESCRIBED, WITHOUT_BOUNDS, DocumentedAs
from hutong.relay.schemas.fields import Address, Base64, Count, Hash, HexData, Instant, Items, Name, Text, Units
from hutong.relay.schemas.network import End, Hop

MAX_TRANSACTIONS = 16


@dataclass(frozen=True, slots=True)
class UnsignedEvm:
    """`gas` is None where it can be known only after the transactions before it."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    kind: Literal["evm"]
    chain_id: Count
    sender: Annotated[Address, Field(validation_alias="from", serialization_alias="from")]
    to: Address
    data: HexData
    value: Literal["0"]
    gas: Annotated[Count | None, Field(description="null where it can be known only after the transactions before it")]
    nonce: Count
    max_fee_per_gas_wei: Units
    max_priority_fee_per_gas_wei: Units
    purpose: Text


@dataclass(frozen=True, slots=True)
class UnsignedCosmos:
    """A sign document's parts, base64; `auth_info_bytes` without the public key where the chain does not know it."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    kind: Literal["cosmos"]
    chain_id: Name
    account_number: Count
    sequence: Count
    body_bytes: Base64
    auth_info_bytes: Annotated[Base64, Field(description="without the public key where the chain does not know it")]
    purpose: Text


Unsigned = Annotated[UnsignedEvm | UnsignedCosmos, Field(discriminator="kind"), ANY_OF]


@dataclass(frozen=True, slots=True)
class Sends:
    """As it would be if nothing else is sent first."""

    chain: Name
    client: Name
    sequence: Count


@dataclass(frozen=True, slots=True)
class PreparedRoute:
    """The way that a prepared send goes."""

    __pydantic_config__ = UNDESCRIBED

    hops: Annotated[
        tuple[Hop, ...],
        Field(min_length=1, max_length=2),
        DocumentedAs(list[dict[str, End]]),
    ]
    via: Name | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Transactions in their order, for the user's own account.

    `warnings` are sentences for the sender: what will go wrong unless it changes. Older servers have none.
    """

    __pydantic_config__ = UNDESCRIBED

    route: PreparedRoute
    transactions: Annotated[tuple[Unsigned, ...], Field(min_length=1, max_length=MAX_TRANSACTIONS), WITHOUT_BOUNDS]
    sends: Sends
    expires_at: Instant
    warnings: Annotated[Items[Text], Field(description="for the sender, before anything is signed")] = field(
        default_factory=tuple
    )


@dataclass(frozen=True, slots=True)
class Submitted:
    """A transaction that was passed on to its chain."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    hash: Hash
    state: Annotated[Name, WithJsonSchema({"type": "string", "const": "pending"})]
