"""What the ledger takes and gives."""

from dataclasses import dataclass
from enum import StrEnum


class TransactionState(StrEnum):
    """A transaction is `signed` until its nonce is used up on the chain; every other state is final."""

    SIGNED = "signed"
    INCLUDED = "included"
    REVERTED = "reverted"
    REPLACED = "replaced"
    """Another transaction used the nonce: a dearer copy of ours, or someone else's with the same key."""
    REFUSED = "refused"
    """The pool refused it for good; its nonce was given to another."""


@dataclass(frozen=True, slots=True)
class RecordedJob:
    """What a message of a recorded transaction was for; `id` is `kind:packet id`."""

    id: str
    event_time_ns: int

    @property
    def kind(self) -> str:
        """`receive`, `acknowledge` or `timeout`."""
        return self.id.partition(":")[0]

    @property
    def packet_id(self) -> str:
        """`chain/client/sequence` of the sending end."""
        return self.id.partition(":")[2]


@dataclass(frozen=True, slots=True)
class RecordedTransaction:
    """A transaction as recorded before it was sent. `jobs` has one entry a message, None where it updates a client.

    `prepared` is the submitter's own text, from which it can sign again.
    """

    chain: str
    hash: bytes
    sender: str
    nonce: int
    raw: bytes
    prepared: str
    jobs: tuple[RecordedJob | None, ...]
    signed_at_ns: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one packet's step cost and where it is. `gas_used` and `fee_wei` are its share of a batch of `batch_size`."""

    packet_id: str
    kind: str
    chain: str
    transaction_hash: bytes
    height: int
    batch_size: int
    gas_used: int
    fee_wei: int
    event_time_ns: int
    block_time_ns: int
    at_ns: int
    owner: str = "relay"
    """Which relay sent it, where several write one ledger."""


@dataclass(frozen=True, slots=True)
class TransactionEnd:
    """How a recorded transaction ended, and what it delivered.

    `at_ns` is when the relay learned of it, nanoseconds of Unix time; `height` that of the final block that includes it,
    None with gas and fee where it was never included; `fee_wei` in the smallest unit of the chain's fee token.
    """

    chain: str
    hash: bytes
    state: TransactionState
    at_ns: int
    height: int | None = None
    gas_used: int | None = None
    fee_wei: int | None = None
    reason: str | None = None
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Costs:
    """Sums over the deliveries and all transactions of a chain, paid failures included."""

    chain: str
    deliveries: int
    transactions: int
    reverted: int
    gas_used: int
    fee_wei: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The block on the sending chain that made the packet, and the transaction in it.

    Each is None where whoever told of the packet did not know it.
    """

    height: int | None
    time_ns: int | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What the first payload says. `app` is `message`, `transfer` or `other`; the rest is None where it says no such thing.

    `receiver` is where it ends: of a packet that the hub sends on, the receiver beyond the hub. `denom` is as the sending
    chain has it, `amount` in its smallest unit. `next_client` is the hub's client that a first leg goes on over, and
    `final_chain` with `final_client` where that leads by the configured paths.
    """

    app: str | None
    sender: str | None
    receiver: str | None
    denom: str | None
    amount: int | None
    next_client: str | None
    final_chain: str | None
    final_client: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """How the packet ended on its sending chain, an `Outcome`, and when this was noted, in nanoseconds of Unix time."""

    outcome: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class KnownPacket:
    """A packet as the ledger last knew it. `kind` and `step` say what happened last, `reason` and `cause` why it waits."""

    packet_id: str
    source_chain: str
    source_client: str
    destination_chain: str
    destination_client: str
    sequence: int
    source_port: str
    destination_port: str
    payload_bytes: int
    timeout_timestamp_s: int
    message_id: str | None
    leg_of: str | None
    forward_key: str | None
    first_seen_at_ns: int
    kind: str
    step: str
    at_ns: int
    reason: str | None
    cause: str | None
    refused: bool | None
    """Whether its acknowledgement is an error; None while there is none, and where a schema before 0004 wrote the row."""
    sent: Sent | None
    """None until its sending was seen."""
    contents: Contents
    settled: Settled | None
    """None while its commitment is on the sending chain."""

    @property
    def outcome(self) -> str | None:
        """How it ended, an `Outcome`; None while it is not settled."""
        return None if self.settled is None else self.settled.outcome

    @property
    def received(self) -> bool:
        """Whether the relay knows that it was received where it was sent to. False also where it only does not know."""
        return self.kind == "acknowledge" or (self.kind == "receive" and self.step in ("included", "superseded"))

    @property
    def route(self) -> str:
        """Name of the route on which its present job travels, `chain:client` of that job's destination."""
        if self.kind == "receive":
            return f"{self.destination_chain}:{self.destination_client}"
        return f"{self.source_chain}:{self.source_client}"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step: first and last time, how often, and block, hash and reason of the last."""

    packet_id: str
    kind: str
    step: str
    chain: str
    first_at_ns: int
    at_ns: int
    count: int
    height: int | None
    block_time_ns: int | None
    transaction_hash: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class RouteState:
    """Why a route waits, since when, and how often it was tried."""

    route: str
    reason: str | None
    cause: str | None
    failures: int
    since_ns: int
    at_ns: int
    owner: str = "relay"


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A transaction that was sent and has not ended."""

    chain: str
    hash: str
    sender: str
    nonce: int
    signed_at_ns: int


@dataclass(frozen=True, slots=True)
class IgnoredJob:
    """`job` is `kind:packet id`; `reason` are the operator's words."""

    job: str
    reason: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """All that the ledger knows of one packet. `packet` is None where only its deliveries were recorded."""

    packet_id: str
    packet: KnownPacket | None
    steps: tuple[StepRecord, ...]
    deliveries: tuple[Delivery, ...]
    route: RouteState | None
    transaction: OpenTransaction | None
    ignored: tuple[IgnoredJob, ...] = ()
    """Its jobs that an operator said are to be left alone."""


def shares(total: int, count: int) -> list[int]:
    """Cut `total` into `count` integers (at least one) that differ by at most one and sum to it; the larger ones come
    first.
    """
    base, rest = divmod(total, count)
    return [base + (1 if index < rest else 0) for index in range(count)]
