"""Messages: one way of one or two packets."""

from typing import Literal

from pydantic import Field

from hutong.relay.api.models.base import Answer, Demand, End
from hutong.relay.api.models.instants import Hash, Instant, Wei
from hutong.relay.ledger.values.messages import App, FoundKind, MessageStage, MessageState

PACKET_ID_EXAMPLE = "alpha/client-0/7"


class TokenAmount(Answer):
    denom: str = Field(
        description="as the sending chain has it", examples=["0x8464135c8f25da09e49bc8782676a84730c318bc"]
    )
    amount: Wei


class MessageSummary(Answer):
    id: str = Field(description="packet id of the first leg", examples=[PACKET_ID_EXAMPLE])
    message_id: Hash | None
    app: App
    state: MessageState
    stage: MessageStage
    source: End
    destination: End = Field(description="of the whole way: a forwarded message ends beyond the hub")
    via: str | None = Field(description="the hub between", examples=["hub"])
    sender: str | None
    receiver: str | None
    token: TokenAmount | None
    sent_at: Instant | None
    updated_at: Instant
    settled_at: Instant | None
    timeout_at: Instant
    sent_transaction: Hash | None
    legs: list[str] = Field(examples=[[PACKET_ID_EXAMPLE, "hub/bft-evm-1/12"]])
    waiting: str | None = Field(description="reason of the last wait, failure or refusal")


class Why(Answer):
    """The sentence of `hutong why`."""

    id: str = Field(examples=[PACKET_ID_EXAMPLE])
    settled: bool
    waits_for: str = Field(examples=["it is settled: its acknowledgement is on alpha"])
    do: str | None = Field(examples=["nothing to do"])
    sentence: str = Field(examples=["it is settled: its acknowledgement is on alpha; nothing to do"])


class Event(Answer):
    """A step of one leg."""

    packet_id: str = Field(examples=[PACKET_ID_EXAMPLE])
    leg: Literal[1, 2]
    kind: str = Field(examples=["receive"])
    step: str = Field(examples=["included"])
    chain: str = Field(examples=["hub"])
    at: Instant
    first_at: Instant
    count: int
    height: int | None
    block_time: Instant | None
    transaction: Hash | None
    reason: str | None
    gas_used: int | None
    fee_wei: Wei | None


class ChainCosts(Answer):
    chain: str = Field(examples=["hub"])
    transactions: int
    gas_used: int
    fee_wei: Wei


class Message(MessageSummary):
    why: Why
    timeline: list[Event]
    costs: list[ChainCosts]


class MessageList(Answer):
    items: list[MessageSummary]
    next: str | None = Field(description="cursor of the next page")


class SearchResult(Answer):
    items: list[MessageSummary]
    kind: FoundKind


class CheckedPredicate(Answer):
    name: str = Field(examples=["enough_power_signed"])
    valid: bool
    error: str | None


class CheckedProof(Answer):
    """Kept evidence of one step, judged again now from the state that the client trusted."""

    packet_id: str = Field(examples=[PACKET_ID_EXAMPLE])
    leg: Literal[1, 2]
    kind: str = Field(examples=["receive"])
    source_chain: str | None = Field(description="where it is proven to stand; null where the evidence is damaged")
    destination_chain: str | None = Field(description="whose light client judged it")
    client: str | None
    client_type: str | None
    proof_height: str | None = Field(examples=["0-1234"])
    headers: int
    verified_at: Instant | None
    transaction: Hash | None
    valid: bool
    predicates: list[CheckedPredicate]


class ProofList(Answer):
    id: str
    items: list[CheckedProof]


class TransactionStatus(Answer):
    chain: str
    hash: Hash
    state: Literal["pending", "included", "failed", "unknown"]
    height: int | None
    reason: str | None
    messages: list[MessageSummary]
    next: str | None = Field(
        description="cursor of the next page, at `/v1/messages?transaction=`, where there are more"
    )


class DeadLetter(Answer):
    job: str = Field(examples=["receive:alpha/client-0/7"])
    message: MessageSummary
    reason: str | None
    cause: str | None
    do: str
    at: Instant


class DeadLetterList(Answer):
    items: list[DeadLetter]
    next: str | None


class Retried(Answer):
    job: str = Field(examples=["receive:alpha/client-0/7"])


class RetriedAll(Answer):
    retried: int = Field(examples=[12])


class RetryAll(Demand):
    """Which dead letters; at least one of the three."""

    cause: str | None = Field(None, max_length=24, examples=["would_fail"])
    route: str | None = Field(None, max_length=100, examples=["beta:client-0"])
    all: bool = False


class Ignore(Demand):
    reason: str = Field(min_length=1, max_length=500, examples=["the receiver is known to be broken"])


class Ignored(Answer):
    job: str = Field(examples=["receive:alpha/client-0/7"])
    ignored: bool
