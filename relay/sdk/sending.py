"""What is asked to be sent, the transactions that do it, and what came of them."""

from dataclasses import dataclass
from datetime import datetime

from hutong.relay.schemas.messages import MessageSummary
from hutong.relay.schemas.sending import PreparedRoute, Sends, UnsignedCosmos, UnsignedEvm


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
class Prepared:
    """Transactions in their order, for the user's own account, and what they were asked for.

    `warnings` are sentences for the sender, before anything is signed; empty where nothing speaks against it.
    """

    demand: Demand
    route: PreparedRoute
    transactions: tuple[UnsignedEvm | UnsignedCosmos, ...]
    sends: Sends
    expires_at: datetime
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """All transactions are included, and the ledger knows the message that the last one sent."""

    message: MessageSummary
    hashes: tuple[str, ...]
