"""Steps in the life of a packet, and what it waits for, as the core reports them."""

from dataclasses import dataclass
from enum import StrEnum

REFUSED = "error acknowledgement"


def refusal_reason(said: str | None) -> str:
    """The reason of a step that brought an error acknowledgement; `said` is what the receiver gave as its own."""
    return REFUSED if said is None else f"{REFUSED}: {said}"


def is_refusal(reason: str | None) -> bool:
    """Whether a step's reason is one of `refusal_reason`."""
    return reason is not None and (reason == REFUSED or reason.startswith(f"{REFUSED}: "))


def said_of(reason: str | None) -> str | None:
    """What the receiver gave as its reason; None if it gave none, or `reason` is not one of `refusal_reason`."""
    return reason.removeprefix(f"{REFUSED}: ") if reason is not None and reason.startswith(f"{REFUSED}: ") else None


class Step(StrEnum):
    """What happened last to the job of one kind (receive, acknowledge, timeout) of a packet."""

    SEEN = "seen"
    """Its event stands in the final state of the chain; the queue does not have it yet."""
    QUEUED = "queued"
    WAITING = "waiting"
    """A worker holds it, and its route cannot go on now."""
    SUBMITTED = "submitted"
    RETRIED = "retried"
    """It failed, costs nothing more, and comes again after a delay."""
    INCLUDED = "included"
    SUPERSEDED = "superseded"
    """The chain needs it no more: another relay did it, or this one before a crash."""
    EXPIRED = "expired"
    """Not received before its timeout; it comes back."""
    DEAD = "dead"
    """Given up after too many failures; an operator may revive it."""


class Outcome(StrEnum):
    """How a packet ended on the chain that sent it."""

    ACKNOWLEDGED = "acknowledged"
    TIMED_OUT = "timed_out"
    SETTLED = "settled"
    """Its commitment is gone, and this relay does not know by which of the two."""


class Cause(StrEnum):
    """What a wait or failure is about, so that `hutong why` can say what to do."""

    CLIENT_INACTIVE = "client_inactive"
    CHAIN_PAUSED = "chain_paused"
    NO_BLOCK = "no_block"
    HEADERS_REFUSED = "headers_refused"
    PROOF_REFUSED = "proof_refused"
    WOULD_FAIL = "would_fail"
    FAILED = "failed"
    """It failed in a block, and was paid for."""
    FEE_CAP = "fee_cap"
    WALLET_EMPTY = "wallet_empty"
    POOL_REFUSED = "pool_refused"
    ENDPOINT = "endpoint"
    HEIGHT_UNAVAILABLE = "height_unavailable"
    TOO_LARGE = "too_large"
    LOST = "lost"
    """Its transaction will never be included; the next one may be."""
    NOT_FINAL = "not_final"
    """Another transaction did it, in a block that may still be undone."""
    TURN = "turn"
    """Left to another relay for a moment, or to a transaction that waits in a pool."""
    QUEUE_FULL = "queue_full"
    SIGNER_AWAY = "signer_away"
    """What holds the relay's key does not answer; nothing is lost meanwhile."""
    SIGNER_REFUSED = "signer_refused"
    """By the key's policy, or it gave no signature of the key."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PacketFacts:
    """What stands in the packet itself. `packet_id` is `chain/client/sequence` of the sending end."""

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
    message_id: str | None = None
    """Of a Mailbox message, `0x…`; both legs of a forwarded one share it."""
    leg_of: str | None = None
    """The packet that made the hub send this one, where the packet itself says so."""
    forward_key: str | None = None
    """What both legs of a forwarded transfer have in common."""
    app: str | None = None
    """`message`, `transfer` or `other`."""
    sender: str | None = None
    receiver: str | None = None
    """Where it ends: of a packet that the hub sends on, the receiver beyond the hub."""
    denom: str | None = None
    """As the sending chain has it."""
    amount: int | None = None
    next_client: str | None = None
    """The hub's client that it goes on over, of a first leg."""
    final_chain: str | None = None
    """Where the hub sends it, by the configured paths."""
    final_client: str | None = None
    refused: bool | None = None
    """Whether its acknowledgement is an error; None while there is none."""


@dataclass(frozen=True, slots=True)
class Note:
    """One step. `chain` is where it happened or shall happen; height, hash and block time are those of its block there."""

    packet_id: str
    kind: str
    step: Step
    chain: str
    at_ns: int
    facts: PacketFacts | None = None
    reason: str | None = None
    cause: Cause | None = None
    height: int | None = None
    block_time_ns: int | None = None
    transaction_hash: bytes | None = None
    outcome: Outcome | None = None
    record: bytes | None = None
    """The job of the event, as the queue has it: kept until the packet is settled."""
    certain: bool = True
    """False where an event was perhaps read again: then it opens a life, and changes no later step."""


@dataclass(frozen=True, slots=True)
class RouteNote:
    """A route waits (with a reason), or goes on (None)."""

    route: str
    at_ns: int
    reason: str | None = None
    cause: Cause | None = None
    failures: int = 0
