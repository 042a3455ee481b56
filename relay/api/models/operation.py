"""The relay as a whole."""

from typing import Literal

from pydantic import Field

from hutong.relay.api.models.base import Answer
from hutong.relay.api.models.instants import Instant, Wei
from hutong.relay.ledger.values.messages import App


class Schema(Answer):
    ledger_schema: str = Field(serialization_alias="schema", validation_alias="schema", examples=["0004"])


class Status(Answer):
    name: Literal["hutong"]
    version: str
    time: Instant
    ledger: Schema
    chains: int
    paths: int
    inside_relay: bool


class MessageCounts(Answer):
    total: int
    open: int
    acknowledged: int
    refused: int
    timed_out: int
    settled: int
    dead: int


class RouteCount(Answer):
    source: str
    destination: str
    app: App
    total: int
    open: int


class ChainCost(Answer):
    chain: str
    deliveries: int
    transactions: int
    reverted: int
    gas_used: int
    fee_wei: Wei


class Totals(Answer):
    messages: MessageCounts
    routes: list[RouteCount]
    costs: list[ChainCost]
    as_of: Instant


class Bucket(Answer):
    start: Instant
    sent: int
    settled: int
    p50_s: float | None
    p95_s: float | None


class Series(Answer):
    window: Literal["1h", "24h", "7d"]
    bucket_s: int
    items: list[Bucket]


class Health(Answer):
    status: str = Field(examples=["ok"])


class Readiness(Answer):
    ready: bool
    ledger: str = Field(examples=["ok"])
    chains: dict[str, str] = Field(examples=[{"alpha": "ok"}])
