"""Messages as the API shows them: one way of one or two packets, and figures over many of them."""

from dataclasses import dataclass
from enum import StrEnum

from hutong.relay.ledger.values.errors import DamagedRow
from hutong.relay.ledger.values.packets import Costs, KnownPacket, RouteState


class App(StrEnum):
    """What a packet carries, by its ports."""

    MESSAGE = "message"
    TRANSFER = "transfer"
    OTHER = "other"


class MessageState(StrEnum):
    """How a message stands on the chain that sent it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """Acknowledged with an error: what was sent is given back."""
    TIMED_OUT = "timed_out"
    SETTLED = "settled"
    """Its commitment is gone, by whom is not known."""
    DEAD = "dead"
    """A step of one of its packets was given up."""


class MessageStage(StrEnum):
    """How far it got. Also a message that ended badly is `settled`."""

    SENT = "sent"
    AT_HUB = "at_hub"
    """The first of two packets was received."""
    DELIVERED = "delivered"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """All that is set must hold; texts match exactly, but for the case of `0x…`. `destination` is where the whole way ends.

    `transaction` is the hash of any transaction of any packet of it, `message_id` Mailbox's, both `0x` and 64 digits.
    `sent_from_ns` is in the range, `sent_until_ns` is not; both are compared with `MessageRecord.ordered_at_ns`.
    """

    state: MessageState | None = None
    app: App | None = None
    source: str | None = None
    destination: str | None = None
    sender: str | None = None
    receiver: str | None = None
    transaction: str | None = None
    message_id: str | None = None
    sent_from_ns: int | None = None
    sent_until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """A chain by its configured name, and the client on it; `client` is None where it is not known."""

    chain: str
    client: str | None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message. `legs` has one packet or two, the first leg first."""

    legs: tuple[KnownPacket, ...]
    app: App
    state: MessageState
    stage: MessageStage
    source: MessageEnd
    destination: MessageEnd
    """Of the whole way; the hub's end where it is not known where the hub sends it."""
    via: str | None
    """The chain between, of a forwarded message."""
    sender: str | None
    receiver: str | None
    """Final: of a forwarded transfer the memo's, of a forwarded message the inner payload's."""
    denom: str | None
    amount: int | None
    waiting: str | None
    """Reason of the last wait, failure or refusal."""
    ordered_at_ns: int
    """Block time of the sending or, if it was not known when the packet was first written, when it was first seen. Never changes."""
    updated_at_ns: int
    settled_at_ns: int | None
    change: int
    """Grows with every change of any message."""

    @property
    def id(self) -> str:
        """Packet id of the first leg."""
        return self.legs[0].packet_id


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages, and where the next page begins: None after the last.

    A page may have fewer items than were asked for, and yet a next one, where few of many candidates match.
    `damaged` names the rows that could not be read; their messages are left out.
    """

    items: tuple[MessageRecord, ...]
    next: str | None
    damaged: tuple[DamagedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageChanges:
    """Messages in the order of their last changes, oldest first. `cursor` is where to go on: always set."""

    items: tuple[MessageRecord, ...]
    cursor: str
    more: bool
    damaged: tuple[DamagedRow, ...] = ()


class FoundKind(StrEnum):
    """What a searched text was taken for."""

    PACKET = "packet"
    MESSAGE_ID = "message_id"
    TRANSACTION = "transaction"
    ADDRESS = "address"
    CHAIN = "chain"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Found:
    kind: FoundKind
    items: tuple[MessageRecord, ...]
    damaged: tuple[DamagedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteTotal:
    """Messages from chain to chain (final), by app."""

    source: str
    destination: str
    app: App
    total: int
    open: int
    """In state `open` or `dead`."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over everything that is kept. `states` has every state, by its name zero or more."""

    total: int
    states: dict[MessageState, int]
    routes: tuple[RouteTotal, ...]
    costs: tuple[Costs, ...]
    damaged: int = 0
    """Rows left out because a state, a route or a fee in them cannot be read."""


@dataclass(frozen=True, slots=True)
class SeriesBucket:
    """What happened in `start_ns` (included) to `start_ns` + width. Latency: from the sending block to the settling one, to 0.1 s."""

    start_ns: int
    sent: int
    settled: int
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class MeanFee:
    chain: str
    fee_wei: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of the newest acknowledged messages of a route; times are None without samples."""

    samples: int
    p50_s: float | None
    p95_s: float | None
    fees: tuple[MeanFee, ...]
    """Mean a message, on each chain where this relay paid."""


@dataclass(frozen=True, slots=True)
class DeadStep:
    """A step that was given up; `job` is `kind:packet id`, as `hutong relay retry` takes it.

    `mend` is what can be done about the reason, in the words of `hutong why`.
    """

    job: str
    message: MessageRecord
    reason: str | None
    cause: str | None
    at_ns: int
    mend: str


@dataclass(frozen=True, slots=True)
class DeadPage:
    """Newest messages first; at most two steps a message."""

    items: tuple[DeadStep, ...]
    next: str | None
    damaged: tuple[DamagedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """`route` is `chain:client`, where the packets' present step goes; `state` is None while the route goes on."""

    route: str
    open: int
    state: RouteState | None
