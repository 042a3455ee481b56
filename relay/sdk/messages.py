"""Messages: one way of one or two packets, and what is known of it."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.sdk.fields import MAX_ITEMS, Count, Hash, Instant, Known, Name, Text, Units
from hutong.relay.sdk.network import End


class App(Known):
    MESSAGE = "message"
    TRANSFER = "transfer"
    OTHER = "other"
    UNKNOWN = "unknown"


class MessageState(Known):
    """How a message stands on the chain that sent it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """Acknowledged with an error: what was sent is given back."""
    TIMED_OUT = "timed_out"
    """What was sent is given back."""
    SETTLED = "settled"
    """Its commitment is gone, by whom is not known."""
    DEAD = "dead"
    """The relay gave a step up; its operator can try it again."""
    UNKNOWN = "unknown"


class MessageStage(Known):
    """How far it got, in this order. Also what ended badly is `settled`."""

    SENT = "sent"
    AT_HUB = "at_hub"
    """Of a way over a hub alone."""
    DELIVERED = "delivered"
    SETTLED = "settled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TokenAmount:
    """`denom` as the sending chain has it."""

    denom: Text
    amount: Units


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """`id` is the packet id of the first leg, `message_id` the Mailbox's; `destination` is of the whole way."""

    id: Name
    message_id: Hash | None
    app: App
    state: MessageState
    stage: MessageStage
    source: End
    destination: End
    via: Name | None
    sender: Text | None
    receiver: Text | None
    token: TokenAmount | None
    sent_at: Instant | None
    updated_at: Instant
    settled_at: Instant | None
    timeout_at: Instant
    sent_transaction: Hash | None
    legs: Annotated[tuple[Name, ...], Field(min_length=1, max_length=2)]
    waiting: Text | None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen to it, however it ended.

        A dead message is not settled: its step may be tried again.
        """
        return self.settled_at is not None

    @property
    def is_delivered(self) -> bool:
        """Whether it arrived, was taken, and is settled. False while its acknowledgement is still on the way."""
        return self.state is MessageState.ACKNOWLEDGED

    def is_called(self, name: str) -> bool:
        """Whether `name` is the packet id of one of its legs, or its Mailbox id in any case of letters."""
        return name == self.id or name in self.legs or name.lower() == (self.message_id or "").lower() != ""


@dataclass(frozen=True, slots=True)
class Why:
    """What it waits for, and what to do: the sentence of `hutong why`."""

    id: Name
    settled: bool
    waits_for: Text
    do: Text | None
    sentence: Text


@dataclass(frozen=True, slots=True)
class Step:
    """A step of one leg in a message's timeline."""

    packet_id: Name
    leg: Literal[1, 2]
    kind: Name
    step: Name
    chain: Name
    at: Instant
    first_at: Instant
    count: Count
    height: Count | None
    block_time: Instant | None
    transaction: Hash | None
    reason: Text | None
    gas_used: Count | None
    fee_wei: Units | None


@dataclass(frozen=True, slots=True)
class ChainCosts:
    """What the relay paid on a chain for this message."""

    chain: Name
    transactions: Count
    gas_used: Count
    fee_wei: Units


@dataclass(frozen=True, slots=True)
class Message(MessageSummary):
    why: Why
    timeline: Annotated[tuple[Step, ...], Field(max_length=MAX_ITEMS)]
    costs: Annotated[tuple[ChainCosts, ...], Field(max_length=MAX_ITEMS)]

    @property
    def summary(self) -> MessageSummary:
        """The part that lists and event streams have too, for comparing with them."""
        return MessageSummary(**{field.name: getattr(self, field.name) for field in fields(MessageSummary)})


@dataclass(frozen=True, slots=True)
class MessagePage:
    items: Annotated[tuple[MessageSummary, ...], Field(max_length=MAX_ITEMS)]
    next: Annotated[str, Field(max_length=1_024)] | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A step that the relay gave up: why, and what its operator can do. `job` is for `hutong relay retry`."""

    job: Name
    message: MessageSummary
    reason: Text | None
    cause: Name | None
    do: Text
    at: Instant


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    items: Annotated[tuple[DeadLetter, ...], Field(max_length=MAX_ITEMS)]
    next: Annotated[str, Field(max_length=1_024)] | None


class FoundKind(Known):
    """What a searched text was taken for."""

    PACKET = "packet"
    MESSAGE_ID = "message_id"
    TRANSACTION = "transaction"
    ADDRESS = "address"
    CHAIN = "chain"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    items: Annotated[tuple[MessageSummary, ...], Field(max_length=MAX_ITEMS)]
    kind: FoundKind


@dataclass(frozen=True, slots=True)
class Predicate:
    name: Name
    valid: bool
    error: Text | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Kept evidence of one step, which the server says it judged again. To judge it yourself take the bundle."""

    packet_id: Name
    leg: Literal[1, 2]
    kind: Name
    source_chain: Name | None
    destination_chain: Name | None
    client: Name | None
    client_type: Name | None
    proof_height: Name | None
    headers: Count
    verified_at: Instant | None
    transaction: Hash | None
    valid: bool
    predicates: Annotated[tuple[Predicate, ...], Field(max_length=MAX_ITEMS)]


@dataclass(frozen=True, slots=True)
class Proofs:
    id: Name
    items: Annotated[tuple[Proof, ...], Field(max_length=MAX_ITEMS)]


class TransactionState(Known):
    PENDING = "pending"
    INCLUDED = "included"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """`messages` are those that the transaction sent, delivered or settled, as far as the ledger has them: at most 50.

    `next` is None where these are all; `messages(transaction=…)` lists the others too. Older servers do not say.
    """

    chain: Name
    hash: Hash
    state: TransactionState
    height: Count | None
    reason: Text | None
    messages: Annotated[tuple[MessageSummary, ...], Field(max_length=MAX_ITEMS)]
    next: Annotated[str, Field(max_length=1_024)] | None = None
