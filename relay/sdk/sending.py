"""What is asked to be sent, the transactions that do it, and what came of them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.sdk.fields import Address, Base64, Count, Hash, HexData, Instant, Name, Text, Units
from hutong.relay.sdk.messages import MessageSummary
from hutong.relay.sdk.network import Hop

MAX_TRANSACTIONS = 16


@dataclass(frozen=True, slots=True)
class TransferDemand:
    """Tokens to send. `amount` in the smallest unit; `via` is a hub's name, None for the way that a voucher came, else
    the direct one where there is one; `client` (on the source) and `next_client` (the hub's) pick among parallel paths.
    """

    source: str
    destination: str
    token: str
    amount: int
    sender: str
    receiver: str
    timeout_s: int = 3_600
    memo: str = ""
    via: str | None = None
    client: str | None = None
    next_client: str | None = None


@dataclass(frozen=True, slots=True)
class MessageDemand:
    """A Mailbox message to a contract."""

    source: str
    destination: str
    sender: str
    receiver: str
    payload: bytes
    timeout_s: int = 3_600
    via: str | None = None
    client: str | None = None
    next_client: str | None = None
    receive_gas: int | None = None


Demand = TransferDemand | MessageDemand


@dataclass(frozen=True, slots=True)
class UnsignedEvm:
    """`gas` is None where it can be known only after the transactions before it."""

    chain: Name
    kind: Literal["evm"]
    chain_id: Count
    sender: Annotated[Address, Field(validation_alias="from")]
    to: Address
    data: HexData
    value: Literal["0"]
    gas: Count | None
    nonce: Count
    max_fee_per_gas_wei: Units
    max_priority_fee_per_gas_wei: Units
    purpose: Text


@dataclass(frozen=True, slots=True)
class UnsignedCosmos:
    """A sign document's parts, base64; `auth_info_bytes` without the public key where the chain does not know it."""

    chain: Name
    kind: Literal["cosmos"]
    chain_id: Name
    account_number: Count
    sequence: Count
    body_bytes: Base64
    auth_info_bytes: Base64
    purpose: Text


Unsigned = Annotated[UnsignedEvm | UnsignedCosmos, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Sends:
    """The packet that will be sent if nothing else is sent first."""

    chain: Name
    client: Name
    sequence: Count


@dataclass(frozen=True, slots=True)
class PreparedRoute:
    hops: Annotated[tuple[Hop, ...], Field(min_length=1, max_length=2)]
    via: Name | None


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    route: PreparedRoute
    transactions: Annotated[tuple[Unsigned, ...], Field(min_length=1, max_length=MAX_TRANSACTIONS)]
    sends: Sends
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Prepared:
    """Transactions in their order, for the user's own account, and what they were asked for."""

    demand: Demand
    route: PreparedRoute
    transactions: tuple[UnsignedEvm | UnsignedCosmos, ...]
    sends: Sends
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Submitted:
    chain: Name
    hash: Hash
    state: Name


@dataclass(frozen=True, slots=True)
class Sent:
    """All transactions are included, and the ledger knows the message that the last one sent."""

    message: MessageSummary
    hashes: tuple[str, ...]
