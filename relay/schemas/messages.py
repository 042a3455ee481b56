"""Messages: one way of one or two packets, and what is known of it."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.schemas.documented import UNDESCRIBED, WITHOUT_BOUNDS
from hutong.relay.schemas.fields import Address, Count, Cursor, Hash, Instant, Items, Name, Text, Wei
from hutong.relay.schemas.network import End
from hutong.relay.schemas.words import IN_PLACE, App, FoundKind, MessageStage, MessageState, TransactionState

PACKET_ID_EXAMPLE = "alpha/client-0/7"

PacketId = Annotated[Name, Field(examples=[PACKET_ID_EXAMPLE])]
Job = Annotated[Name, Field(examples=["receive:alpha/client-0/7"])]


@dataclass(frozen=True, slots=True)
class TokenAmount:
    """Tokens as the sending chain has them."""

    __pydantic_config__ = UNDESCRIBED

    denom: Annotated[
        Text,
        Field(description="as the sending chain has it", examples=["0x8464135c8f25da09e49bc8782676a84730c318bc"]),
    ]
    amount: Wei


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """A message as lists show it. `message_id` is the Mailbox's; what is not known is None."""

    __pydantic_config__ = UNDESCRIBED

    id: Annotated[Name, Field(description="packet id of the first leg", examples=[PACKET_ID_EXAMPLE])]
    message_id: Hash | None
    app: App
    state: MessageState
    stage: MessageStage
    source: End
    destination: Annotated[End, Field(description="of the whole way: a forwarded message ends beyond the hub")]
    via: Annotated[Name | None, Field(description="the hub between", examples=["hub"])]
    sender: Text | None
    receiver: Text | None
    token: TokenAmount | None
    sent_at: Instant | None
    updated_at: Instant
    settled_at: Instant | None
    timeout_at: Instant
    sent_transaction: Hash | None
    legs: Annotated[
        tuple[Name, ...],
        Field(min_length=1, max_length=2, examples=[[PACKET_ID_EXAMPLE, "hub/bft-evm-1/12"]]),
        WITHOUT_BOUNDS,
    ]
    waiting: Annotated[Text | None, Field(description="reason of the last wait, failure or refusal")]

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
    """The sentence of `hutong why`."""

    id: PacketId
    settled: bool
    waits_for: Annotated[Text, Field(examples=["it is settled: its acknowledgement is on alpha"])]
    do: Annotated[Text | None, Field(examples=["nothing to do"])]
    sentence: Annotated[Text, Field(examples=["it is settled: its acknowledgement is on alpha; nothing to do"])]


@dataclass(frozen=True, slots=True)
class Event:
    """A step of one leg."""

    packet_id: PacketId
    leg: Literal[1, 2]
    kind: Annotated[Name, Field(examples=["receive"])]
    step: Annotated[Name, Field(examples=["included"])]
    chain: Annotated[Name, Field(examples=["hub"])]
    at: Instant
    first_at: Instant
    count: Count
    height: Count | None
    block_time: Instant | None
    transaction: Hash | None
    reason: Text | None
    gas_used: Count | None
    fee_wei: Wei | None


@dataclass(frozen=True, slots=True)
class ChainCosts:
    """What the relay paid on a chain for this message."""

    __pydantic_config__ = UNDESCRIBED

    chain: Annotated[Name, Field(examples=["hub"])]
    transactions: Count
    gas_used: Count
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class HeldTokens:
    """Tokens of a message that a chain's Transfer keeps for their owner: a large receive until its time, or a refund that
    the token refused to pay.
    """

    __pydantic_config__ = UNDESCRIBED

    packet_id: PacketId
    kind: Annotated[Literal["receive", "refund"], Field(examples=["receive"])]
    chain: Annotated[Name, Field(description="where they are kept", examples=["beta"])]
    transfer: Annotated[Address, Field(description="its Transfer, which pays them by `release` or `claim`")]
    client: Annotated[Name, Field(description="with `sequence` what that chain calls the packet")]
    sequence: Count
    token: Address
    owner: Address
    amount: Wei
    releasable_at: Annotated[Instant, Field(description="from then on anybody may have them paid to the owner")]


@dataclass(frozen=True, slots=True)
class Message(MessageSummary):
    """A message with its timeline and costs.

    `held` is None where the chain that may keep tokens does not say so now, and of servers that do not tell.
    """

    why: Why
    timeline: Items[Event]
    costs: Items[ChainCosts]
    held: Annotated[
        Items[HeldTokens] | None,
        Field(description="what chains keep for the owner; null where one that may does not answer"),
    ] = field(default_factory=lambda: None)

    @property
    def summary(self) -> MessageSummary:
        """The part that lists and event streams have too, for comparing with them."""
        return MessageSummary(**{field.name: getattr(self, field.name) for field in fields(MessageSummary)})


@dataclass(frozen=True, slots=True)
class MessageList:
    """A page of messages."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[MessageSummary]
    next: Annotated[Cursor | None, Field(description="cursor of the next page")]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a searched text may mean."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[MessageSummary]
    kind: FoundKind


@dataclass(frozen=True, slots=True)
class CheckedPredicate:
    """A rule of a light client, and whether the evidence keeps it."""

    __pydantic_config__ = UNDESCRIBED

    name: Annotated[Name, Field(examples=["enough_power_signed"])]
    valid: bool
    error: Text | None


@dataclass(frozen=True, slots=True)
class CheckedProof:
    """Kept evidence of one step, judged again now from the state that the client trusted."""

    packet_id: PacketId
    leg: Literal[1, 2]
    kind: Annotated[Name, Field(examples=["receive"])]
    source_chain: Annotated[
        Name | None, Field(description="where it is proven to stand; null where the evidence is damaged")
    ]
    destination_chain: Annotated[Name | None, Field(description="whose light client judged it")]
    client: Name | None
    client_type: Name | None
    proof_height: Annotated[Name | None, Field(examples=["0-1234"])]
    headers: Count
    verified_at: Instant | None
    transaction: Hash | None
    valid: bool
    predicates: Items[CheckedPredicate]


@dataclass(frozen=True, slots=True)
class ProofList:
    """All proofs of a message."""

    __pydantic_config__ = UNDESCRIBED

    id: Name
    items: Items[CheckedProof]


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """`messages` are those that the transaction sent, delivered or settled, as far as the ledger has them: at most 50.

    `next` is None where these are all; the list of messages, asked by `transaction`, has the others too. Older servers do
    not say it.
    """

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    hash: Hash
    state: Annotated[TransactionState, IN_PLACE]
    height: Count | None
    reason: Text | None
    messages: Items[MessageSummary]
    next: Annotated[
        Cursor | None,
        Field(description="cursor of the next page, at `/v1/messages?transaction=`, where there are more"),
    ] = field(default_factory=lambda: None)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A step that the relay gave up: why, and what its operator can do. `job` is for `hutong relay retry`."""

    __pydantic_config__ = UNDESCRIBED

    job: Job
    message: MessageSummary
    reason: Text | None
    cause: Name | None
    do: Text
    at: Instant


@dataclass(frozen=True, slots=True)
class DeadLetterList:
    """A page of dead letters."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[DeadLetter]
    next: Cursor | None
